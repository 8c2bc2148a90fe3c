"""The scheduler's reasons, in the words of the log and the tables (R20)."""

from __future__ import annotations

from vidgen_nb.core.events import SettledStatus
from vidgen_nb.core.state import ProfileState, SceneState

__all__ = ["BY_USER", "IN_TURN", "cancelled_status", "choice_reason", "requeue_reason", "timeout_reason"]

BY_USER = "cancelled by the user"
IN_TURN = "next in turn"


def choice_reason(state: SceneState, profile: ProfileState) -> str:
    """Say why the scene goes to this profile."""
    previous = state.previous
    if not state.avoid or previous is None:
        return IN_TURN
    if previous is not profile:
        return f"moved from {previous.name}"
    return f"back on {profile.name}" + ("" if state.pinned_to else ": no other profile is free")


def requeue_reason(state: SceneState, *, unpaid: bool = False) -> str:
    """Say what a scene waits for after an attempt that failed."""
    if state.pinned_to is not None:
        return f"waits for {state.pinned_to.name}"
    if unpaid:
        return f"waits for the retry budget, failure {state.failures}"
    if state.not_before is not None:
        return f"back-off, failure {state.failures}"
    return "to the front of the queue"


def cancelled_status(state: SceneState, job_timeout: float | None, reason: str = BY_USER) -> tuple[SettledStatus, str]:
    """Return how a scene settles once the provider has cancelled its job, and why."""
    if state.timed_out:
        return "failed", f"{timeout_reason(job_timeout)}: it was cancelled"
    return "cancelled", reason


def timeout_reason(job_timeout: float | None) -> str:
    """Say that a job took longer than allowed."""
    return f"not finished after job_timeout={job_timeout:g} s"
