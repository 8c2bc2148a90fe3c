"""Images that a scene brings along: read from a path, bytes or a data URI, and known by their first bytes.

What a file is named says nothing: a scene list from elsewhere must not be able to send just any file of this machine.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from pathlib import Path
from typing import Final

from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import clean

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_IMAGE_BYTES",
    "absolute_path",
    "check_image",
    "check_image_parameter",
    "data_uri",
    "image_type",
    "is_http_url",
    "read_image",
]

MAX_IMAGE_BYTES: Final = 20 << 20
"""Bytes of an image, unless an API takes less."""
IMAGE_SUFFIXES: Final = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
"""The types that are known, and how names of such files end."""

_HEAD_BYTES: Final = 16
_URI_SCHEME: Final = re.compile(r"\s*(?:data:|[a-z][a-z0-9+.-]+://)", re.IGNORECASE | re.ASCII)
_DATA_URI: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w.+-]+=[^;,]*)*);base64,", re.IGNORECASE | re.ASCII)


def image_type(head: bytes) -> str | None:
    """Return the media type that an image's first 12 bytes tell; None: neither PNG nor JPEG nor WebP.

    Source: PNG 5.2, JPEG (ITU T.81) B.1, RFC 9649 section 2.4.
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def is_http_url(value: object) -> bool:
    """Return whether a value is an http or https address, which some APIs fetch themselves."""
    return isinstance(value, str) and value.lstrip()[:8].lower().startswith(("https://", "http://"))


def absolute_path(image: object) -> object:
    """Return an image's path as an absolute one, also in a list; what is no path, or can't be one, stays as it is."""
    if isinstance(image, list):
        return [absolute_path(each) if isinstance(each, str) else each for each in image]
    if not isinstance(image, str) or not image.strip() or _URI_SCHEME.match(image):
        return image
    try:
        return str(Path(image).expanduser().absolute())
    except (OSError, RuntimeError):  # the current folder is gone; a ~ of nobody's home
        return image


def read_image(value: object, *, limit: int = MAX_IMAGE_BYTES) -> tuple[str, bytes]:
    """Return (media type, bytes) of an image: a path, bytes, or a data URI.

    Raises `InputError` where there is none, it is none of PNG, JPEG and WebP, or it has more than `limit` bytes.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        data, what = bytes(value), "this image"
    elif isinstance(value, str) and value[:5].lower() == "data:":
        data, what = _decode_data_uri(value, limit), "the data URI's image"
    else:
        path = _image_path(value, limit)
        what = _image_name(path)
        try:
            with path.open("rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise _unreadable(path, error) from None
    return _checked_type(data[:_HEAD_BYTES], len(data), what, limit), data


def check_image(value: object, *, limit: int = MAX_IMAGE_BYTES) -> str:
    """Return the media type of what `read_image` will read, or raise as it does; of a file only the head is read."""
    if isinstance(value, bytes | bytearray | memoryview) or (isinstance(value, str) and value[:5].lower() == "data:"):
        return read_image(value, limit=limit)[0]
    path = _image_path(value, limit)
    try:
        with path.open("rb") as file:
            return _checked_type(file.read(_HEAD_BYTES), path.stat().st_size, _image_name(path), limit)
    except OSError as error:
        raise _unreadable(path, error) from None


def check_image_parameter(name: str, value: object, *, limit: int = MAX_IMAGE_BYTES) -> None:
    """Check an image as `check_image` does; the error names the scene's parameter."""
    try:
        check_image(value, limit=limit)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def data_uri(value: object, *, limit: int = MAX_IMAGE_BYTES) -> str:
    """Return what `read_image` reads as a data URI (RFC 2397)."""
    media_type, data = read_image(value, limit=limit)
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _image_path(value: object, limit: int) -> Path:
    """Return the path of a file of a size that can be; a pipe or device is not even opened."""
    if is_http_url(value):
        raise InputError("an address is no image to be sent along: download it, and give the file's path")
    if not isinstance(value, str | os.PathLike) or not str(value).strip():
        raise InputError(f"an image is a path or a data URI, not {clean(repr(value), 80)}")
    path = Path(value)
    try:
        path = path.expanduser()
        found = path.stat()
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the path; a ~ of nobody's home
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{_image_name(path)} is no file: give the path of a PNG, JPEG or WebP image")
    if found.st_size > limit:
        raise _too_large(_image_name(path), found.st_size, limit)
    return path


def _decode_data_uri(text: str, limit: int) -> bytes:
    """Return what a base64 data URI holds (RFC 2397)."""
    match = _DATA_URI.match(text)
    if match is None:
        raise InputError("the data URI is not like data:image/png;base64,…: give it so, or the path of a file")
    if len(text) > limit * 4 // 3 + 1000:
        raise _too_large("the data URI's image", len(text) * 3 // 4, limit)
    try:
        data = base64.b64decode(text[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise InputError("the data URI's base64 is broken: was it copied whole?") from None
    declared, found = match[1], image_type(data)
    if declared and found and declared.lower().replace("jpg", "jpeg") != found:
        raise InputError(f"the data URI says {clean(declared, 40)}, but its image is {found}: mend one of them")
    return data


def _checked_type(head: bytes, size: int, what: str, limit: int) -> str:
    if size > limit:
        raise _too_large(what, size, limit)
    found = image_type(head)
    if found is None:
        why = "is empty" if not size else "is no PNG, JPEG or WebP by its first bytes"
        raise InputError(f"{what} {why}: save it as one of these")
    return found


def _image_name(path: Path) -> str:
    return f"image {clean(str(path), 200)!r}"


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f"{_image_name(path)} can't be read ({getattr(error, 'strerror', None) or error}): mend its path")


def _too_large(what: str, size: int, limit: int) -> InputError:
    return InputError(f"{what} has {size / 2**20:.1f} MiB, and at most {limit / 2**20:g} can be sent: make it smaller")
