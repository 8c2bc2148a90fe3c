"""What an open panel adds to the lateness of the session's timers, at 20 events a second."""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any, NamedTuple
from unittest.mock import patch

from ipywidgets import Widget

from tests.benchmarks.instant import InstantBackend, make_profiles, make_scenes
from tests.benchmarks.measure import Row
from vidgen_nb.core.model import Operation, Scene
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.ports import Profile

__all__ = ["measure"]

TURNS = 5
SECONDS = 4.0
"""Wall seconds of each measurement."""
EVERY = 0.01
"""Wall seconds between two timers."""
PROFILES, CAP = 5, 2
SLOTS = PROFILES * CAP
SERVICE = 2.0
"""Wall seconds of a job: 10 of them at a time are 5 scenes, or 20 events, a second."""


FILL = 600
"""Scenes before that, which take no time: the chart's window is full."""


class Steady(InstantBackend):
    """After the first scenes, a submit takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.submit_count = 0

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Take the scene; the first slow ones begin one after the other, so that they don't end together."""
        self.submit_count += 1
        slow = self.submit_count - FILL
        await asyncio.sleep(0 if slow < 0 else SERVICE if slow > SLOTS else slow * SERVICE / SLOTS)
        return await super().submit(scene, profile)


class Sent:
    """What the widgets would have sent: without a kernel nobody makes the messages, so here they are made."""

    def __init__(self) -> None:
        self.bytes = 0

    def send_state(self, widget: Any, key: Any = None) -> None:
        """Make a message as `Widget.send_state` does, and its JSON as the kernel does."""
        state = widget.get_state(key=key)
        if state:
            self.bytes += len(json.dumps({"method": "update", "state": state, "buffer_paths": []}, default=str))


@contextmanager
def desk(*, panel: bool, sent: Sent) -> Iterator[Controller]:
    """Give a controller whose run is under way, with its panel or without."""
    with ExitStack() as stack:
        stack.enter_context(
            patch.object(Widget, "send_state", lambda *given, **named: sent.send_state(*given, **named))
        )
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        ctl = Controller(Steady(), make_profiles(PROFILES), mode="boost", output=folder, journal=None)
        stack.callback(ctl.close)
        if panel:
            assert ctl.panel is not None
        ctl.cap = CAP
        ctl.start(make_scenes(10_000))
        yield ctl


async def lateness(seconds: float) -> list[float]:
    """Return by how many milliseconds timers of this loop come too late."""
    loop, late = asyncio.get_running_loop(), list[float]()
    end = loop.time() + seconds
    while (due := loop.time() + EVERY) < end:
        done: asyncio.Future[None] = loop.create_future()
        loop.call_at(due, done.set_result, None)
        await done
        late.append((loop.time() - due) * 1000)
    return late


class Turn(NamedTuple):
    """One measurement."""

    late: list[float]
    """Of timers on the session's loop, in ms."""
    rate: float
    """Events a second."""
    size: float
    """kB a second that the panel sends."""


def once(*, panel: bool) -> Turn:
    """Let a run go on for a while, with a panel or without."""
    sent = Sent()
    with desk(panel=panel, sent=sent) as ctl:
        wait = threading.Event().wait
        wait(SERVICE * 1.5)  # until it goes steadily
        run = ctl.last_run
        assert run is not None
        before, sent.bytes = len(run.events), 0
        late = asyncio.run_coroutine_threadsafe(lateness(SECONDS), ctl.runner.loop.loop).result(SECONDS + 30)
        return Turn(late, (len(run.events) - before) / SECONDS, sent.bytes / SECONDS / 1000)


def p99(late: list[float]) -> float:
    """Return what only one in a hundred exceeds."""
    return sorted(late)[len(late) * 99 // 100]


def measure() -> list[Row]:
    """Measure with and without a panel, in turns; the best turn of each counts, since others use this machine, too.

    A panel is written twice a second, so in every turn more than one in a hundred timers meet it.
    """
    found: dict[bool, list[Turn]] = {False: [], True: []}
    for _ in range(TURNS):
        for panel, turns in found.items():
            turns.append(once(panel=panel))
    without, with_it = (min(p99(turn.late) for turn in turns) for turns in found.values())
    rate, size = median(turn.rate for turn in found[True]), median(turn.size for turn in found[True])
    said = f"p99 {with_it:.1f} ms with it, {without:.1f} ms without; {rate:.0f} events/s, {size:.0f} kB/s"
    return [Row("open panel: adds to a timer's lateness", said, with_it - without, "ms", most=15)]
