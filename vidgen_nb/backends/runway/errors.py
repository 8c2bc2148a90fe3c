"""What Runway's errors mean: why a task failed, and its refusals (docs.dev.runwayml.com/errors)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vidgen_nb.backends.openai.errors import classify as classify_by_status
from vidgen_nb.backends.wire.http import Answer, Phase, redacted_line
from vidgen_nb.backends.wire.reading.error_body import tells_error
from vidgen_nb.core.outcomes import Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.ports import Secret

__all__ = ["classify", "task_failure"]


def task_failure(task: Mapping[str, Any], key: Secret) -> Failure:
    """Return the failure that the `failureCode` of a failed task means (docs.dev.runwayml.com/errors/task-failures).

    A code with `SAFETY` in it is never retried: the task is billed, and repeating it risks the account. Internal
    failures, and those of a third party, are retried; an unknown code is not (R10), nor a task that was deleted or has
    expired.
    """
    failure_code, text = task.get("failureCode"), task.get("failure")
    code = failure_code.upper() if isinstance(failure_code, str) else ""
    reason = "the task failed"
    reason += f" {redacted_line(failure_code, key, 80)}" if isinstance(failure_code, str) and failure_code else ""
    reason += f": {redacted_line(text, key)}" if isinstance(text, str) and text else ""
    first, *others = code.split(".")
    if "SAFETY" in (first, *others):
        return Permanent(reason, "content")
    word = str(task.get("status")).strip().lower()
    if not tells_error([failure_code, text]) and word != "failed":
        return Permanent(f"the task ended: {redacted_line(word, key, 80)}", "no_result")
    if first in ("", "INTERNAL", "THIRD_PARTY") or (first == "INPUT_PREPROCESSING" and others[:1] == ["INTERNAL"]):
        return Transient(reason)
    return Permanent(reason, "bad_request" if first in ("ASSET", "INPUT_PREPROCESSING") else "no_result")


def classify(answer: Answer, phase: Phase, *, key: Secret, now_epoch: float) -> Failure:
    """Return the failure that an answer means; Runway's errors have no codes, so the status alone decides.

    `now_epoch`: epoch seconds, for dates in an answer without a `Date` of its own.
    """
    failure = classify_by_status(answer, phase, key=key, now_epoch=now_epoch)
    if phase == "submit" and answer.status == 429 and isinstance(failure, RateLimited):
        return ProfileUnusable(failure.reason, "day_quota", failure.retry_after)
    return failure
