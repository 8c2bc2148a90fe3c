"""Images of scenes that are given by address, fetched for servers that take files only.

Such servers ignore the fields that other ones read addresses from, and make and bill the video without the image.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from vidgen_nb.backends.wire.http import HttpPool, redacted_line
from vidgen_nb.backends.wire.images import IMAGE_SUFFIXES, MAX_IMAGE_BYTES, read_image
from vidgen_nb.backends.wire.urls import usable_url
from vidgen_nb.core.outcomes import Permanent, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, Secret

__all__ = ["download_image"]

_REFUSALS: Final = range(200, 500)
_PASSING_REFUSALS: Final = (408, 425, 429)


async def download_image(pool: HttpPool, address: str, key: Secret) -> tuple[str, bytes, str]:
    """Return an image as a part of a form: (name, content, media type). It is asked for without the key.

    Raises `BackendError`, before anything else is sent: `Permanent` if there is no image, else `Transient`.
    """
    url = usable_url(address.strip())
    if url is None:
        raise BackendError(Permanent("input_reference: the image's address can't be used: correct it", "bad_request"))
    sink, host = _Memory(), redacted_line(url.host, key, 80)
    try:
        refused = await pool.download(url.copy_with(userinfo=b""), key, sink, public=True, handled_statuses=_REFUSALS)
        if refused is None:
            media_type, data = read_image(bytes(sink.data))
            return f"input_reference{IMAGE_SUFFIXES[media_type]}", data, media_type
    except BackendError as error:
        reason = f"input_reference: the image could not be fetched, so the scene was not sent ({error.outcome.reason})"
        if isinstance(error.outcome, Transient):
            raise BackendError(replace(error.outcome, reason=reason)) from None
        raise BackendError(Permanent(reason, "bad_request")) from None
    except InputError:
        raise BackendError(_no_image(f"what {host} answers is no PNG, JPEG or WebP of at most 20 MiB")) from None
    if refused.status in _PASSING_REFUSALS:
        raise BackendError(Transient(f"input_reference: HTTP {refused.status} from {host}, so the scene was not sent"))
    raise BackendError(_no_image(f"HTTP {refused.status} from {host}"))


def _no_image(problem: str) -> Permanent:
    return Permanent(f"input_reference: {problem}: correct the image's address, or give a file's path", "bad_request")


class _Memory:
    """A sink of an image's size."""

    path: str | None = None

    def __init__(self) -> None:
        self.data = bytearray()

    async def write(self, chunk: bytes) -> None:
        self.data += chunk
        if len(self.data) > MAX_IMAGE_BYTES:
            raise BackendError(_no_image(f"the image has more than {MAX_IMAGE_BYTES >> 20} MiB"))

    async def commit(self, *, expected: int | None, media_type: str | None) -> None:
        if expected is not None and expected != len(self.data):
            raise BackendError(Transient(f"{len(self.data)} of {expected} bytes came"))

    def discard(self) -> None:
        self.data.clear()
