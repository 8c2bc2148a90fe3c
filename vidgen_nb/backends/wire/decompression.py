"""The body of an answer in chunks of bounded size, compressed or not."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator
from typing import Final

import httpx

from vidgen_nb.plaintext import one_line

__all__ = ["MAX_CHUNK_BYTES", "compression", "decoded_chunks", "is_partial"]

MAX_CHUNK_BYTES: Final = 1 << 16
_INFLATABLE: Final = ("gzip", "x-gzip", "deflate")
_HEAD_BYTES: Final = 8
_VIDEO_BOXES: Final = (b"ftyp", b"styp", b"moov", b"mdat")
_COMPRESSIONS: Final = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress", "dcb", "dcz"})
"""Other words are no compression: object stores keep what an upload said, such as `aws-chunked` or `binary`."""


def compression(response: httpx.Response) -> str:
    """Return how a body is compressed, in lower case; an empty text if it is to be taken as it is."""
    words = response.headers.get("content-encoding", "").lower().split(",")
    return ", ".join(word.strip() for word in words if word.strip() in _COMPRESSIONS)


def is_partial(response: httpx.Response) -> bool:
    """Return whether only a part came: some servers answer 206 to all requests, and `bytes 0-9/10` is all of it."""
    found = re.fullmatch(r"bytes 0-(\d{1,18})/(\d{1,18})", response.headers.get("content-range", "").strip(), re.ASCII)
    return response.status_code == 206 and not (found is not None and int(found[1]) + 1 == int(found[2]))


def _is_plain(head: bytes, encoding: str) -> bool:
    """Return whether a body is no compressed one, whatever its header says: it begins as a video, or as JSON."""
    is_text = encoding in _INFLATABLE and head.lstrip()[:1] in (b"{", b"[", b"<")
    return is_text or head[4:8] in _VIDEO_BOXES or head.startswith(b"\x1aE\xdf\xa3")


def _has_zlib_header(head: bytes) -> bool:
    """Return whether a deflated body has its header; some servers leave it out (RFC 9110 §8.4.1.2)."""
    return len(head) > 1 and head[0] & 15 == 8 and (head[0] << 8 | head[1]) % 31 == 0


async def _with_head(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for piece in rest:
        yield piece


async def decoded_chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield a decompressed body, about `MAX_CHUNK_BYTES` at a time.

    We ask for no compression. A body that is compressed anyway is inflated here, chunk by chunk: httpx would inflate a
    hundred kilobytes to a hundred megabytes at once. Raises `httpx.DecodingError` for any other compression than gzip
    and deflate, and for an incomplete body.
    """
    encoding = compression(response)
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - the client is asynchronous
    stream = aiter(response.stream)
    head = b""
    while encoding and len(head) < _HEAD_BYTES and (piece := await anext(stream, None)) is not None:
        head += piece
    if not encoding or _is_plain(head, encoding):
        if head:
            yield head
        async for piece in stream:
            yield piece
        return
    if encoding not in _INFLATABLE:
        raise httpx.DecodingError(f"compressed as {one_line(encoding, 20)!r}, which was not asked for")
    bare = encoding == "deflate" and not (_has_zlib_header(head) or head.startswith(b"\x1f\x8b"))
    inflating = zlib.decompressobj(wbits=-zlib.MAX_WBITS if bare else 32 + zlib.MAX_WBITS)  # 32: detects which it is
    try:
        async for piece in _with_head(head, stream):
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
