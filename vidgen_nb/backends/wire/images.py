"""Images of scenes: read from a path, bytes or a data URI, and recognised by their first bytes.

A file's name is not enough: a scene list from elsewhere must not be able to send just any file of this machine.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from pathlib import Path
from typing import Final

from vidgen_nb.core.outcomes import Transient
from vidgen_nb.errors import InputError, VidgenError
from vidgen_nb.machine.local_trouble import local_trouble
from vidgen_nb.plaintext import one_line
from vidgen_nb.ports import BackendError

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
"""The default; some APIs accept less."""
IMAGE_SUFFIXES: Final = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
"""File suffix by media type, of the accepted types."""

_HEAD_BYTES: Final = 16
_URI_SCHEME: Final = re.compile(r"\s*(?:data:|[a-z][a-z0-9+.-]+://)", re.IGNORECASE | re.ASCII)
_DATA_URI: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w.+-]+=[^;,]*)*);base64,", re.IGNORECASE | re.ASCII)


def image_type(head: bytes) -> str | None:
    """Return the media type according to an image's first 12 bytes; None: neither PNG nor JPEG nor WebP.

    Source: PNG 5.2, JPEG (ITU T.81) B.1, RFC 9649 §2.4.
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def is_http_url(value: object) -> bool:
    """Return whether a value is an http or https URL, which some APIs fetch themselves."""
    return isinstance(value, str) and value.lstrip()[:8].lower().startswith(("https://", "http://"))


def absolute_path(image: object) -> object:
    """Make an image's path absolute, also in a list; anything that is no path is returned unchanged."""
    if isinstance(image, list):
        return [absolute_path(each) if isinstance(each, str) else each for each in image]
    if not isinstance(image, str) or not image.strip() or _URI_SCHEME.match(image):
        return image
    try:
        return str(Path(image).expanduser().absolute())
    except (OSError, RuntimeError):  # the current folder is gone; ~ of an unknown user
        return image


def read_image(value: object, *, limit: int = MAX_IMAGE_BYTES) -> tuple[str, bytes]:
    """Return (media type, bytes) of an image: a path, bytes, or a data URI.

    Raises `InputError` if there is none, it is neither PNG, JPEG nor WebP, or it has more than `limit` bytes.
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
    """Return the media type of what `read_image` will read, or raise as it does; reads only the head of a file."""
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
    """Return what `read_image` reads, as a data URI (RFC 2397)."""
    media_type, data = read_image(value, limit=limit)
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _image_path(value: object, limit: int) -> Path:
    """Return the path of a regular file of an accepted size; a pipe or device is not even opened."""
    if is_http_url(value):
        raise InputError("a URL can't be sent as an image: download it, and give the file's path")
    if not isinstance(value, str | os.PathLike) or not str(value).strip():
        raise InputError(f"an image must be a path or a data URI, not {one_line(repr(value), 80)}")
    path = Path(value)
    try:
        path = path.expanduser()
        found = path.stat()
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the path; ~ of an unknown user
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{_image_name(path)} is no file: give the path of a PNG, JPEG or WebP image")
    if found.st_size > limit:
        raise _too_large(_image_name(path), found.st_size, limit)
    return path


def _decode_data_uri(text: str, limit: int) -> bytes:
    """Return the bytes of a base64 data URI (RFC 2397)."""
    match = _DATA_URI.match(text)
    if match is None:
        raise InputError("the data URI must look like data:image/png;base64,…; or give the path of a file")
    if len(text) > limit * 4 // 3 + 1000:
        raise _too_large("the data URI's image", len(text) * 3 // 4, limit)
    try:
        data = base64.b64decode(text[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise InputError("the data URI's base64 is broken: was it copied whole?") from None
    declared, found = match[1], image_type(data)
    if declared and found and declared.lower().replace("jpg", "jpeg") != found:
        raise InputError(f"the data URI says {one_line(declared, 40)}, but its image is {found}: correct one of them")
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
    return f"image {one_line(str(path), 200)!r}"


def _unreadable(path: Path, error: Exception) -> VidgenError:
    if trouble := local_trouble(error):
        return BackendError(Transient(f"{_image_name(path)} can't be read: {trouble}", local=True))
    return InputError(
        f"{_image_name(path)} can't be read ({getattr(error, 'strerror', None) or error}): correct its path"
    )


def _too_large(what: str, size: int, limit: int) -> InputError:
    return InputError(f"{what} has {size / 2**20:.1f} MiB, but at most {limit / 2**20:g} can be sent: make it smaller")
