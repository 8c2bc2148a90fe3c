"""What every HTTP adapter shares: pooled clients, bounded answers, streamed downloads, transport faults as outcomes.

Where a key may go: only in one header (`Authorization`, or the API's own) of a request to the origin the profile
names. Redirects are followed for GETs alone; to another origin only for a download, and then without the key. Cookies
are never kept: profiles share connections, and what a server would remember of one has to reach no other.

How long a call may take, and how much of an answer is read: a server that is silent is given up after `timeout`
seconds; one that trickles, redirects or says "100 Continue" for ever after `PATIENCE` times that, for the whole of an
answer, or up to where a download begins. A body is sent in pieces: `timeout` holds for each, and the patience counts
from the last, so that an image may take as long as a slow line needs. A download may take as long as it brings
`SLOWEST` bytes a second. Of an answer `BODY_LIMIT` bytes are read, of a download `VIDEO_LIMIT`, in pieces that never
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

from vidgen_nb.backends.wire.addresses import is_loopback, origin, usable_url
from vidgen_nb.backends.wire.answers import BODY_LIMIT, Answer, read
from vidgen_nb.backends.wire.inflated import CHUNK, plain
from vidgen_nb.backends.wire.redacted import call_key
from vidgen_nb.backends.wire.transport_errors import HTTPX, Phase, broken, clean, transport_failure
from vidgen_nb.core.model import record
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.ports import BackendError, Secret, Sink

__all__ = ["Answer", "FormValue", "HttpPool", "Phase", "clean", "is_loopback", "origin", "transport_failure"]

FormValue = str | Callable[[], tuple[str, bytes, str]]
"""A text, or what reads a file's (name, content, media type): called when a connection is free for it, so that files of
submits that wait for one are not in memory."""

VIDEO_LIMIT: Final = 16 << 30
"""Bytes of a download; a longer one is given up, before it fills the disk."""
PATIENCE: Final = 5
"""A call takes at most so many times the timeout, however busy the server seems."""
SLOWEST: Final = 1024
"""Bytes a second that a download has to bring, over each stretch of `timeout` seconds."""
SLOTS: Final = 200
"""Connections of one kind at once; all kinds together stay under the usual limit of 1024 open files."""
_REDIRECTS: Final = 5
_FOLLOWED: Final = (301, 302, 303, 307, 308)


class _Key(httpx.Auth):
    """Puts the key into the request on its way out, so that no variable or URL ever holds it."""

    def __init__(self, key: Secret, header: str, scheme: str) -> None:
        self._key, self._header, self._scheme = key, header, scheme

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[self._header] = f"{self._scheme} {self._key.reveal()}".lstrip()
        yield request


class _NoKey(httpx.Auth):
    """Sends the request as it is (httpx would otherwise take user and password from the URL)."""


class _Pieces(httpx.AsyncByteStream):
    """A request's body in pieces of `CHUNK` bytes; before each, `moved` is called.

    In one piece an image of 14 MiB would have to be through within the timeout of a single write.
    """

    def __init__(self, whole: httpx.AsyncByteStream, moved: Callable[[], None]) -> None:
        self._whole, self._moved = whole, moved

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._whole:
            for start in range(0, len(part), CHUNK):
                self._moved()
                yield part[start : start + CHUNK]


@record
class _Client:
    client: httpx.AsyncClient
    slots: asyncio.Semaphore
    """Free connections. Requests wait here: httpcore's own queue looks through all of them for each (1,000 submits at
    once took 116 s)."""


class HttpPool:
    """Pooled clients, made on first use inside the running loop and kept per loop; `aclose()` closes that loop's.

    Submits have clients of their own that keep no connection alive: a server that closes an idle connection in the
    moment it is reused would make a submit ambiguous (R12). Loopback addresses never go through a proxy.
    `timeout`: wall seconds for each read and write, and at most 10 for connecting; `PATIENCE` times that for a whole
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
        self._key = partial(_Key, header=key_header, scheme=bearer if key_scheme is None else key_scheme)
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[bool, bool, bool], _Client]]
        self._clients = WeakKeyDictionary()

    def _client(self, url: httpx.URL, phase: Phase) -> _Client:
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
                event_hooks={"response": [_take_location]},
            )
            clients[kind] = _Client(client, asyncio.Semaphore(SLOTS))
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
        longest: int = BODY_LIMIT,
    ) -> Answer:
        """Send a request and read its answer up to `longest` bytes; `BackendError` for a transport error.

        `public`: the key is not sent, only kept out of what is said. `form`: multipart fields. `body`: what is sent as
        JSON, or what makes it once a connection is free for it.
        Raises what a file of the form, or the making of a body, raises.
        """
        opened = self._opened(method, url, phase, key, public=public, headers=headers, form=form, body=body)
        async with opened as (response, until):
            return await read(response, key, until, longest)

    async def download(
        self,
        url: httpx.URL,
        key: Secret,
        sink: Sink,
        *,
        public: bool = False,
        headers: Mapping[str, str] | None = None,
        gone: Container[int] = (),
    ) -> Answer | None:
        """Stream a result into the sink and commit it; return the answer instead where it holds no result.

        `public`: the address is to see no key. What a public host or a redirect's target answers says nothing of the
        profile.
        `headers`: they go no further than the key.
        `gone`: the statuses of such a host that the caller knows what to do about; they are returned all the same.
        Raises `BackendError` where the connection or the sink fails.
        """
        async with self._opened("GET", url, "fetch", key, public=public, headers=headers, abroad=True) as (
            response,
            until,
        ):
            media_type = response.headers.get("content-type")
            if not response.is_success or "json" in (media_type or "").lower():
                foreign = public or origin(response.url) != origin(url)
                if foreign and response.status_code not in gone:
                    # no word about the profile: neither its key nor its limits count there
                    what = f"HTTP {response.status_code}" + (" and no video" if response.is_success else "")
                    reason = f"{what} from {response.url.host}, where the result's address leads"
                    raise BackendError(Transient(clean(reason, key)))
                return await read(response, key, until)
            try:
                await self._stream(response, sink)
            except HTTPX as error:
                raise broken(error, "fetch", key) from None
            length = response.headers.get("content-length", "")
            known = length.isascii() and length.isdigit() and "content-encoding" not in response.headers
            await sink.commit(expected=int(length) if known else None, media_type=media_type)
        return None

    async def _stream(self, response: httpx.Response, sink: Sink) -> None:
        """Write a body into the sink, as long as it comes fast enough and is not too long."""
        loop, enough = asyncio.get_running_loop(), SLOWEST * self._seconds
        got, due, wanted = 0, loop.time() + self._seconds, enough
        async for chunk in plain(response):
            await sink.write(chunk)
            got += len(chunk)
            if got > VIDEO_LIMIT:
                raise BackendError(Transient(f"the result is longer than {VIDEO_LIMIT >> 30} GiB: given up"))
            if (now := loop.time()) >= due:
                if got < wanted:
                    raise BackendError(Transient(f"the download is slower than {SLOWEST} bytes a second: given up"))
                due, wanted = now + self._seconds, got + enough

    @asynccontextmanager
    async def _opened(
        self, method: str, url: httpx.URL, phase: Phase, key: Secret, *, public: bool = False,
        headers: Mapping[str, str] | None = None, form: Mapping[str, FormValue] | None = None, body: object = None,
        abroad: bool = False,
    ) -> AsyncGenerator[tuple[httpx.Response, float], None]:  # fmt: skip
        """Send a request and open its answer, after allowed redirects; with the loop's time until which it may take.

        `abroad`: redirects may lead to another origin; neither key nor headers go along.
        """
        home = origin(url)
        left = PATIENCE * self._seconds
        call_key.set(key)
        for hop in range(_REDIRECTS + 1):
            opened = self._client(url, phase)
            at_home = origin(url) == home
            auth = self._key(key) if at_home and not public else _NoKey()
            async with opened.slots:
                # `files` without a file name: multipart even without a file (providers.md)
                files = {name: (None, each) if isinstance(each, str) else each() for name, each in (form or {}).items()}
                data = body() if callable(body) else body
                told = dict(headers or {}) if at_home and not public else {}
                request = opened.client.build_request(method, url, headers=told, files=files or None, json=data)
                try:
                    async with asyncio.timeout(left) as patience:
                        _in_pieces(request, patience, left)
                        response = await opened.client.send(request, auth=auth, stream=True, follow_redirects=False)
                except HTTPX as error:
                    raise broken(error, phase, key) from None
                until = patience.when() or 0.0
                response.extensions.pop("reason_phrase", None)  # it may echo the key, and stands in a response's repr
                try:
                    follows = method == "GET" and hop < _REDIRECTS
                    target = _redirect(response, home, abroad=abroad) if follows else None
                    if target is None:
                        yield response, until
                        return
                    url = target
                    left = until - asyncio.get_running_loop().time()  # a wait for a slot is not counted
                finally:
                    await response.aclose()


async def _take_location(response: httpx.Response) -> None:
    """Put a redirect's address where httpx does not see it: it fails at those that are none, also unfollowed."""
    if "location" in response.headers:
        response.extensions["location"] = response.headers.pop("location")


def _in_pieces(request: httpx.Request, patience: asyncio.Timeout, seconds: float) -> None:
    """Have a body sent in pieces, each of which puts off the end of the patience to so many seconds from then."""
    loop, whole = asyncio.get_running_loop(), request.stream
    if isinstance(whole, httpx.AsyncByteStream):
        request.stream = _Pieces(whole, lambda: patience.reschedule(loop.time() + seconds))


def _redirect(response: httpx.Response, home: tuple[str, str, int | None], *, abroad: bool) -> httpx.URL | None:
    """Return where to go on, or None where the answer stands as it is."""
    location = response.extensions.get("location")
    if location is None or response.status_code not in _FOLLOWED:
        return None
    target = usable_url(location, response.url)
    return target if target is not None and (abroad or origin(target) == home) else None
