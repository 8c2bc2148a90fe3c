"""Where things are in an API that a user describes: places in its answers, and addresses of its calls.

"output.0.url"                  a place: names and list numbers, from the outside in; or a function of the answer
"GET /jobs/{id}"                an address under base_url; without a method it is a GET (a POST for a submit)
"PUT {cancel_url}"              an address that the answer to the submit tells: a place in braces
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from vidgen_nb.errors import InputError

__all__ = ["CallTemplate", "JsonPath", "is_missing", "outline", "value_at"]

JsonPath = str | Callable[[Any], Any]

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def value_at(data: Any, place: JsonPath | None) -> Any:
    """Return what is at a place of an answer's JSON; None where there is nothing, or no such place."""
    if place is None or callable(place):
        try:
            return place(data) if place is not None else None
        except (LookupError, TypeError, AttributeError, ValueError):  # written for another answer than this one
            return None
    names = place.split(".")
    found, count = _walk(data, names)
    return found if count == len(names) else None


def is_missing(data: Any, place: JsonPath) -> bool:
    """Return whether an answer has no such place; what is null or empty on the way may have it another time."""
    if callable(place):
        try:
            place(data)
        except KeyError:
            return True
        except (LookupError, TypeError, AttributeError, ValueError):
            return False
        return False
    names = place.split(".")
    found, count = _walk(data, names)
    return count < len(names) and bool(found)


def outline(data: Any, place: JsonPath) -> str:
    """Say what an answer has, and first what stands as far on the way to a place as there is one."""
    names = [] if callable(place) else place.split(".")
    found, count = _walk(data, names)
    inner = f"its {_outline_of('.'.join(names[:count]), found)}; " if count else ""
    return inner + _outline_of("it", data)


def _walk(data: Any, names: list[str]) -> tuple[Any, int]:
    """Return the last value on the way to a place, and how many of its names lead there."""
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


class CallTemplate:
    """A method, and an address with places in braces."""

    def __init__(self, option: str, text: str, method: str = "GET") -> None:
        if not isinstance(text, str) or not text.strip():
            raise InputError(f'{option} is an address such as "/jobs/{{id}}", not {text!r}')
        first, _, rest = text.strip().partition(" ")
        self.method, self.text = (first.upper(), rest.strip()) if rest else (method, first)
        self.placeholders = _PLACEHOLDER.findall(self.text)
        self.is_whole_url = self.text.startswith("{") and self.text.endswith("}") and len(self.placeholders) == 1
        """Whether the server tells the whole address."""
        if self.method not in _METHODS:
            raise InputError(
                f"{option}: {first!r} is no HTTP method; write one of {', '.join(_METHODS)} and an address"
            )
        if {"{", "}"} & set(_PLACEHOLDER.sub("", self.text)):
            raise InputError(f"{option}: the braces of {self.text!r} do not match: write each place once in {{ and }}")
        if not (self.is_whole_url or self.text.startswith("/")) or any(not place for place in self.placeholders):
            raise InputError(
                f'{option} is an address under base_url such as "/jobs/{{id}}", or a place of the submit\'s answer in '
                f'braces such as "{{status_url}}", not {text!r}'
            )

    def fill(self, values: Callable[[str], object], safe: str = "") -> str | None:
        """Return the address with its places filled in, quoted where they are parts; None where one is missing.

        A part that would lead elsewhere (`..`) counts as missing.
        """
        if self.is_whole_url:
            value = values(self.placeholders[0])
            return value if isinstance(value, str) and value else None
        found = {place: values(place) for place in self.placeholders}
        if any(not _is_part(value, safe) for value in found.values()):
            return None
        return _PLACEHOLDER.sub(lambda match: quote(str(found[match[1]]), safe=safe), self.text)


def _is_part(value: object, safe: str) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return False
    parts = str(value).split("/") if "/" in safe else [str(value)]
    return all(part.strip(".") and part.isprintable() for part in parts)
