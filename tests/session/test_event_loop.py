"""The loop a session lives on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from vidgen_nb.session.event_loop import Home


@pytest.fixture
def home() -> Iterator[Home]:
    """A home of its own thread."""
    home = Home("test home")
    yield home
    home.stop()


def test_a_call_runs_on_the_homes_thread(home: Home) -> None:
    """It waits for the result; the thread is started once, at the first call."""
    assert not any(thread.name == "test home" for thread in threading.enumerate())
    names = {home.call(lambda: threading.current_thread().name) for _ in range(3)}
    assert names == {"test home"}
    assert not home.is_adopted
    assert not home.here()


def test_arguments_and_exceptions_pass_through(home: Home) -> None:
    """What the function raises is raised where it was called, and the home goes on."""
    with pytest.raises(ValueError, match="invalid literal for int"):
        home.call(int, "x")
    assert home.call(int, "11", base=2) == 3


def test_a_call_from_the_homes_own_loop_does_not_wait_for_itself(home: Home) -> None:
    """Callbacks on the loop may call too."""
    assert home.call(lambda: (home.here(), home.call(lambda: "done"))) == (True, "done")


def test_many_threads_share_one_loop(home: Home) -> None:
    """Twenty threads that call at once find one loop, and no call is lost."""
    seen: list[asyncio.AbstractEventLoop] = []
    threads = [
        threading.Thread(target=lambda: home.call(lambda: seen.append(asyncio.get_running_loop()))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [home.loop] * 20


def test_stop_ends_the_thread_and_closes_the_loop() -> None:
    """A home that was never used can be stopped as well, and stopping twice does no harm."""
    home = Home("short")
    loop = home.loop
    home.stop()
    home.stop()
    assert loop.is_closed()
    assert not any(thread.name == "short" for thread in threading.enumerate())


def test_an_adopted_loop_is_used_and_left_alone() -> None:
    """Calls run right there, and `stop` does not end a loop that belongs to the caller."""

    async def main() -> None:
        home = Home("adopted")
        home.adopt(asyncio.get_running_loop())
        assert home.is_adopted
        assert home.here()
        assert home.call(threading.current_thread) is threading.current_thread()
        home.stop()
        await asyncio.sleep(0)

    asyncio.run(main())
