"""What an error's body says, in every shape seen in the wild: codes, numbers, a text for people, the field at fault.

Shapes: OpenAI's `{"error": {message, type, param, code}}`, the same without the envelope, `error` as a text or a list,
`errors`, FastAPI's `detail` (a text, an object, or a list of `{loc, msg}`), problem+json, Runway's `issues`, Google's
lists, and an error in JSON, or as Python writes it, inside a text: LiteLLM puts the upstream's after
`OpenAIException - `. The innermost comes first: it is the most exact.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from vidgen_nb.core.model import record

__all__ = ["ErrorBody", "read_error", "tells_error"]

_MAX_DEPTH: Final = 6
_MAX_LISTED: Final = 3
"""Errors of a list that are read."""
_MAX_NESTED_CHARS: Final = 20_000
_INNER: Final = ("error", "errors", "detail", "details", "issues", "err")
_CODES: Final = ("code", "type", "reason", "error_code", "errorCode")
_NUMBERS: Final = ("code", "status", "status_code", "statusCode")
_TEXTS: Final = ("message", "msg", "error_description", "description", "error_message", "errorMessage", "title")
_FIELDS: Final = ("param", "field", "loc", "path", "parameter")
_NOTHING: Final = frozenset({"", "0", "ok", "none", "null", "success", "succeeded"})
_WORD: Final = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
_PLACES: Final = frozenset({"body", "query", "path", "header"})
"""How FastAPI begins a field's path."""
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@record
class ErrorBody:
    """An error, as far as it can be read."""

    codes: tuple[str, ...] = ()
    """Codes and types in lower case, the most exact first; numbers are left out."""
    words: tuple[str, ...] = ()
    """The same in one spelling: `rateLimitExceeded` and `Rate Limit Exceeded` as `rate_limit_exceeded`."""
    numbers: tuple[int, ...] = ()
    """HTTP statuses of errors that stand in the body, as numbers or as digits."""
    message: str = ""
    field: str = ""
    """The parameter at fault, or an empty text."""
    texts: tuple[str, ...] = ()
    """All texts for people as they stand in the body, around an error that is nested in one."""
    nested: tuple[Mapping[str, Any], ...] = ()
    """The objects that stand in such texts: what a gateway was answered by its upstream."""

    def matches(self, pattern: re.Pattern[str]) -> bool:
        """Return whether a code is of this pattern, however it is spelt."""
        return any(pattern.fullmatch(code) for code in (*self.codes, *self.words))


def read_error(data: object) -> ErrorBody:
    """Return what a body says of an error; never raises. Text of people is only `message`: it decides nothing (R13)."""
    reader = _Reader()
    message = reader.text_of(data, 0)
    return ErrorBody(
        tuple(dict.fromkeys(code.lower() for code in reader.codes)),
        tuple(dict.fromkeys(map(_one_spelling, reader.codes))),
        tuple(dict.fromkeys(reader.numbers)),
        message,
        next(iter(reader.fields), ""),
        tuple(reader.texts),
        tuple(reader.nested),
    )


def tells_error(value: object) -> bool:
    """Return whether an `error` beside a job says anything: `{"code": "", "message": ""}`, null and 0 do not."""
    if isinstance(value, Mapping):
        return any(map(tells_error, value.values()))
    if isinstance(value, list | tuple):
        return any(map(tells_error, value))
    if isinstance(value, str):
        return value.strip().lower() not in _NOTHING
    return bool(value)


class _Reader:
    """Collects what the nested parts of a body say."""

    def __init__(self) -> None:
        self.codes: list[str] = []
        self.numbers: list[int] = []
        self.fields: list[str] = []
        self.texts: list[str] = []
        self.nested: list[Mapping[str, Any]] = []

    def text_of(self, value: object, depth: int) -> str:
        """Return the text for people in a part of a body, and collect its codes."""
        if depth > _MAX_DEPTH:
            return ""
        if isinstance(value, str):
            self.texts.append(value)
            nested = _nested(value)
            self.nested += [nested] if isinstance(nested, dict) else []
            return (self.text_of(nested, depth + 1) if nested is not None else "") or value
        if isinstance(value, list):
            texts = [self.text_of(each, depth + 1) for each in value[:_MAX_LISTED]]
            return "; ".join(dict.fromkeys(filter(None, texts)))
        return self._text_of_object(value, depth) if isinstance(value, dict) else ""

    def _text_of_object(self, found: dict[Any, Any], depth: int) -> str:
        inner = {name: text for name in _INNER if (text := self.text_of(found.get(name), depth + 1))}
        own = next((value for name in _TEXTS if isinstance(value := found.get(name), str) and value.strip()), "")
        own = self.text_of(own, depth + 1)
        self._collect(found, inside=depth > 0)
        error, where = found.get("error"), _field(found)
        if isinstance(error, str) and _WORD.fullmatch(error) and (own or len(inner) > 1):
            self._add_code(inner.pop("error", error))  # {"error": "rate_limit_exceeded", "message": "…"}
        if isinstance(error, dict | list) and "error" in inner:
            own = ""  # it says the same in other words
        said = ": ".join(dict.fromkeys(filter(None, (inner.pop("error", ""), own, *inner.values()))))
        if _is_listed(found):
            return f"{where}: {said}" if where and said else said
        if where:
            self.fields.append(where)
        return said or _texts_by_field(found)

    def _collect(self, found: dict[Any, Any], *, inside: bool) -> None:
        for name in _CODES:
            value = found.get(name)
            if isinstance(value, str) and value.strip() and not _is_listed(found):
                self._add_code(value.strip())
        status = found.get("status")
        if inside and isinstance(status, str) and status.isupper():  # google.rpc.Code
            self._add_code(status)
        for name in _NUMBERS:
            self._add_number(found.get(name))

    def _add_code(self, code: str) -> None:
        if "://" in code:  # a URI that ends in the code
            code = re.split(r"[/#]", code.rstrip("/"))[-1]
        if code.lower() not in _NOTHING and not code.isdecimal() and len(code) <= 200:
            self.codes.append(code)

    def _add_number(self, value: object) -> None:
        if isinstance(value, str) and value.strip().isdecimal() and len(value) < 5:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599:
            self.numbers.append(value)


def _one_spelling(code: str) -> str:
    return re.sub(r"[\s.\-]+", "_", _CAMEL.sub("_", code.strip())).lower()


def _is_listed(found: dict[Any, Any]) -> bool:
    """Return whether an object is one of a list of fields, as FastAPI's and Runway's are: its code is the field's."""
    return isinstance(found.get("loc"), list) or isinstance(found.get("path"), list)


def _texts_by_field(found: dict[Any, Any]) -> str:
    """Return the text of `{"size": ["must be one of …"]}`, as Django and Rails write it."""
    pairs = [(name, value[0]) for name, value in found.items() if isinstance(value, list) and value]
    return "; ".join(f"{name}: {text}" for name, text in pairs[:_MAX_LISTED] if isinstance(text, str))


def _field(found: dict[Any, Any]) -> str:
    """Return the parameter that an error names: a text, or a path without FastAPI's `body`."""
    for name in _FIELDS:
        value = found.get(name)
        if isinstance(value, str) and value.strip().lower() not in _NOTHING:
            return value.strip()
        if isinstance(value, list) and value:
            parts = [str(each) for each in value[:5] if isinstance(each, str | int)]
            return ".".join(parts[1:] if len(parts) > 1 and parts[0] in _PLACES else parts)
    return ""


def _nested(text: str) -> object:
    """Return the error that stands in a text as JSON, or as Python writes it; None if none does."""
    start = min((place for place in (text.find("{"), text.find("[{")) if place >= 0), default=-1)
    if start < 0:
        return None
    text = text[start : start + _MAX_NESTED_CHARS]
    try:
        found, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        try:
            found = ast.literal_eval(text[: text.rfind("]" if text[0] == "[" else "}") + 1])
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return None
    first = found[0] if isinstance(found, list) and found else found
    return found if isinstance(first, dict) and {"error", "errors", "detail", "message"} & first.keys() else None
