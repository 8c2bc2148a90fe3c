"""Where an answer has a job's result: at an address, or in the answer itself, as a data URI or base64."""

from __future__ import annotations

import base64
import binascii
import logging
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, unquote_to_bytes

from vidgen_nb.backends.wire.urls import usable_url
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.plaintext import one_line
from vidgen_nb.ports import BackendError, Sink

__all__ = ["MAX_INLINE_BYTES", "REFUSED_STATUSES", "find_result", "is_inline", "save_inline", "warn_of_more"]

log = logging.getLogger("vidgen_nb")

MAX_INLINE_BYTES: Final = 64 << 20
"""Of an answer that may contain a video."""

REFUSED_STATUSES: Final = frozenset(range(400, 500)) - {408, 425, 429}
"""What the URL of a result answers once it has expired, or is no good: the job is asked for a fresh one."""

_PLACES: Final = (
    "url", "video_url", "output_url", "download_url", "result_url", "unsigned_urls", "video_urls", "urls", "uri",
    "b64_json", "video_base64", "base64", "b64", "video", "videos", "output", "outputs", "result", "results", "file",
    "files", "assets", "artifacts", "generations", "content", "metadata", "data", "link", "download",
)  # fmt: skip
"""Names of results, and of what has them inside, in the order in which they are looked at."""
_MAX_DEPTH: Final = 4
_DATA_URI: Final = re.compile(
    r"data:(video/[\w.+-]+|application/(?:octet-stream|mp4))?(?:;[\w.+-]+=[^;,]*)*(;base64)?,", re.IGNORECASE
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\s*", re.ASCII)
_MIN_BASE64_CHARS: Final = 64


def find_result(data: Any, depth: int = 0) -> str | None:
    """Return the first address, data URI or base64 in the usual places of an answer in OpenAI's shape; None: none."""
    if isinstance(data, str):
        found = data.strip()
        return found if found and (is_inline(found) or _is_address(found)) else None
    if depth > _MAX_DEPTH:
        return None
    inner = data if isinstance(data, list) else []
    if isinstance(data, Mapping):
        if isinstance(path := data.get("url"), str) and path.startswith("/") and " " not in path.strip():
            return path.strip()  # on the API's own server
        inner = [data.get(name) for name in _PLACES]
    results = (find_result(each, depth + 1) for each in inner)
    return next((each for each in results if each is not None), None)


def is_inline(text: str) -> bool:
    """Return whether a text is a video itself: a data URI, or base64 whose first bytes are those of MP4 or WebM."""
    if _DATA_URI.match(text):
        return True
    head = text[:_MIN_BASE64_CHARS]
    if len(head) < _MIN_BASE64_CHARS or not _BASE64.fullmatch(head):
        return False
    first = base64.b64decode(head.translate(_URL_SAFE))
    return first[4:8] == b"ftyp" or first.startswith(b"\x1aE\xdf\xa3")


async def save_inline(text: str, sink: Sink) -> None:
    """Write the video that `is_inline` found into the sink, and commit it; `BackendError` if it is broken."""
    uri = _DATA_URI.match(text)
    content = text[uri.end() if uri else 0 :]
    try:
        data = unquote_to_bytes(content) if uri and not uri[2] else _from_base64(unquote(content) if uri else content)
    except (binascii.Error, ValueError):
        raise BackendError(Transient("the video's base64 is broken")) from None
    await sink.write(data)
    await sink.commit(expected=len(data), media_type=uri[1] if uri else None)


def _from_base64(text: str) -> bytes:
    encoded = "".join(text.split()).translate(_URL_SAFE)
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)


def warn_of_more(found: object, job: str) -> None:
    """Say that a job has more results than the one that is saved: they are paid for, too."""
    if isinstance(found, list) and len(found) > 1:
        log.warning(
            "job %s has %d results: the first one is saved. Fetch the others from its provider, and ask for one video "
            "in each scene",
            one_line(job, 80), len(found),
        )  # fmt: skip


def _is_address(text: str) -> bool:
    return usable_url(text) is not None


_URL_SAFE: Final = str.maketrans("-_", "+/")
