"""Results that can't be written here, such as on a full disk.

Nothing is wrong with the job, which is paid for, or with the profile. Nothing new is submitted while a result waits:
it would be paid for, and then wait, too. A result that failed as often as the retry budget allows is left with its
provider, and the run ends; once it goes on, it is fetched again.
"""

from __future__ import annotations

from vidgen_nb.core.state import SceneState

__all__ = ["UnwritableResults"]


class UnwritableResults:
    """Keeps account of the scenes whose results wait for a place."""

    def __init__(self) -> None:
        self.waiting: dict[str, int] = {}
        """How often each of them failed, by id."""
        self.left: dict[str, SceneState] = {}
        """Those that are not tried again until the run goes on."""

    def count(self, state: SceneState) -> int:
        """Count one more failure of a result, and return how many there were."""
        found = self.waiting[state.scene.id] = self.waiting.get(state.scene.id, 0) + 1
        return found

    def leave(self, state: SceneState) -> None:
        """Leave a result with its provider."""
        state.asked = False
        self.left[state.scene.id] = state

    def forget(self, state: SceneState) -> None:
        """The attempt has ended, in whatever way."""
        self.waiting.pop(state.scene.id, None)
        self.left.pop(state.scene.id, None)

    def begin_anew(self) -> list[SceneState]:
        """Count from 0 again, and return what was left and is to be fetched now."""
        left = list(self.left.values())
        self.left.clear()
        self.waiting = dict.fromkeys(self.waiting, 0)
        return left
