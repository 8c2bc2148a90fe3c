"""Any bytes from a server give a value or a `BackendError`, nothing else, within the allowed time and memory."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import httpcore
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nb.backends.openai.errors import classify, job_failure
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.wire.decompression import MAX_CHUNK_BYTES, decoded_chunks
from vidgen_nb.backends.wire.http import Answer
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.ports import BackendError, CancelAnswer, Profile, Progress, Secret
from vidgen_nb.session.video_folder import VideoFolder

ALICE = Profile("alice", "sk-alice")
JOB = Operation("job-1", "openai_videos")
NAMES = st.sampled_from([
    "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Location", "Retry-After", "Date",
    "retry-after-ms", "openai-poll-after-ms", "x-ratelimit-reset-requests", "RateLimit", "Connection", "Set-Cookie",
])  # fmt: skip
VALUES = st.sampled_from([
    "0", "5", "99999999999", "-1", "chunked", "gzip", "br", "identity", "application/json", "video/mp4", "text/html",
    "http://[", "//x:99999999/", "https://\u00e9.example/", "ftp://x/", "/v1/videos", "?", "\u2028", "a=b", "close",
    "data:text/html,x", "http://u:p@127.0.0.1:1/", "http://%00/", "http://x\u200b.y/",
]) | st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=30)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["completed", "failed", "queued", "in_progress", "server_error", "..", "\ud800", "x" * 600]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "status", "error", "code", "type", "message", "param", "progress", "deleted", "detail",
                         "retry_after", "details"]), inner, max_size=5),
    max_leaves=8,
)  # fmt: skip
BODIES = st.binary(max_size=60) | JSON.map(lambda data: json.dumps(data).encode()) | JSON.map(
    lambda data: gzip.compress(json.dumps(data).encode())
)  # fmt: skip


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Return an answer as bytes: well-formed for the most part, or anything at all."""
    body = draw(BODIES)
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    headers = draw(st.lists(st.tuples(NAMES, VALUES), max_size=4))
    if draw(st.booleans()):
        headers.append(("Content-Length", str(len(body))))
    status = draw(
        st.sampled_from([200, 200, 200, 202, 204, 302, 307, 400, 401, 404, 409, 429, 500, 502, 503, 100, 999])
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body


def against(data: bytes, work: Callable[[OpenAIVideos], Awaitable[Any]]) -> Any:
    """Return what a call gives, or fails with, when each connection brings these bytes and then its end."""
    transport = httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))  # without reading certificates
    transport._pool = httpcore.AsyncConnectionPool(network_backend=httpcore.AsyncMockBackend([data, b""]))

    async def go() -> Any:
        backend = OpenAIVideos(transport=transport, timeout=0.5)
        try:
            return await work(backend)
        except BackendError as error:
            return error
        finally:
            await backend.aclose()

    return asyncio.run(go())


@settings(deadline=None, max_examples=200)
@given(data=answers(), phase=st.sampled_from(["submit", "poll", "fetch", "cancel"]))
def test_any_answer(data: bytes, phase: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every phase gives its own kind of value, or fails as a failure that is short, printable and without the key."""
    sink = VideoFolder(tmp_path_factory.getbasetemp() / "fuzz").sink("s1", 1)
    calls: dict[str, Callable[[OpenAIVideos], Awaitable[Any]]] = {
        "submit": lambda backend: backend.submit(Scene("s1", "x"), ALICE),
        "poll": lambda backend: backend.poll(JOB, ALICE),
        "fetch": lambda backend: backend.fetch(JOB, Artifact("with_key"), ALICE, sink),
        "cancel": lambda backend: backend.cancel(JOB, ALICE),
    }
    found = against(data, calls[phase])
    sink.discard()
    if isinstance(found, BackendError):
        assert found.outcome.reason.isprintable() and len(found.outcome.reason) < 500
        assert "sk-alice" not in found.outcome.reason
        return
    kinds = {"submit": Operation, "poll": Progress, "fetch": type(None), "cancel": str}
    assert isinstance(found, kinds[phase])
    if isinstance(found, str):
        assert found in CancelAnswer.__args__  # type: ignore[attr-defined]


PLACES = st.text(max_size=20) | st.from_regex(
    r"(https?:)?//[\w\[\]:@.%\-\u00e9\u200b ]{0,12}(/[\w%?#]*)?", fullmatch=True
)


@settings(deadline=None, max_examples=60)
@given(place=PLACES.filter(lambda text: not set(text) & set("\r\n\0")), phase=st.sampled_from(["poll", "fetch"]))
def test_any_redirect(place: str, phase: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Wherever a server points: no key goes there, and a loop has an end."""
    sink = VideoFolder(tmp_path_factory.getbasetemp() / "fuzz").sink("s1", 1)
    data = b"HTTP/1.1 302 X\r\nContent-Length: 0\r\nLocation: " + place.encode("utf-8", "replace") + b"\r\n\r\n"

    async def work(backend: OpenAIVideos) -> object:
        if phase == "poll":
            return await backend.poll(JOB, ALICE)
        await backend.fetch(JOB, Artifact("with_key"), ALICE, sink)
        return None

    assert isinstance(against(data, work), BackendError)


@settings(deadline=None)
@given(st.integers(100, 599), st.sampled_from(["submit", "poll", "fetch", "cancel"]), JSON, st.text(max_size=12))
def test_any_error_body(status: int, phase: Any, data: object, text: str) -> None:
    """Every JSON body, with any status and any text in its headers, is classified."""
    headers = [("retry-after", text), ("date", text), ("ratelimit", text)]
    for found in (
        classify(Answer(status, headers, data), phase, key=Secret("sk-alice"), now_epoch=0.0),
        job_failure(data, Secret("sk-alice")),
    ):
        assert found.reason.isprintable() and len(found.reason) < 400
        wait = getattr(found, "retry_after", None)
        assert wait is None or 0 <= wait <= 366 * 86_400


@settings(deadline=None)
@given(st.binary(max_size=5000), st.integers(1, 400), st.sampled_from(["gzip", "deflate", "identity", " GZip "]))
def test_compressed_bodies_come_back(data: bytes, size: int, encoding: str) -> None:
    """However a body is cut into pieces, it comes back whole, in pieces that are small; cut off it does not."""
    packs: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
    pack = packs.get(encoding.strip().lower(), bytes)
    packed = pack(data * 40)

    async def read(body: bytes) -> bytes:
        async def pieces() -> Any:
            for at in range(0, len(body), size):
                yield body[at : at + size]

        response = httpx.Response(200, content=pieces(), headers={"Content-Encoding": encoding})
        found = [piece async for piece in decoded_chunks(response)]
        assert all(len(piece) <= MAX_CHUNK_BYTES for piece in found)
        return b"".join(found)

    assert asyncio.run(read(packed)) == data * 40
    if pack is not bytes:
        for broken in (packed[:-1], packed + b"x"):
            with pytest.raises(httpx.DecodingError):
                asyncio.run(read(broken))
