"""Whatever a policy or an observer of a user's own raises, what has left is finished."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.drivers.harness import Stage, driven_backend, limited, play
from tests.fakes import Hook
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown, GroupView
from vidgen_nb.policies.cooldowns import PerProfileCooldown

KINDS = (ZeroDivisionError, SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit)
LOOK_LIKE_AN_END = (asyncio.CancelledError, GeneratorExit)
"""Of a task, or of a coroutine: they are raised as another error."""


@pytest.mark.parametrize("where", ["on_429", "earliest", "observe"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_policys_bug_stops_the_run_in_order(kind: type[BaseException], where: str) -> None:
    """Nothing new is submitted, accepted jobs are fetched, and `run` raises the bug; no task is left."""
    failed = False

    class Buggy(PerProfileCooldown):
        def fail(self, at: str) -> None:
            nonlocal failed
            failed = failed or where == at
            if where == at:
                raise kind("a bug")

        def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
            self.fail("on_429")
            return super().on_429(group, outcome, now)

        def earliest(self, profile: str, now: float) -> float:
            if now > 0:
                self.fail("earliest")
            return now

        def observe(self, event: ev.Event, now: float) -> None:
            if isinstance(event, ev.SceneRequeued):
                self.fail("observe")

    async def scenario() -> None:
        stage = Stage(driven_backend(1.0, submit=limited(5)), scenes=6, policy=Buggy())
        expected = RuntimeError if kind in LOOK_LIKE_AN_END else kind
        with pytest.raises(expected, match=kind.__name__ if expected is RuntimeError else "a bug"):
            await stage.driver.run()
        states = stage.scheduler.scenes.values()
        assert failed and {state.status for state in states} <= {"succeeded", "queued"}
        assert stage.scheduler.ended == "stopped" and asyncio.all_tasks() == {asyncio.current_task()}
        assert any("a bug in policy 'Buggy'" in e.reason for e in stage.scheduler.events if isinstance(e, ev.Stopped))

    play(scenario())


@pytest.mark.parametrize("kind", KINDS)
def test_an_observer_that_exits_is_dropped(kind: type[BaseException]) -> None:
    """It ends neither the run nor the loop."""
    heard = 0

    def exits(events: Sequence[ev.Event]) -> None:
        nonlocal heard
        heard += 1
        if any(isinstance(event, ev.Accepted) for event in events):
            raise kind("from an observer")

    async def scenario() -> None:
        stage = Stage(driven_backend(1.0), scenes=3)
        stage.driver.observe(exits)
        await stage.driver.run()
        assert {state.status for state in stage.scheduler.scenes.values()} == {"succeeded"} and heard

    play(scenario())


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
@pytest.mark.parametrize("phase", ["submit", "poll", "fetch"])
def test_a_backend_that_exits_is_a_bug(kind: type[BaseException], phase: str) -> None:
    """As any other exception of it: `run` raises it, after what can be finished is finished."""
    expected = RuntimeError if kind in LOOK_LIKE_AN_END else kind
    calls = 0

    async def trip(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise kind("a bug")

    async def scenario() -> None:
        hooks: dict[str, Hook] = {phase: trip}
        stage = Stage(driven_backend(1.0, first_poll=0.5, **hooks), scenes=4)
        with pytest.raises(expected, match=kind.__name__ if expected is RuntimeError else "a bug"):
            await stage.driver.run()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        fetched = {event.scene for event in stage.events(ev.Fetched)}
        left = {name for name, status in stage.statuses().items() if name not in fetched and status != "queued"}
        assert len(left) == 1

    play(scenario())


def test_an_observer_that_asks_without_end_is_removed(caplog: pytest.LogCaptureFixture) -> None:
    """It asks for something each time it is told of something, and so of its own request: the others go on hearing."""
    heard: list[ev.Event] = []

    async def scenario() -> None:
        stage = Stage(driven_backend(1.0), scenes=3)

        def asks(events: Sequence[ev.Event]) -> None:
            stage.driver.post(ev.ModeChanged(BOOST))

        stage.driver.observe(asks)
        stage.driver.observe(heard.extend)
        await stage.run()
        assert set(stage.statuses().values()) == {"succeeded"}
        assert heard[-1] is stage.scheduler.events[-1]

    play(scenario())
    assert "asks for more" in caplog.text


def test_an_observer_may_ask_each_time_it_hears_of_something_new() -> None:
    """What comes with a job's every event is no endless loop, however long the run."""
    asked = 0

    async def scenario() -> None:
        stage = Stage(driven_backend(0.1), scenes=150)

        def asks(events: Sequence[ev.Event]) -> None:
            nonlocal asked
            if any(isinstance(event, ev.Fetched) for event in events):
                asked += 1
                stage.driver.post(ev.ModeChanged(BOOST))

        stage.driver.observe(asks)
        await stage.run()
        settled = stage.events(ev.Fetched)
        assert len(settled) == 150 and len(stage.events(ev.ModeChanged)) == asked

    play(scenario())
