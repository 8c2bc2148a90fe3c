"""Values of requests and answers: what may be sent as one, and what can be read from one."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from vidgen_nb.backends.wire.answer import Answer
from vidgen_nb.backends.wire.reading.retry_after import parse_http_date
from vidgen_nb.core.outcomes import Permanent
from vidgen_nb.ports import BackendError

__all__ = [
    "check_unicode",
    "form_text",
    "fraction_or_percent",
    "header_safe",
    "is_listing",
    "is_usable_id",
    "json_object",
    "progress_fraction",
    "server_epoch",
]

MAX_ID_CHARS: Final = 2048
"""Of a job's id: gateways write provider, model, deployment and the upstream's id into it."""
MAX_HEADER_CHARS: Final = 512


def server_epoch(answer: Answer, now_epoch: float) -> float:
    """Return the epoch seconds that an answer's dates count from: the server's own clock, if it sends a date."""
    date = parse_http_date(answer.header("date"))
    return now_epoch if date is None else date


def json_object(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of an answer, or an empty one if its body is something else."""
    return answer.data if isinstance(answer.data, dict) else {}


def is_listing(answer: Answer) -> bool:
    """Return whether an answer lists something, as one to a question for jobs or models does."""
    return answer.ok and any(isinstance(value, list) for value in json_object(answer).values())


def progress_fraction(progress: object, whole: float = 1.0) -> float | None:
    """Return a progress out of `whole` as a fraction from 0 to 1; None if it is no number."""
    if isinstance(progress, bool) or not isinstance(progress, int | float) or progress != progress:
        return None
    return min(max(progress, 0.0), whole) / whole


def fraction_or_percent(value: object) -> float | None:
    """Return a fraction, or percent if above 1, as a fraction from 0 to 1; None if it is no number."""
    return progress_fraction(value, 100 if isinstance(value, int | float) and value > 1 else 1)


def is_usable_id(found: object) -> bool:
    """Return whether a job id can be part of a URL: a dot segment would make another URL of it."""
    if isinstance(found, int) and not isinstance(found, bool):
        return True
    return isinstance(found, str) and 0 < len(found) <= MAX_ID_CHARS and found.strip(".") != "" and found.isprintable()


def check_unicode(content: object) -> None:
    """Raise `BackendError` for JSON with text that UTF-8 can't encode: half a surrogate pair."""
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BackendError(Permanent("the prompt or a parameter is not valid Unicode text")) from None


def form_text(value: object) -> str:
    """Return a form field's text: a string as it is, anything else as JSON; 4.0 as 4, since a DataFrame makes it so."""
    if isinstance(value, str):
        return value
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def header_safe(scene_id: str) -> str:
    """Return a scene id for a header: as it is if plain ASCII, else percent-encoded; cut at `MAX_HEADER_CHARS`."""
    plain = all(" " <= c <= "~" and c != "%" for c in scene_id) and scene_id == scene_id.strip()
    return (scene_id if plain else quote(scene_id, errors="backslashreplace"))[:MAX_HEADER_CHARS]
