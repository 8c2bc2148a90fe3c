"""Results that can't be written here, for example because the disk is full.

Nothing is wrong with the job, which is paid for, or with the profile. While such a result waits, nothing new is
submitted: it would be paid for and then wait, too. A result that failed as often as `max_failures` allows is parked: it
stays with its provider and the run ends; when the run continues, it is fetched again.
"""

from __future__ import annotations

from vidgen_nb.core.state import SceneState

__all__ = ["UnwritableResults"]


class UnwritableResults:
    """Keeps track of scenes whose results could not be written."""

    def __init__(self) -> None:
        self.failures: dict[str, int] = {}
        """How often each result failed, by scene."""
        self.parked: dict[str, SceneState] = {}
        """Scenes whose result is not fetched again until the run continues."""

    def count_failure(self, state: SceneState) -> int:
        """Count one more failure of a result, and return how many there were."""
        failures = self.failures[state.scene.id] = self.failures.get(state.scene.id, 0) + 1
        return failures

    def park(self, state: SceneState) -> None:
        """Leave a result with its provider."""
        state.awaiting_answer = False
        self.parked[state.scene.id] = state

    def forget(self, state: SceneState) -> None:
        """The attempt has ended, however it did."""
        self.failures.pop(state.scene.id, None)
        self.parked.pop(state.scene.id, None)

    def unpark(self) -> list[SceneState]:
        """Count from 0 again, and return the scenes whose results are to be fetched now."""
        parked = list(self.parked.values())
        self.parked.clear()
        self.failures = dict.fromkeys(self.failures, 0)
        return parked
