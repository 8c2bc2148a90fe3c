"""The connections below httpx: each wait on them has its timeout, but what has come is read before that is believed.

They also know the moment in which a submit leaves: when its first bytes are handed to the operating system, and not
when httpx begins to put them together. What is noted of it then must be true if the program is killed just there.

The timeouts of httpx are anyio's. After a program stood still they go off before what came meanwhile is read, and a
submit whose answer is here would count as lost (`patience`).

In a browser there are no sockets: there clients reach the emulators of the same kernel, and nothing else.
"""

# ruff: noqa: ASYNC109 - httpcore's signatures have a timeout

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any, TypeVar

import httpcore
import httpx

from vidgen_nb.backends.wire.decompression import MAX_CHUNK_BYTES
from vidgen_nb.backends.wire.leaving import leaves_next
from vidgen_nb.errors import InputError
from vidgen_nb.leaving import about_to_leave
from vidgen_nb.machine.browser import in_browser
from vidgen_nb.machine.loopback import app_at
from vidgen_nb.patience import Patience

__all__ = ["check_reachable", "send_in_chunks", "transport_here", "wait_patiently"]

T = TypeVar("T")


class _Stream(httpcore.AsyncNetworkStream):
    """A connection of httpcore's, without its timeouts."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await _within(timeout, httpcore.ReadTimeout, self._stream.read(max_bytes))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not leaves_next.get():
            await _within(timeout, httpcore.WriteTimeout, self._stream.write(buffer))
            return
        leaves_next.set(False)
        with _before_next_bytes(self._stream, about_to_leave):
            await _within(timeout, httpcore.WriteTimeout, self._stream.write(buffer))

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(
            await _within(timeout, httpcore.ConnectTimeout, self._stream.start_tls(ssl_context, server_hostname))
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@contextmanager
def _before_next_bytes(stream: Any, call: Callable[[], None]) -> Iterator[None]:
    """Call a function just before asyncio gets the next bytes of a connection; where it can't be found, at once."""
    stream = getattr(stream, "_stream", None)
    while hasattr(stream, "transport_stream"):  # TLS
        stream = stream.transport_stream
    transport: Any = getattr(stream, "_transport", None)
    if not (isinstance(transport, asyncio.Transport) and hasattr(transport, "__dict__")):  # uvloop's have none
        call()
        yield
        return
    write = transport.write

    def called_before(data: bytes) -> None:
        vars(transport).pop("write")
        call()
        write(data)

    vars(transport)["write"] = called_before
    try:
        yield
    finally:
        vars(transport).pop("write", None)


class _Network(httpcore.AsyncNetworkBackend):
    """Makes such connections."""

    def __init__(self, network: httpcore.AsyncNetworkBackend) -> None:
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        connecting = self._network.connect_tcp(host, port, local_address=local_address, socket_options=socket_options)
        return _Stream(await _within(timeout, httpcore.ConnectTimeout, connecting))

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        connecting = self._network.connect_unix_socket(path, socket_options=socket_options)
        return _Stream(await _within(timeout, httpcore.ConnectTimeout, connecting))

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


async def _within(seconds: float | None, error: type[Exception], action: Awaitable[T]) -> T:
    if seconds is None:
        return await action
    try:
        async with Patience(seconds):
            return await action
    except TimeoutError:
        raise error from None


def wait_patiently(client: httpx.AsyncClient) -> bool:
    """Have a new client wait in this way, directly or through proxies; transports that are not httpx's are left alone.

    httpx passes no network on to httpcore, so it is put into its pools. Where they are not found, as in a later version
    perhaps, its own timeouts remain. Returns whether all were found.
    """
    transports = [each for each in (client._transport, *client._mounts.values()) if each is not None]  # noqa: SLF001
    for transport in transports:
        pool, network = getattr(transport, "_pool", None), _network_of(transport)
        if isinstance(network, httpcore.AsyncNetworkBackend) and not isinstance(network, _Network):
            pool._network_backend = _Network(network)  # type: ignore[union-attr]  # noqa: SLF001
    return all(isinstance(_network_of(each), _Network) for each in transports)


def _network_of(transport: object) -> object:
    return getattr(getattr(transport, "_pool", None), "_network_backend", None)


class _ChunkedBody(httpx.AsyncByteStream):
    """A request's body in chunks; `on_chunk` is called before each.

    In one piece, an image of 14 MiB would have to be sent within the timeout of a single write.
    """

    def __init__(self, whole: httpx.AsyncByteStream, on_chunk: Callable[[], None]) -> None:
        self._whole, self._on_chunk = whole, on_chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._whole:
            for start in range(0, len(part), MAX_CHUNK_BYTES):
                self._on_chunk()
                yield part[start : start + MAX_CHUNK_BYTES]


def send_in_chunks(request: httpx.Request, patience: Patience, seconds: float) -> None:
    """Have a body sent in chunks, each of which postpones the deadline to this many seconds from then."""
    whole = request.stream
    if isinstance(whole, httpx.AsyncByteStream):
        request.stream = _ChunkedBody(whole, lambda: patience.extend(seconds))


class InProcess(httpx.AsyncBaseTransport):
    """Hands requests to the ASGI app that answers at their address; an answer comes in one piece."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the app's answer; `httpx.ConnectError` if there is none, `httpx.ReadError` if it breaks off."""
        app = app_at(request.url.host, request.url.port)
        if app is None:
            raise httpx.ConnectError("no server of this notebook answers there", request=request)
        try:
            return await httpx.ASGITransport(app).handle_async_request(request)
        except Exception as error:
            raise httpx.ReadError("the server broke off", request=request) from error


def transport_here() -> httpx.AsyncBaseTransport | None:
    """Return what clients use in a browser; None elsewhere: the network."""
    return InProcess() if in_browser() else None


def check_reachable(url: httpx.URL) -> None:
    """Raise `InputError` for an address that a browser's Python can't reach."""
    if in_browser() and app_at(url.host, url.port) is None:
        raise InputError(
            f"{url.host} can't be reached from Python in a browser, which has no sockets: use a started Emulator of "
            "this notebook here, and a Python of your own, or Binder, for a real API"
        )
