"""What an update of the live chart costs: after 50,000 attempts as after 1,000."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from itertools import count
from statistics import median
from typing import Any
from unittest.mock import patch

from tests.benchmarks.measure import Row
from vidgen_nb.analysis.records.live_window import Recent
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.notebook.panel.chart.live_gantt import LiveGantt

__all__ = ["measure", "stream"]

SLOTS = [f"p{number % 4}" for number in range(12)]
PROMPT = "a paper boat in a gutter, in heavy rain & wind, slow"
UPDATES = 40
PER_UPDATE = 10  # attempts between two updates: 20 a second


def stream() -> Iterator[list[ev.Event]]:
    """Yield, without end, the events of one more attempt each: 4 profiles, 3 slots each, every eighth gets a 429.

    Scenes come 50 at a time, so there is a queue.
    """
    yield [ev.ProfileAdded(f"p{number}", 3, at=0.0) for number in range(4)]
    yield [ev.RunStarted(at=0.0)]
    numbers, names, at, again = count(), count(), 0.0, ""
    waiting: deque[str] = deque()
    open_attempts: list[tuple[str, int, str]] = []
    for turn in numbers:
        at += 0.9
        events: list[ev.Event] = []
        profile = SLOTS[turn % len(SLOTS)]
        if len(open_attempts) == len(SLOTS):
            scene, number, ran_on = open_attempts.pop(0)
            if turn % 8 == 5:
                limit = RateLimited(12.0)
                events.append(ev.SceneRequeued(scene, number, ran_on, limit, "429: another profile", at=at))
                events.append(ev.CooldownStarted(ran_on, False, ran_on, (ran_on,), at + 6, "429 on it, 6 s", at=at))
                again = scene
            else:
                events.append(ev.Fetched(scene, number, f"{scene}.mp4", at=at))
        if turn % 8 == 0 and turn:
            group = SLOTS[(turn - 3) % len(SLOTS)]
            events.append(ev.CooldownEnded(group, False, (group,), at=at))
        if again:
            scene, number, again = again, 2, ""
        else:
            if not waiting:
                waiting.extend(f"s{next(names):06}" for _ in range(50))
                events += [ev.SceneAdded(Scene(scene, PROMPT), at=at) for scene in waiting]
            scene, number = waiting.popleft(), 1
        open_attempts.append((scene, number, profile))
        events.append(ev.AttemptStarted(scene, number, profile, "first free", at=at))
        yield events


class Watched:
    """A chart that has seen `attempts` attempts, and what its updates cost."""

    def __init__(self, attempts: int) -> None:
        self.recent, self.chart, self.events = Recent(), LiveGantt(), stream()
        for events in (next(self.events) for _ in range(attempts)):
            self.recent(events)
        self.now = events[-1].at
        self.times: list[float] = []
        self.sizes: list[int] = []
        self.step()
        self.times.clear()
        self.sizes.clear()

    def step(self) -> None:
        """Go on a little and update once."""
        for events in (next(self.events) for _ in range(PER_UPDATE)):
            self.recent(events)
            self.now = events[-1].at
        with patch.object(self.chart.figure, "send_state", self._sent):
            begin = time.process_time()
            self.chart.update(self.recent.data(), self.now)
            self.times.append(time.process_time() - begin)
        self.sizes.append(self._bytes)

    def _sent(self, key: Any = None) -> None:
        state = self.chart.figure.get_state(key=key)  # what the real one does before it sends
        if (message := state.get("_py2js_update")) is not None:
            self._message = message

    @property
    def _bytes(self) -> int:
        return len(json.dumps(self._message))


def measure() -> list[Row]:
    """Update two charts in turns, one early in a run and one late."""
    early, late = Watched(1_000), Watched(50_000)
    for _ in range(UPDATES):
        early.step()
        late.step()
    times = [median(each.times) * 1000 for each in (early, late)]
    sizes = [median(each.sizes) / 1000 for each in (early, late)]
    return [
        Row("live Gantt: an update", f"{times[0]:.2f} ms early, {times[1]:.2f} ms late", times[1], "ms", most=5),
        Row("late against early", "after 50,000 attempts, after 1,000", times[1] / times[0], most=1.3),
        Row(
            "live Gantt: its message", f"{sizes[0]:.1f} kB early, {sizes[1]:.1f} kB late", sizes[1] / sizes[0], most=1.3
        ),
    ]
