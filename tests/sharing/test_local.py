"""Cooldowns shared in one process."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from vidgen_nb.sharing.local import LocalCooldowns
from vidgen_nb.sharing.port import AccountCooldown


def test_one_tells_the_others_and_not_itself() -> None:
    """Also one that joins later, or gets the account later; less of the cooldown is left by then."""

    async def main() -> None:
        board = LocalCooldowns()
        heard: dict[str, list[AccountCooldown]] = {name: [] for name in "abcd"}
        first, second, third = (board.join(heard[name].append) for name in "abc")
        first.watch({"x"})
        second.watch({"x", "y"})
        first.publish(AccountCooldown("x", 30.0, "429"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        third.watch({"x"})
        board.join(heard["d"].append).watch({"y"})
        assert {name: len(cooldowns) for name, cooldowns in heard.items()} == {"a": 0, "b": 1, "c": 1, "d": 0}
        assert 29 < heard["c"][0].seconds_left <= heard["b"][0].seconds_left < 30
        assert heard["b"][0].reason == "429; seen by another session of this process"

    asyncio.run(main())


def test_a_shorter_window_changes_nothing() -> None:
    """Nor are the others notified."""

    async def main() -> None:
        board = LocalCooldowns()
        heard: list[AccountCooldown] = []
        one, other = board.join(lambda _: None), board.join(heard.append)
        other.watch({"x"})
        one.publish(AccountCooldown("x", 30.0, "long"))
        one.publish(AccountCooldown("x", 10.0, "short"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        found = board.remaining("x")
        assert found is not None and found.seconds_left > 29 and found.reason == "long"
        assert len(heard) == 1

    asyncio.run(main())


def test_lines_live_on_loops_of_their_own() -> None:
    """A cooldown that is published on one thread is received on the other."""
    board, told = LocalCooldowns(), threading.Event()
    names: list[str] = []

    def note(_: AccountCooldown) -> None:
        names.append(threading.current_thread().name)
        told.set()

    async def listen() -> None:
        connection = board.join(note)
        connection.watch({"x"})
        ready.set()
        await asyncio.to_thread(told.wait, 10)
        await connection.aclose()

    ready = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(listen()), name="elsewhere")
    thread.start()
    assert ready.wait(10)

    async def tell() -> None:
        board.join(lambda _: None).publish(AccountCooldown("x", 30.0, "429"))

    asyncio.run(tell())
    thread.join(10)
    assert names == ["elsewhere"]


def test_who_has_left_or_was_dropped_or_whose_loop_is_closed_is_not_told() -> None:
    """The board keeps nobody alive, and trips over nobody."""
    board = LocalCooldowns()
    heard: list[AccountCooldown] = []

    async def join() -> object:
        connection = board.join(heard.append)
        connection.watch({"x"})
        return connection

    async def main() -> None:
        left = board.join(heard.append)
        left.watch({"x"})
        await left.aclose()
        await join()
        gc.collect()
        board.join(lambda _: None).publish(AccountCooldown("x", 30.0, "429"))
        await asyncio.sleep(0)

    kept = asyncio.run(join())
    assert kept is not None
    asyncio.run(main())
    assert heard == []
    assert not board._connections


def test_it_shows_what_it_is() -> None:
    """For example in a session's settings."""
    assert repr(LocalCooldowns()) == "LocalCooldowns()"
    assert LocalCooldowns().remaining("nothing") is None


@pytest.mark.parametrize("left", [-1.0, 0.0])
def test_what_is_over_is_not_kept(left: float) -> None:
    """A cooldown with nothing left is not passed on."""

    async def main() -> None:
        board = LocalCooldowns()
        board.join(lambda _: None).publish(AccountCooldown("x", left, "429"))
        assert board.remaining("x") is None

    asyncio.run(main())
