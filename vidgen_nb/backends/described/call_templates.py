"""The calls of an API that a user describes.

"GET /jobs/{id}"                a path under base_url; without a method it is a GET (a POST for submit and cancel)
"PUT {cancel_url}"              a whole URL, taken from the answer to the submit: a JSON path in braces
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from vidgen_nb.errors import InputError

__all__ = ["CallTemplate"]

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class CallTemplate:
    """A method, and a path or URL with placeholders in braces."""

    def __init__(self, option: str, text: str, method: str = "GET") -> None:
        if not isinstance(text, str) or not text.strip():
            raise InputError(f'{option} must be a path such as "/jobs/{{id}}", not {text!r}')
        first, _, rest = text.strip().partition(" ")
        self.method, self.text = (first.upper(), rest.strip()) if rest else (method, first)
        self.placeholders = _PLACEHOLDER.findall(self.text)
        self.is_whole_url = self.text.startswith("{") and self.text.endswith("}") and len(self.placeholders) == 1
        """Whether the server gives the whole URL."""
        if self.method not in _METHODS:
            raise InputError(f"{option}: {first!r} is no HTTP method; write one of {', '.join(_METHODS)} and a path")
        if {"{", "}"} & set(_PLACEHOLDER.sub("", self.text)):
            raise InputError(f"{option}: the braces of {self.text!r} do not match: write each name once in {{ and }}")
        if not (self.is_whole_url or self.text.startswith("/")) or any(not name for name in self.placeholders):
            raise InputError(
                f'{option} must be a path under base_url such as "/jobs/{{id}}", or a place in the submit\'s answer, '
                f'in braces, such as "{{status_url}}", not {text!r}'
            )

    def fill(self, values: Callable[[str], object], safe: str = "") -> str | None:
        """Return the path or URL with its placeholders replaced, values in a path quoted; None if a value is missing.

        A value that would lead to another path (`..`) counts as missing. `safe`: characters that are not quoted.
        """
        if self.is_whole_url:
            value = values(self.placeholders[0])
            return value if isinstance(value, str) and value else None
        found = {name: values(name) for name in self.placeholders}
        if any(not _is_segment(value, safe) for value in found.values()):
            return None
        return _PLACEHOLDER.sub(lambda match: quote(str(found[match[1]]), safe=safe), self.text)


def _is_segment(value: object, safe: str) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return False
    segments = str(value).split("/") if "/" in safe else [str(value)]
    return all(segment.strip(".") and segment.isprintable() for segment in segments)
