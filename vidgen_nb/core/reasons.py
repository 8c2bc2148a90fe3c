"""The scheduler's reasons, as a reader of the log wants them (R20)."""

from __future__ import annotations

from vidgen_nb.core.events import SettledStatus
from vidgen_nb.core.state import ProfileState, SceneState

__all__ = ["BY_USER", "called_off", "overdue", "where_to", "why"]

BY_USER = "cancelled by the user"


def why(state: SceneState, profile: ProfileState) -> str:
    """Say why this profile."""
    previous = state.previous
    if not state.avoid or previous is None:
        return "next in turn"
    if previous is not profile:
        return f"moved from {previous.name}"
    return f"back on {profile.name}" + ("" if state.pinned_to else ": no other profile is free")


def where_to(state: SceneState, *, unpaid: bool = False) -> str:
    """Say what becomes of a scene that was bounced."""
    if state.pinned_to is not None:
        return f"waits for {state.pinned_to.name}"
    if unpaid:
        return f"waits for the retry budget, failure {state.failures}"
    if state.not_before is not None:
        return f"back-off, failure {state.failures}"
    return "to the front of the queue"


def called_off(state: SceneState, job_timeout: float | None, reason: str = BY_USER) -> tuple[SettledStatus, str]:
    """Return the status with which a scene settles whose job the provider has cancelled, and why."""
    return ("failed", f"{overdue(job_timeout)}: it was cancelled") if state.overdue else ("cancelled", reason)


def overdue(job_timeout: float | None) -> str:
    """Say that a job took longer than it may."""
    return f"not over after job_timeout={job_timeout:g} s"
