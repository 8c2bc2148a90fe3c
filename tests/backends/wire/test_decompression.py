"""Bodies of answers: what is only called compressed is taken as it is; a part of a video is no video."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from vidgen_nb.backends.wire.decompression import decoded_chunks, is_partial

VIDEO = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(400)
BARE = zlib.compressobj(wbits=-15)
WITHOUT_HEADER = BARE.compress(VIDEO) + BARE.flush()


def decoded(body: bytes, encoding: str, size: int = 5) -> bytes:
    """Return what is read of a body that comes in pieces of this size."""

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            yield body[at : at + size]

    async def read() -> bytes:
        response = httpx.Response(200, content=pieces(), headers={"Content-Encoding": encoding})
        return b"".join([chunk async for chunk in decoded_chunks(response)])

    return asyncio.run(read())


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, aws-chunked", "aws-chunked"])
@pytest.mark.parametrize("body", [VIDEO, b"\x1aE\xdf\xa3" + bytes(9)])
def test_what_is_only_called_compressed(body: bytes, encoding: str) -> None:
    """Object stores keep the header of an upload whose bytes they have unpacked."""
    assert decoded(body, encoding) == body
    assert decoded(b'{"error": "x"}', "gzip") == b'{"error": "x"}'


def test_what_is_compressed() -> None:
    """Also deflate without its header, as some servers write it; anything else is an error."""
    assert decoded(gzip.compress(VIDEO), "gzip") == decoded(WITHOUT_HEADER, "deflate") == VIDEO
    for broken, encoding in ((b"nonsense", "gzip"), (b"nonsense", "deflate"), (b"(\xb5/\xfd1", "zstd")):
        with pytest.raises(httpx.DecodingError):
            decoded(broken, encoding)


@pytest.mark.parametrize(
    ("status", "given", "partial"),
    [
        (206, "bytes 0-999/4024", True), (206, "bytes 1-4023/4024", True), (206, "", True), (206, "bytes 0-9/*", True),
        (206, "bytes 0-4023/4024", False), (200, "", False),
    ],
)  # fmt: skip
def test_a_part_of_a_video(status: int, given: str, partial: bool) -> None:
    """We never ask for one; a part that is the whole will do."""
    assert is_partial(httpx.Response(status, headers={"Content-Range": given})) is partial
