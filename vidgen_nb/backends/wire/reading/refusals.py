"""The error of a whole answer, of its body and its headers; and whether a success is a refusal inside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote

from vidgen_nb.backends.wire.answer import Answer
from vidgen_nb.backends.wire.reading.error_body import ErrorBody, read_error, tells_error
from vidgen_nb.backends.wire.reading.nested_json import one_spelling

__all__ = ["error_of", "is_refusal"]

_CODE_HEADERS: Final = re.compile(r"(?:x-)?(?:[a-z]+-)?error-?(?:code|type)")
"""Such as `x-error-code`, `x-amzn-errortype`, `x-ms-error-code`, `x-fal-error-type`."""
_TEXT_HEADERS: Final = ("x-error-message", "error-message", "x-error", "grpc-message")
_CHALLENGE: Final = re.compile(r'error_description="([^"]{1,500})"')
"""Of WWW-Authenticate (RFC 6750 §3)."""
_ERRORS: Final = ("error", "errors", "err", "fault", "exception")
_ENVELOPES: Final = ("response", "response_metadata", "base_resp", "extensions")
_CODES: Final = ("code", "status_code", "error_code", "err_code", "errcode", "http_status", "type", "status")
_FINE: Final = re.compile(r"|0+|1|2\d\d|10+|20+|ok|success\w*|succe\w+|none|null|true|accepted|created", re.IGNORECASE)
"""What means in the place of a code that all is well, in one API or another."""
_BAD_STATUS: Final = re.compile(r"error|err|fail(?:ed|ure)?|rejected|denied", re.IGNORECASE)
_FALSE: Final = (False, "false", "False", 0, "0")


def error_of(answer: Answer) -> ErrorBody:
    """Return what an answer says of an error: its JSON, its text, and where those say nothing, its headers."""
    codes = [value for name, value in answer.headers if _CODE_HEADERS.fullmatch(name)]
    read = read_error(answer.said, codes)
    if read.message:
        return read
    challenge = _CHALLENGE.search(answer.header("www-authenticate"))
    said = [unquote(answer.header(name)) for name in _TEXT_HEADERS] + ([challenge[1]] if challenge else [])
    return replace(read, message=next(filter(None, said), ""))


def is_refusal(data: object) -> bool:
    """Return whether the body of a success says that it is none: by its fields, never by prose.

    A code that is not known to mean an error counts only where the answer has nothing else that could be a job.
    """
    if isinstance(data, list):
        return bool(data) and isinstance(data[0], dict) and is_refusal(data[0])
    if not isinstance(data, Mapping):
        return False
    found = {one_spelling(str(name)[:60]).strip("_"): value for name, value in data.items()}
    if any(tells_error(found.get(name)) for name in _ERRORS):
        return True
    if any(name in found and found[name] in _FALSE for name in ("success", "ok")):
        return True
    if any(isinstance(found.get(name), Mapping) and is_refusal(found[name]) for name in _ENVELOPES):
        return True
    has_more = any(isinstance(value, dict | list) and value for value in found.values())
    has_id = any(name.endswith(("id", "url", "uuid")) and value and "request" not in name and "trace" not in name
                 for name, value in found.items())  # fmt: skip
    return not has_more and not has_id and any(_tells_failure(name, found.get(name)) for name in _CODES)


def _tells_failure(name: str, value: Any) -> bool:
    """Return whether the value of a code is that of a failure."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return False
    text = str(value).strip()
    if name == "type":
        return text.endswith(("Error", "Exception", "error"))
    if name == "status":  # other numbers are a job's
        return _BAD_STATUS.fullmatch(text) is not None or (text.isdecimal() and 400 <= int(text[:9]) <= 599)
    return _FINE.fullmatch(text) is None
