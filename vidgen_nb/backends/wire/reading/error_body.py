"""What an error's body says, in every shape seen in the wild: codes, numbers, a text for people, the field at fault.

Shapes: OpenAI's `{"error": {message, type, param, code}}`, the same without the envelope, `error` as a text or a list,
`errors` as a list or by field, FastAPI's `detail` (a text, an object, or a list of `{loc, msg}`), problem+json,
JSON:API, GraphQL, Runway's `issues`, Google's lists and details, AWS' `__type`, Azure's `innererror`, XML, and an error
in JSON, or as Python writes it, inside a text: LiteLLM puts the upstream's after `OpenAIException - `. Names count in
any spelling. The innermost comes first: it is the most exact. A body of no known shape is shown whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from vidgen_nb.backends.wire.reading.nested_json import nested_json, one_spelling, xml_fields
from vidgen_nb.core.model import record

__all__ = ["ErrorBody", "read_error", "tells_error"]

_MAX_DEPTH: Final = 8
_MAX_LISTED: Final = 3
"""Errors of a list that are read."""
_MAX_SHOWN_CHARS: Final = 2000
_INNER: Final = (
    "error", "errors", "detail", "details", "issues", "err", "fault", "innererror", "inner_error", "extensions", "http",
    "response", "response_metadata", "base_resp", "field_violations", "violations", "invalid_params", "field_errors",
    "validation_errors", "form_errors",
)  # fmt: skip
_LAST_RESORTS: Final = ("data", "result", "body", "raw", "status")
"""What has an error inside in rare shapes, and anything else in others."""
_CODES: Final = ("code", "type", "reason", "error_code", "err_code", "errcode", "error_type", "errorcode", "name")
_NUMBERS: Final = (
    "code", "status", "status_code", "http_status", "http_status_code", "http_code", "error_code", "err_code",
    "errcode",
)  # fmt: skip
_TEXTS: Final = (
    "message", "msg", "error_message", "error_msg", "err_message", "err_msg", "errmsg", "error_description",
    "description", "status_msg", "reason", "faultstring", "fault_string", "exception", "title", "text", "value",
)  # fmt: skip
_FIELDS: Final = (
    "param", "field", "field_name", "loc", "path", "parameter", "target", "source", "pointer", "instance_path",
    "property", "property_path",
)  # fmt: skip
_NOTHING: Final = frozenset({"", "0", "ok", "none", "null", "success", "succeeded", "about:blank"})
_WORD: Final = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
_CODE_LIKE: Final = re.compile(r"[A-Za-z][A-Za-z\d]*(?:_[A-Za-z\d]+)+|[A-Z][a-z\d]+(?:[A-Z][a-z\d]*)+", re.ASCII)
"""A text that is one: `rate_limit_exceeded`, `RequestLimitExceeded`."""
_NAME: Final = re.compile(r"[a-z]+(?:_[a-z]+)+|\w+(?:Error|Exception)", re.ASCII)
_OWN_NUMBER: Final = re.compile(r"-?\d{1,9}", re.ASCII)
_PLACES: Final = frozenset({"body", "query", "path", "header", "data", "attributes"})
"""How FastAPI and JSON:API begin a field's path."""
_MINIMAX: Final = {
    1002: "rate_limit_exceeded", 1039: "rate_limit_exceeded", 1041: "concurrency_limit_exceeded",
    1004: "invalid_api_key", 2049: "invalid_api_key", 1008: "insufficient_balance", 1026: "content_filtered",
    1027: "content_filtered",
}  # fmt: skip
"""Of `base_resp`, which only MiniMax has (platform.minimax.io/docs/api-reference/errorcode)."""


@record
class ErrorBody:
    """An error, as far as it can be read."""

    codes: tuple[str, ...] = ()
    """Codes and types in lower case, the most exact first; numbers are left out."""
    words: tuple[str, ...] = ()
    """The same, and those of fields, in one spelling: `rateLimitExceeded` as `rate_limit_exceeded`."""
    numbers: tuple[int, ...] = ()
    """HTTP statuses of errors that stand in the body, as numbers or as digits."""
    message: str = ""
    field: str = ""
    """The parameter at fault, or an empty text."""
    texts: tuple[str, ...] = ()
    """All texts for people as they stand in the body, around an error that is nested in one."""
    own_number: str = ""
    """A number of the provider's own in the place of a code, such as `1302`; it is shown, and decides nothing."""
    nested: tuple[Mapping[str, Any], ...] = ()
    """The objects that stand in such texts: what a gateway was answered by its upstream."""

    def matches(self, pattern: re.Pattern[str]) -> bool:
        """Return whether a code is of this pattern, however it is spelt."""
        return any(pattern.fullmatch(code) for code in (*self.codes, *self.words))

    @property
    def shown_code(self) -> str:
        """The code for people: the most exact one."""
        return self.codes[0] if self.codes else self.own_number


def read_error(data: object, more_codes: Iterable[str] = ()) -> ErrorBody:
    """Return what a body says of an error; never raises. Text of people is only `message`: it decides nothing (R13).

    `more_codes`: those that stand elsewhere in the answer.
    """
    reader = _Reader()
    message = reader.text_of(data, 0)
    for code in more_codes:
        reader.add_code(code)
    if not (message or reader.codes or reader.numbers or reader.own_numbers) and tells_error(data):
        message = "" if isinstance(data, str | int | float) else json.dumps(data, ensure_ascii=False)[:_MAX_SHOWN_CHARS]
    return ErrorBody(
        tuple(dict.fromkeys(code.lower() for code in reader.codes)),
        tuple(dict.fromkeys(map(one_spelling, (*reader.codes, *reader.codes_of_fields)))),
        tuple(dict.fromkeys(reader.numbers)),
        message,
        next(iter(reader.fields), ""),
        tuple(reader.texts),
        next(iter(reader.own_numbers), ""),
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
        self.codes_of_fields: list[str] = []
        self.numbers: list[int] = []
        self.own_numbers: list[str] = []
        self.fields: list[str] = []
        self.texts: list[str] = []
        self.nested: list[Mapping[str, Any]] = []

    def text_of(self, value: object, depth: int) -> str:
        """Return the text for people in a part of a body, and collect its codes."""
        if depth > _MAX_DEPTH:
            return ""
        if isinstance(value, str):
            return self._text_of_text(value, depth)
        if isinstance(value, list):
            texts = [self._text_of_listed(each, depth + 1) for each in value[:_MAX_LISTED]]
            return "; ".join(dict.fromkeys(filter(None, texts)))
        return self._text_of_object(value, depth)[0] if isinstance(value, dict) else ""

    def add_code(self, code: str, *, of_field: bool = False) -> None:
        """Note a code, unless it is a number or nothing; of a URI, or of AWS' `com.x#Code:http://…`, its last part."""
        code = code.strip()
        if found := re.match(r"[\w.#]+(?=:https?://)", code):
            code = found[0]
        elif "://" in code or code.startswith("urn:"):
            code = re.split(r"[/#:]", code.rstrip("/"))[-1]
        code = code.rpartition("#")[2]
        if code.lower() not in _NOTHING and not _OWN_NUMBER.fullmatch(code) and len(code) <= 200:
            (self.codes_of_fields if of_field else self.codes).append(code)

    def _text_of_text(self, text: str, depth: int) -> str:
        self.texts.append(text)
        nested: object = xml_fields(text) if depth == 0 else None
        nested = nested_json(text) if nested is None else nested
        self.nested += [nested] if isinstance(nested, dict) else []
        said = self.text_of(nested, depth + 1) if nested is not None else ""
        if not said and _CODE_LIKE.fullmatch(text.strip()):
            self.add_code(text)
        return said or ("" if nested is not None and self.codes else text)

    def _text_of_listed(self, each: object, depth: int) -> str:
        if not isinstance(each, dict):
            return self.text_of(each, depth)
        said, where = self._text_of_object(each, depth)
        return f"{where}: {said}" if where and said and where.lower() not in said.lower() else said

    def _text_of_object(self, raw: dict[Any, Any], depth: int) -> tuple[str, str]:
        """Return what an object says, and the field that it is about."""
        found = {_key(str(name)[:60]): value for name, value in raw.items()}
        where = _field(found)
        inner = {name: text for name in _INNER if (text := self.text_of(found.get(name), depth + 1))}
        base = found.get("base_resp")
        if isinstance(base, dict) and isinstance(number := base.get("status_code"), int) and number in _MINIMAX:
            self.codes_of_fields.append(_MINIMAX[number])
        metadata = found.get("metadata")
        if isinstance(metadata, dict) and (said := self.text_of(metadata.get("raw"), depth + 1)):
            inner["metadata"] = said  # OpenRouter's: the upstream's error
        own = self._own_text(found, depth)
        self._collect(found, inside=depth > 0, said=bool(own))
        error = found.get("error")
        if isinstance(error, str) and _WORD.fullmatch(error.strip()):
            self.add_code(error)  # {"error": "rate_limit_exceeded", "message": "…"}
            if own or len(inner) > 1:
                inner.pop("error", None)
        if isinstance(error, dict | list) and "error" in inner:
            own = ""  # it says the same in other words
        parts = dict.fromkeys(filter(None, (inner.pop("error", ""), own, *inner.values())))
        said = ": ".join([*(part.rstrip(".: ") for part in list(parts)[:-1]), *list(parts)[-1:]])
        if where:
            self.fields.append(where)
        said = said or _texts_by_field(raw, inside=depth > 0)
        for name in _LAST_RESORTS if not said else ():
            if isinstance(found.get(name), dict | list):
                said = said or self.text_of(found[name], depth + 1)
        return said, where

    def _own_text(self, found: dict[str, Any], depth: int) -> str:
        for name in _TEXTS:
            value = found.get(name)
            if isinstance(value, str) and (not value.strip() or (name == "reason" and " " not in value.strip())):
                continue
            if isinstance(value, str) or (name in ("message", "msg") and isinstance(value, dict | list)):
                return self.text_of(value, depth + 1)
        return ""

    def _collect(self, found: dict[str, Any], *, inside: bool, said: bool) -> None:
        for name in _CODES:
            value = found.get(name)
            if not isinstance(value, str) or (name == "reason" and " " in value.strip()):
                continue
            if name != "name" or (_NAME.fullmatch(value) and "reason" not in found):
                self.add_code(value, of_field=_is_listed(found))
        status = found.get("status")
        if (inside or said) and isinstance(status, str) and status.isupper():  # google.rpc.Code
            self.add_code(status)
        for name in _NUMBERS:
            self._add_number(found.get(name))

    def _add_number(self, value: object) -> None:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, str) and _OWN_NUMBER.fullmatch(value.strip()):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value in (0, 200):
            return
        if 400 <= value <= 599:
            self.numbers.append(value)
        elif abs(value) < 10**9:
            self.own_numbers.append(str(value))


@lru_cache(maxsize=1000)
def _key(name: str) -> str:
    """Return a field's name in one spelling: `__type` as `type`, `ErrMsg` as `err_msg`."""
    return one_spelling(name).strip("_")


def _is_listed(found: Mapping[Any, Any]) -> bool:
    """Return whether an object is one of a list of fields, as FastAPI's and Runway's are: its code is the field's."""
    return isinstance(found.get("loc"), list) or isinstance(found.get("path"), list)


def _texts_by_field(found: dict[Any, Any], *, inside: bool) -> str:
    """Return the text of `{"size": ["must be one of …"]}`, as Django, Rails and ASP.NET write it.

    `inside`: of errors, in which a text may stand alone, too.
    """
    pairs = [(str(name), value[0] if isinstance(value, list) and value else value) for name, value in found.items()]
    texts = [
        f"{name}: {text}"
        for name, text in pairs
        if isinstance(text, str)
        and name not in _FIELDS
        and (isinstance(found.get(name), list) or (inside and " " in text.strip()))
    ]
    return "; ".join(texts[:_MAX_LISTED])


def _field(found: Mapping[str, Any]) -> str:
    """Return the parameter that an error names: a text, a pointer, or a path without FastAPI's `body`."""
    name = found.get("name")
    if isinstance(name, str) and isinstance(found.get("reason"), str) and "message" not in found:
        return name.strip()  # of problem+json's invalid-params
    for place in _FIELDS:
        value = found.get(place)
        if place == "source":
            inner = value if isinstance(value, dict) else {}
            value = inner.get("pointer") or inner.get("parameter")
        if isinstance(value, str) and value.strip().lower() not in _NOTHING:
            if place in ("pointer", "instance_path", "source") and value.startswith(("#", "/")):
                value = [part for part in value.lstrip("#").split("/") if part]
            elif not (place == "path" and value.startswith("/")):  # Spring's: the path of the request
                return value.strip()
        if isinstance(value, list) and value:
            parts = [str(each) for each in value[:6] if isinstance(each, str | int)]
            while len(parts) > 1 and parts[0] in _PLACES:
                parts = parts[1:]
            return ".".join(parts)
    return ""
