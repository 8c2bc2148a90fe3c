"""Quota groups whose server tells in its answers what is left of the limit: what `Paced` makes of that.

The reset is the time until the whole limit is there again (OpenAI's words: "to its initial state"). So each submit
holds a place of the limit until the reset that its own answer told, whatever the kind of limit: of a sliding window
that is when it no longer counts, of a fixed one the edge, and a bucket that lacks k tokens, after k submits in a row
that found it not full, gets them back one by one at the k resets told. What others hold is free at the latest reset.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort

from vidgen_nb.core.model import RateInfo
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.policies.paced.limit_learner import SURPRISES, Learner
from vidgen_nb.policies.paced.limit_models import Window
from vidgen_nb.policies.paced.risk_budget import Risk

__all__ = ["Meter", "Metered"]

LONGEST = 600.0
"""Seconds; where the headers ask to wait longer a submit is tried all the same: its 429 shows in the run."""


class Meter:
    """Who holds a limit's places, by the server's latest word."""

    __slots__ = ("holds", "limit", "others", "until")

    def __init__(self) -> None:
        self.limit = 1
        self.holds: list[float] = []
        """Until when own submits hold a place; in order."""
        self.others = 0
        """Places that nobody here is known to hold."""
        self.until = 0.0
        """When they are free."""

    def heard(self, rate: RateInfo, left: int, reset: float, now: float, *, accepted: bool) -> None:
        """Take in an answer; without a limit in it the places are those that are left or held."""
        self._settle(now)
        if accepted:
            insort(self.holds, now + reset)
        self.limit = rate.limit or max(1, left + len(self.holds))
        used = max(0, self.limit - left)
        del self.holds[: max(0, len(self.holds) - used)]
        self.others, self.until = used - len(self.holds), now + reset

    def next(self, now: float, unanswered: int) -> float:
        """Return `now`, or when a place is free; inf: the answers to submits that have none must tell first."""
        self._settle(now)
        own = len(self.holds)
        missing = own + self.others + unanswered + 1 - self.limit
        if missing <= 0:
            return now
        if missing <= own:
            return self.holds[missing - 1]
        return math.inf if unanswered else max(now, self.until)

    def _settle(self, now: float) -> None:
        if self.holds and self.holds[0] <= now:
            del self.holds[: bisect_right(self.holds, now)]
        if self.until <= now:
            self.others = 0


class Metered(Learner):
    """A learner that goes by what answers tell, as long as that is told and true; it learns on meanwhile."""

    def __init__(self, risk: Risk) -> None:
        super().__init__(risk)
        self.meter: Meter | None = None
        self.wrong = 0
        """429s that the meter did not see coming, each after only a few that were accepted."""
        self.policy: tuple[int, float] | None = None
        """The limit and window that were taken over from headers that tell no more; each is once."""

    def earliest(self, now: float) -> float:
        """Return when the next submit may leave; inf: not before an answer."""
        if self.meter is None:
            return super().earliest(now)
        if self.slots is not None and self.running + self.unanswered >= self.slots:
            return math.inf
        at = self.meter.next(now, self.unanswered)
        if now + LONGEST < at < math.inf:
            tried = super().earliest(now)
            return tried if tried == math.inf or tried + LONGEST < at else at
        return at

    def accepted(self, sent: float, now: float, rate: RateInfo | None) -> None:
        """A submit was accepted; an answer that tells nothing ends the trust in those that did."""
        super().accepted(sent, now, rate)
        if rate is not None or self.meter is not None:
            self._hear(rate, now, accepted=True)

    def refused(self, sent: float, now: float, outcome: RateLimited) -> None:
        """A submit got a 429."""
        calm, late, rate = self.calm, sent <= self.last_429, outcome.rate
        super().refused(sent, now, outcome)
        if self.meter is not None and not late and outcome.cause == "rate":
            self.wrong = self.wrong + 1 if calm < 2 * SURPRISES else 1
            if self.wrong > SURPRISES:
                self.meter = None
        if rate is not None and rate.remaining == 0:  # else it is of another limit than this one
            self._hear(rate, now, accepted=False)

    def _hear(self, rate: RateInfo | None, now: float, *, accepted: bool) -> None:
        """Take in what an answer tells; without what is left and a reset, a limit and its window say enough."""
        reset = None if rate is None else rate.window if rate.reset is None else rate.reset
        if rate is None or rate.remaining is None or reset is None or self.wrong > SURPRISES:
            self.meter = None
            if rate is not None and self.wrong <= SURPRISES:
                self._take_over(rate)
            return
        if self.meter is None:
            self.meter = Meter()
        self.meter.heard(rate, rate.remaining, reset, now, accepted=accepted)

    def _take_over(self, rate: RateInfo) -> None:
        """Begin with the window that the headers tell; it is corrected by 429s as one that was learned."""
        if rate.limit and rate.window and self.model is None and self.policy != (rate.limit, rate.window):
            self.policy = (rate.limit, rate.window)
            self.model = Window(rate.limit, rate.window, self.history)
