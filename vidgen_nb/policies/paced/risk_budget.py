"""How many 429s a run may risk while `Paced` learns."""

from __future__ import annotations

__all__ = ["RISK_SHARE_WITHOUT_RESET", "RISK_SHARE_WITH_RESET", "RiskBudget"]

RISK_SHARE_WITH_RESET, RISK_SHARE_WITHOUT_RESET = 0.048, 0.075
"""The share of attempts that may be refused before nothing more is risked: if 429s tell the reset, and if not."""


class RiskBudget:
    """The 429s of the whole run, relative to its scenes."""

    __slots__ = ("accepted", "groups", "refused", "scenes", "too_short")

    def __init__(self) -> None:
        self.scenes = self.accepted = self.refused = self.groups = 0
        self.too_short: dict[int, float] = {}
        """The longest wait that was too short, by the size of the first burst: groups are often alike."""

    def allowed(self, share: float) -> bool:
        """Say whether one more 429 keeps the refused attempts within their share.

        If 429s tell the reset, each group may have two in any case: the first one and the challenge. Otherwise a short
        run would treat a window as a bucket, and stay that slow to its end.
        """
        attempts = max(self.scenes, self.accepted) + self.refused + 1
        least = 2 * self.groups if share == RISK_SHARE_WITH_RESET else 0
        return self.refused + 1 <= max(share * attempts, least)
