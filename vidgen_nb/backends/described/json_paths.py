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

__all__ = ["Address", "Place", "found_at", "has", "lacks"]

Place = str | Callable[[Any], Any]

_BRACES: Final = re.compile(r"\{([^{}]*)\}")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def found_at(data: Any, place: Place | None) -> Any:
    """Return what is at a place of an answer's JSON; None where there is nothing, or no such place."""
    if place is None or callable(place):
        try:
            return place(data) if place is not None else None
        except (LookupError, TypeError, AttributeError, ValueError):  # written for another answer than this one
            return None
    names = place.split(".")
    found, count = _reached(data, names)
    return found if count == len(names) else None


def lacks(data: Any, place: Place) -> bool:
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
    found, count = _reached(data, names)
    return count < len(names) and bool(found)


def has(data: Any, place: Place) -> str:
    """Say what an answer has, and first what stands as far on the way to a place as there is one."""
    names = [] if callable(place) else place.split(".")
    found, count = _reached(data, names)
    inner = f"its {_told('.'.join(names[:count]), found)}; " if count else ""
    return inner + _told("it", data)


def _reached(data: Any, names: list[str]) -> tuple[Any, int]:
    """Return the last value on the way to a place, and how many of its names lead there."""
    for count, name in enumerate(names):
        if isinstance(data, Mapping) and name in data:
            data = data[name]
        elif isinstance(data, list) and name.isdecimal() and int(name) < len(data):
            data = data[int(name)]
        else:
            return data, count
    return data, len(names)


def _told(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{name} has: {', '.join(map(str, value))}"
    if isinstance(value, list):
        return f"{name} is a list of {len(value)}"
    return f"{name} is {'a text' if isinstance(value, str) else type(value).__name__}"


class Address:
    """A method, and an address with places in braces."""

    def __init__(self, option: str, text: str, method: str = "GET") -> None:
        if not isinstance(text, str) or not text.strip():
            raise InputError(f'{option} is an address such as "/jobs/{{id}}", not {text!r}')
        first, _, rest = text.strip().partition(" ")
        self.method, self.text = (first.upper(), rest.strip()) if rest else (method, first)
        self.places = _BRACES.findall(self.text)
        self.is_given = self.text.startswith("{") and self.text.endswith("}") and len(self.places) == 1
        """Whether the server tells the whole address."""
        if self.method not in _METHODS:
            raise InputError(
                f"{option}: {first!r} is no HTTP method; write one of {', '.join(_METHODS)} and an address"
            )
        if {"{", "}"} & set(_BRACES.sub("", self.text)):
            raise InputError(f"{option}: the braces of {self.text!r} do not match: write each place once in {{ and }}")
        if not (self.is_given or self.text.startswith("/")) or any(not place for place in self.places):
            raise InputError(
                f'{option} is an address under base_url such as "/jobs/{{id}}", or a place of the submit\'s answer in '
                f'braces such as "{{status_url}}", not {text!r}'
            )

    def filled(self, values: Callable[[str], object], safe: str = "") -> str | None:
        """Return the address with its places filled in, quoted where they are parts; None where one is missing.

        A part that would lead elsewhere (`..`) counts as missing.
        """
        if self.is_given:
            value = values(self.places[0])
            return value if isinstance(value, str) and value else None
        found = {place: values(place) for place in self.places}
        if any(not _is_part(value, safe) for value in found.values()):
            return None
        return _BRACES.sub(lambda match: quote(str(found[match[1]]), safe=safe), self.text)


def _is_part(value: object, safe: str) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return False
    parts = str(value).split("/") if "/" in safe else [str(value)]
    return all(part.strip(".") and part.isprintable() for part in parts)
