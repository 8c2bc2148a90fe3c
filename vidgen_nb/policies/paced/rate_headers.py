"""Quota groups whose server says in its answers what is left of the limit: what `Paced` makes of that.

The reset is the time until the whole limit is available again (OpenAI: "to its initial state"). So each submit holds a
place of the limit until the reset in its own answer, whatever the kind of limit: with a sliding window that is when it
no longer counts, with a fixed one the edge; and a bucket that lacks k tokens, after k submits in a row that found it
not full, gets them back one by one at those k resets. What others hold is free at the latest reset.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort

from vidgen_nb.core.model import RateInfo
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.policies.paced.belief import Belief
from vidgen_nb.policies.paced.limit_learner import MAX_SURPRISES, LimitLearner
from vidgen_nb.policies.paced.prospects import Prospects

__all__ = ["HeaderLearner", "HeaderMeter"]

MAX_TOLD_WAIT_SECONDS = 600.0
"""If the headers ask to wait longer, a submit is tried anyway: its 429 shows in the run."""


class HeaderMeter:
    """Who holds a limit's places, according to the server's latest answer."""

    __slots__ = ("held_by_others", "limit", "others_free_at", "own_holds")

    def __init__(self) -> None:
        self.limit = 1
        self.own_holds: list[float] = []
        """When the places of own submits become free, in order."""
        self.held_by_others = 0
        """Places held by other clients."""
        self.others_free_at = 0.0
        """When those become free."""

    def update(self, rate: RateInfo, left: int, reset: float, now: float, *, accepted: bool) -> None:
        """Apply an answer; if it gives no limit, the places are those left and those held."""
        self._settle(now)
        if accepted:
            insort(self.own_holds, now + reset)
        self.limit = rate.limit or max(1, left + len(self.own_holds))
        used = max(0, self.limit - left)
        del self.own_holds[: max(0, len(self.own_holds) - used)]
        self.held_by_others, self.others_free_at = used - len(self.own_holds), now + reset

    def next(self, now: float, unanswered: int) -> float:
        """Return `now`, or when a place is free; inf: only after the answers to `unanswered` submits."""
        self._settle(now)
        own = len(self.own_holds)
        missing = own + self.held_by_others + unanswered + 1 - self.limit
        if missing <= 0:
            return now
        if missing <= own:
            return self.own_holds[missing - 1]
        return math.inf if unanswered else max(now, self.others_free_at)

    def _settle(self, now: float) -> None:
        if self.own_holds and self.own_holds[0] <= now:
            del self.own_holds[: bisect_right(self.own_holds, now)]
        if self.others_free_at <= now:
            self.held_by_others = 0


class HeaderLearner(LimitLearner):
    """A learner that follows rate-limit headers as long as they are sent and true; it keeps learning meanwhile."""

    def __init__(self, prospects: Prospects) -> None:
        super().__init__(prospects)
        self.meter: HeaderMeter | None = None
        self.meter_errors = 0
        """429s that the meter did not predict, each after only a few accepted submits."""
        self.used_policy: tuple[int, float] | None = None
        """The limit and window last used from headers that give nothing else; each is used once."""

    def earliest(self, now: float) -> float:
        """Return when the next submit may leave; inf: only after an answer."""
        if self.meter is None:
            return super().earliest(now)
        if self.slots is not None and self.running + self.unanswered >= self.slots:
            return math.inf
        at = self.meter.next(now, self.unanswered)
        if now + MAX_TOLD_WAIT_SECONDS < at < math.inf:
            tried = super().earliest(now)
            return tried if tried == math.inf or tried + MAX_TOLD_WAIT_SECONDS < at else at
        return at

    def accepted(self, sent: float, now: float, rate: RateInfo | None) -> None:
        """A submit was accepted; an answer without headers ends the trust in earlier ones."""
        super().accepted(sent, now, rate)
        if rate is not None or self.meter is not None:
            self._read_headers(rate, now, accepted=True)

    def refused(self, sent: float, now: float, outcome: RateLimited) -> None:
        """A submit got a 429."""
        calm, late, rate = self.streak, sent <= self.last_429, outcome.rate
        super().refused(sent, now, outcome)
        if self.meter is not None and not late and outcome.cause == "rate":
            self.meter_errors = self.meter_errors + 1 if calm < 2 * MAX_SURPRISES else 1
            if self.meter_errors > MAX_SURPRISES:
                self.meter = None
        if rate is not None and rate.remaining == 0:  # else the headers describe another limit
            self._read_headers(rate, now, accepted=False)

    def _read_headers(self, rate: RateInfo | None, now: float, *, accepted: bool) -> None:
        """Use the headers of an answer; without a remaining count and a reset, a limit and its window will do."""
        reset = None if rate is None else rate.window if rate.reset is None else rate.reset
        if rate is None or rate.remaining is None or reset is None or self.meter_errors > MAX_SURPRISES:
            self.meter = None
            if rate is not None and self.meter_errors <= MAX_SURPRISES:
                self._use_header_policy(rate)
            return
        if self.meter is None:
            self.meter = HeaderMeter()
        self.meter.update(rate, rate.remaining, reset, now, accepted=accepted)

    def _use_header_policy(self, rate: RateInfo) -> None:
        """Start with the window that the headers give; 429s correct it like a learned one."""
        if rate.limit and rate.window and self.belief is None and self.used_policy != (rate.limit, rate.window):
            self.used_policy = (rate.limit, rate.window)
            self.belief = Belief.of_window(self.log, rate.limit, rate.window)
