"""Which part of an answer is about a job: then its status is the job's own, whatever the HTTP status."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

from vidgen_nb.backends.wire.reading.error_body import read_error

__all__ = ["names_job", "part_about"]

_ID_PLACES: Final = ("id", "task_id", "request_id", "job_id", "video_id", "name")
_MAX_ID_CHARS: Final = 2048


def names_job(data: Any, job: str, told: object = None) -> bool:
    """Return whether an answer names a job. `told`: the id at the place that a description names."""
    if not isinstance(data, Mapping) or told == job:
        return told == job
    return any(str(data[place]) == job for place in _ID_PLACES if isinstance(data.get(place), str | int))


def part_about(data: Any, job: str) -> Mapping[str, Any]:
    """Return the part of a refusal that names the job; empty if none does.

    A gateway puts its upstream's answer into the text of an error of its own, and the upstream's id into the job's:
    LiteLLM's is `video_` and, in base64, `litellm:custom_llm_provider:…;model_id:…;video_id:…;deployment_id:…`.
    """
    if names_job(data, job):
        found: Mapping[str, Any] = data
        return found
    ids = {job, *_ids_within(job)}
    return next((part for part in read_error(data).nested if str(part.get("id")) in ids), {})


def _ids_within(job: str) -> list[str]:
    """Return the parts of an id that is base64 of several."""
    encoded = job[:_MAX_ID_CHARS].partition("_")[2].rstrip("=")
    try:
        text = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return []
    return [part for part in re.split(r"[;:,]", text) if part]
