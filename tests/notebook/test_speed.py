"""The demo's speed, changed while it runs: session and emulator go on together, without a jump."""

from __future__ import annotations

import time
from pathlib import Path

from tests.audit import audit
from vidgen_nb.bundled_demo import demo, demo_scenes


def test_a_run_goes_on_at_another_speed(tmp_path: Path) -> None:
    """Faster, slower and faster again; its times never go back, and cooldowns are as long as ever."""
    with demo(2, output=tmp_path / "videos", speed=20) as ctl:
        ctl.start(demo_scenes(8))
        for speed in (50.0, 5.0, 200.0):
            reached, skew = ctl.now, ctl.emulator.clock.now() - ctl.now
            ctl.speed = speed
            assert ctl.emulator.clock.speed == ctl.speed == speed
            assert reached <= ctl.now < reached + 60 and abs(ctl.emulator.clock.now() - ctl.now - skew) < 60
            while ctl.is_running and ctl.now < reached + 2:
                time.sleep(0.01)
        run = ctl.wait(30)
        audit(run.events, ctl.mode)
        times = [event.at for event in run.events]
        assert run.ended == "settled" and times == sorted(times)
        assert all(29 < each.end - each.start < 90 for each in run.cooldowns)
