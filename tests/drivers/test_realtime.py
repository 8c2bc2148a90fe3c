"""The asyncio driver: workers, order, observers, bugs and cancellation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from tests.drivers.harness import Stage, driven_backend, limited, play
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, NORMAL, Mode, Scene
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown, GroupView, Policy
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Profile


@pytest.mark.parametrize("mode", [NORMAL, BOOST], ids=lambda mode: mode.name)
def test_a_run_goes_to_its_end_and_leaves_no_task(mode: Mode) -> None:
    """Twelve scenes over three profiles, with two 429s: all succeed, and nothing is left on the loop."""

    async def scenario() -> None:
        stage = Stage(driven_backend(0.2, submit=limited(5, 9)), profiles=3, scenes=12, mode=mode)
        await stage.run()
        assert set(stage.statuses().values()) == {"succeeded"}
        assert [event.reason for event in stage.events(ev.RunEnded)] == ["settled"]
        assert not any(sink.discarded for sink in stage.sinks)

    play(scenario())


def test_calls_that_wait_are_under_way_together() -> None:
    """Fifty submits of one second each take one second."""

    async def scenario() -> None:
        stage = Stage(driven_backend(1.0), profiles=13, scenes=50)
        await stage.run()
        assert stage.backend.times("submit") == [0.0] * 50
        assert stage.scheduler.events[-1].at == pytest.approx(3.5)

    play(scenario())


def test_calls_that_never_wait_do_not_starve_the_loop() -> None:
    """Another task gets its turn while thousands of calls answer at once, and a few workers handle them all."""

    async def scenario() -> None:
        beats, most = 0, 0
        stage = Stage(driven_backend(first_poll=0), scenes=2000)

        async def heart() -> None:
            nonlocal beats, most
            while True:
                beats += 1
                most = max(most, len(asyncio.all_tasks()))
                await asyncio.sleep(0)

        beating = asyncio.create_task(heart())
        await asyncio.sleep(0)
        await stage.run()
        beating.cancel()
        assert beats > 3 * 2000 / 256
        assert most <= 5

    play(scenario())


def test_submits_leave_in_the_order_in_which_they_were_decided() -> None:
    """Scenes that are added one by one to a running run are submitted one after another."""

    async def scenario() -> None:
        stage = Stage(driven_backend(1.0), scenes=2)
        running = asyncio.create_task(stage.driver.run())
        await asyncio.sleep(0.5)
        for name in ("a", "b", "c"):
            stage.driver.post(ev.SceneAdded(Scene(name, "late")))
        await running
        assert [scene for phase, scene, _, _ in stage.backend.calls if phase == "submit"] == ["s1", "s2", "a", "b", "c"]

    play(scenario())


# -- posting


def test_what_is_posted_while_nothing_runs_is_not_lost() -> None:
    """A driver whose run has ended accepts requests, and carries them out when it runs again."""

    async def scenario() -> None:
        stage = Stage(driven_backend())
        await stage.run()
        stage.driver.post(ev.SceneAdded(Scene("more", "later")), ev.RunStarted())
        assert stage.statuses()["more"] == "submitting"
        await stage.run()
        assert stage.statuses()["more"] == "succeeded"

    play(scenario())


def test_a_run_is_over_when_it_has_ended() -> None:
    """A call whose answer can no longer change anything, such as a slow cancel, does not delay the end."""

    async def scenario() -> None:
        async def slow(_scene: Scene, _profile: Profile) -> None:
            await asyncio.sleep(1000)

        stage = Stage(driven_backend(cancel=slow))
        running = asyncio.create_task(stage.run())
        await asyncio.sleep(0.1)
        stage.driver.post(ev.CancelRequested("s1"))
        await running
        assert asyncio.get_running_loop().time() < 100
        assert stage.statuses() == {"s1": "succeeded"}

    play(scenario())


def test_a_request_that_makes_no_sense_undoes_nothing_that_came_with_it() -> None:
    """The requests before it are carried out, observers hear of them, and the caller gets the error."""

    async def scenario() -> None:
        heard: list[ev.Event] = []
        stage = Stage(driven_backend(), observers=[heard.extend])
        with pytest.raises(InputError):
            stage.driver.post(ev.SceneAdded(Scene("good", "prompt")), ev.CancelRequested("nobody"))
        assert heard == stage.scheduler.events
        await stage.run()
        assert stage.statuses() == {"s1": "succeeded", "good": "succeeded"}

    play(scenario())


# -- observers


def test_a_failing_observer_is_dropped_and_the_others_hear_everything(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged once; the run continues; the others get every event once, in order."""
    heard: list[ev.Event] = []
    failures = 0

    def fail(_: Sequence[ev.Event]) -> None:
        nonlocal failures
        failures += 1
        raise RuntimeError("no more")

    async def scenario() -> None:
        stage = Stage(driven_backend(), profiles=2, scenes=5, observers=[fail, heard.extend])
        await stage.run()
        assert heard == stage.scheduler.events

    with caplog.at_level(logging.ERROR, "vidgen_nb"):
        play(scenario())
    assert failures == 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_what_an_observer_posts_reaches_all_of_them_in_order() -> None:
    """The first observer posts when it hears of an acceptance; the second still hears that one first."""

    async def scenario() -> None:
        heard: list[ev.Event] = []

        def pause(events: Sequence[ev.Event]) -> None:
            if any(isinstance(event, ev.Accepted) for event in events):
                stage.driver.post(ev.Paused(), ev.Unpaused())

        stage = Stage(driven_backend(0.1), profiles=2, scenes=4, observers=[pause, heard.extend])
        await stage.run()
        assert heard == stage.scheduler.events
        assert stage.events(ev.Paused)

    play(scenario())


def test_observers_know_of_an_attempt_before_its_submit_leaves() -> None:
    """A journal can rely on it: what was sent to the provider is recorded."""

    async def scenario() -> None:
        known: set[tuple[str, int]] = set()

        def note(events: Sequence[ev.Event]) -> None:
            known.update((event.scene, event.number) for event in events if isinstance(event, ev.AttemptStarted))

        async def check(scene: Scene, _profile: Profile) -> None:
            assert (scene.id, stage.scheduler.scenes[scene.id].number) in known
            await bounce(scene, _profile)

        bounce = limited(3, 0, 2)
        stage = Stage(driven_backend(submit=check), profiles=2, scenes=6, mode=NORMAL, observers=[note])
        await stage.run()
        assert len(known) == 9

    play(scenario())


# -- bugs


@pytest.mark.parametrize("bug", [TypeError("a bug"), asyncio.CancelledError("a bug")])
@pytest.mark.parametrize(("phase", "status"), [("submit", "held"), ("poll", "generating"), ("fetch", "fetching")])
def test_a_bug_in_the_backend_ends_the_run_in_good_order(phase: str, status: str, bug: BaseException) -> None:
    """Nothing new is submitted, other jobs finish, and `run` raises it; a job that can't be polled stays in flight."""

    async def trip(scene: Scene, _profile: Profile) -> None:
        if scene.id == "s1":
            raise bug

    async def scenario() -> None:
        hooks: dict[str, Any] = {phase: trip}
        stage = Stage(driven_backend(1.0, **hooks), scenes=3, mode=Mode("two", max_generating=2))
        with pytest.raises((TypeError, RuntimeError)) as caught:
            await stage.run()
        assert bug in (caught.value, caught.value.__cause__)
        started = len(stage.backend.times("submit"))
        assert started == (3 if phase == "fetch" else 2)
        assert list(stage.statuses().values()) == [status, *["succeeded"] * (started - 1), *["queued"] * (3 - started)]

    play(scenario())


def test_a_bug_in_a_cancel_leaves_the_job_to_the_polls() -> None:
    """The job is polled anyway, and `run` raises the bug once it has ended."""

    async def trip(_scene: Scene, _profile: Profile) -> None:
        raise TypeError("a bug")

    async def scenario() -> None:
        stage = Stage(driven_backend(cancel=trip))
        asyncio.get_running_loop().call_later(0.2, stage.driver.post, ev.CancelRequested())
        with pytest.raises(TypeError, match="a bug"):
            await stage.run()
        assert list(stage.statuses().values()) == ["succeeded"]

    play(scenario())


def test_an_answer_under_way_is_waited_for_when_all_else_is_stuck() -> None:
    """A slow cancel settles its job, although a poll of it has hit a bug meanwhile."""
    answered: list[str] = []

    async def slow(scene: Scene, _profile: Profile) -> None:
        await asyncio.sleep(0.3)
        answered.append(scene.id)

    async def trip(_scene: Scene, _profile: Profile) -> None:
        raise TypeError("a bug")

    async def scenario() -> None:
        stage = Stage(driven_backend(cancel=slow, poll=trip))
        asyncio.get_running_loop().call_later(0.4, stage.driver.post, ev.CancelRequested())
        with pytest.raises(TypeError, match="a bug"):
            await stage.run()
        assert answered == ["s1"]

    play(scenario())


def test_a_stop_for_a_bug_outlives_the_one_for_a_billing_limit() -> None:
    """After a bug, raising `max_billed` lets no submit go."""

    async def trip(scene: Scene, _profile: Profile) -> None:
        if scene.id == "s1":
            raise TypeError("a bug")
        await asyncio.sleep(20)

    async def scenario() -> None:
        stage = Stage(driven_backend(poll=trip))
        more = (ev.SceneAdded(Scene(f"s{index}", "a prompt")) for index in range(2, 6))
        stage.driver.post(ev.BillingLimitChanged(2), *more)
        asyncio.get_running_loop().call_later(10, stage.driver.post, ev.BillingLimitChanged(5))
        with pytest.raises(TypeError, match="a bug"):
            await stage.run()
        assert len(stage.backend.times("submit")) == 2

    play(scenario())


def test_a_bug_in_a_policy_is_raised_as_it_is() -> None:
    """An error inside the scheduler breaks the run off at once, and no task is left."""

    class Buggy(Policy):
        def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
            raise ZeroDivisionError("a bug")

    async def scenario() -> None:
        stage = Stage(driven_backend(1.0, submit=limited(5)), scenes=3, policy=Buggy())
        with pytest.raises(ZeroDivisionError, match="a bug"):
            await stage.driver.run()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    play(scenario())


def test_a_bug_that_shows_when_a_timer_fires_is_raised_too() -> None:
    """No task runs at that moment that could fail: `run` itself does."""

    class Buggy(Policy):
        def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
            return Cooldown("group", now + 5)

        def earliest(self, profile: str, now: float) -> float:
            return 1 / (now < 5)

    async def scenario() -> None:
        stage = Stage(driven_backend(submit=limited(5)), policy=Buggy())
        with pytest.raises(ZeroDivisionError):
            await stage.run()

    play(scenario())


# -- cancelling


@pytest.mark.parametrize(
    ("after", "status"), [(0.5, "submitting"), (1.7, "generating"), (2.7, "fetching")], ids=["submit", "poll", "fetch"]
)
def test_a_cancelled_run_leaves_no_task_and_says_what_was_under_way(after: float, status: str) -> None:
    """Attempts stay visible as unfinished; a partial download is discarded."""

    async def scenario() -> None:
        stage = Stage(driven_backend(1.0), profiles=2, scenes=4)
        running = asyncio.create_task(stage.driver.run())
        await asyncio.sleep(after)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert set(stage.statuses().values()) == {status}
        assert stage.scheduler.in_flight == len(stage.events(ev.AttemptStarted)) == 4
        assert not stage.events(ev.RunEnded)
        assert [sink.discarded for sink in stage.sinks] == [True] * (4 if status == "fetching" else 0)

    play(scenario())


def test_a_worker_cancelled_before_it_began_is_replaced_by_the_next_run() -> None:
    """Cancelled with one submit sent and two in the queue, the run continues with those two when it is run again."""

    async def scenario() -> None:
        stage = Stage(driven_backend(1.0), scenes=3)
        for seconds in (0.0, 10.0):
            running = asyncio.create_task(stage.driver.run())
            await asyncio.sleep(seconds)
            running.cancel()
            await asyncio.wait([running])
        assert stage.statuses() == {"s1": "submitting", "s2": "succeeded", "s3": "succeeded"}

    play(scenario())
