"""Learns one quota group's limit from the answers to its submits; the heart of `Paced`.

Until a first 429 says that the limit is reached, one submit at a time goes out. From then on a `Belief` says when the
next submit is certain enough. One that is not certain goes alone: what follows depends on its answer.

Answers that the belief excludes are surprises. A told reset corrects it, if it is near or another surprise comes soon:
a far one may be another limit's. Without one the limit has probably become slower, or `outage` and `noise` find another
reason. If surprises go on, the belief is given up. A belief that was right for long is challenged at growing
intervals, as long as enough scenes are to come: the limit may have been raised.
"""

from __future__ import annotations

import math

from vidgen_nb.core.model import RateInfo
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.policies.paced.belief import Belief, Snapshot
from vidgen_nb.policies.paced.counted import MAX_ANSWERS, belief_if_refusals_count
from vidgen_nb.policies.paced.noise import Noise
from vidgen_nb.policies.paced.outage import Outage
from vidgen_nb.policies.paced.prospects import Prospects
from vidgen_nb.policies.paced.submit_log import SubmitLog

__all__ = ["MAX_SURPRISES", "LimitLearner"]

CONCURRENCY_WAIT_SECONDS = 4.0
"""After a 429 for too many jobs at once that does not say for how long."""
ACCEPTED_BEFORE_CHALLENGE = 50
"""Submits accepted in a row before a belief is challenged; doubled by each challenge that is refused."""
ACCEPTED_BEFORE_NEXT_CHALLENGE = 10
"""The same after an accepted challenge or a surprise, if 429s tell no reset."""
ACCEPTED_BEFORE_MORE_SLOTS = 50
"""Submits accepted in a row before one more job at once is tried, if their number is limited."""
SOON_TOLD, SOON_UNTOLD = 3, 6
"""Another surprise after fewer accepted submits than this comes soon: if 429s tell the reset, and if not."""
MAX_SURPRISES = 3
"""A belief is given up after more surprises than this, each soon after the one before."""
LONGEST_WAIT_SECONDS = 90.0
"""Between a 429 that tells no reset and the next submit: if all are refused for longer, it is an outage."""
DOUBTED_ROW_SECONDS = 125.0
"""Refusals in a row for longer than this may have been an outage: once, what they taught is forgotten."""


class LimitLearner:
    """One quota group: its submits without an answer, and what is believed of its limit."""

    def __init__(self, prospects: Prospects) -> None:
        self.prospects = prospects
        self.number = prospects.new_group()
        self.scenes_to_come = 0.0
        """Over this group, at its latest submit or answer."""
        self.scenes_seen = 0
        """How many had been added in the run then."""
        self.log = SubmitLog()
        """The submits from which the limit is learned."""
        self.belief: Belief | None = None
        """None: the limit has not been reached yet."""
        self.answers: list[tuple[float, bool]] = []
        """When submits left, and whether they were accepted; the first ones, since learning began."""
        self.refusals_count = False
        """Whether refused submits use up the limit."""
        self.unanswered = 0
        self.running = 0
        """Jobs that have not ended."""
        self.slots: int | None = None
        """How many jobs may run at once, after a 429 said that there were too many; None: no bound is known."""
        self.leading = False
        """Whether the submit without an answer goes before a burst, so that a refusal is one 429 and not many."""
        self.daring = False
        """Whether the answer to the submit that is under way will teach something."""
        self.challenging = False
        """Whether that submit is expected to be refused."""
        self.chance = 1.0
        """How likely it is that it will be accepted."""
        self.streak = 0
        """Submits accepted since the latest 429."""
        self.challenged_at = 0
        """The streak at the latest challenge."""
        self.challenge_after = ACCEPTED_BEFORE_CHALLENGE
        self.surprises = 0
        self.last_429 = -math.inf
        self.row_began_at: float | None = None
        """When the first of the latest refusals in a row came; None: the latest submit was accepted."""
        self.before_row: Snapshot = []
        """What was believed before that."""
        self.row_was_doubted = False
        self.outage = Outage()
        self.noise = Noise()

    # -- called by the policy

    def earliest(self, now: float) -> float:
        """Return when the next submit may leave; inf: only after an answer."""
        if self.slots is not None and self.running + self.unanswered >= self.slots:
            return math.inf
        belief = self.belief
        alone = belief is None or self.leading or self.daring or self.outage.lasts or self.noise.is_likely
        if self.unanswered and alone:
            return math.inf
        if self.outage.lasts:
            return max(now, self.outage.retry_at)
        if belief is None or self.noise.is_likely:
            return now
        if self.scenes_seen != self.prospects.scenes:
            self._look_ahead()
        at = belief.next(now, self.scenes_to_come)
        if self.unanswered:
            return math.inf if at <= now and not belief.is_certain(now) else at
        if at > now and self._may_challenge():
            return min(at, belief.challenge_at(now))
        if self.row_began_at is not None and not belief.told:
            return max(now, min(at, self.last_429 + LONGEST_WAIT_SECONDS))
        return at

    def _look_ahead(self) -> None:
        """Note what is to come, at each submit and answer and when scenes were added: until then it stays decided."""
        self.scenes_seen = self.prospects.scenes
        burst = 0 if self.belief is None else self.belief.burst
        self.scenes_to_come = self.prospects.scenes_to_come(self.number, burst)

    def _may_challenge(self) -> bool:
        """Say whether it is time to find out whether the limit was raised, and enough scenes are to come for it."""
        due = self.streak - self.challenged_at >= self.challenge_after and not self.outage.lasts
        return due and self.prospects.scenes_to_come(self.number) >= self.challenge_after

    def sent(self, now: float) -> None:
        """A submit leaves."""
        self.leading = self.leading or not self.unanswered
        self.unanswered += 1
        belief = self.belief
        if belief is None:
            self.log.add(now)
            return
        if self.unanswered == 1 and self._may_challenge():
            self.challenging = belief.next(now, self.scenes_to_come) > now
        self.chance = 1.0 if belief.is_certain(now) else belief.chance(now)
        self.daring = belief.take(now) or self.challenging or self.noise.is_likely
        self._look_ahead()

    def accepted(self, sent: float, now: float, rate: RateInfo | None) -> None:
        """A submit was accepted; `rate` is what the answer says of the limit, for `HeaderLearner`."""
        self.unanswered -= 1
        self.leading = False
        self._note_answer(sent, accepted=True)
        self.prospects.accepted += 1
        self.running += 1
        self.streak += 1
        if self.slots is not None and self.streak % ACCEPTED_BEFORE_MORE_SLOTS == 0 and self.running >= self.slots:
            self.slots += 1
        daring, self.daring, self.challenging = self.daring, False, False
        belief = self.belief
        if belief is None:
            return
        if sent > self.last_429:
            self._end_row(belief, sent)
        self.noise.answered(self.chance if daring else 1.0, accepted=True)
        if daring:
            if not belief.accepted():
                self._raise(belief)
            self._note_pace()
        self._look_ahead()

    def ended(self) -> None:
        """A job has ended."""
        self.running -= 1

    def dropped(self, sent: float, *, counts: bool) -> None:
        """A submit was neither accepted nor refused; `counts`: it may have used up part of the limit."""
        self.unanswered -= 1
        self.leading = self.challenging = self.daring = False
        if not counts:
            self._give_back(sent)

    def cooldown_seconds(self, outcome: RateLimited) -> float:
        """Return for how long to cool after a 429 that does not say."""
        return CONCURRENCY_WAIT_SECONDS if outcome.cause == "concurrency" else 0.0

    def refused(self, sent: float, now: float, outcome: RateLimited) -> None:
        """A submit got a 429."""
        self.unanswered -= 1
        self._give_back(sent)
        challenging, self.challenging = self.challenging, False
        daring, self.daring = self.daring, False
        if outcome.cause == "rate":
            self._note_answer(sent, accepted=False)
        if sent <= self.last_429:
            if self.refusals_count and self.belief is not None:
                self.belief.count(sent)
            return  # late: it says nothing new
        if outcome.cause == "concurrency":
            self.slots, self.streak, self.challenged_at = max(1, self.running), 0, 0
            return
        if challenging:
            self.challenge_after *= 2
        chance = self.chance if daring else 1.0
        counts = self.refusals_count
        self._learn(sent, now, chance, None if outcome.retry_after is None else now + outcome.retry_after)
        if counts and self.refusals_count and self.belief is not None:
            self.belief.count(sent)
        self.streak, self.challenged_at, self.last_429 = 0, 0, now
        self._note_pace()
        self._look_ahead()

    def _give_back(self, sent: float) -> None:
        if self.belief is None:
            self.log.remove(sent)
        else:
            self.belief.give_back(sent)

    def _note_answer(self, sent: float, *, accepted: bool) -> None:
        if len(self.answers) <= MAX_ANSWERS:
            self.answers.append((sent, accepted))

    def _note_pace(self) -> None:
        self.prospects.note_pace(self.number, 0.0 if self.belief is None else self.belief.likely_pace)

    # -- what refusals teach

    def _learn(self, sent: float, now: float, chance: float, reset: float | None) -> None:
        """Learn from a refusal; `chance`: of being accepted, as was believed; `reset`: when the next one will be."""
        belief = self.belief
        if belief is None:
            belief = self.belief = Belief.after_first_429(self.log, sent, reset)
            if belief is not None:
                self._begin_row(belief, now)
            return
        if self.row_began_at is None:
            self._begin_row(belief, now)
        if reset is None and self._may_be_chance(chance):
            self._may_count(now)
            return
        if belief.refused(sent, reset):
            return
        if reset is None and self._may_count(now):
            return
        if reset is None:
            self.outage.refused(now, belief.pace)
            if self.outage.lasts:
                return
        self._surprised(belief, sent, reset)

    def _may_count(self, now: float) -> bool:
        """Say whether limits that count refused submits explain what others don't, and believe in them from now on."""
        counting = None if self.refusals_count else belief_if_refusals_count(self.answers)
        if counting is None:
            return False
        self.belief, self.refusals_count, self.noise = counting, True, Noise()
        self._begin_row(counting, now)
        return True

    def _begin_row(self, belief: Belief, now: float) -> None:
        self.row_began_at, self.before_row = now, belief.snapshot()

    def _may_be_chance(self, chance: float) -> bool:
        """Say whether refusals look random; once they no longer do, learn again."""
        before = self.noise.is_likely
        self.noise.answered(chance, accepted=False)
        if before and not self.noise.is_likely:
            self._learn_again()
        return before or self.noise.is_likely

    def _surprised(self, belief: Belief, sent: float, reset: float | None) -> None:
        """A certain submit was refused."""
        soon = self.streak < (SOON_UNTOLD if reset is None else SOON_TOLD)
        self.surprises = self.surprises + 1 if soon else 1
        if self.surprises > MAX_SURPRISES:
            self._learn_again()
        elif reset is None:
            belief.widen(sent, self.surprises)
            self.challenge_after = ACCEPTED_BEFORE_NEXT_CHALLENGE
        else:
            belief.correct(sent, reset, self.surprises)
            if self.surprises > 1:
                self.challenge_after = ACCEPTED_BEFORE_NEXT_CHALLENGE

    def _learn_again(self) -> None:
        self.belief, self.log, self.noise, self.surprises = None, SubmitLog(), Noise(), 0
        self.answers, self.refusals_count = [], False
        self.challenge_after = ACCEPTED_BEFORE_CHALLENGE

    def _raise(self, belief: Belief) -> None:
        """A submit was accepted that the belief excluded."""
        self.challenged_at = self.streak
        if belief.told:
            self._learn_again()
        else:
            self.challenge_after = ACCEPTED_BEFORE_NEXT_CHALLENGE
            belief.narrow()

    def _end_row(self, belief: Belief, sent: float) -> None:
        """A submit was accepted: an outage is over, and says nothing about the limit."""
        if self.row_began_at is not None:
            long = sent - self.row_began_at > DOUBTED_ROW_SECONDS and not (belief.told or self.row_was_doubted)
            if self.outage.lasts or long:
                self.row_was_doubted = True
                belief.restore(self.before_row)
                self.challenge_after = ACCEPTED_BEFORE_NEXT_CHALLENGE
            self.row_began_at = None
        self.outage.refusals = 0
