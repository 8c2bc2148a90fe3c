"""Where things are in the answers of an API that a user describes.

"output.0.url"                  names and list indexes, from the outside in
"headers.location"              a header of the answer to a submit
lambda answer: answer["url"]    or a function of the answer
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from vidgen_nb.backends.wire.answer import Answer

__all__ = ["JsonPath", "is_missing", "outline", "value_at", "value_of"]

JsonPath = str | Callable[[Any], Any]
_HEADERS: Final = "headers."


def value_of(answer: Answer, path: JsonPath | None) -> Any:
    """Return the value at a path of an answer: of its JSON, or one of its headers."""
    found = value_at(answer.data, path)
    if found is None and isinstance(path, str) and path.startswith(_HEADERS):
        return answer.header(path.removeprefix(_HEADERS).lower()) or None
    return found


def value_at(data: Any, path: JsonPath | None) -> Any:
    """Return the value at a path of an answer's JSON; None if there is none, or if the path is None."""
    if path is None or callable(path):
        try:
            return path(data) if path is not None else None
        except (LookupError, TypeError, AttributeError, ValueError):  # written for another answer than this one
            return None
    names = path.split(".")
    value, count = _walk(data, names)
    return value if count == len(names) else None


def is_missing(data: Any, path: JsonPath) -> bool:
    """Return whether an answer lacks a path; not if a value on the way is null or empty, which may be filled later."""
    if callable(path):
        try:
            path(data)
        except KeyError:
            return True
        except (LookupError, TypeError, AttributeError, ValueError):
            return False
        return False
    names = path.split(".")
    value, count = _walk(data, names)
    return count < len(names) and bool(value)


def outline(data: Any, path: JsonPath) -> str:
    """Say what an answer has: first at the point where the path breaks off, then at the top."""
    names = [] if callable(path) else path.split(".")
    value, count = _walk(data, names)
    inner = f"its {_outline_of('.'.join(names[:count]), value)}; " if count else ""
    return inner + _outline_of("it", data)


def _walk(data: Any, names: list[str]) -> tuple[Any, int]:
    """Return the last value on a path, and how many of its names lead there."""
    for count, name in enumerate(names):
        if isinstance(data, Mapping) and name in data:
            data = data[name]
        elif isinstance(data, list) and name.isdecimal() and int(name) < len(data):
            data = data[int(name)]
        else:
            return data, count
    return data, len(names)


def _outline_of(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{name} has: {', '.join(map(str, value))}"
    if isinstance(value, list):
        return f"{name} is a list of {len(value)}"
    return f"{name} is {'a text' if isinstance(value, str) else type(value).__name__}"
