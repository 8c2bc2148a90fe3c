"""Sessions that are touched, broken off, changed and closed at odd moments."""

from __future__ import annotations

import asyncio
import signal
import threading
from pathlib import Path

import pytest

from tests.fakes import FakeBackend, profiles
from tests.session.sessions import PROMPTS, Ends, seen
from vidgen_nb.bundled_demo import demo
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, RetryPolicy, Scene
from vidgen_nb.core.outcomes import ProfileUnusable, RateLimited
from vidgen_nb.errors import InputError, NoUsableProfile, SessionError
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.ports import Profile
from vidgen_nb.session.session import Session


def test_a_session_that_was_touched_can_still_live_on_the_callers_loop(tmp_path: Path) -> None:
    """Looking at it, or setting its mode, before `async with` does no harm."""
    session = Session(FakeBackend(), profiles("p1"), output=tmp_path, speed=20)
    session.mode = "boost"
    session.observe(lambda _: None)
    assert session.cooling == {}

    async def script() -> str | None:
        async with session:
            return (await session.run(PROMPTS)).ended

    assert asyncio.run(script()) == "settled"


def test_nothing_starts_by_itself_after_the_end(make: Ends) -> None:
    """A mended profile, or another one, is used when run() goes on, not before."""
    refused = {"p1"}
    backend = FakeBackend(lambda scene, profile, nth: ProfileUnusable("HTTP 401") if profile in refused else None)
    session = make(backend, count=1)
    with pytest.raises(NoUsableProfile):
        session.run_blocking(["one"])
    refused.clear()
    session.release_cooldown("p1")
    session.add_profile(Profile("p2", "sk-planted-2"))
    assert session.in_flight == 0
    first = session.last_run
    assert first is not None
    session.cancel("s001")
    assert [scene.status for scene in first.scenes] == ["cancelled"]
    second = session.run_blocking([Scene("two", "x")])
    assert second is not first
    assert [scene for scene, _ in backend.submits] == ["s001", "two"]


def test_a_new_key_under_the_old_name(make: Ends) -> None:
    """A profile with a bad key is removed and added again with a good one, which its running jobs are asked about with.

    Not at another address while something runs on it.
    """
    good: set[str] = set()
    backend = FakeBackend(
        lambda scene, profile, nth: None if good else ProfileUnusable("HTTP 401"), hold=frozenset({"s001"})
    )
    session = make(backend, count=1)
    with pytest.raises(NoUsableProfile):
        session.run_blocking(["one"])
    good.add("now")
    session.remove_profile("p1")
    session.add_profile(Profile("p1", "sk-planted-new"))
    accepted = seen(session, ev.Accepted)
    session.start()
    assert accepted.wait(10)
    session.remove_profile("p1")
    with pytest.raises(InputError, match="still run on the old 'p1'"):
        session.add_profile(Profile("p1", "sk-planted-newer", base_url="http://elsewhere/v1"))
    session.add_profile(Profile("p1", "sk-planted-newer"))
    backend.let_go()
    assert session.wait(10).trail("s001") == "p1✕unusable→p1✓"


def test_settings_changed_between_stop_and_going_on_hold(make: Ends) -> None:
    """Mode, policy and profiles are taken over when the run goes on, and recorded."""
    names = frozenset(f"s00{k}" for k in range(1, 7))
    backend = FakeBackend(hold=names)
    session = make(backend, count=1, mode=Mode("one", max_generating=1))
    accepted = seen(session, ev.Accepted)
    session.start([f"prompt {k}" for k in range(1, 7)])
    assert accepted.wait(10)
    session.stop()
    backend.let_go()
    run = session.wait(10)
    session.mode = "boost"
    session.policy = GlobalPause(5)
    session.add_profile(Profile("p2", "sk-planted-2"))
    session.set_capacity("p1", 2)
    assert session.run_blocking() is run
    kinds = [type(event) for event in run.events]
    for kind in (ev.ModeChanged, ev.PolicyChanged, ev.ProfileChanged):
        assert kinds.count(kind) == 1
    assert {attempt.profile for attempt in run.attempts} == {"p1", "p2"}
    with pytest.raises(InputError, match="capacity"):
        session.set_capacity("p1", 0)
    with pytest.raises(InputError, match="'p9'"):
        session.set_capacity("p9", 1)


def test_cancelling_run_one_leaves_the_batch_alone(make: Ends) -> None:
    """Only the single scene is cancelled; what `start` began goes on."""
    backend = FakeBackend(hold=frozenset({"s001", "now"}))
    session = make(backend, mode="boost")

    async def notebook() -> None:
        session.start(["one"])
        accepted = seen(session, ev.Accepted)
        task = asyncio.create_task(session.run_one(Scene("now", "x")))
        await asyncio.to_thread(accepted.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(notebook())
    backend.let_go()
    run = session.wait(10)
    assert run.ended == "settled"
    assert {scene.id: scene.status for scene in run.scenes}["s001"] == "succeeded"


def test_a_pause_holds_for_the_next_run_and_says_so(make: Ends, caplog: pytest.LogCaptureFixture) -> None:
    """Paused before or between runs, the next one waits for unpause, and the log says why."""
    backend = FakeBackend()
    session = make(backend)
    session.pause()
    session.start(PROMPTS)
    assert backend.submits == []
    assert "unpause()" in caplog.text
    session.unpause()
    assert session.wait(10).ended == "settled"


def test_r5_is_reported_for_cooldowns_of_an_earlier_run_too(make: Ends, caplog: pytest.LogCaptureFixture) -> None:
    """A run that begins with every profile cooling says which, and for how long."""
    backend = FakeBackend(lambda scene, profile, nth: RateLimited() if scene == "s001" and nth <= 2 else None)
    session = make(backend, policy=PerProfileCooldown(40), retry=RetryPolicy(deadline=0.1))
    session.run_blocking(["one"])
    caplog.clear()
    session.start([Scene("two", "x")])
    session.cancel()
    session.wait(10)
    assert "all profiles cool" in caplog.text


def test_a_demo_session_on_the_callers_loop(tmp_path: Path) -> None:
    """It closes its emulator with itself, once."""

    async def script() -> str | None:
        async with demo(1, speed=100, output=tmp_path) as session:
            with pytest.raises(SessionError, match="aclose"):
                session.close()
            return (await session.run(["a fox"])).ended

    assert asyncio.run(script()) == "settled"


def test_added_prompts_get_the_next_free_ids(make: Ends) -> None:
    """Prompts without ids can be added while others run; running them twice by mistake is an error."""
    backend = FakeBackend(hold=frozenset({"s001"}))
    session = make(backend)
    session.start(PROMPTS)
    session.add(["one more"])
    with pytest.raises(InputError, match="'s001' is already"):
        session.start(PROMPTS)
    backend.let_go()
    assert [scene.id for scene in session.wait(10).scenes] == ["s001", "s002", "s003", "s004"]


def test_an_interrupt_reaches_an_awaiting_cell_at_once(make: Ends) -> None:
    """A kernel cancels from a signal handler, which wakes no loop that sleeps: the wait looks up by itself."""
    backend = FakeBackend(hold=frozenset({"s001"}))
    session = make(backend, count=1)
    accepted = seen(session, ev.Accepted)

    async def cell() -> None:
        task = asyncio.current_task()
        assert task is not None

        def interrupt(*_: object) -> None:
            task.cancel()

        signal.signal(signal.SIGUSR1, interrupt)

        def kernel() -> None:
            accepted.wait(10)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

        threading.Thread(target=kernel).start()
        await session.run(["one"])

    try:
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(cell())
        run = session.last_run
        assert run is not None
        assert run.ended is None
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)


def test_odd_arguments_are_told_what_is_wanted(make: Ends, tmp_path: Path) -> None:
    """Not a Python error from deep inside."""
    session = make()
    with pytest.raises(InputError, match="OpenAIVideos"):
        Session("http://x", profiles("p1"), output=tmp_path)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Profile"):
        session.add_profile("zoe")  # type: ignore[arg-type]
    session.run_blocking(["one"])
    with pytest.raises(InputError, match="id of one scene"):
        session.cancel(["s001"])  # type: ignore[arg-type]


def test_a_demo_of_any_size(tmp_path: Path) -> None:
    """More profiles than there are kinds: each has a name and a key of its own."""
    with demo(9, speed=200, output=tmp_path) as session:
        assert len(session.profiles) == 9
        assert session.run_blocking(["a fox"]).ended == "settled"


def test_a_new_key_is_used_by_the_next_run_too(make: Ends) -> None:
    """What stood against the old key is forgotten with it; a group's cooldown is not, whoever leaves."""
    good: set[str] = set()
    backend = FakeBackend(lambda scene, profile, nth: None if good or profile == "p2" else ProfileUnusable("HTTP 401"))
    session = make(backend)
    session.run_blocking(["one"])
    good.add("now")
    session.remove_profile("p1")
    session.add_profile(Profile("p1", "sk-planted-new"))
    run = session.run_blocking([Scene("a", "x"), Scene("b", "y"), Scene("c", "z")])
    assert "p1" in {attempt.profile for attempt in run.attempts}


def test_a_groups_cooldown_outlives_a_member(tmp_path: Path) -> None:
    """R1: the quota is the group's, and the next run knows that it still cools."""
    backend = FakeBackend(lambda scene, profile, nth: RateLimited() if profile != "p3" else None)
    team = [*profiles("p1", "p2", quota_group="team"), *profiles("p3")]
    with Session(backend, team, output=tmp_path, speed=20, policy=PerProfileCooldown(900)) as session:
        session.run_blocking(["one"])
        session.remove_profile("p2")
        run = session.run_blocking([Scene("a", "x"), Scene("b", "y")])
    assert {attempt.profile for attempt in run.attempts} == {"p3"}


def test_cancelling_run_one_cancels_the_scene_at_the_provider(make: Ends) -> None:
    """Also where it began the run: nobody waits for that video any more."""
    backend = FakeBackend(hold=frozenset({"now"}))
    session = make(backend)
    accepted = seen(session, ev.Accepted)

    async def notebook() -> None:
        task = asyncio.create_task(session.run_one(Scene("now", "x")))
        await asyncio.to_thread(accepted.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(notebook())
    assert session.wait(10).scenes[0].status == "cancelled"
    assert backend.cancelled == ["now"]


def test_a_group_named_like_a_profile_that_was_here(make: Ends) -> None:
    """It is refused when it is added, and the session stays fit for use."""
    session = make()
    session.run_blocking(["one"])
    session.remove_profile("p2")
    with pytest.raises(InputError, match="use two names"):
        session.add_profile(Profile("q", "sk-planted-q", quota_group="p2"))
    session.mode = "boost"
    assert session.run_blocking([Scene("two", "x")]).ended == "settled"


def test_prompts_added_from_several_threads(make: Ends) -> None:
    """Each gets an id of its own."""
    backend = FakeBackend(hold=frozenset({"s001"}))
    session = make(backend, mode="boost")
    session.start(["one"])

    def add() -> None:
        for _ in range(20):
            session.add(["more"])

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    backend.let_go()
    assert len(session.wait(20).scenes) == 61
