"""What is learned of one quota group's limit from the answers to its submits; the heart of `Paced`.

Without a model one submit at a time goes out, until a 429 says that the limit is reached. What follows then depends on
whether the 429 tells the reset; without one see `vidgen_nb.policies.paced.probing`. With one:

- One submit at the reset is certain under a bucket and a window alike. A second one at once is the *dare* that tells
  them apart: accepted, it is a window, of as many as the first burst; refused, a bucket, whose rate is known from the
  two resets.
- With the risk budget used up the dare waits, and the model is the bucket, which is the slower one of the two.

A model that is refused follows what the refusal says, and is given up when that happens again and again. One that was
right for long is dared again at growing intervals, so that a limit that was raised is found, too.
"""

from __future__ import annotations

import math
from collections import deque

from vidgen_nb.core.model import RateInfo
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.policies.paced import probing as blind
from vidgen_nb.policies.paced.limit_models import REMEMBERED, Bucket, Model, Trial, Window
from vidgen_nb.policies.paced.outage import SOON, Outage
from vidgen_nb.policies.paced.risk_budget import SHARE_BLIND, SHARE_TOLD, Risk

__all__ = ["Learner"]

SLOW = 4.0
"""Seconds between submits to a group without a model, once the risk budget is used up."""
SHORTEST = 1e-3
"""Seconds; resets closer than that are not told apart."""
DARE_AFTER = 50
"""Submits accepted in a row after which a model is dared; doubled by each dare that is refused."""
DARE_AGAIN = 10
"""The same after one that was accepted, where no reset is told."""
MORE_SLOTS_AFTER = 50
"""Submits accepted in a row after which one more job at once is tried, where these are limited."""
SURPRISES = 3
"""A model is given up after more refusals than that, each after only a few that were accepted."""


class Learner:
    """One quota group: its submits that have no answer yet, and what is known of its limit."""

    def __init__(self, risk: Risk) -> None:
        self.risk = risk
        risk.groups += 1
        self.share = SHARE_TOLD
        self.model: Model | None = None
        self.kind_known = True
        """False while the model is a bucket only because that is the slower one."""
        self.history: deque[float] = deque(maxlen=REMEMBERED)
        """When the accepted submits left that the model is learned from."""
        self.unanswered = 0
        self.running = 0
        """Jobs under way."""
        self.slots: int | None = None
        """How many jobs may be, once a 429 said that there were too many."""
        self.one_by_one = False
        """Whether the model is being tried: then one submit at a time goes out."""
        self.leading = False
        """The submit under way goes before a burst: if it is refused, it is one 429 and not many."""
        self.daring = False
        """The submit under way is one that the model expects to be refused."""
        self.calm = 0
        """Submits accepted since the latest 429."""
        self.dared = 0
        """How many of them there were at the latest dare."""
        self.dare_after = DARE_AFTER
        self.surprises = 0
        self.last_429 = -math.inf
        self.reset = 0.0
        """When the latest 429 said that a submit would be accepted."""
        self.outage = Outage()
        self.pace = 0.0
        """That of the model as it was learned, in submits a second, where no reset is told."""
        self.first_wait = self.first_at = 0.0
        """What the first 429 asked to wait, and when it came."""

    # -- what the policy asks and says

    def earliest(self, now: float) -> float:
        """Return when the next submit may leave; inf: not before an answer."""
        model = self.model
        if self.slots is not None and self.running + self.unanswered >= self.slots:
            return math.inf
        if self.outage.lasts:
            return math.inf if self.unanswered else max(now, self.outage.until)
        if self.unanswered and (model is None or self.leading or self.daring or self.one_by_one or not self.kind_known):
            return math.inf
        if model is None:
            # the first one is never held back: without it nothing is ever known
            slow = self.history and not self.risk.allowed(self.share)
            return max(now, self.history[-1] + SLOW) if slow else now
        if isinstance(model, Trial):
            blind.heed(model, self.risk.too_short)
        at = model.next(now)
        return now if at > now and self._dares() else at

    def sent(self, now: float) -> None:
        """A submit leaves."""
        self.leading = self.leading or not self.unanswered
        self.unanswered += 1
        if self.model is not None:
            self.daring = self.model.next(now) > now and not self.outage.lasts
            self.model.take(now)

    def accepted(self, sent: float, now: float, rate: RateInfo | None) -> None:
        """A submit was accepted; `rate` is what the answer tells of the limit, for `metered.Metered`."""
        self.unanswered -= 1
        self.leading = False
        self.risk.accepted += 1
        self.running += 1
        self.calm += 1
        if self.slots is not None and self.calm % MORE_SLOTS_AFTER == 0 and self.running >= self.slots:
            self.slots += 1
        self.history.append(sent)
        if sent > self.last_429:
            self._ends_row(now)
        if self.daring:
            self.daring = False
            self._dare_accepted(sent)
        elif isinstance(self.model, Trial | blind.Tried):
            self._take(blind.accepted(self.model, self.history, self.risk.allowed(self.share)))

    def ended(self) -> None:
        """A job has ended."""
        self.running -= 1

    def dropped(self, *, counts: bool) -> None:
        """A submit got another answer than accepted or refused; `counts`: it may have used up something."""
        self.unanswered -= 1
        self.daring = False
        if self.model is not None and not counts:
            self.model.give_back()

    def pause(self, outcome: RateLimited) -> float:
        """Return for how many seconds to cool after a 429 that does not say."""
        return SLOW if outcome.cause == "concurrency" else blind.pause(self.model)

    def refused(self, sent: float, now: float, outcome: RateLimited) -> None:
        """A submit got a 429."""
        self.unanswered -= 1
        self.risk.rejected += not self.outage.lasts
        if self.model is not None:
            self.model.give_back()
        daring, self.daring = self.daring, False
        if sent <= self.last_429:
            return  # late: it tells nothing new
        if outcome.cause == "concurrency":
            self.slots, self.calm, self.dared = max(1, self.running), 0, 0
            return
        wait = outcome.retry_after
        if wait is None:
            self.share = SHARE_BLIND
            self._refused_blindly(now, daring)
        else:
            self.outage = Outage()
            self._told(now, wait, daring)
        self.calm, self.dared, self.last_429 = 0, 0, now
        self.reset = now + (wait or 0.0)

    # -- learning from a told reset

    def _told(self, now: float, wait: float, daring: bool) -> None:
        if self.model is None:
            self._first(now, wait)
        elif daring:
            self._dare_refused(now, wait)
        else:
            self._surprised(now, wait)

    def _first(self, now: float, wait: float) -> None:
        """The limit is reached for the first time."""
        self.surprises = 0
        n = len(self.history)
        if not n:
            return  # others used it up: nothing is known of its size
        self.first_wait, self.first_at = wait, now
        if n == 1:
            self.model = Window(1, max(now + wait - self.history[0], SHORTEST), self.history)
        else:
            self.kind_known = False
            self.model = Bucket(n, 1 / max(wait, SHORTEST), 0.0, now)

    def _dares(self) -> bool:
        """Say whether the next submit may be one that the model expects to be refused."""
        if self.one_by_one:
            return False
        due = self.calm > 0 if not self.kind_known else self.calm - self.dared >= self.dare_after
        return due and (self.risk.allowed(self.share) or (self.share == SHARE_BLIND and self.calm * self.share >= 1))

    def _dare_accepted(self, sent: float) -> None:
        model = self.model
        if isinstance(model, Bucket) and not self.kind_known:
            n, self.kind_known = model.n, True
            first = self.history[max(0, len(self.history) - n - self.calm)]
            self.model = Window(n, max(self.first_at + self.first_wait - first, SHORTEST), self.history)
            return
        # the limit is higher than it was
        self.dared = self.calm
        if self.share == SHARE_BLIND:
            self.dare_after = DARE_AGAIN
            blind.raised(model, sent)
            return
        self.dare_after = DARE_AFTER
        self._give_up(sent - model.per if isinstance(model, Window) else sent)

    def _give_up(self, since: float) -> None:
        """Learn anew, from what was accepted after that."""
        self.history = deque((at for at in self.history if at >= since), maxlen=REMEMBERED)
        self.model, self.kind_known, self.one_by_one, self.surprises = None, True, False, 0

    def _dare_refused(self, now: float, wait: float) -> None:
        model = self.model
        if self.kind_known:
            self.dare_after = max(DARE_AFTER, 2 * self.dare_after)
        elif isinstance(model, Bucket):
            model.rate, self.kind_known = self._rate(model, now, wait), True
        if isinstance(model, Bucket):
            self._correct(model, now, wait)

    def _correct(self, model: Bucket, now: float, wait: float) -> None:
        """Take over when the next token comes."""
        model.rate = min(model.rate, 1 / max(wait, SHORTEST))
        model.tokens, model.at = 1 - wait * model.rate, now

    def _rate(self, model: Bucket, now: float, wait: float) -> float:
        """Return the rate from two 429s: so many tokens came between their resets, if it was never full meanwhile."""
        most = 1 / max(wait, self.first_wait, SHORTEST)
        least = self.calm / max(now + wait - self.reset, SHORTEST)
        return most if self.calm >= model.n else min(least, most)

    def _surprised(self, now: float, wait: float) -> None:
        """The model was wrong: follow the refusal; if that happens again and again, learn anew."""
        self.surprises = self.surprises + 1 if self.calm < 2 * SURPRISES else 1
        model = self.model
        if self.surprises > SURPRISES or isinstance(model, Trial):
            self._give_up(math.inf)
        elif isinstance(model, Bucket):
            if self.calm:
                model.rate = min(model.rate, self._rate(model, now, wait))
            self._correct(model, now, wait)
        elif isinstance(model, Window):
            taken = sum(at > now - model.per for at in model.log)
            if 1 <= taken < model.n:
                model.n = taken
            if len(model.log) >= model.n:
                model.per = max(model.per, now + wait - model.log[-model.n])

    # -- learning without one

    def _refused_blindly(self, now: float, daring: bool) -> None:
        model = self.model
        if model is not None and daring:
            self.dare_after = max(DARE_AFTER, 2 * self.dare_after)
            return
        if model is not None and not isinstance(model, Trial) and not self.one_by_one:
            wrong = self.outage.doubted and self.calm < SOON and isinstance(model, Bucket)
            self.outage.refused(now, model.pace)
            if self.outage.lasts:
                return
            if wrong:
                self._take(blind.anew(model, now))
                return
            self.outage.doubted = False
        risky = self.risk.allowed(self.share)
        if isinstance(model, Trial) and not model.taken:
            longest = max(self.risk.too_short.get(model.n, 0.0), now - model.tried)
            self.risk.too_short[model.n] = min(longest, blind.DOUBTED)
        self._take(blind.refused(model, self.history, now, risky))
        model = self.model
        if model is not None and not isinstance(model, Trial) and model.pace * blind.COLLAPSED < self.pace:
            self._take(blind.anew(model, now))

    def _ends_row(self, now: float) -> None:
        """A submit was accepted: an outage is over, and the model is what it was before."""
        outage = self.outage
        if outage.lasts and self.model is not None and not isinstance(self.model, Trial):
            self.model.pace = outage.before
            if isinstance(self.model, blind.Counted):
                self.model.begin(now, empty=False)
            outage.doubted = True
        outage.count = 0

    def _take(self, model: Model | None) -> None:
        if model is not self.model:
            self.outage = Outage()
            self.pace = 0.0 if model is None or isinstance(model, Trial) else model.pace
            if isinstance(model, blind.Counted) and not self.risk.allowed(self.share):
                self.dare_after = DARE_AGAIN
        self.model = model
        self.one_by_one = isinstance(model, Trial) or (isinstance(model, blind.Tried) and model.trying)
