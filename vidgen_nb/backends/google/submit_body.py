"""Parts of a submit's body, as Google's API writes them."""

from __future__ import annotations

import base64
from typing import Final

from vidgen_nb.backends.wire.images import is_http_url, read_image

__all__ = ["MAX_IMAGE_BYTES", "duration_text", "image_part"]

MAX_IMAGE_BYTES: Final = 14 << 20
"""With a third more as base64, an image of this size fits into a request, of which Google accepts 20 MB."""


def image_part(image: object) -> dict[str, str]:
    """Return an image as a content part: a URL as it is, anything else as base64."""
    if is_http_url(image):
        return {"type": "image", "uri": str(image).strip()}
    media_type, data = read_image(image, limit=MAX_IMAGE_BYTES)
    return {"type": "image", "mime_type": media_type, "data": base64.b64encode(data).decode()}


def duration_text(seconds: object) -> object:
    """Return a number of seconds as the API writes it, `8s`; a text in that form stays as it is."""
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        return f"{seconds:g}s"
    return f"{seconds}s" if isinstance(seconds, str) and seconds.strip().isdecimal() else seconds
