"""What the body of a submit is made of: the image, as a part of a form or as JSON has it."""

from __future__ import annotations

from typing import Any

from vidgen_nb.backends.wire.images import IMAGE_SUFFIXES, data_uri, is_http_url, read_image

__all__ = ["file_part", "json_body"]


def json_body(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a JSON submit, with the image as OpenAI's API takes it there: by address, or as a data URI.

    A DataFrame makes 4.0 of 4; it is sent as 4.
    """
    fields = {name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in fields.items()}
    image = fields.get("input_reference")
    if not isinstance(image, str):
        return fields
    return {**fields, "input_reference": {"image_url": image.strip() if is_http_url(image) else data_uri(image)}}


def file_part(image: str) -> tuple[str, bytes, str]:
    """Return an image as a part of a form; under a neutral name, since the file's own is private."""
    media_type, data = read_image(image)
    return f"input_reference{IMAGE_SUFFIXES[media_type]}", data, media_type
