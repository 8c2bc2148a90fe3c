"""Learns one quota group's limit from the answers to its submits; the heart of `Paced`.

Without a model, one submit at a time goes out until a 429 says that the limit is reached. What follows depends on
whether the 429 tells the reset; for one that does not, see `probing`. For one that does:

- One submit at the reset is safe, whether the limit is a bucket or a window. A second one at once, the *challenge*,
  tells them apart: if it is accepted, the limit is a window of the first burst's size; if it is refused, a bucket,
  whose rate follows from the two resets.
- If the risk budget is used up the challenge waits, and the model is the bucket, the slower one of the two.

When a submit that the model allowed is refused, the model is corrected, and given up if that happens again and again. A
model that was right for long is challenged again at growing intervals, to find out whether the limit was raised.
"""

from __future__ import annotations

import math
from collections import deque

from vidgen_nb.core.model import RateInfo
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.policies.paced import probing
from vidgen_nb.policies.paced.limit_models import MAX_HISTORY, BucketModel, LimitModel, ProbeModel, WindowModel
from vidgen_nb.policies.paced.outage import DOUBT_SUBMITS, Outage
from vidgen_nb.policies.paced.risk_budget import RISK_SHARE_WITH_RESET, RISK_SHARE_WITHOUT_RESET, RiskBudget

__all__ = ["LimitLearner"]

CAUTIOUS_INTERVAL_SECONDS = 4.0
"""Between submits to a group without a model, once the risk budget is used up."""
MIN_RESET_SECONDS = 1e-3
"""Resets closer than this are treated as one."""
ACCEPTED_BEFORE_CHALLENGE = 50
"""Submits accepted in a row before a model is challenged; doubled by each challenge that is refused."""
ACCEPTED_BEFORE_NEXT_CHALLENGE = 10
"""The same after an accepted challenge, if 429s tell no reset."""
ACCEPTED_BEFORE_MORE_SLOTS = 50
"""Submits accepted in a row before one more job at once is tried, if their number is limited."""
MAX_SURPRISES = 3
"""A model is given up after more unexpected refusals than this, each after only a few accepted submits."""


class LimitLearner:
    """One quota group: its submits without an answer, and what is known of its limit."""

    def __init__(self, risk: RiskBudget) -> None:
        self.risk = risk
        risk.groups += 1
        self.risk_share = RISK_SHARE_WITH_RESET
        self.model: LimitModel | None = None
        self.is_kind_known = True
        """False while the model is a bucket only because that is the slower kind."""
        self.history: deque[float] = deque(maxlen=MAX_HISTORY)
        """When the accepted submits left from which the model is learned."""
        self.unanswered = 0
        self.running = 0
        """Jobs that have not ended."""
        self.slots: int | None = None
        """How many jobs may run at once, after a 429 said that there were too many; None: no bound is known."""
        self.one_by_one = False
        """Whether one submit at a time goes out, because the model is being probed."""
        self.leading = False
        """Whether the submit without an answer goes before a burst, so that a refusal is one 429 and not many."""
        self.challenging = False
        """Whether the model expects the submit without an answer to be refused."""
        self.streak = 0
        """Submits accepted since the latest 429."""
        self.challenged_at = 0
        """The streak at the latest challenge."""
        self.challenge_after = ACCEPTED_BEFORE_CHALLENGE
        self.surprises = 0
        self.last_429 = -math.inf
        self.reset_at = 0.0
        """When, according to the latest 429, a submit will be accepted."""
        self.outage = Outage()
        self.pace = 0.0
        """The pace of the model as it was learned, in submits per second, if no reset is told."""
        self.first_wait = self.first_at = 0.0
        """How long the first 429 asked to wait, and when it came."""

    # -- called by the policy

    def earliest(self, now: float) -> float:
        """Return when the next submit may leave; inf: only after an answer."""
        model = self.model
        if self.slots is not None and self.running + self.unanswered >= self.slots:
            return math.inf
        if self.outage.lasts:
            return math.inf if self.unanswered else max(now, self.outage.retry_at)
        alone = model is None or self.leading or self.challenging or self.one_by_one or not self.is_kind_known
        if self.unanswered and alone:
            return math.inf
        if model is None:
            # the first submit is never held back: without it nothing would ever be known
            slow = self.history and not self.risk.allowed(self.risk_share)
            return max(now, self.history[-1] + CAUTIOUS_INTERVAL_SECONDS) if slow else now
        if isinstance(model, ProbeModel):
            probing.heed_other_groups(model, self.risk.too_short)
        at = model.next(now)
        return now if at > now and self._may_challenge() else at

    def sent(self, now: float) -> None:
        """A submit leaves."""
        self.leading = self.leading or not self.unanswered
        self.unanswered += 1
        if self.model is not None:
            self.challenging = self.model.next(now) > now and not self.outage.lasts
            self.model.take(now)

    def accepted(self, sent: float, now: float, rate: RateInfo | None) -> None:
        """A submit was accepted; `rate` is what the answer says of the limit, for `HeaderLearner`."""
        self.unanswered -= 1
        self.leading = False
        self.risk.accepted += 1
        self.running += 1
        self.streak += 1
        if self.slots is not None and self.streak % ACCEPTED_BEFORE_MORE_SLOTS == 0 and self.running >= self.slots:
            self.slots += 1
        self.history.append(sent)
        if sent > self.last_429:
            self._end_outage(now)
        if self.challenging:
            self.challenging = False
            self._challenge_accepted(sent)
        elif isinstance(self.model, ProbeModel | probing.ShrinkingWindow):
            self._use_model(probing.accepted(self.model, self.history, self.risk.allowed(self.risk_share)))

    def ended(self) -> None:
        """A job has ended."""
        self.running -= 1

    def dropped(self, *, counts: bool) -> None:
        """A submit was neither accepted nor refused; `counts`: it may have used up part of the limit."""
        self.unanswered -= 1
        self.challenging = False
        if self.model is not None and not counts:
            self.model.give_back()

    def cooldown_seconds(self, outcome: RateLimited) -> float:
        """Return for how long to cool after a 429 that does not say."""
        return CAUTIOUS_INTERVAL_SECONDS if outcome.cause == "concurrency" else probing.cooldown_seconds(self.model)

    def refused(self, sent: float, now: float, outcome: RateLimited) -> None:
        """A submit got a 429."""
        self.unanswered -= 1
        self.risk.refused += not self.outage.lasts
        if self.model is not None:
            self.model.give_back()
        challenging, self.challenging = self.challenging, False
        if sent <= self.last_429:
            return  # late: it says nothing new
        if outcome.cause == "concurrency":
            self.slots, self.streak, self.challenged_at = max(1, self.running), 0, 0
            return
        wait = outcome.retry_after
        if wait is None:
            self.risk_share = RISK_SHARE_WITHOUT_RESET
            self._learn_without_reset(now, challenging)
        else:
            self.outage = Outage()
            self._learn_from_reset(now, wait, challenging)
        self.streak, self.challenged_at, self.last_429 = 0, 0, now
        self.reset_at = now + (wait or 0.0)

    # -- learning from 429s that tell the reset

    def _learn_from_reset(self, now: float, wait: float, challenging: bool) -> None:
        if self.model is None:
            self._first_refusal(now, wait)
        elif challenging:
            self._challenge_refused(now, wait)
        else:
            self._model_refused(now, wait)

    def _first_refusal(self, now: float, wait: float) -> None:
        """The limit is reached for the first time."""
        self.surprises = 0
        n = len(self.history)
        if not n:
            return  # other clients used the limit up: its size is unknown
        self.first_wait, self.first_at = wait, now
        if n == 1:
            self.model = WindowModel(1, max(now + wait - self.history[0], MIN_RESET_SECONDS), self.history)
        else:
            self.is_kind_known = False
            self.model = BucketModel(n, 1 / max(wait, MIN_RESET_SECONDS), 0.0, now)

    def _may_challenge(self) -> bool:
        """Say whether the next submit may challenge the model."""
        if self.one_by_one:
            return False
        since_challenge = self.streak - self.challenged_at
        due = since_challenge >= self.challenge_after if self.is_kind_known else self.streak > 0
        is_blind = self.risk_share == RISK_SHARE_WITHOUT_RESET
        return due and (self.risk.allowed(self.risk_share) or (is_blind and self.streak * self.risk_share >= 1))

    def _challenge_accepted(self, sent: float) -> None:
        model = self.model
        if isinstance(model, BucketModel) and not self.is_kind_known:
            n, self.is_kind_known = model.n, True
            first = self.history[max(0, len(self.history) - n - self.streak)]
            self.model = WindowModel(n, max(self.first_at + self.first_wait - first, MIN_RESET_SECONDS), self.history)
            return
        # the limit is higher than it was
        self.challenged_at = self.streak
        if self.risk_share == RISK_SHARE_WITHOUT_RESET:
            self.challenge_after = ACCEPTED_BEFORE_NEXT_CHALLENGE
            probing.raised(model, sent)
            return
        self.challenge_after = ACCEPTED_BEFORE_CHALLENGE
        self._learn_again(sent - model.per if isinstance(model, WindowModel) else sent)

    def _learn_again(self, since: float) -> None:
        """Learn again, from what was accepted after a time."""
        self.history = deque((at for at in self.history if at >= since), maxlen=MAX_HISTORY)
        self.model, self.is_kind_known, self.one_by_one, self.surprises = None, True, False, 0

    def _challenge_refused(self, now: float, wait: float) -> None:
        model = self.model
        if self.is_kind_known:
            self.challenge_after = max(ACCEPTED_BEFORE_CHALLENGE, 2 * self.challenge_after)
        elif isinstance(model, BucketModel):
            model.rate, self.is_kind_known = self._bucket_rate(model, now, wait), True
        if isinstance(model, BucketModel):
            self._adopt_reset(model, now, wait)

    def _adopt_reset(self, model: BucketModel, now: float, wait: float) -> None:
        """Use what the refusal says about the next token."""
        model.rate = min(model.rate, 1 / max(wait, MIN_RESET_SECONDS))
        model.tokens, model.at = 1 - wait * model.rate, now

    def _bucket_rate(self, model: BucketModel, now: float, wait: float) -> float:
        """Return the rate from the tokens between the resets of two 429s, unless the bucket was full in between."""
        most = 1 / max(wait, self.first_wait, MIN_RESET_SECONDS)
        least = self.streak / max(now + wait - self.reset_at, MIN_RESET_SECONDS)
        return most if self.streak >= model.n else min(least, most)

    def _model_refused(self, now: float, wait: float) -> None:
        """The model was wrong: correct it by the refusal; if that happens again and again, learn again."""
        self.surprises = self.surprises + 1 if self.streak < 2 * MAX_SURPRISES else 1
        model = self.model
        if self.surprises > MAX_SURPRISES or isinstance(model, ProbeModel):
            self._learn_again(math.inf)
        elif isinstance(model, BucketModel):
            if self.streak:
                model.rate = min(model.rate, self._bucket_rate(model, now, wait))
            self._adopt_reset(model, now, wait)
        elif isinstance(model, WindowModel):
            taken = sum(at > now - model.per for at in model.log)
            if 1 <= taken < model.n:
                model.n = taken
            if len(model.log) >= model.n:
                model.per = max(model.per, now + wait - model.log[-model.n])

    # -- learning from 429s that don't tell the reset

    def _learn_without_reset(self, now: float, challenging: bool) -> None:
        model = self.model
        if model is not None and challenging:
            self.challenge_after = max(ACCEPTED_BEFORE_CHALLENGE, 2 * self.challenge_after)
            return
        if model is not None and not isinstance(model, ProbeModel) and not self.one_by_one:
            wrong = self.outage.doubted and self.streak < DOUBT_SUBMITS and isinstance(model, BucketModel)
            self.outage.refused(now, model.pace)
            if self.outage.lasts:
                return
            if wrong:
                self._use_model(probing.probe_again(model, now))
                return
            self.outage.doubted = False
        risky = self.risk.allowed(self.risk_share)
        if isinstance(model, ProbeModel) and not model.taken:
            longest = max(self.risk.too_short.get(model.n, 0.0), now - model.used_up_at)
            self.risk.too_short[model.n] = min(longest, probing.DOUBTED_WAIT_SECONDS)
        self._use_model(probing.refused(model, self.history, now, risky))
        model = self.model
        if model is not None and not isinstance(model, ProbeModel) and model.pace * probing.COLLAPSED_RATIO < self.pace:
            self._use_model(probing.probe_again(model, now))

    def _end_outage(self, now: float) -> None:
        """A submit was accepted: an outage is over, and the model holds again as it was before."""
        outage = self.outage
        if outage.lasts and self.model is not None and not isinstance(self.model, ProbeModel):
            self.model.pace = outage.pace_before
            if isinstance(self.model, probing.CountingBucket):
                self.model.begin(now, empty=False)
            outage.doubted = True
        outage.refusals = 0

    def _use_model(self, model: LimitModel | None) -> None:
        if model is not self.model:
            self.outage = Outage()
            self.pace = 0.0 if model is None or isinstance(model, ProbeModel) else model.pace
            if isinstance(model, probing.CountingBucket) and not self.risk.allowed(self.risk_share):
                self.challenge_after = ACCEPTED_BEFORE_NEXT_CHALLENGE
        self.model = model
        self.one_by_one = isinstance(model, ProbeModel) or (isinstance(model, probing.ShrinkingWindow) and model.trying)
