"""Timeouts: what has come is read before they are believed, and they are believed in the end."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest

from vidgen_nb import patience
from vidgen_nb.patience import Patience


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Give two connected sockets: ours, which does not block, and the other one."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


async def stand_still(seconds: float) -> None:
    """Block the loop, as a cell does that computes, while others wait."""
    await asyncio.sleep(0)
    time.sleep(seconds)  # noqa: ASYNC251 - that is what it does


@pytest.mark.parametrize("seconds", [0.01, 0.2])
def test_what_came_during_a_standstill_is_read(ends: tuple[socket.socket, socket.socket], seconds: float) -> None:
    """The timeout passed while the loop was blocked, and the answer has come meanwhile, in two steps."""
    ours, theirs = ends

    async def answer() -> bytes:
        loop = asyncio.get_running_loop()
        async with Patience(seconds):
            first = await loop.sock_recv(ours, 2)
            await asyncio.sleep(0)
            return first + await loop.sock_recv(ours, 2)

    async def go() -> bytes:
        waiting = asyncio.create_task(answer())
        await asyncio.sleep(0)
        theirs.send(b"done")
        await stand_still(seconds + 0.3)
        return await waiting

    assert asyncio.run(go()) == b"done"


def test_it_is_believed_when_nothing_came(ends: tuple[socket.socket, socket.socket]) -> None:
    """Also after a standstill: a moment later."""
    ours, _ = ends

    async def go() -> float:
        loop = asyncio.get_running_loop()
        blocked = asyncio.create_task(stand_still(0.4))
        began = loop.time()
        with pytest.raises(TimeoutError):
            async with Patience(0.1):
                await loop.sock_recv(ours, 1)
        await blocked
        return loop.time() - began

    assert 0.4 <= asyncio.run(go()) < 5


def test_a_loop_that_is_always_late_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is busy, and no standstill: the timeout counts."""
    monkeypatch.setattr(patience, "LATE_SECONDS", 0.001)

    async def go() -> None:
        loop = asyncio.get_running_loop()

        def busy() -> None:
            time.sleep(0.01)
            loop.call_soon(busy)

        loop.call_soon(busy)
        with pytest.raises(TimeoutError):
            async with Patience(0.001):
                await asyncio.Event().wait()

    asyncio.run(go())


def test_its_end_can_be_moved() -> None:
    """A block that goes on gets more time, and its end holds for the next block, too."""

    async def go() -> None:
        async with Patience(0.05) as left:
            left.extend(60.0)
            await asyncio.sleep(0.2)
        left.until = asyncio.get_running_loop().time() + 0.01
        with pytest.raises(TimeoutError):
            async with left:
                await asyncio.Event().wait()

    asyncio.run(go())


def test_a_cancel_stays_a_cancel() -> None:
    """Whoever cancels the task meanwhile is not told that the time was over."""

    async def go() -> None:
        async def block() -> None:
            async with Patience(60.0):
                await asyncio.Event().wait()

        task = asyncio.create_task(block())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())
