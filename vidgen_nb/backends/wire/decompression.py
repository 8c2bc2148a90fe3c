"""The body of an answer in chunks of bounded size, compressed or not."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Final

import httpx

from vidgen_nb.plaintext import one_line

__all__ = ["MAX_CHUNK_BYTES", "compression", "decoded_chunks"]

MAX_CHUNK_BYTES: Final = 1 << 16
_COMPRESSIONS: Final = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress", "dcb", "dcz"})
"""Other words are no compression: object stores keep what an upload said, such as `aws-chunked` or `binary`."""


def compression(response: httpx.Response) -> str:
    """Return how a body is compressed, in lower case; an empty text if it is to be taken as it is."""
    words = response.headers.get("content-encoding", "").lower().split(",")
    return ", ".join(word.strip() for word in words if word.strip() in _COMPRESSIONS)


async def decoded_chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield a decompressed body, about `MAX_CHUNK_BYTES` at a time.

    We ask for no compression. A body that is compressed anyway is inflated here, chunk by chunk: httpx would inflate a
    hundred kilobytes to a hundred megabytes at once. Raises `httpx.DecodingError` for any other compression than gzip
    and deflate, and for an incomplete body.
    """
    encoding = compression(response)
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - the client is asynchronous
    if not encoding:
        async for piece in stream:
            yield piece
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise httpx.DecodingError(f"compressed as {one_line(encoding, 20)!r}, which was not asked for")
    inflating = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)  # detects which of the two it is
    try:
        async for piece in stream:
            rest = piece
            while found := inflating.decompress(rest, MAX_CHUNK_BYTES):
                yield found
                rest = inflating.unconsumed_tail
            if inflating.unused_data:
                break
    except zlib.error:
        raise httpx.DecodingError(f"the body is not {encoding}") from None
    if not inflating.eof or inflating.unused_data:
        raise httpx.DecodingError(f"the {encoding} body is cut off, or has data after its end")
