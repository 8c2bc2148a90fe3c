"""The latest part of a run: like the records of the whole for a short run, and small for a long one."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.test_records import RandomRun
from tests.benchmarks.live_gantt import stream
from vidgen_nb.analysis.recent import Recent, RecentData
from vidgen_nb.analysis.records import build
from vidgen_nb.charts.waiting import idle, queue_steps, subtract, union
from vidgen_nb.core import events as ev


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_a_short_run_is_as_its_records(data: st.DataObject) -> None:
    """Attempts, cooldowns, moves, scenes, slots, the queue and idle time of any run within the limit."""
    world = RandomRun(data).run(60)
    events = list(world.scheduler.events)
    recent = Recent()
    recent(events)
    found, whole = recent.data(), build({}, events)
    assert found.attempts == whole.attempts
    assert found.moves == whole.moves
    assert found.cooldowns == [window for window in whole.cooldowns if window.end > 0]
    assert found.statuses == dict(Counter(scene.status for scene in whole.scenes))
    tried = {attempt.scene for attempt in whole.attempts}
    assert sorted(map(repr, found.scenes)) == sorted(repr(scene) for scene in whole.scenes if scene.id in tried)
    taken: dict[tuple[str, int], float | None] = {}
    for attempt, slot in zip(found.attempts, found.slots, strict=True):  # `pack` may also free one in the same instant
        before = taken.get((attempt.profile, slot), 0.0)
        assert before is not None and before <= attempt.start
        taken[attempt.profile, slot] = attempt.end
    assert (found.profiles, found.capacities, found.end) == (whole.profiles, whole.capacities, whole.end)
    assert (found.older, found.started, found.moved) == (0, len(whole.attempts), len(whole.moves))


def fed(attempts: int, limit: int) -> tuple[RecentData, list[ev.Event]]:
    """Return what is left of a run of about so many attempts, and all its events."""
    recent, events = Recent(limit), [event for part in islice(stream(), attempts) for event in part]
    recent(events)
    return recent.data(), events


def test_a_long_run_keeps_its_end() -> None:
    """Whatever reaches beyond `since` is there, in order of start, with its slot; counts are of the whole run."""
    found, events = fed(3000, 100)
    whole = build({}, events)
    assert len(found.attempts) == 100
    assert found.attempts == [a for a in whole.attempts if a.end is None or a.end > found.since]
    assert found.cooldowns == [window for window in whole.cooldowns if window.end > found.since]
    assert (found.started, found.older, found.moved) == (
        len(whole.attempts), len(whole.attempts) - 100, len(whole.moves)
    )  # fmt: skip
    assert sum(found.tallies.values()) == sum(attempt.end is not None for attempt in whole.attempts)
    assert len(found.moves) <= 100
    assert found.waiting[-1][1] == queue_steps(whole, whole.end)[-1][1]


def test_idle_time_of_the_window_is_that_of_the_run() -> None:
    """A profile that ran nothing while scenes could have been submitted."""
    found, events = fed(400, 100)
    whole = idle(build({}, events), found.end)
    for profile, stretches in whole.items():
        cooling = [(window.start, window.end) for window in found.cooldowns if window.profile == profile]
        seen = subtract(union(found.backlog), union([*found.taken[profile], *cooling]))
        assert sum(stop - start for start, stop in seen if start > found.since) == pytest.approx(
            sum(stop - start for start, stop in stretches if start > found.since)
        )


def test_clear_begins_anew() -> None:
    """Another run of the session has its own times, so nothing of the one before may stay."""
    recent = Recent(50)
    events = [event for part in islice(stream(), 300) for event in part]
    recent(events)
    recent.clear()
    recent(events[:40])
    other = Recent(50)
    other(events[:40])
    assert recent.data() == other.data()
