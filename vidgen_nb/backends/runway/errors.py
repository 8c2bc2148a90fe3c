"""What Runway's answers mean: its tasks, why they fail, and its refusals (docs.dev.runwayml.com/errors)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vidgen_nb.backends.openai.errors import classify as classify_by_status
from vidgen_nb.backends.wire.adapter import fraction
from vidgen_nb.backends.wire.http import Answer, Phase, redacted_line
from vidgen_nb.backends.wire.urls import usable_url
from vidgen_nb.core.model import Artifact
from vidgen_nb.core.outcomes import Cancelled, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.ports import Progress, Secret

__all__ = ["classify", "read_progress", "task_failure"]


def read_progress(task: object, key: Secret) -> Progress | None:
    """Return what a task says of itself; None where it is no task.

    A status that is not in the vocabulary counts as running, unless a failure stands beside it.
    """
    if not isinstance(task, dict) or not isinstance(task.get("status"), str):
        return None
    status = task["status"].upper()
    if status == "SUCCEEDED":
        url = _first_address(task.get("output"))
        if url is None:
            return Progress("failed", outcome=Permanent("the task succeeded without a result", "no_result"))
        return Progress("succeeded", 1.0, artifact=Artifact("public", url))
    if status in ("CANCELLED", "CANCELED"):
        return Progress("cancelled", outcome=Cancelled("cancelled at the provider"))
    if status == "FAILED" or task.get("failureCode") or task.get("failure"):
        return Progress("failed", outcome=task_failure(task, key))
    return Progress("queued" if status in ("PENDING", "THROTTLED") else "running", fraction(task.get("progress")))


def task_failure(task: Mapping[str, Any], key: Secret) -> Failure:
    """Say what the `failureCode` of a failed task means (docs.dev.runwayml.com/errors/task-failures).

    `SAFETY` wherever it stands is never tried again: it is billed, and repeats risk the account. What failed inside,
    or at a third party, may be; a code that is not known is not (R10).
    """
    failure_code, text = task.get("failureCode"), task.get("failure")
    code = failure_code.upper() if isinstance(failure_code, str) else ""
    reason = "the task failed"
    reason += f" {redacted_line(failure_code, key, 80)}" if isinstance(failure_code, str) and failure_code else ""
    reason += f": {redacted_line(text, key)}" if isinstance(text, str) and text else ""
    first, *others = code.split(".")
    if "SAFETY" in (first, *others):
        return Permanent(reason, "content")
    if first in ("", "INTERNAL", "THIRD_PARTY") or (first == "INPUT_PREPROCESSING" and others[:1] == ["INTERNAL"]):
        return Transient(reason)
    return Permanent(reason, "bad_request" if first in ("ASSET", "INPUT_PREPROCESSING") else "no_result")


def classify(answer: Answer, phase: Phase, *, key: Secret, now_epoch: float) -> Failure:
    """Say what an answer that is no success means; Runway's errors have no codes, so the status alone decides.

    `now_epoch`: epoch seconds, for dates where the answer has no `Date` of its own.
    """
    failure = classify_by_status(
        replace(answer, data=_with_first_issue(answer.data)), phase, key=key, now_epoch=now_epoch
    )
    if phase == "submit" and isinstance(failure, RateLimited):
        return ProfileUnusable(failure.reason, "day_quota", failure.retry_after)
    return failure


def _with_first_issue(data: object) -> object:
    """Return an error with its first issue in the text: `{"error", "issues": [{path, message}]}`."""
    if not isinstance(data, dict) or not isinstance(data.get("error"), str):
        return data
    issues = data.get("issues")
    issue = issues[0] if isinstance(issues, list) and issues else None
    if not isinstance(issue, dict):
        return data
    path = issue.get("path")
    where = ".".join(map(str, path[:5])) if isinstance(path, list) else ""
    return {"error": ": ".join(part for part in (data["error"], where, str(issue.get("message") or "")) if part)}


def _first_address(output: object) -> str | None:
    """Return the first http address in a task's output, or None."""
    found = (each for each in (output if isinstance(output, list) else ()) if usable_url(each) is not None)
    return next(map(str, found), None)
