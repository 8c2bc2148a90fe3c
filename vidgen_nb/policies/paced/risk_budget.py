"""How many 429s a run may risk while `Paced` learns."""

from __future__ import annotations

__all__ = ["SHARE_BLIND", "SHARE_TOLD", "Risk"]

SHARE_TOLD, SHARE_BLIND = 0.048, 0.075
"""How much of all attempts may be refused before nothing is risked any more: with a Retry-After, and without."""


class Risk:
    """The 429s of the whole run, against its scenes."""

    __slots__ = ("accepted", "groups", "rejected", "scenes", "too_short")

    def __init__(self) -> None:
        self.scenes = self.accepted = self.rejected = self.groups = 0
        self.too_short: dict[int, float] = {}
        """The longest wait that was too short, by the size of the first burst: groups are often alike."""

    def allowed(self, share: float) -> bool:
        """Say whether one more leaves the refused attempts within their share.

        Where a 429 tells the reset, each group may have two whatever the share: the first and the dare. A short run
        would take a window for a bucket otherwise, and stay as slow as that for its whole length.
        """
        attempts = max(self.scenes, self.accepted) + self.rejected + 1
        least = 2 * self.groups if share == SHARE_TOLD else 0
        return self.rejected + 1 <= max(share * attempts, least)
