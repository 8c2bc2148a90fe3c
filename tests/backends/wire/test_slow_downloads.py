"""A download that trickles is given up; one that was slow because this program stood still is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.fakes import MemorySink
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core.model import Artifact, Operation
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.ports import BackendError, Profile

ALICE = Profile("alice", "sk-very-secret")
JOB = Operation("video_1", "openai_videos")
TIMEOUT = 0.3
HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {len(CLIP)}\r\n\r\n".encode()
Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


def download(serve: Serve, meanwhile: Callable[[], Awaitable[None]] | None = None) -> bytes:
    """Return what a fetch gets, while something else happens on its loop."""
    sink = MemorySink()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD)
            await serve(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def go() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        backend = OpenAIVideos(address, timeout=TIMEOUT)
        async with server, asyncio.TaskGroup() as tasks:
            if meanwhile is not None:
                tasks.create_task(meanwhile())  # type: ignore[arg-type]
            try:
                await backend.fetch(JOB, Artifact("with_key"), ALICE, sink)
            finally:
                await backend.aclose()

    try:
        asyncio.run(go())
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    return bytes(sink.data)


def test_one_that_trickles_is_given_up() -> None:
    """Each byte comes long before the timeout; the second slow stretch in a row is believed."""

    async def trickle(writer: asyncio.StreamWriter) -> None:
        for byte in CLIP:
            writer.write(bytes([byte]))
            await asyncio.sleep(TIMEOUT / 10)

    began = time.perf_counter()
    with pytest.raises(BackendError) as caught:
        download(trickle)
    assert isinstance(caught.value.outcome, Transient) and "slower than" in caught.value.outcome.reason
    assert time.perf_counter() - began < 10


def test_a_standstill_is_no_slow_download() -> None:
    """Of what came before the loop was blocked there is too little for so long a time; the rest comes quickly."""

    async def in_two_parts(writer: asyncio.StreamWriter) -> None:
        writer.write(CLIP[:20])
        await asyncio.sleep(TIMEOUT / 3)
        writer.write(CLIP[20:40])
        await asyncio.sleep(TIMEOUT / 10)
        writer.write(CLIP[40:])

    async def block() -> None:
        await asyncio.sleep(TIMEOUT / 6)
        time.sleep(2 * TIMEOUT)  # noqa: ASYNC251 - that is what it does

    assert download(in_two_parts, block) == CLIP
