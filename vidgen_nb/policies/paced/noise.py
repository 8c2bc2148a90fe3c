"""Refusals that no limit explains: whether they look as if drawn by lot.

Two experts predict each answer: the belief in a limit, and the assumption that there is none and a share of all submits
is refused at random. Bayes' rule weighs them. A limit that is right predicts nearly all of its acceptances, so that
chance soon looks unlikely; refusals of submits that were certain speak for chance, as long as they are the minority.
"""

from __future__ import annotations

import math

__all__ = ["Noise"]

FIRST_LOG_ODDS, MAX_LOG_ODDS = -4.0, 2.0
"""Of chance against a limit."""
ERROR = 0.02
"""The chance of an answer that a limit excludes."""
MEMORY = 0.93
"""The weight of an answer relative to the next one."""
PRIOR_REFUSED, PRIOR_ANSWERS = 0.2, 2.0
MAX_SHARE = 0.5
"""If more is refused, there is a limit, whatever it is."""


class Noise:
    """The odds that a group's refusals come at random."""

    __slots__ = ("_answers", "_refused", "log_odds")

    def __init__(self) -> None:
        self.log_odds = FIRST_LOG_ODDS
        self._refused, self._answers = PRIOR_REFUSED, PRIOR_ANSWERS

    @property
    def share(self) -> float:
        """The share of the latest submits that was refused."""
        return self._refused / self._answers

    @property
    def is_likely(self) -> bool:
        """Whether chance explains the answers better than the belief does."""
        return self.log_odds > 0 and self.share <= MAX_SHARE

    def answered(self, chance: float, *, accepted: bool) -> None:
        """Count an answer to a submit that the belief in a limit gave this chance.

        That an uncertain one is accepted says nothing: the same question may have been asked before.
        """
        if not accepted:
            self.log_odds += math.log(self.share / (1 - min(chance, 1 - ERROR)))
        elif chance == 1:
            self.log_odds += math.log(1 - self.share)
        self.log_odds = min(max(self.log_odds, FIRST_LOG_ODDS), MAX_LOG_ODDS)
        self._refused = MEMORY * self._refused + (not accepted)
        self._answers = MEMORY * self._answers + 1
