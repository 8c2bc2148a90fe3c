"""What a refused cancel and a failed job of a described API mean: which of its codes may be tried again."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from vidgen_nb.backends.described.json_paths import JsonPath, value_at
from vidgen_nb.backends.openai.errors import job_failure
from vidgen_nb.backends.wire.http import Answer
from vidgen_nb.backends.wire.reading.error_body import tells_error
from vidgen_nb.core.outcomes import Failure, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import CancelAnswer, Secret

__all__ = ["CANCEL_REFUSALS", "checked_codes", "failure_of_job", "tells_failure"]

CANCEL_REFUSALS: Final[Mapping[int, CancelAnswer]] = {
    405: "unsupported", 501: "unsupported",
    # after these, polling goes on and shows what became of the job
    400: "too late", 404: "too late", 409: "too late", 410: "too late", 422: "too late",
}  # fmt: skip
_TEXTS: Final = ("detail", "message")
"""Where an error is said if not at its place."""
_RUNNER_CODES: Final = (
    "request_timeout startup_timeout runner_scheduling_failure runner_connection_timeout runner_disconnected "
    "runner_connection_refused runner_connection_error runner_incomplete_response runner_server_error"
)
"""fal's request errors (its docs, "request errors"): the machine's trouble, not the request's."""
_SERVICE_CODES: Final = (
    "internalserviceerror internal_service_error service_unavailable serviceunavailable serviceoverloaded "
    "service_overloaded"
)
"""BytePlus Ark's InternalServiceError, and its kin."""
_RUNNER: Final = frozenset(_RUNNER_CODES.split())
_NOT_READY: Final = re.compile(r".*(not_?(ready|found|finished|completed?)|in_?(progress|queue)|pending|processing)")
_SERVERS: Final = re.compile(
    r"(internal|server|service|unknown|api)?_?(internal|server|service)?_?(error|exception|unavailable|overloaded)|"
    r"bad_?gateway|gateway_?time_?d?_?out|upstream_.*|time_?d?_?out|unavailable"
)
_TRANSIENT_CODES: Final = frozenset(f"{_RUNNER_CODES} {_SERVICE_CODES}".split())


def checked_codes(transient: Collection[str]) -> frozenset[str]:
    """Return the codes of a description's `transient`; `InputError` for anything but a collection of texts."""
    if isinstance(transient, str) or not all(isinstance(each, str | int) for each in transient):
        raise InputError(f"transient must be a set of codes such as {{'runner_lost'}}, not {transient!r:.80}")
    return frozenset(str(each).lower() for each in transient)


def tells_failure(answer: Answer, code: JsonPath | None, transient: frozenset[str]) -> bool:
    """Return whether a refusal in the place of a result is the job's own failure, and not trouble in asking.

    A code that repeats the HTTP status, or says what any server's 5xx does, is none of the job's.
    """
    if answer.status in (401, 402, 403, 404, 408, 409, 425, 429) or not isinstance(answer.data, dict):
        return False
    word = _code(value_at(answer.data, code)).strip().lower()
    if answer.status == 422 or word in transient | _RUNNER or answer.header("x-fal-error-type"):
        return True
    if word.isdecimal() and 400 <= int(word) <= 599:
        return False
    return bool(word) and not (_NOT_READY.fullmatch(word) or (answer.status >= 500 and _SERVERS.fullmatch(word)))


def failure_of_job(
    answer: Answer, error_path: JsonPath, code_path: JsonPath | None, transient: frozenset[str], key: Secret
) -> Failure:
    """Return what the answer about a failed job means: by its code, at the described place or in its error."""
    error, code = value_at(answer.data, error_path), _code(value_at(answer.data, code_path))
    if not tells_error(error):
        error = next((each for each in (value_at(answer.data, name) for name in _TEXTS) if tells_error(each)), None)
    inner = error[0] if isinstance(error, list) and error else error
    inner = inner if isinstance(inner, dict) else {}
    code = code or _code(inner.get("code")) or _code(inner.get("type"))
    failure = job_failure({**inner, "code": code, "message": _text(error)} if code else error, key)
    again = code.lower() in transient | _TRANSIENT_CODES or answer.header("x-fal-retryable").lower() == "true"
    return Transient(failure.reason) if again else failure


def _text(error: object) -> str | None:
    if isinstance(error, dict):
        return _text(error.get("message"))
    if isinstance(error, list):  # FastAPI's and fal's: [{"loc", "msg", "type"}]
        said = [each.get("msg") or each.get("message") for each in error if isinstance(each, dict)]
        return "; ".join(str(each) for each in said if each) or None
    return error if isinstance(error, str) else None


def _code(value: object) -> str:
    """Return a code as text; an empty one if it is none."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
