"""What every HTTP adapter shares: pooled clients, bounded answers, streamed downloads, transport faults as outcomes.

Where a key may go: only in one header (`Authorization`, or the API's own) of a request to the origin the profile
names. Redirects are followed for GETs alone; to another origin only for a download, and then without the key. Cookies
are never kept: profiles share connections, and what a server would remember of one has to reach no other.

How long a call may take, and how much of an answer is read: a server that is silent is given up after `timeout`
seconds; one that trickles, redirects or says "100 Continue" for ever after `TOTAL_TIMEOUT_FACTOR` times that, for the whole of an
answer, or up to where a download begins. A body is sent in pieces: `timeout` holds for each, and the patience counts
from the last, so that an image may take as long as a slow line needs. A download may take as long as it brings
`MIN_DOWNLOAD_BYTES_PER_SECOND` bytes a second. Of an answer `MAX_BODY_BYTES` bytes are read, of a download `MAX_VIDEO_BYTES`, in pieces that never
grow, compressed or not.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Container, Generator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final
from weakref import WeakKeyDictionary

import httpx

from vidgen_nb.backends.wire.answer import MAX_BODY_BYTES, Answer, read_answer
from vidgen_nb.backends.wire.decompression import MAX_CHUNK_BYTES, decoded_chunks
from vidgen_nb.backends.wire.redaction import current_key
from vidgen_nb.backends.wire.transport_errors import HTTPX_ERRORS, Phase, redacted_line, reraisable, transport_failure
from vidgen_nb.backends.wire.urls import is_loopback, origin, usable_url
from vidgen_nb.core.model import record
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.ports import BackendError, Secret, Sink

__all__ = ["Answer", "FormValue", "HttpPool", "Phase", "is_loopback", "origin", "redacted_line", "transport_failure"]

FormValue = str | Callable[[], tuple[str, bytes, str]]
"""A text, or what reads a file's (name, content, media type): called when a connection is free for it, so that files of
submits that wait for one are not in memory."""

MAX_VIDEO_BYTES: Final = 16 << 30
"""Bytes of a download; a longer one is given up, before it fills the disk."""
TOTAL_TIMEOUT_FACTOR: Final = 5
"""A call takes at most so many times the timeout, however busy the server seems."""
MIN_DOWNLOAD_BYTES_PER_SECOND: Final = 1024
"""Bytes a second that a download has to bring, over each stretch of `timeout` seconds."""
MAX_CONNECTIONS: Final = 200
"""Connections of one kind at once; all kinds together stay under the usual limit of 1024 open files."""
_MAX_REDIRECTS: Final = 5
_REDIRECT_STATUSES: Final = (301, 302, 303, 307, 308)


class _KeyAuth(httpx.Auth):
    """Puts the key into the request on its way out, so that no variable or URL ever holds it."""

    def __init__(self, key: Secret, header: str, scheme: str) -> None:
        self._key, self._header, self._scheme = key, header, scheme

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[self._header] = f"{self._scheme} {self._key.reveal()}".lstrip()
        yield request


class _NoAuth(httpx.Auth):
    """Sends the request as it is (httpx would otherwise take user and password from the URL)."""


class _ChunkedBody(httpx.AsyncByteStream):
    """A request's body in pieces of `MAX_CHUNK_BYTES` bytes; before each, `moved` is called.

    In one piece an image of 14 MiB would have to be through within the timeout of a single write.
    """

    def __init__(self, whole: httpx.AsyncByteStream, moved: Callable[[], None]) -> None:
        self._whole, self._moved = whole, moved

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._whole:
            for start in range(0, len(part), MAX_CHUNK_BYTES):
                self._moved()
                yield part[start : start + MAX_CHUNK_BYTES]


@record
class _PooledClient:
    client: httpx.AsyncClient
    free_connections: asyncio.Semaphore
    """Free connections. Requests wait here: httpcore's own queue looks through all of them for each (1,000 submits at
    once took 116 s)."""


class HttpPool:
    """Pooled clients, made on first use inside the running loop and kept per loop; `aclose()` closes that loop's.

    Submits have clients of their own that keep no connection alive: a server that closes an idle connection in the
    moment it is reused would make a submit ambiguous (R12). Loopback addresses never go through a proxy.
    `timeout`: wall seconds for each read and write, and at most 10 for connecting; `TOTAL_TIMEOUT_FACTOR` times that for a whole
    answer. Waiting for a free connection has no timeout. `transport`: any httpx transport in place of the network.
    `key_header`: where the key stands; `key_scheme`: the word before it; None: `Bearer` in `Authorization`, none in
    others.
    """

    def __init__(
        self,
        *,
        timeout: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
        key_header: str = "Authorization",
        key_scheme: str | None = None,
    ) -> None:
        self._timeout = httpx.Timeout(timeout, connect=min(timeout, 10.0), pool=None)
        self._seconds = timeout
        self._transport = transport
        bearer = "Bearer" if key_header == "Authorization" else ""
        self._key = partial(_KeyAuth, header=key_header, scheme=bearer if key_scheme is None else key_scheme)
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[bool, bool, bool], _PooledClient]]
        self._clients = WeakKeyDictionary()

    def _client(self, url: httpx.URL, phase: Phase) -> _PooledClient:
        clients = self._clients.setdefault(asyncio.get_running_loop(), {})
        kind = (is_loopback(url.host), url.scheme == "https", phase == "submit")
        if self._transport is not None:
            kind = (True, False, False)
        if kind not in clients:
            loopback, tls, submits = kind
            client = httpx.AsyncClient(
                transport=self._transport,
                trust_env=not loopback,
                # where there is no TLS, no certificates: reading all that the system trusts takes 30 to 100 ms
                verify=tls or not loopback or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                timeout=self._timeout,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0 if submits else 100),
                headers={"User-Agent": "vidgen_nb", "Accept-Encoding": "identity"},
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                event_hooks={"response": [_hide_location]},
            )
            clients[kind] = _PooledClient(client, asyncio.Semaphore(MAX_CONNECTIONS))
        return clients[kind]

    async def aclose(self) -> None:
        """Close the running loop's clients; a later call makes new ones."""
        for client in self._clients.pop(asyncio.get_running_loop(), {}).values():
            await client.client.aclose()

    async def call(
        self,
        method: str,
        url: httpx.URL,
        phase: Phase,
        key: Secret,
        *,
        public: bool = False,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, FormValue] | None = None,
        body: object = None,
        max_bytes: int = MAX_BODY_BYTES,
    ) -> Answer:
        """Send a request and read its answer up to `max_bytes` bytes; `BackendError` for a transport error.

        `public`: the key is not sent, only kept out of what is said. `form`: multipart fields. `body`: what is sent as
        JSON, or what makes it once a connection is free for it.
        Raises what a file of the form, or the making of a body, raises.
        """
        pooled = self._open(method, url, phase, key, public=public, headers=headers, form=form, body=body)
        async with pooled as (response, until):
            return await read_answer(response, key, until, max_bytes)

    async def download(
        self,
        url: httpx.URL,
        key: Secret,
        sink: Sink,
        *,
        public: bool = False,
        headers: Mapping[str, str] | None = None,
        handled_statuses: Container[int] = (),
    ) -> Answer | None:
        """Stream a result into the sink and commit it; return the answer instead where it holds no result.

        `public`: the address is to see no key. What a public host or a redirect's target answers says nothing of the
        profile.
        `headers`: they go no further than the key.
        `handled_statuses`: the statuses of such a host that the caller knows what to do about; they are returned all the same.
        Raises `BackendError` where the connection or the sink fails.
        """
        async with self._open("GET", url, "fetch", key, public=public, headers=headers, cross_origin=True) as (
            response,
            until,
        ):
            media_type = response.headers.get("content-type")
            if not response.is_success or "json" in (media_type or "").lower():
                foreign = public or origin(response.url) != origin(url)
                if foreign and response.status_code not in handled_statuses:
                    # no word about the profile: neither its key nor its limits count there
                    what = f"HTTP {response.status_code}" + (" and no video" if response.is_success else "")
                    reason = f"{what} from {response.url.host}, where the result's address leads"
                    raise BackendError(Transient(redacted_line(reason, key)))
                return await read_answer(response, key, until)
            try:
                await self._stream(response, sink)
            except HTTPX_ERRORS as error:
                raise reraisable(error, "fetch", key) from None
            length = response.headers.get("content-length", "")
            known = length.isascii() and length.isdigit() and "content-encoding" not in response.headers
            await sink.commit(expected=int(length) if known else None, media_type=media_type)
        return None

    async def _stream(self, response: httpx.Response, sink: Sink) -> None:
        """Write a body into the sink, as long as it comes fast enough and is not too long."""
        loop, enough = asyncio.get_running_loop(), MIN_DOWNLOAD_BYTES_PER_SECOND * self._seconds
        got, due, wanted = 0, loop.time() + self._seconds, enough
        async for chunk in decoded_chunks(response):
            await sink.write(chunk)
            got += len(chunk)
            if got > MAX_VIDEO_BYTES:
                raise BackendError(Transient(f"the result is longer than {MAX_VIDEO_BYTES >> 30} GiB: given up"))
            if (now := loop.time()) >= due:
                if got < wanted:
                    raise BackendError(
                        Transient(
                            f"the download is slower than {MIN_DOWNLOAD_BYTES_PER_SECOND} bytes a second: given up"
                        )
                    )
                due, wanted = now + self._seconds, got + enough

    @asynccontextmanager
    async def _open(
        self, method: str, url: httpx.URL, phase: Phase, key: Secret, *, public: bool = False,
        headers: Mapping[str, str] | None = None, form: Mapping[str, FormValue] | None = None, body: object = None,
        cross_origin: bool = False,
    ) -> AsyncGenerator[tuple[httpx.Response, float], None]:  # fmt: skip
        """Send a request and open its answer, after allowed redirects; with the loop's time until which it may take.

        `cross_origin`: redirects may lead to another origin; neither key nor headers go along.
        """
        home = origin(url)
        left = TOTAL_TIMEOUT_FACTOR * self._seconds
        current_key.set(key)
        for hop in range(_MAX_REDIRECTS + 1):
            pooled = self._client(url, phase)
            at_home = origin(url) == home
            auth = self._key(key) if at_home and not public else _NoAuth()
            async with pooled.free_connections:
                # `files` without a file name: multipart even without a file (providers.md)
                files = {name: (None, each) if isinstance(each, str) else each() for name, each in (form or {}).items()}
                data = body() if callable(body) else body
                sent_headers = dict(headers or {}) if at_home and not public else {}
                request = pooled.client.build_request(method, url, headers=sent_headers, files=files or None, json=data)
                try:
                    async with asyncio.timeout(left) as patience:
                        _send_in_chunks(request, patience, left)
                        response = await pooled.client.send(request, auth=auth, stream=True, follow_redirects=False)
                except HTTPX_ERRORS as error:
                    raise reraisable(error, phase, key) from None
                until = patience.when() or 0.0
                response.extensions.pop("reason_phrase", None)  # it may echo the key, and stands in a response's repr
                try:
                    follows = method == "GET" and hop < _MAX_REDIRECTS
                    target = _redirect_target(response, home, cross_origin=cross_origin) if follows else None
                    if target is None:
                        yield response, until
                        return
                    url = target
                    left = until - asyncio.get_running_loop().time()  # a wait for a slot is not counted
                finally:
                    await response.aclose()


async def _hide_location(response: httpx.Response) -> None:
    """Put a redirect's address where httpx does not see it: it fails at those that are none, also unfollowed."""
    if "location" in response.headers:
        response.extensions["location"] = response.headers.pop("location")


def _send_in_chunks(request: httpx.Request, patience: asyncio.Timeout, seconds: float) -> None:
    """Have a body sent in pieces, each of which puts off the end of the patience to so many seconds from then."""
    loop, whole = asyncio.get_running_loop(), request.stream
    if isinstance(whole, httpx.AsyncByteStream):
        request.stream = _ChunkedBody(whole, lambda: patience.reschedule(loop.time() + seconds))


def _redirect_target(
    response: httpx.Response, home: tuple[str, str, int | None], *, cross_origin: bool
) -> httpx.URL | None:
    """Return where to go on, or None where the answer stands as it is."""
    location = response.extensions.get("location")
    if location is None or response.status_code not in _REDIRECT_STATUSES:
        return None
    target = usable_url(location, response.url)
    return target if target is not None and (cross_origin or origin(target) == home) else None
