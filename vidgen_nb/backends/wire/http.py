"""What every HTTP adapter shares: pooled clients, bounded answers, streamed downloads, transport errors as outcomes.

Where a key may go: only into one header (`Authorization`, or the API's own) of a request to the origin that the profile
names. Redirects are followed for GETs; 307 and 308, which ask for the same request again, for submits and cancels. They
lead to another origin only for a download, and then without the key. Cookies are never kept: profiles share
connections, and what a server remembers of one must not reach another.

How long a call may take: a silent server is given up after `timeout` seconds. One that trickles, redirects or says
"100 Continue" for ever is given up after `TOTAL_TIMEOUT_FACTOR` times that, counted to the end of an answer, or to the
beginning of a download. A request body is sent in chunks: `timeout` applies to each, and the total starts again with
each, so that an image may take as long as a slow connection needs. A download may take as long as it delivers
`MIN_DOWNLOAD_BYTES_PER_SECOND`. At most `MAX_BODY_BYTES` of an answer are read, and `MAX_VIDEO_BYTES` of a download, in
chunks of bounded size, compressed or not.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Container, Generator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final
from weakref import WeakKeyDictionary

import httpx

from vidgen_nb.backends.wire.answer import MAX_BODY_BYTES, Answer, read_answer
from vidgen_nb.backends.wire.decompression import compression, decoded_chunks, is_partial
from vidgen_nb.backends.wire.environment import check_environment, tls_context
from vidgen_nb.backends.wire.leaving import connections_by_open_files, watch_leaving
from vidgen_nb.backends.wire.network import send_in_chunks, transport_here, wait_patiently
from vidgen_nb.backends.wire.redaction import current_key
from vidgen_nb.backends.wire.renewal import Renewal
from vidgen_nb.backends.wire.transport_errors import (
    HTTPX_ERRORS,
    Phase,
    before_sending,
    redacted_line,
    reraisable,
    transport_failure,
)
from vidgen_nb.backends.wire.urls import hide_location, is_loopback, origin, redirect_target
from vidgen_nb.core.model import record
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.patience import Patience
from vidgen_nb.ports import BackendError, Secret, Sink, about_to_connect

__all__ = ["Answer", "FormValue", "HttpPool", "Phase", "is_loopback", "origin", "redacted_line", "transport_failure"]

FormValue = str | Callable[[], tuple[str, bytes, str]]
"""A text, or a function that reads a file's (name, content, media type). It is called once a connection is free:
the files of waiting submits are not in memory."""

MAX_VIDEO_BYTES: Final = 16 << 30
"""A longer download is given up, before it fills the disk."""
TOTAL_TIMEOUT_FACTOR: Final = 5
"""A call takes at most this many times the timeout, however busy the server seems."""
MIN_DOWNLOAD_BYTES_PER_SECOND: Final = 1024
"""A slower download is given up: measured over each `timeout` seconds, and believed the second time in a row."""
MAX_CONNECTIONS: Final = 200
"""Simultaneous connections of one client; all clients together stay below the usual limit of 1024 open files."""
_MAX_REDIRECTS: Final = 5


class _KeyAuth(httpx.Auth):
    """Adds the key to the request as it is sent, so that no variable or URL ever holds it."""

    def __init__(self, key: Secret, header: str, scheme: str) -> None:
        self._key, self._header, self._scheme = key, header, scheme

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[self._header] = f"{self._scheme} {self._key.reveal()}".lstrip()
        yield request


class _NoAuth(httpx.Auth):
    """Sends the request as it is (httpx would otherwise take user and password from the URL)."""


@record
class _PooledClient:
    client: httpx.AsyncClient
    free_connections: asyncio.Semaphore
    """Requests wait here and not in httpcore, which searches its whole queue for each (1,000 at once: 116 s)."""
    connections_are_ours: bool
    """Whether it makes them by `network`."""


class HttpPool:
    """Pooled clients, made on first use and kept per event loop; `aclose()` closes those of the running loop.

    Submits have their own clients, which keep no connection alive: a server that closes an idle connection at the
    moment of its reuse would make a submit ambiguous (R12). Loopback addresses never go through a proxy.
    `timeout`: wall seconds for each read and write, and at most 10 for connecting; `TOTAL_TIMEOUT_FACTOR` times that
    for a whole answer. Waiting for a free connection has no timeout. `transport`: any httpx transport instead of the
    network. `key_header`: the header that carries the key; `key_scheme`: the word before it; None: `Bearer` in
    `Authorization`, nothing in others. `ca`: a file with certificates to trust besides the usual ones.
    """

    def __init__(
        self,
        *,
        timeout: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
        key_header: str = "Authorization",
        key_scheme: str | None = None,
        ca: str | None = None,
    ) -> None:
        self._ca = ca
        self._timeout = httpx.Timeout(timeout, connect=min(timeout, 10.0), pool=None)
        self._seconds = timeout
        self._transport = transport or transport_here()
        bearer = "Bearer" if key_header == "Authorization" else ""
        self._key = partial(_KeyAuth, header=key_header, scheme=bearer if key_scheme is None else key_scheme)
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[bool, bool, bool], _PooledClient]]
        self._clients = WeakKeyDictionary()
        self.max_connections = min(MAX_CONNECTIONS, connections_by_open_files())

    def _client(self, url: httpx.URL, phase: Phase) -> _PooledClient:
        clients = self._clients.setdefault(asyncio.get_running_loop(), {})
        kind = (is_loopback(url.host), url.scheme == "https", phase == "submit")
        if self._transport is not None:
            kind = (True, False, phase == "submit")
        if kind not in clients:
            loopback, tls, submits = kind
            if self._transport is None:
                check_environment(tls=tls, remote=not loopback)
            client = httpx.AsyncClient(
                transport=self._transport,
                trust_env=not loopback,
                # no certificates without TLS: reading all that the system trusts takes 30 to 100 ms
                verify=tls_context(self._ca) if tls or not loopback else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                timeout=self._timeout,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0 if submits else 100),
                headers={"User-Agent": "vidgen_nb", "Accept-Encoding": "identity"},
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                event_hooks={"response": [hide_location]},
            )
            ours = wait_patiently(client)
            clients[kind] = _PooledClient(client, asyncio.Semaphore(self.max_connections), ours)
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

        `public`: don't send the key, only redact it. `form`: multipart fields. `body`: data to send as JSON, or a
        function that makes it once a connection is free. Raises also what the functions of `form` and `body` raise.
        """
        pooled = self._open(method, url, phase, key, public=public, headers=headers, form=form, body=body)
        async with pooled as (response, patience):
            return await read_answer(response, key, patience, max_bytes)

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
        """Stream a result into the sink and commit it; if the answer is no result, return the answer instead.

        `public`: send no key to this URL. The answer of a public host, or of a redirect's target, says nothing about
        the profile: it raises `BackendError`, except for `handled_statuses`, which are returned. `headers`: they go
        only where the key goes. Raises `BackendError` if the connection or the sink fails.
        """
        async with self._open("GET", url, "fetch", key, public=public, headers=headers, cross_origin=True) as (
            response,
            patience,
        ):
            media_type = response.headers.get("content-type")
            if not response.is_success or "json" in (media_type or "").lower():
                foreign = public or origin(response.url) != origin(url)
                if foreign and response.status_code not in handled_statuses:
                    # this says nothing about the profile: neither its key nor its limits matter there
                    what = f"HTTP {response.status_code}" + (" and no video" if response.is_success else "")
                    reason = f"{what} from {response.url.host}, to which the result's address leads"
                    raise BackendError(Transient(redacted_line(reason, key)))
                return await read_answer(response, key, patience)
            try:
                await self._stream(response, sink)
            except HTTPX_ERRORS as error:
                raise reraisable(error, "fetch", key) from None
            if is_partial(response):
                raise BackendError(Transient("HTTP 206: only a part of the video came, which was not asked for"))
            length = response.headers.get("content-length", "")
            known = length.isascii() and length.isdigit() and not compression(response)
            await sink.commit(expected=int(length) if known else None, media_type=media_type)
        return None

    async def _stream(self, response: httpx.Response, sink: Sink) -> None:
        """Write a body into the sink, unless it is too slow or too long."""
        loop, enough = asyncio.get_running_loop(), MIN_DOWNLOAD_BYTES_PER_SECOND * self._seconds
        got, due, wanted, was_slow = 0, loop.time() + self._seconds, enough, False
        async for chunk in decoded_chunks(response):
            await sink.write(chunk)
            got += len(chunk)
            if got > MAX_VIDEO_BYTES:
                raise BackendError(Transient(f"the result is longer than {MAX_VIDEO_BYTES >> 30} GiB: given up"))
            if (now := loop.time()) >= due:
                if got < wanted and was_slow:  # once may be this program's doing: it stood still
                    raise BackendError(
                        Transient(
                            f"the download is slower than {MIN_DOWNLOAD_BYTES_PER_SECOND} bytes a second: given up"
                        )
                    )
                due, wanted, was_slow = now + self._seconds, got + enough, got < wanted

    @asynccontextmanager
    async def _open(
        self, method: str, url: httpx.URL, phase: Phase, key: Secret, *, public: bool = False,
        headers: Mapping[str, str] | None = None, form: Mapping[str, FormValue] | None = None, body: object = None,
        cross_origin: bool = False,
    ) -> AsyncGenerator[tuple[httpx.Response, Patience], None]:  # fmt: skip
        """Send a request, follow allowed redirects, and yield the open response with what is left of its time.

        `cross_origin`: redirects may lead to another origin, to which neither key nor headers are sent.
        """
        if phase == "submit":
            about_to_connect()
        home = origin(url)
        left = TOTAL_TIMEOUT_FACTOR * self._seconds
        current_key.set(key)
        with before_sending():
            renewal = await Renewal.of(key, public=public)
        for hop in range(_MAX_REDIRECTS + 1):
            with before_sending():
                pooled = self._client(url, phase)
            at_home = origin(url) == home
            async with pooled.free_connections:
                # `files` without a file name: multipart even without a file, which OpenAI's API wants
                files = {name: (None, each) if isinstance(each, str) else each() for name, each in (form or {}).items()}
                data = body() if callable(body) else body
                sent = Secret(key.reveal())  # a function's may be another one by the time of the answer
                auth = self._key(sent) if at_home and not public else _NoAuth()
                sent_headers = dict(headers or {}) if at_home and not public else {}
                request = pooled.client.build_request(method, url, headers=sent_headers, files=files or None, json=data)
                if phase == "submit":
                    watch_leaving(request, network=self._transport is None, ours=pooled.connections_are_ours)
                patience = Patience(left, fresh=self._seconds)
                try:
                    async with patience:
                        send_in_chunks(request, patience, left)
                        response = await pooled.client.send(request, auth=auth, stream=True, follow_redirects=False)
                except (*HTTPX_ERRORS, RuntimeError) as error:  # a thread that looks the name up can't be started
                    raise reraisable(error, phase, key) from None
                response.extensions.pop("reason_phrase", None)  # it may echo the key, and is part of a response's repr
                try:
                    with before_sending():
                        if at_home and hop < _MAX_REDIRECTS and await renewal.helps(response.status_code, sent):
                            continue
                    again = phase in ("submit", "cancel") and response.status_code in (307, 308)
                    follows = (method == "GET" or again) and hop < _MAX_REDIRECTS
                    target = redirect_target(response, home, cross_origin=cross_origin) if follows else None
                    if target is None:
                        yield response, patience
                        return
                    url = target
                    left = patience.until - asyncio.get_running_loop().time()  # a wait for a slot is not counted
                finally:
                    await response.aclose()
