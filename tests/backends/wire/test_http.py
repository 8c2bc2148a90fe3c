"""Transport faults over real sockets: what reaches the server decides what a lost submit is."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from tests.drivers.harness import SocketLoop
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.wire import http
from vidgen_nb.backends.wire.http import MAX_CONNECTIONS, HttpPool
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.core.outcomes import Ambiguous, RateLimited, Transient
from vidgen_nb.ports import BackendError, Profile
from vidgen_nb.session.video_folder import VideoFolder

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Work = Callable[[OpenAIVideos], Awaitable[object]]
ALICE = Profile("alice", "sk-very-secret")
SCENE = Scene("s001", "a lighthouse")
JOB = Operation("video_1", "openai_videos")


def submit(backend: OpenAIVideos) -> Awaitable[object]:
    """Submit a scene."""
    return backend.submit(SCENE, ALICE)


def poll(backend: OpenAIVideos) -> Awaitable[object]:
    """Poll a job."""
    return backend.poll(JOB, ALICE)


def against(
    handler: Handler, work: Work, timeout: float = 5.0, loop: asyncio.AbstractEventLoop | None = None
) -> object:
    """Return what a call against a raw socket server gives; `loop`: another than asyncio's."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def go() -> object:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
        port = server.sockets[0].getsockname()[1]
        backend = OpenAIVideos(f"http://127.0.0.1:{port}/v1", timeout=timeout)
        async with server:
            try:
                return await work(backend)
            finally:
                await backend.aclose()

    with asyncio.Runner(loop_factory=None if loop is None else lambda: loop) as runner:
        return runner.run(go())


def outcome(handler: Handler, work: Work, timeout: float = 5.0) -> object:
    """Return as what a call fails."""
    with pytest.raises(BackendError) as caught:
        against(handler, work, timeout)
    return caught.value.outcome


async def take(reader: asyncio.StreamReader) -> bytes:
    """Read a request's head, and its body where it has one."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head + await reader.readexactly(int(length[0]) if length else 0)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset instead of an end."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def reset_after_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read the request, then reset."""
    await take(reader)
    reset(writer)


async def close_after_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read the request, then close without a word."""
    await take(reader)


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read the request, and never answer."""
    await take(reader)
    await reader.read()


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer in another language, quoting the key."""
    await take(reader)
    writer.write(b"SSH-2.0 sk-very-secret\r\n\r\n")
    await writer.drain()


async def cut_json(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, and break off within the answer."""
    await take(reader)
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id": "vid')
    await writer.drain()


@pytest.mark.parametrize("handler", [reset_after_reading, close_after_reading, garbage, cut_json])
def test_lost_after_sending(handler: Handler) -> None:
    """Once the request is out, a lost connection leaves a submit in doubt; a poll is simply made again."""
    assert isinstance(outcome(handler, submit), Ambiguous)
    found = outcome(handler, poll)
    assert isinstance(found, Transient)
    assert "secret" not in found.reason


def test_no_answer_in_time() -> None:
    """A server that takes a submit and stays silent leaves it in doubt when the timeout is over."""
    assert isinstance(outcome(silence, submit, timeout=0.05), Ambiguous)
    assert isinstance(outcome(silence, poll, timeout=0.05), Transient)


def test_nobody_listens() -> None:
    """Without a connection nothing was sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def go() -> None:
        backend = OpenAIVideos(f"http://127.0.0.1:{port}/v1")
        try:
            await backend.submit(SCENE, ALICE)
        finally:
            await backend.aclose()

    with pytest.raises(BackendError) as caught:
        asyncio.run(go())
    assert isinstance(caught.value.outcome, Transient)


def test_a_status_counts_though_its_body_breaks_off() -> None:
    """A 429 whose body is cut off is a 429."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(reader)
        writer.write(b'HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 100\r\n\r\n{"err')
        await writer.drain()

    assert outcome(handler, submit) == RateLimited(7, "Retry-After", "HTTP 429")


@pytest.mark.parametrize("head", [b"Content-Length: 1000\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_cut_off_download_leaves_nothing(tmp_path: Path, head: bytes) -> None:
    """A download that breaks off is transient, and the folder stays empty once the sink is discarded."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n" + head + b"\r\n5\r\nftypx\r\n")
        await writer.drain()

    sink = VideoFolder(tmp_path).sink("s001", 1)
    found = outcome(handler, lambda backend: backend.fetch(JOB, Artifact("with_key"), ALICE, sink))
    sink.discard()
    assert isinstance(found, Transient)
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_submit_is_cancelled() -> None:
    """Cancelling the task of a submit raises CancelledError, not an outcome."""
    taken = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(reader)
        taken.set()
        await reader.read()

    async def work(backend: OpenAIVideos) -> bool:
        task = asyncio.ensure_future(submit(backend))
        await taken.wait()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert against(handler, work) is True


def test_submits_use_fresh_connections_and_polls_share_theirs() -> None:
    """A submit never goes over a kept connection, which might just be closing; polls reuse one."""
    connections: list[int] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(0)
        place = len(connections) - 1
        while True:
            await take(reader)
            connections[place] += 1
            body = b'{"id": "v", "status": "queued"}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()

    async def work(backend: OpenAIVideos) -> None:
        for _ in range(3):
            await submit(backend)
            await poll(backend)

    against(handler, work)
    assert sorted(connections) == [1, 1, 1, 3]


def test_hundreds_of_submits_at_once() -> None:
    """In boost mode hundreds of submits run at once, and all are answered."""
    waiting = 0
    full = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal waiting
        await take(reader)
        waiting += 1
        if waiting > MAX_CONNECTIONS:
            full.set()
        if waiting > 1:  # the first goes alone
            await full.wait()
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"id": "v"}')
        await writer.drain()

    async def work(backend: OpenAIVideos) -> int:
        return len(await asyncio.gather(*(submit(backend) for _ in range(600))))

    assert against(handler, work, timeout=60) == 600


def test_loopback_is_never_proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxy variables hold for other hosts alone."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(reader)
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"id": "v"}')
        await writer.drain()

    assert against(handler, submit) == Operation("v", "openai_videos")

    async def elsewhere() -> bool:
        pool = HttpPool()
        client = pool._client(httpx.URL("http://server.example"), "poll").client
        await pool.aclose()
        return client.trust_env

    assert asyncio.run(elsewhere())


def test_a_backend_serves_one_loop_after_another() -> None:
    """Clients belong to their loop: closing those of one leaves the backend usable in the next."""
    backend = OpenAIVideos(transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"id": "v"})))

    async def go() -> Operation:
        try:
            return await backend.submit(SCENE, ALICE)
        finally:
            await backend.aclose()
            await backend.aclose()

    assert asyncio.run(go()) == asyncio.run(go())


def test_an_image_may_take_its_time_on_a_slow_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as the body moves it is not given up: neither a write's timeout nor the patience is for all of it."""
    monkeypatch.setattr(http, "TOTAL_TIMEOUT_FACTOR", 2)
    image = tmp_path / "large.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(12 << 20))
    got = 0
    loop = SocketLoop()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal got
        # little of the body is in buffers when all of it is sent: the answer follows soon
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        while got < length:
            got += len(await reader.read(1 << 17))
            with loop.waits_in_server():
                await asyncio.sleep(0.02)
        body = b'{"id": "video_1", "status": "queued"}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()

    async def submit(backend: OpenAIVideos) -> Operation:
        with loop.call():
            return await backend.submit(Scene("s001", "a lighthouse", input_reference=image), ALICE)

    job = against(slow, submit, timeout=0.8, loop=loop)
    assert isinstance(job, Operation) and job.id == "video_1"
    assert loop.now > 2 * 0.8, "longer than the patience"


@pytest.mark.parametrize(
    ("body", "kind"), [(b'{"error": {"code": "insufficient_quota"}}', "application/json"), (b"", "application/json")]
)
def test_what_another_host_says_is_no_word_about_the_profile(body: bytes, kind: str, tmp_path: Path) -> None:
    """Where a download was redirected to another host, an error with a good status is that host's own, too."""

    def server(request: httpx.Request) -> httpx.Response:
        if request.url.host == "api.example":
            return httpx.Response(302, headers={"Location": "https://store.example/video"})
        return httpx.Response(200, content=body, headers={"Content-Type": kind})

    async def go() -> None:
        backend = OpenAIVideos("https://api.example/v1", transport=httpx.MockTransport(server))
        await backend.fetch(JOB, Artifact("with_key"), ALICE, VideoFolder(tmp_path).sink("s001", 1))

    with pytest.raises(BackendError) as caught:
        asyncio.run(go())
    assert isinstance(caught.value.outcome, Transient)
    assert "HTTP 200 and no video from store.example" in caught.value.outcome.reason


@pytest.mark.parametrize("key", ["EMPTY", "video", "id", "x", "1"])
def test_a_key_that_is_no_secret_changes_no_answer(key: str) -> None:
    """Servers without accounts take any word as a key; where it is part of a job's id, that is still asked about."""
    seen: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(200, json={"id": "video_1-x-EMPTY", "status": "in_progress"})

    async def go() -> None:
        profile = Profile("alice", key)
        backend = OpenAIVideos("https://api.example/v1", transport=httpx.MockTransport(server))
        job = await backend.submit(SCENE, profile)
        assert (await backend.poll(job, profile)).status == "running"

    asyncio.run(go())
    assert seen == ["/v1/videos", "/v1/videos/video_1-x-EMPTY"]
