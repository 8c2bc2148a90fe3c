"""However much a server sends, memory stays flat: answers are read to a limit, downloads streamed, bombs contained."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from tests.faults.server import Fault, Request, Server, answer, serving
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.wire import http
from vidgen_nb.backends.wire.answer import MAX_BODY_BYTES
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.core.outcomes import Ambiguous, Transient
from vidgen_nb.ports import BackendError, Profile
from vidgen_nb.session.video_folder import VideoFolder

ALICE = Profile("alice", "sk-alice")
JOB = Operation("job-s1", "openai_videos")
SIZE = 100_000_000
PIECE = b"\0\0\0\x20ftypisom".ljust(1 << 16, b"\0")
Work = Callable[[OpenAIVideos], Awaitable[object]]


def sends(head: bytes, size: int, sent: list[int]) -> Fault:
    """Return the fault of a server that sends this many bytes, and counts them."""

    async def fault(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while sent[0] < size:
            piece = PIECE[: size - sent[0]]
            writer.write(piece)
            await writer.drain()
            sent[0] += len(piece)

    return fault


def peak(work: Work, fault: Fault, phase: str) -> int:
    """Return the most bytes that Python had at once while a call was made on a server with a fault."""

    async def go() -> int:
        server = Server(fault, phase, "sk-alice")
        async with serving(server) as url:
            backend = OpenAIVideos(url, timeout=20)
            tracemalloc.start()
            try:
                await work(backend)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
                await backend.aclose()

    return asyncio.run(go())


@pytest.mark.parametrize(("phase", "kind"), [("submit", Ambiguous), ("poll", Transient)])
def test_an_answer_of_100_mb(phase: str, kind: type) -> None:
    """Not more than the limit is read, although the length is announced; then the connection is closed."""
    sent = [0]
    head = b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n" % SIZE

    async def work(backend: OpenAIVideos) -> None:
        with pytest.raises(BackendError) as caught:
            await (backend.submit(Scene("s1", "x"), ALICE) if phase == "submit" else backend.poll(JOB, ALICE))
        assert isinstance(caught.value.outcome, kind)

    assert peak(work, sends(head, SIZE, sent), phase) < 3 * MAX_BODY_BYTES
    assert sent[0] < SIZE / 2


@pytest.mark.parametrize("told", [True, False])
def test_a_download_of_100_mb(told: bool, tmp_path: Path) -> None:
    """It is streamed to the disk, whole, with memory for a few pieces."""
    sent = [0]
    length = b"Content-Length: %d\r\n" % SIZE if told else b""
    head = b"HTTP/1.1 200 X\r\nContent-Type: video/mp4\r\n" + length + b"\r\n"
    sink = VideoFolder(tmp_path).sink("s1", 1)

    async def work(backend: OpenAIVideos) -> None:
        await backend.fetch(JOB, Artifact("with_key"), ALICE, sink)

    assert peak(work, sends(head, SIZE, sent), "fetch") < 2_000_000
    assert (tmp_path / "s1.mp4").stat().st_size == SIZE


def bomb(wraps: int) -> bytes:
    """Return an MP4's beginning and 50 MB of zeros, compressed this many times."""
    packer = zlib.compressobj(9, wbits=31)
    packed = packer.compress(PIECE) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(50)) + packer.flush()
    for _ in range(wraps - 1):
        packed = gzip.compress(packed)
    return packed


def test_a_bomb_in_a_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is compressed once fills the disk no further than the limit, twice not at all; memory stays flat."""
    monkeypatch.setattr(http, "MAX_VIDEO_BYTES", 10_000_000)
    for wraps, encoding, words in ((1, "gzip", "longer than"), (2, "gzip, gzip", "which was not asked for")):
        sink = VideoFolder(tmp_path).sink("s1", 1)

        async def work(backend: OpenAIVideos, sink: object = sink, words: str = words) -> None:
            with pytest.raises(BackendError, match=words) as caught:
                await backend.fetch(JOB, Artifact("with_key"), ALICE, sink)  # type: ignore[arg-type]
            assert isinstance(caught.value.outcome, Transient)

        body = answer(bomb(wraps), Content_Type="video/mp4", Content_Encoding=encoding)
        assert peak(work, whole(body), "fetch") < 2_000_000 + len(body)
        sink.discard()
    assert list(tmp_path.iterdir()) == []


def whole(data: bytes) -> Fault:
    """Return the fault of a server that writes these bytes."""

    async def fault(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return fault


def test_what_is_compressed_without_being_asked_for(tmp_path: Path) -> None:
    """A paid result that a gateway compresses all the same is taken, whole; so is an answer."""
    video = PIECE * 10
    body = answer(gzip.compress(video), Content_Type="video/mp4", Content_Encoding="gzip")
    sink = VideoFolder(tmp_path).sink("s1", 1)

    async def work(backend: OpenAIVideos) -> None:
        await backend.fetch(JOB, Artifact("with_key"), ALICE, sink)

    peak(work, whole(body), "fetch")
    assert (tmp_path / "s1.mp4").read_bytes() == video

    async def submit(backend: OpenAIVideos) -> None:
        assert (await backend.submit(Scene("s1", "x"), ALICE)).id == "v1"

    for pack in (gzip.compress, zlib.compress):
        peak(submit, whole(answer(pack(b'{"id": "v1"}'), Content_Encoding="deflate")), "submit")


def test_no_cookies_are_kept() -> None:
    """What a server sets for one profile goes out with no other's request, and no jar grows."""
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"id": "v1"}, headers={"Set-Cookie": "who=alice; Path=/"})

    async def go() -> None:
        backend = OpenAIVideos(transport=httpx.MockTransport(respond))
        for profile in (ALICE, Profile("bruno", "sk-bruno")):
            await backend.submit(Scene("s1", "x"), profile)
        await backend.aclose()

    asyncio.run(go())
    assert [request.headers.get("cookie") for request in requests] == [None, None]
