"""The body of an answer in pieces that never grow, compressed or not."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Final

import httpx

from vidgen_nb.plaintext import clean

__all__ = ["MAX_CHUNK_BYTES", "decoded_chunks"]

MAX_CHUNK_BYTES: Final = 1 << 16


async def decoded_chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield a body as it came, at most some `MAX_CHUNK_BYTES` bytes at once.

    We ask for no compression. What comes compressed all the same is inflated here, piece by piece: httpx would make a
    hundred megabytes of a hundred kilobytes at once. Raises `httpx.DecodingError` for anything but gzip and deflate,
    and for what is not whole.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - of an asynchronous client
    if encoding in ("", "identity"):
        async for piece in stream:
            yield piece
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise httpx.DecodingError(f"compressed as {clean(encoding, 20)!r}, which was not asked for")
    inflating = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)  # finds out itself which of the two it is
    try:
        async for piece in stream:
            rest = piece
            while found := inflating.decompress(rest, MAX_CHUNK_BYTES):
                yield found
                rest = inflating.unconsumed_tail
            if inflating.unused_data:
                break
    except zlib.error:
        raise httpx.DecodingError(f"it is no {encoding}") from None
    if not inflating.eof or inflating.unused_data:
        raise httpx.DecodingError(f"its {encoding} is cut off, or goes on behind its end")
