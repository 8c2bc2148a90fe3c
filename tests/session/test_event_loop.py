"""The loop a session lives on."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator

import pytest

from vidgen_nb.errors import SessionError
from vidgen_nb.session.event_loop import SessionLoop


@pytest.fixture
def session_loop() -> Iterator[SessionLoop]:
    """A session_loop of its own thread."""
    session_loop = SessionLoop("test session_loop")
    yield session_loop
    session_loop.stop()


def test_a_call_runs_on_the_homes_thread(session_loop: SessionLoop) -> None:
    """It waits for the result; the thread is started once, at the first call."""
    assert not any(thread.name == "test session_loop" for thread in threading.enumerate())
    names = {session_loop.call(lambda: threading.current_thread().name) for _ in range(3)}
    assert names == {"test session_loop"}
    assert not session_loop.is_adopted
    assert not session_loop.is_current()


def test_arguments_and_exceptions_pass_through(session_loop: SessionLoop) -> None:
    """What the function raises is raised where it was called, and the session_loop goes on."""
    with pytest.raises(ValueError, match="invalid literal for int"):
        session_loop.call(int, "x")
    assert session_loop.call(int, "11", base=2) == 3


def test_a_call_from_the_homes_own_loop_does_not_wait_for_itself(session_loop: SessionLoop) -> None:
    """Callbacks on the loop may call too."""
    assert session_loop.call(lambda: (session_loop.is_current(), session_loop.call(lambda: "done"))) == (True, "done")


def test_many_threads_share_one_loop(session_loop: SessionLoop) -> None:
    """Twenty threads that call at once find one loop, and no call is lost."""
    seen: list[asyncio.AbstractEventLoop] = []

    def note_loop() -> None:
        session_loop.call(lambda: seen.append(asyncio.get_running_loop()))

    threads = [threading.Thread(target=note_loop) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [session_loop.loop] * 20


def test_stop_ends_the_thread_and_closes_the_loop() -> None:
    """A loop that was never used can be stopped as well, and stopping twice does no harm."""
    session_loop = SessionLoop("short")
    loop = session_loop.loop
    session_loop.stop()
    session_loop.stop()
    assert loop.is_closed()
    assert not any(thread.name == "short" for thread in threading.enumerate())


def test_an_adopted_loop_is_used_and_left_alone() -> None:
    """Calls run right there, and `stop` does not end a loop that belongs to the caller."""

    async def main() -> None:
        session_loop = SessionLoop("adopted")
        session_loop.adopt(asyncio.get_running_loop())
        assert session_loop.is_adopted
        assert session_loop.is_current()
        assert session_loop.call(threading.current_thread) is threading.current_thread()
        session_loop.stop()
        await asyncio.sleep(0)

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_is_told_that_nobody_answers_there(session_loop: SessionLoop) -> None:
    """The loop runs in the parent: the child would wait for ever."""
    session_loop.call(int)
    if (child := os.fork()) == 0:
        signal.alarm(20)
        try:
            session_loop.call(int)
        except SessionError:
            os._exit(7)
        os._exit(8)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert session_loop.call(int) == 0
