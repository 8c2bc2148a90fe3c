"""Checks of what a backend answers: its class may be a user's own, and its answers are recorded.

A journal with a text instead of a number could no longer be read, with all the jobs in it. So a wrong answer counts as
a bug of the backend as soon as it comes in.
"""

from __future__ import annotations

import math
from typing import Any, get_args

from vidgen_nb.core.model import Artifact, Operation, RateInfo
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.ports import CancelAnswer, Progress

__all__ = ["checked_cancel", "checked_failure", "checked_operation", "checked_progress"]

UNFINISHED_STATUSES = ("queued", "running")


def checked_operation(found: Any) -> Operation:
    """Return what a submit returned; `TypeError` unless it is a complete `Operation`."""
    if not isinstance(found, Operation):
        raise TypeError(f"submit returned {_kind(found)}: it returns an Operation(id)")
    if not (type(found.id) is str and found.id and type(found.backend) is str):
        raise TypeError(f"submit returned an Operation whose id or backend is not a text, but {_kind(found.id)}")
    if found.poll_after is not None:
        _check_number(found.poll_after, "submit", "poll_after")
    if found.urls is not None and not all(type(each) is str for pair in found.urls.items() for each in pair):
        raise TypeError("submit returned an Operation whose urls are not texts")
    if found.rate is not None:
        _check_rate(found.rate)
    _check_cost(found.cost, "submit")
    return found


def checked_progress(found: Any) -> Progress:
    """Return what a poll returned; `TypeError` unless it is a complete `Progress`."""
    if not isinstance(found, Progress):
        raise TypeError(f"poll returned {_kind(found)}: it returns a Progress(status)")
    if found.progress is not None:
        _check_number(found.progress, "poll", "progress")
    if found.poll_after is not None:
        _check_number(found.poll_after, "poll", "poll_after")
    _check_cost(found.cost, "poll")
    artifact = found.artifact
    if artifact is not None:
        if not isinstance(artifact, Artifact):
            raise TypeError(f"poll returned a Progress whose artifact is {_kind(artifact)}, not an Artifact(kind, url)")
        if not (type(artifact.kind) is type(artifact.url) is type(artifact.data) is str):
            raise TypeError("poll returned a Progress whose artifact has a kind, url or data that is not a text")
    elif found.outcome is not None:
        checked_failure(found.outcome, "poll")
    elif found.status not in UNFINISHED_STATUSES:
        raise TypeError(f"poll returned Progress({found.status!r}) with neither an artifact nor an outcome")
    return found


def checked_failure(outcome: Any, phase: str) -> Failure:
    """Return a failure; `TypeError` for anything else."""
    if not isinstance(outcome, Failure):
        raise TypeError(f"the outcome of {phase} is {_kind(outcome)}, not one of vidgen_nb.core.outcomes")
    if type(outcome.reason) is not str:
        raise TypeError(f"the outcome of {phase} has a reason that is not a text, but {_kind(outcome.reason)}")
    _check_number(getattr(outcome, "retry_after", None), phase, "retry_after")
    return outcome


def checked_cancel(answer: Any) -> CancelAnswer:
    """Return what a cancel returned; `TypeError` for an unknown word."""
    if answer not in get_args(CancelAnswer):
        raise TypeError(f"cancel returned {_kind(answer)}: it returns one of {', '.join(get_args(CancelAnswer))}")
    found: CancelAnswer = answer
    return found


def _check_number(value: object, phase: str, name: str) -> None:
    if value is not None and not (type(value) in (int, float) and math.isfinite(value)):  # type: ignore[arg-type]
        raise TypeError(f"{phase} says {name}={value!r:.60}, which is not a number")


def _check_cost(cost: object, phase: str) -> None:
    if cost is not None and not (type(cost) is int and cost >= 0):
        raise TypeError(f"{phase} says cost={cost!r:.60}, which is not a whole number of millionths")


def _check_rate(rate: Any) -> None:
    if not isinstance(rate, RateInfo):
        raise TypeError(f"submit returned an Operation whose rate is {_kind(rate)}, not a RateInfo")
    for name in ("limit", "remaining", "reset", "window"):
        _check_number(getattr(rate, name), "submit", name)


def _kind(value: object) -> str:
    return "None" if value is None else f"a value of the type {type(value).__name__}"
