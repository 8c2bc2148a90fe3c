"""JSON or XML that stands inside a text, and names in one spelling."""

from __future__ import annotations

import ast
import html
import json
import re
from typing import Any, Final

__all__ = ["nested_json", "one_spelling", "xml_fields"]

_MAX_NESTED_CHARS: Final = 20_000
_NAMES: Final = re.compile(
    r"errors?|err|details?|message|msg|code|type|(error|err)_?(code|message|msg)|fault|response(_metadata)?|issues|title|"
    r"retry_(after|in|delay)\w*|loc|base_resp"
)
"""Names of which an error has one; what else is in braces is part of a sentence."""
_XML_LEAF: Final = re.compile(r"<(?:\w+:)?([\w.-]{1,60})(?: [^<>]*)?>(?:<!\[CDATA\[)?([^<>]*?)(?:\]\]>)?</")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def one_spelling(name: str) -> str:
    """Return a name as `rate_limit_exceeded`, however a server writes it."""
    return re.sub(r"[\s.\-]+", "_", _CAMEL.sub("_", name.strip())).lower()


def nested_json(text: str) -> Any:
    """Return the error that stands in a text as JSON, or as Python writes it; None if none does."""
    start = min((place for place in (text.find("{"), text.find("[{")) if place >= 0), default=-1)
    if start < 0:
        return None
    text = text[start : start + _MAX_NESTED_CHARS]
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        try:
            found = ast.literal_eval(text[: text.rfind("]" if text[0] == "[" else "}") + 1])
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return None
    first = found[0] if isinstance(found, list) and found else found
    names = [one_spelling(str(name)[:60]).strip("_") for name in list(first)[:50]] if isinstance(first, dict) else []
    return found if any(map(_NAMES.fullmatch, names)) else None


def xml_fields(text: str) -> dict[str, str] | None:
    """Return the innermost elements of an XML text by name, as S3 writes errors; None for HTML, and what is no XML."""
    start = text[:1000].lstrip("\ufeff \r\n\t").lower()
    if not start.startswith("<") or "<html" in start or start.startswith("<!doctype html"):
        return None
    found: dict[str, str] = {}
    for name, content in _XML_LEAF.findall(text):
        found.setdefault(name, html.unescape(content).strip())
    return found or None
