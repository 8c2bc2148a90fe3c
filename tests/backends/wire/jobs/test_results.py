"""Where the result of a job is, and videos that stand in the answer itself."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from urllib.parse import quote

import pytest

from vidgen_nb.backends.wire.jobs.results import find_result, is_inline, save_inline

VIDEO = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(range(256))
PLAIN = base64.b64encode(VIDEO).decode()
URL = "https://acme.example/a.mp4"


class Memory:
    """A sink."""

    path: str | None = None
    data = b""

    async def write(self, chunk: bytes) -> None:
        """Take the bytes."""
        self.data += chunk

    async def commit(self, *, expected: int | None, media_type: str | None) -> None:
        """Check the length."""
        assert expected == len(self.data)

    def discard(self) -> None:
        """Forget them."""


@pytest.mark.parametrize(
    "text",
    [
        f"data:video/mp4;base64,{PLAIN}", f"data:video/mp4;charset=utf-8;base64,{PLAIN}", f"DATA:;BASE64,{PLAIN}",
        f"data:application/octet-stream;base64,{PLAIN}", f"data:video/mp4;base64,{quote(PLAIN, safe='')}",
        f"data:video/mp4,{quote(VIDEO, safe='')}", f"data:video/mp4;base64, {PLAIN}", PLAIN, PLAIN.rstrip("="),
        base64.urlsafe_b64encode(VIDEO).decode(), base64.encodebytes(VIDEO).decode(),
    ],
)  # fmt: skip
def test_a_video_in_the_answer(text: str) -> None:
    """As a data URI, whatever its form, or as base64."""
    assert is_inline(text)
    sink = Memory()
    asyncio.run(save_inline(text, sink))
    assert sink.data == VIDEO


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"url": URL}, URL), ({"data": [{"b64_json": PLAIN}]}, PLAIN), ({"video": {"uri": URL}}, URL),
        ({"generations": [{"url": URL}]}, URL), ({"assets": {"video": URL}}, URL), ({"video_urls": [URL]}, URL),
        ({"url": "/media/a.mp4"}, "/media/a.mp4"), ({"url": None, "output": [URL]}, URL),
        ({"url": "soon"}, None), ({"id": "a", "status": "completed"}, None), ({"file": "/srv/a.mp4"}, None),
    ],
)  # fmt: skip
def test_where_a_result_is(answer: Any, found: str | None) -> None:
    """The usual places; a path only where an address belongs."""
    assert find_result(answer) == found
