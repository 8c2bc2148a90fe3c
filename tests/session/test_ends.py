"""How a session ends, and what ends its runs: closing, errors on their way out, and bugs of policies."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.audit import audit
from tests.fakes import FakeBackend, profiles
from tests.session.sessions import PROMPTS, Ends, seen
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, Mode, Scene
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown, Policy
from vidgen_nb.errors import InputError, SessionError
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.registry import RecordedPolicy
from vidgen_nb.session.live.end_errors import warn_of_open_run
from vidgen_nb.session.session import Session

ROOT = Path(__file__).parents[2]


def test_a_run_that_was_broken_off_can_be_gone_on_with(make: Ends) -> None:
    """What was sent is held, what was not stays queued; new scenes run."""
    backend = FakeBackend(hold=frozenset({"s001"}))
    session = make(backend, count=1, mode=Mode("one", max_generating=1))
    accepted = seen(session, ev.Accepted)
    session.start(PROMPTS)
    assert accepted.wait(10)
    session.abandon()
    run = session.last_run
    assert run is not None
    assert [scene.status for scene in run.scenes] == ["held", "queued", "queued"]
    assert session.run_blocking([Scene("more", "later")]) is run
    assert [scene.status for scene in run.scenes] == ["held", "succeeded", "succeeded", "succeeded"]
    audit(run.events, Mode("one", max_generating=1))


def test_a_policy_that_raises_stops_the_run_and_no_more(make: Ends) -> None:
    """Its exception gets out of run(), no scene is in doubt; with another policy the session goes on."""

    class Broken(Policy):
        def on_429(self, *_: object) -> Cooldown:
            raise ZeroDivisionError

    backend = FakeBackend(lambda scene, profile, nth: RateLimited() if (scene, nth) == ("s001", 1) else None)
    session = make(backend, count=1, policy=Broken())
    with pytest.raises(ZeroDivisionError):
        session.run_blocking(PROMPTS)
    session.policy = PerProfileCooldown(1)
    run = session.run_blocking()
    assert [scene.status for scene in run.scenes] == ["succeeded"] * 3


def test_policies_that_cannot_decide_are_refused(tmp_path: Path) -> None:
    """One without on_429, and one that stands for a class that is not here."""
    for policy in (Policy(), RecordedPolicy("Paced")):
        with pytest.raises(InputError, match="on_429"):
            Session(FakeBackend(), profiles("p1"), output=tmp_path, policy=policy)
    with pytest.raises(InputError, match="RetryPolicy"):
        Session(FakeBackend(), profiles("p1"), output=tmp_path, retry=7)  # type: ignore[arg-type]


def test_closing_from_an_observer_is_refused(make: Ends, caplog: pytest.LogCaptureFixture) -> None:
    """It would wait for itself; the run goes on."""
    session = make()
    session.observe(lambda _: session.close())
    assert session.run_blocking(PROMPTS).ended == "settled"
    assert "wait for itself" in caplog.text


def test_after_the_close_nothing_is_begun(make: Ends) -> None:
    """No thread comes back to life; what can't be done says so; closing twice does nothing."""
    session = make()
    run = session.run_blocking(PROMPTS)
    session.close()
    before = threading.active_count()
    assert session.cooling == {}
    for call in (lambda: session.start(PROMPTS), session.pause, session.stop, session.wait):
        with pytest.raises(SessionError, match="closed"):
            call()
    session.close()
    assert threading.active_count() == before
    assert session.last_run is run


def test_leaving_with_by_an_error_breaks_off(tmp_path: Path) -> None:
    """It does not wait for videos that may take minutes."""
    backend = FakeBackend(hold=frozenset({"s001"}))

    def script() -> None:
        with Session(backend, profiles("p1"), output=tmp_path, speed=20) as session:
            session.start(["one"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        script()
    assert backend.closed == 1


def test_an_error_that_nobody_waits_for_is_logged(make: Ends, caplog: pytest.LogCaptureFixture) -> None:
    """A run that `start` began and that broke off does not do so in silence."""
    ended = threading.Event()

    def watch(events: Sequence[ev.Event]) -> None:
        if any(isinstance(event, ev.RunEnded) for event in events):
            ended.set()

    session = make(FakeBackend(lambda *_: TypeError("a bug in the backend")), count=1, mode=BOOST)
    session.observe(watch)
    session.start(["one"])
    assert ended.wait(10)
    session.close()
    assert "the run broke off: a bug in the backend" in caplog.text


def test_what_a_program_leaves_under_way_is_said_at_its_end(tmp_path: Path) -> None:
    """A script that starts a run and forgets to wait for it is told so."""
    script = f"""
import vidgen_nb as vg
session = vg.demo(speed=1, output={str(tmp_path)!r})
session.start(vg.demo_scenes(4))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert "running and" in done.stderr
    assert "wait()" in done.stderr


@pytest.mark.parametrize("with_journal", [False, True])
def test_what_to_do_about_it_is_said(make: Ends, caplog: pytest.LogCaptureFixture, with_journal: bool) -> None:
    """With a journal, how to go on; without one nothing knows the jobs any more, so they are named."""
    session = make(FakeBackend(hold=frozenset({"s001"})), journal=make.folder / "runs" if with_journal else None)
    accepted = seen(session, ev.Accepted)
    session.start(["one"])
    assert accepted.wait(10)
    live = session.runner.current()
    warn_of_open_run(live.scheduler, live.journal, os.getpid() + 1)
    assert not caplog.text  # a forked child's end is not the program's
    warn_of_open_run(live.scheduler, live.journal, os.getpid())
    operation = live.scheduler.scenes["s001"].operation
    assert operation is not None
    assert (operation.id in caplog.text) != with_journal
    assert (f"restore({str(session.journal)!r}, …)" in caplog.text) == with_journal
    session.abandon()


@pytest.mark.parametrize("ask", [Session.stop, Session.cancel])
def test_an_observer_that_stops_at_whatever_it_hears(make: Ends, ask: Callable[[Session], None]) -> None:
    """As one does that watches a budget: the first time counts, and what is under way is finished."""
    session = make(count=1, mode=Mode("one", max_generating=1))
    is_enough = False

    def watch(events: Sequence[ev.Event]) -> None:
        nonlocal is_enough
        is_enough = is_enough or any(isinstance(event, ev.Accepted) for event in events)
        if is_enough:
            ask(session)

    session.observe(watch)
    run = session.run_blocking(PROMPTS)
    assert len([each for each in run.events if isinstance(each, ev.Stopped | ev.CancelRequested)]) == 1
    assert [scene.status for scene in run.scenes][1:] == ["queued" if ask is Session.stop else "cancelled"] * 2


def test_a_close_in_the_last_moments_of_a_program_does_not_wait(tmp_path: Path) -> None:
    """A destructor may call it when the session's thread is no more: it would wait for ever."""
    script = f"""
import vidgen_nb as vg

class Studio:
    def __init__(self):
        self.session = vg.demo(speed=1, output={str(tmp_path)!r})

    def __del__(self):
        self.session.close()

studio = Studio()
studio.session.start(vg.demo_scenes(4))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert "running and" in done.stderr


def test_a_loop_that_is_gone_does_not_keep_a_program(tmp_path: Path) -> None:
    """Somebody closed the loop under a session: at the program's end no thread begins, and none is awaited."""
    script = f"""
import asyncio
from tests.fakes import FakeBackend, profiles
from vidgen_nb.session.session import Session

async def begin():
    backend = FakeBackend(hold=frozenset(["s001"]))
    session = Session(backend, profiles("p1"), output={str(tmp_path)!r}, journal={str(tmp_path / "runs")!r})
    await session.__aenter__()
    session.start(["one"])
    while not session.in_flight:
        await asyncio.sleep(0.01)
    return session

loop = asyncio.new_event_loop()
session = loop.run_until_complete(begin())
loop.close()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "restore(" in done.stderr


def test_leaving_by_an_error_on_the_callers_loop_is_quiet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The run's own error is nobody's: the one on its way out is what counts."""

    async def script() -> None:
        backend = FakeBackend(hold=frozenset({"s001"}))
        async with Session(backend, profiles("p1"), output=tmp_path, speed=20) as session:
            session.start(["one"])
            raise ZeroDivisionError

    gc.collect()  # what other tests have left is theirs
    caplog.clear()
    with pytest.raises(ZeroDivisionError):
        asyncio.run(script())
    gc.collect()
    assert "never retrieved" not in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_leaves_its_parents_run_alone(make: Ends) -> None:
    """It may leave the `with` block that it was forked in; the run goes on in the parent."""
    backend = FakeBackend(hold=frozenset({"s001"}))
    session = make(backend)
    accepted = seen(session, ev.Accepted)
    session.start(PROMPTS)
    assert accepted.wait(10)
    if (child := os.fork()) == 0:
        signal.alarm(20)
        try:
            with session:
                raise SystemExit
        except SystemExit:
            session.close()
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    backend.let_go()
    assert session.wait(20).ended == "settled"


def test_closing_twice_at_once_and_starting_meanwhile(make: Ends) -> None:
    """The second close waits for the first; what would begin meanwhile is told that the session is closed."""
    backend = FakeBackend(hold=frozenset({"s001"}))
    session = make(backend, count=1)
    accepted = seen(session, ev.Accepted)
    stopped = seen(session, ev.Stopped)
    session.start(PROMPTS)
    assert accepted.wait(10)
    closers = [threading.Thread(target=session.close) for _ in range(3)]
    for closer in closers:
        closer.start()
    assert stopped.wait(10)
    with pytest.raises(SessionError, match="closed"):
        session.add(["more"])
    backend.let_go()
    for closer in closers:
        closer.join(10)
        assert not closer.is_alive()
    assert backend.closed == 1


def test_an_error_in_the_turn_of_the_start(tmp_path: Path) -> None:
    """A run that is broken off before its first step has an end too, for all who wait."""

    async def script() -> None:
        session = Session(FakeBackend(), profiles("p1"), output=tmp_path, speed=20)

        async def block() -> None:
            async with session:
                waiting.append(asyncio.ensure_future(session.run(PROMPTS)))
                session.start([Scene("more", "x")])
                raise ZeroDivisionError

        waiting: list[asyncio.Future[object]] = []
        with pytest.raises(ZeroDivisionError):
            await block()
        with pytest.raises(SessionError):
            await asyncio.wait_for(waiting[0], 5)
        assert session.last_run is not None
        assert session.last_run.ended == "stopped"

    asyncio.run(script())


@pytest.mark.parametrize("where", ["earliest", "observe", "answer"])
def test_a_policys_mistake_is_raised_and_another_policy_goes_on(where: str, make: Ends) -> None:
    """Wherever it is made, whoever waits hears of it, no scene is lost, and the run can go on."""

    class Mistaken(PerProfileCooldown):
        def earliest(self, profile: str, now: float) -> float:
            return 1 / 0 if where == "earliest" else now

        def observe(self, event: ev.Event, now: float) -> None:
            if where == "observe" and isinstance(event, ev.SceneRequeued):
                raise ZeroDivisionError

        def on_429(self, group: object, outcome: RateLimited, now: float) -> Cooldown:
            return Cooldown("group", None if where == "answer" else now + 1)  # type: ignore[arg-type]

    backend = FakeBackend(lambda scene, profile, nth: RateLimited() if (scene, nth) == ("s001", 1) else None)
    session = make(backend, count=2, policy=Mistaken())
    with pytest.raises((ZeroDivisionError, InputError)):
        session.run_blocking(PROMPTS)
    session.policy = PerProfileCooldown(1)
    run = session.run_blocking()
    assert {scene.status for scene in run.scenes} <= {"succeeded", "held"}
    assert [scene.status for scene in run.scenes].count("succeeded") >= 2
