"""The scheduler's reasons, as a reader of the log wants them (R20)."""

from __future__ import annotations

from vidgen_nb.core.state import ProfileState, SceneState

__all__ = ["where_to", "why"]


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
