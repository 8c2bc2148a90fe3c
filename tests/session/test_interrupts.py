"""Ctrl-C in a `with` block: the first lets what is under way finish, the second leaves it unfinished."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes import FakeBackend, profiles
from vidgen_nb.bundled_demo import demo
from vidgen_nb.core import events as ev
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.session.session import Session

PROMPTS = ["a lighthouse", "a harbour", "a night train"]
HELD = frozenset({"s001", "s002", "s003"})


def interrupt() -> None:
    """Press Ctrl-C."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


@contextmanager
def once_said(text: str, then: Callable[[], object]) -> Iterator[list[str]]:
    """Do something when a warning of this text is logged; give the warnings."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())
            if text in said[-1]:
                threading.Timer(0.05, then).start()

    listener, log = Listener(logging.WARNING), logging.getLogger("vidgen_nb")
    log.addHandler(listener)
    try:
        yield said
    finally:
        log.removeHandler(listener)


def interrupt_when_accepted(session: Session | Controller, count: int) -> None:
    """Press Ctrl-C once so many submits are accepted."""
    accepted: list[ev.Event] = []

    def watch(events: Sequence[ev.Event]) -> None:
        before = len(accepted)
        accepted.extend(event for event in events if isinstance(event, ev.Accepted))
        if before < count <= len(accepted):
            interrupt()

    session.observe(watch)


class Leaving:
    """Says when so many submits have left; their answers come a little later, when the session is being closed."""

    def __init__(self, count: int) -> None:
        self._left = threading.Semaphore(0)
        self._count = count

    async def submit(self, *_: object) -> None:
        """Be the hook of a submit."""
        self._left.release()
        await asyncio.sleep(0.1)

    def wait(self) -> None:
        """Return once they have left."""
        assert all(self._left.acquire(timeout=10) for _ in range(self._count))


def statuses(session: Session | Controller) -> list[str]:
    """Return how the scenes stand."""
    assert session.last_run is not None
    return [scene.status for scene in session.last_run.scenes]


Kind = type[Session] | type[Controller]


@pytest.mark.parametrize("kind", [Session, Controller])
@pytest.mark.parametrize("way", ["run_blocking", "start", "close"])
def test_the_first_ctrl_c_finishes_what_is_under_way(kind: Kind, way: str, tmp_path: Path) -> None:
    """Said with how many; then the interrupt goes on its way, and the connections are closed."""
    leaving = Leaving(3)
    backend = FakeBackend(hold=HELD, submit=leaving.submit)
    with once_said("waiting for 3 running scenes", backend.let_go) as said:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012, SIM117
            with kind(backend, profiles("p1"), output=tmp_path, mode="boost", journal=None, speed=20) as session:
                interrupt_when_accepted(session, 3)
                if way == "run_blocking":
                    session.run_blocking(PROMPTS)
                else:
                    session.start(PROMPTS)
                    leaving.wait()  # what has not left by then, a close calls back
                    if way == "start":
                        threading.Event().wait(10)
        assert len([line for line in said if "waiting for 3" in line]) == 1
    assert statuses(session) == ["succeeded"] * 3
    assert (backend.closed, session.is_closed) == (1, True)


@pytest.mark.parametrize("kind", [Session, Controller])
@pytest.mark.parametrize("way", ["run_blocking", "close"])
def test_the_second_ctrl_c_leaves_it(kind: Kind, way: str, tmp_path: Path) -> None:
    """It ends at once; what the provider has is held, and the session is closed all the same."""
    leaving = Leaving(3)
    backend = FakeBackend(hold=HELD, submit=leaving.submit)
    with once_said("waiting for 3 running scenes", interrupt), pytest.raises(KeyboardInterrupt):  # noqa: PT012, SIM117
        with kind(backend, profiles("p1"), output=tmp_path, mode="boost", journal=None, speed=20) as session:
            interrupt_when_accepted(session, 3)
            session.run_blocking(PROMPTS) if way == "run_blocking" else session.start(PROMPTS)
            leaving.wait()
    assert statuses(session) == ["held"] * 3
    assert (backend.closed, session.is_closed) == (1, True)


def test_another_error_waits_for_nothing(tmp_path: Path) -> None:
    """Minutes of videos would hang it."""
    backend = FakeBackend(hold=HELD)
    with pytest.raises(ZeroDivisionError):  # noqa: PT012, SIM117
        with Session(backend, profiles("p1"), output=tmp_path, mode="boost", speed=20) as session:
            session.start(PROMPTS)
            raise ZeroDivisionError
    assert backend.hold and set(statuses(session)) <= {"held", "queued"}


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", [Session, Controller])
def test_a_cancel_of_async_with(kind: Kind, times: int, tmp_path: Path) -> None:
    """It is a notebook's interrupt: as Ctrl-C, the first finishes what is under way, the second leaves it."""
    backend = FakeBackend(hold=HELD)
    sessions: list[Session | Controller] = []

    async def cell() -> None:
        async with kind(backend, profiles("p1"), output=tmp_path, mode="boost", journal=None, speed=20) as session:
            sessions.append(session)
            await session.run(PROMPTS)

    async def kernel() -> None:
        task = asyncio.create_task(cell())
        while len(backend.submits) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        loop = asyncio.get_running_loop()

        def then() -> None:
            backend.let_go() if times == 1 else loop.call_soon_threadsafe(task.cancel)

        with once_said("waiting for 3 running scenes", then):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(kernel())
    assert statuses(sessions[0]) == (["succeeded"] if times == 1 else ["held"]) * 3
    assert backend.closed == 1


def test_the_demos_emulator_ends_after_what_is_under_way(tmp_path: Path) -> None:
    """Its provider stays until the videos are there."""
    with pytest.raises(KeyboardInterrupt), demo(2, speed=100, output=tmp_path) as controller:  # noqa: PT012
        interrupt_when_accepted(controller, 3)
        controller.run_blocking()
    assert controller.is_closed and statuses(controller).count("succeeded") >= 3
    assert set(statuses(controller)) == {"succeeded", "queued"}


def test_who_waited_for_a_run_finds_it_over(tmp_path: Path) -> None:
    """Right after `run_blocking`, from another thread, its time stands still."""
    with Session(FakeBackend(), profiles("p1"), output=tmp_path, speed=1000) as session:
        for _ in range(30):
            session.run_blocking(["one"])
            was, now = session.now, session.now
            assert not session.is_running and was == now


@pytest.mark.parametrize("kind", [OSError, SystemExit, KeyboardInterrupt])
def test_a_log_handler_that_raises_changes_nothing(kind: type[BaseException], tmp_path: Path) -> None:
    """It may write to a full disk, a closed pipe, a terminal that is gone: the run goes on, with all its lines."""
    lines = 0

    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            nonlocal lines
            lines += threading.current_thread() is not threading.main_thread()
            if threading.current_thread() is not threading.main_thread():
                raise kind

    log, broken = logging.getLogger("vidgen_nb"), Broken(logging.INFO)
    log.addHandler(broken)
    level, before = log.level, lines
    log.setLevel(logging.INFO)
    try:
        with Session(FakeBackend(), profiles("p1"), output=tmp_path, speed=20) as session:
            session.run_blocking(PROMPTS)
    finally:
        log.removeHandler(broken)
        log.setLevel(level)
    assert statuses(session) == ["succeeded"] * 3 and lines - before >= 6


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_what_exits_on_the_sessions_loop_does_not_end_it(kind: type[BaseException], tmp_path: Path) -> None:
    """A callback or a task of a backend's own: asyncio would end the loop, and everybody waited for ever."""

    async def leaves_a_task(*_: object) -> None:
        async def exits() -> None:
            raise kind

        tasks.append(asyncio.create_task(exits()))

    tasks: list[asyncio.Task[None]] = []
    with Session(FakeBackend(poll=leaves_a_task), profiles("p1"), output=tmp_path, speed=20) as session:
        session.run_blocking(PROMPTS)
    assert statuses(session) == ["succeeded"] * 3
    assert {type(task.exception()) for task in tasks} == {kind}  # asked for, or another test's log has it
