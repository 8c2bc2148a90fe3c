"""What a script or a notebook does with a session."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.audit import audit
from tests.fakes import FakeBackend, profiles
from tests.session.sessions import PROMPTS, Ends, seen
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, Scene
from vidgen_nb.core.outcomes import Ambiguous, Permanent, ProfileUnusable, RateLimited
from vidgen_nb.errors import DuplicateScene, InputError, MissingKey, NoUsableProfile, SessionError
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.ports import Profile
from vidgen_nb.session.session import Session


def test_run_blocking(make: Ends) -> None:
    """A list of prompts runs to its end and gives a run."""
    run = make().run_blocking(PROMPTS)
    assert [(scene.id, scene.status) for scene in run.scenes] == [(f"s00{k}", "succeeded") for k in (1, 2, 3)]
    assert run.ended == "settled"
    assert run.header["mode"]["name"] == "normal"
    audit(run.events)


def test_a_second_run_is_another_run(make: Ends) -> None:
    """Runs of one session are runs of their own; attempt numbers of a scene go on, cooldowns too."""
    backend = FakeBackend(lambda scene, profile, nth: RateLimited() if (scene, nth) == ("s001", 1) else None)
    session = make(backend, policy=PerProfileCooldown(500))
    first = session.run_blocking(PROMPTS)
    second = session.run_blocking(PROMPTS)
    assert first is not second
    assert first.ended == second.ended == "settled"
    assert [a.number for a in second.attempts if a.scene == "s001"] == [3]
    assert {a.profile for a in second.attempts} == {"p2"}
    assert [window.profile for window in second.cooldowns] == ["p1"]


def test_await_run_on_another_loop(make: Ends) -> None:
    """`await session.run()` works from a loop that is not the session's."""
    session = make()

    async def notebook() -> list[str]:
        run = await session.run(PROMPTS)
        return [scene.status for scene in run.scenes]

    assert asyncio.run(notebook()) == ["succeeded"] * 3


def test_cancelling_run_means_stop(make: Ends) -> None:
    """What is under way settles; the rest stays queued and can be gone on with."""
    backend = FakeBackend(hold=frozenset(f"s00{k}" for k in range(1, 9)))
    session = make(backend, count=1, mode="normal")
    accepted = seen(session, ev.Accepted)

    async def notebook() -> None:
        task = asyncio.create_task(session.run([f"prompt {k}" for k in range(1, 9)]))
        await asyncio.to_thread(accepted.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(notebook())
    backend.let_go()
    run = session.wait(10)
    assert run.ended == "stopped"
    queued = [scene.id for scene in run.scenes if scene.status == "queued"]
    assert queued
    assert session.run_blocking() is run
    assert {scene.status for scene in run.scenes} == {"succeeded"}


@pytest.mark.parametrize("how", ["run_blocking", "start and wait"])
def test_keyboard_interrupt(how: str, make: Ends) -> None:
    """Ctrl-C in run_blocking stops the run; what `start` began is not touched by it."""
    prompts = [f"prompt {k}" for k in range(1, 9)]
    backend = FakeBackend(hold=frozenset(f"s00{k}" for k in range(1, 9)))
    session = make(backend, count=1, mode="normal")

    def interrupt(events: Sequence[ev.Event]) -> None:
        if any(isinstance(event, ev.Accepted) and event.scene == "s004" for event in events):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def start_and_wait() -> None:
        session.start(prompts)
        session.wait(10)

    session.observe(interrupt)
    with pytest.raises(KeyboardInterrupt):
        session.run_blocking(prompts) if how == "run_blocking" else start_and_wait()
    backend.let_go()
    run = session.wait(10)
    assert run.ended == ("stopped" if how == "run_blocking" else "settled")


def test_on_the_callers_loop(tmp_path: Path) -> None:
    """In `async with` no thread is started, and the connections are closed at the end."""
    backend = FakeBackend()

    async def script() -> None:
        before = threading.active_count()
        async with Session(backend, profiles("p1"), output=tmp_path, speed=20) as session:
            run = await session.run(PROMPTS)
            assert run.ended == "settled"
            assert threading.active_count() == before
            with pytest.raises(SessionError, match=r"await session\.run"):
                session.run_blocking(PROMPTS)
        with pytest.raises(SessionError, match="closed"):
            session.start(PROMPTS)

    asyncio.run(script())
    assert backend.closed == 1


def test_leaving_async_with_by_an_error_breaks_off(tmp_path: Path) -> None:
    """An error in the block is not made to wait for videos; it gets out, and no task is left."""

    async def script() -> None:
        session = Session(FakeBackend(hold=frozenset({"s001"})), profiles("p1"), output=tmp_path, speed=20)

        async def block() -> None:
            async with session:
                session.start(PROMPTS)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await block()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(script())


def test_pause_and_unpause(make: Ends) -> None:
    """A paused session submits nothing; unpaused it goes on."""
    backend = FakeBackend(hold=frozenset({"s001"}))
    session = make(backend, count=1)
    accepted = seen(session, ev.Accepted)
    session.start(["one"])
    assert accepted.wait(10)
    session.pause()
    session.add([Scene("late", "two")])
    fetched = seen(session, ev.Fetched)
    backend.let_go()
    assert fetched.wait(10)
    assert [scene for scene, _ in backend.submits] == ["s001"]
    session.unpause()
    assert {scene.status for scene in session.wait(10).scenes} == {"succeeded"}


def test_cancel_and_retry(make: Ends) -> None:
    """A generating scene is cancelled at the provider; failed ones can be run again, in the same run."""
    answers: dict[str, Any] = {"s002": Permanent("refused", "content")}
    backend = FakeBackend(lambda scene, *_: answers.get(scene), hold=frozenset({"s001"}))
    session = make(backend, mode="boost")
    accepted = seen(session, ev.Accepted)
    session.start(PROMPTS)
    assert accepted.wait(10)
    session.cancel("s001")
    run = session.wait(10)
    assert [scene.status for scene in run.scenes] == ["cancelled", "failed", "succeeded"]
    assert backend.cancelled == ["s001"]
    answers.clear()
    assert session.retry_failed(moderated=True) == ["s002"]
    assert session.wait(10) is run
    assert [scene.status for scene in run.scenes] == ["cancelled", "succeeded", "succeeded"]
    assert [a.number for a in run.attempts if a.scene == "s002"] == [1, 2]
    assert session.retry_failed() == []


def test_run_one_during_a_batch_gives_the_batchs_run(make: Ends) -> None:
    """It resolves when that scene has settled, while the batch goes on."""
    backend = FakeBackend(hold=frozenset({"s001"}))
    session = make(backend, mode="boost", count=2)
    session.start(PROMPTS)

    async def notebook() -> None:
        run = await session.run_one(Scene("now", "at once"))
        assert run is session.last_run
        assert run.ended is None
        assert run.trail("now").endswith("✓")

    asyncio.run(notebook())
    assert session.is_running


def test_no_usable_profile_carries_the_run(make: Ends) -> None:
    """With every key refused run() raises; nothing that was done is lost, and it can go on when the key is mended."""
    refused = {"p1", "p2"}
    backend = FakeBackend(
        lambda scene, profile, nth: ProfileUnusable("HTTP 401 invalid_api_key") if profile in refused else None
    )
    session = make(backend)
    with pytest.raises(NoUsableProfile, match=r"p1: HTTP 401 invalid_api_key.*release_cooldown") as caught:
        session.run_blocking(PROMPTS)
    assert [scene.status for scene in caught.value.run.scenes] == ["queued"] * 3
    refused.clear()
    session.release_cooldown("p2")
    run = session.run_blocking()
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    assert {a.profile for a in run.attempts if a.outcome == "succeeded"} == {"p2"}


def test_a_bug_in_the_backend_is_raised(make: Ends) -> None:
    """The exception gets out as it is; the scene is held, and nothing new was submitted."""
    bug = TypeError("a bug")
    backend = FakeBackend(lambda scene, *_: bug if scene == "s002" else None)
    session = make(backend, count=1, mode="normal")
    with pytest.raises(TypeError) as caught:
        session.run_blocking(PROMPTS)
    assert caught.value is bug
    run = session.last_run
    assert run is not None
    assert [scene.status for scene in run.scenes] == ["succeeded", "held", "queued"]


def test_held_scenes_say_what_to_do(make: Ends) -> None:
    """An ambiguous submit is held by default, and tried again with on_ambiguous='retry'."""
    backend = FakeBackend(lambda scene, profile, nth: Ambiguous("HTTP 502") if nth == 1 else None)
    (scene,) = make(backend).run_blocking(["one"]).scenes
    assert scene.status == "held"
    assert "may have accepted" in (scene.error or "")
    backend = FakeBackend(lambda scene, profile, nth: Ambiguous("HTTP 502") if nth == 1 else None)
    (scene,) = make(backend, on_ambiguous="retry").run_blocking(["one"]).scenes
    assert (scene.status, scene.attempts) == ("succeeded", 2)


def test_profiles_change_during_a_run(make: Ends) -> None:
    """A profile added in the middle is used; one that is removed finishes what it has."""
    backend = FakeBackend(hold=frozenset({"s001"}))
    session = make(backend, count=1, mode="boost")
    accepted = seen(session, ev.Accepted)
    session.start(["one"])
    assert accepted.wait(10)
    session.add_profile(Profile("p9", "sk-planted-9"))
    session.remove_profile("p1")
    session.add([Scene("late", "two")])
    backend.let_go()
    run = session.wait(10)
    assert backend.submits == [("s001", "p1"), ("late", "p9")]
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    assert set(session.profiles) == {"p9"}
    assert session.run_blocking(["three"]).attempts[0].profile == "p9"


def test_mode_and_policy_change_between_and_during_runs(make: Ends) -> None:
    """Set while idle they hold for the next run; set while it runs they are recorded."""
    backend = FakeBackend(hold=frozenset({"s001"}))
    session = make(backend)
    session.mode = "boost"
    session.start(["one"])
    session.policy = GlobalPause(5)
    backend.let_go()
    run = session.wait(10)
    assert run.header["mode"]["name"] == "boost"
    assert [event.policy for event in run.events if isinstance(event, ev.PolicyChanged)] == [GlobalPause(5)]
    assert session.run_blocking(["two"]).header["policy"] == {"name": "GlobalPause", "seconds": 5}
    assert session.mode is BOOST


def test_starting_while_it_runs_joins_the_run(make: Ends) -> None:
    """Scenes of a second start join the run; an id that is still under way is an error, and adds none of its call."""
    backend = FakeBackend(hold=frozenset({"s001"}))
    session = make(backend)
    session.start(["one"])
    with pytest.raises(DuplicateScene, match="'s001'"):
        session.start([Scene("other", "x"), Scene("s001", "y")])
    session.start([Scene("other", "x")])
    backend.let_go()
    assert [scene.id for scene in session.wait(10).scenes] == ["s001", "other"]


def test_a_failing_observer_is_dropped(make: Ends, caplog: pytest.LogCaptureFixture) -> None:
    """The run goes on; the failure is logged."""
    calls = []

    def broken(events: Sequence[ev.Event]) -> None:
        calls.append(len(events))
        raise RuntimeError("broken observer")

    session = make()
    session.observe(broken)
    assert session.run_blocking(PROMPTS).ended == "settled"
    assert len(calls) == 1
    assert "broken observer" in caplog.text


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"mode": "fast"}, "unknown mode 'fast': choose one of normal, boost"),
        ({"policy": "none"}, "unknown policy 'none': choose one of PerProfileCooldown, GlobalPause"),
        ({"on_ambiguous": "resend"}, "'hold' or 'retry'"),
        ({"max_wait": -1}, "max_wait"),
        ({"max_wait": float("nan")}, "max_wait"),
        ({"speed": 0}, "speed"),
    ],
)
def test_bad_settings_are_errors_at_once(options: dict[str, Any], text: str, tmp_path: Path) -> None:
    """What can't work is said when the session is made."""
    with pytest.raises(InputError, match=text):
        Session(FakeBackend(), profiles("p1"), output=tmp_path, **options)


def test_bad_profiles_are_errors_at_once(tmp_path: Path) -> None:
    """No profile, a name twice, no key, something else: nothing is begun."""
    for given, error, text in [
        ([], InputError, "no profiles"),
        (profiles("p1", "p1"), InputError, "'p1' is given twice"),
        ([Profile("p1")], MissingKey, "'p1' has no API key"),
        (["p1"], InputError, "Profile"),
    ]:
        with pytest.raises(error, match=text):
            Session(FakeBackend(), given, output=tmp_path)  # type: ignore[arg-type]


def test_bad_scenes_are_errors_before_anything_is_sent(make: Ends) -> None:
    """Ids twice, empty prompts, nothing at all: no submit has left."""
    backend = FakeBackend()
    session = make(backend)
    for given, text in [
        ([Scene("a", "x"), Scene("a", "y")], "given twice|is there twice|'a'"),
        (["fine", " "], "empty prompt|prompt"),
        ([], "no scenes"),
    ]:
        with pytest.raises(InputError, match=text):
            session.start(given)
    with pytest.raises(SessionError, match="nothing to go on with"):
        session.run_blocking()
    with pytest.raises(SessionError, match="no run yet"):
        session.cancel()
    assert backend.submits == []
    assert session.last_run is None


def test_waiting_has_an_end_if_wanted(make: Ends) -> None:
    """A wait that takes too long says so; the run goes on."""
    backend = FakeBackend(hold=frozenset({"s001"}))
    session = make(backend)
    session.start(["one"])
    with pytest.raises(TimeoutError, match=r"still running after 0\.01 s; it goes on"):
        session.wait(0.01)
    backend.let_go()
    assert session.wait(10).ended == "settled"


def test_last_429_at(make: Ends) -> None:
    """R19: the old global is kept and set."""
    session = make(FakeBackend(lambda scene, profile, nth: RateLimited() if nth == 1 else None))
    assert session.last_429_at is None
    run = session.run_blocking(["one"])
    assert session.last_429_at == run.attempts[0].end


def test_keys_show_nowhere(make: Ends, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Planted keys are in no repr, log, header or saved run."""
    caplog.set_level(0)
    session = make(FakeBackend(lambda scene, profile, nth: RateLimited(reason="slow down") if nth == 1 else None))
    run = session.run_blocking(PROMPTS)
    saved = run.save(tmp_path / "run.jsonl").read_text()
    shown = (
        repr(session) + repr(run) + str(run.header) + repr(run.events) + saved + caplog.text + repr(session.profiles)
    )
    assert "slow down" in shown
    assert "sk-planted" not in shown
