"""The asyncio driver's one timer: it wakes when the earliest cooldown ends, and at no other time."""

from __future__ import annotations

import asyncio

import pytest

from tests.drivers.harness import JumpingLoop, Stage, driven_backend, limited, play
from vidgen_nb.core import events as ev
from vidgen_nb.core.scheduler import Scheduler


def count_wakes(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list that fills with the times at which the scheduler is woken."""
    wakes: list[float] = []
    advance = scheduler.advance

    def counted(now: float) -> None:
        wakes.append(now)
        advance(now)

    monkeypatch.setattr(scheduler, "advance", counted)
    return wakes


def test_it_wakes_once_when_the_earliest_cooldown_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three profiles cool for 20, 5 and 9 s: the scene leaves at 5 s, by the one timer that was set."""

    async def scenario() -> None:
        stage = Stage(driven_backend(submit=limited(20, 5, 9)), profiles=3)
        wakes = count_wakes(stage.scheduler, monkeypatch)
        running = asyncio.create_task(stage.run())
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        await asyncio.sleep(1)
        assert loop.timers() == [5.0]
        await running
        assert [event.until for event in stage.events(ev.CooldownStarted)] == [20.0, 5.0, 9.0]
        assert stage.backend.times("submit") == [0.0, 0.0, 0.0, 5.0]
        assert wakes == [0.0, 5.0, 5.5]  # the start, the cooldown, the poll
        assert loop.timers() == []

    play(scenario())


def test_it_is_armed_anew_when_the_clock_has_another_speed() -> None:
    """Of a cooldown of 60 s, 10 s pass as they are, 40 s in 4 s, and the last 10 s in 20 s."""

    async def scenario() -> None:
        stage = Stage(driven_backend(submit=limited(60)), scenes=1)
        running = asyncio.create_task(stage.run())
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        began = loop.time()
        await asyncio.sleep(10)
        for seconds, speed in ((4, 10.0), (0, 0.5)):
            stage.clock.set_speed(speed)
            await asyncio.sleep(seconds)
        assert [at - began for at in loop.timers()] == [34.0]
        await running
        assert [event.at for event in stage.events(ev.AttemptStarted)] == [0.0, 60.0]

    play(scenario())


def test_it_is_armed_anew_when_the_end_moves() -> None:
    """Moved from 5 s to 12 s, the scene waits until then; released by hand, it goes at once."""

    async def scenario() -> None:
        stage = Stage(driven_backend(submit=limited(5)), scenes=1)
        running = asyncio.create_task(stage.run())
        await asyncio.sleep(1)
        stage.driver.post(ev.CooldownImposed("p1", 12.0, "known from elsewhere"))
        await running
        assert stage.backend.times("submit") == [0.0, 12.0]

        again = Stage(driven_backend(submit=limited(500)), scenes=1)
        running = asyncio.create_task(again.run())
        await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        again.driver.post(ev.CooldownReleased("p1"))
        await running
        assert again.backend.times("submit")[1] == began

    play(scenario())


def test_a_timer_that_fires_early_is_as_late_as_it_was_meant_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """If it fires 10 ms too soon, the cooldown ends at its recorded time, and the scheduler is not woken twice."""

    async def scenario() -> None:
        stage = Stage(driven_backend(submit=limited(5)))
        wakes = count_wakes(stage.scheduler, monkeypatch)
        await stage.run()
        assert [event.at for event in stage.events(ev.CooldownEnded)] == [5.0]
        assert stage.backend.times("submit") == [0.0, pytest.approx(4.99)]
        assert wakes[:2] == [0.0, 5.0] and len(wakes) == 3

    play(scenario(), early=0.01)


def test_no_timer_is_left_behind_by_a_stopped_run() -> None:
    """A run that is stopped while all profiles cool ends at once, and the cooldown's timer is cancelled."""

    async def scenario() -> None:
        stage = Stage(driven_backend(submit=limited(500)))
        running = asyncio.create_task(stage.run())
        await asyncio.sleep(1)
        stage.driver.post(ev.Stopped())
        await running
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        assert (loop.now, loop.timers()) == (1.0, [])
        assert stage.statuses() == {"s1": "queued"}

    play(scenario())
