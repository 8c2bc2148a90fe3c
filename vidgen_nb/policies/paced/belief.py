"""What is believed of one quota group's limit, and when the next submit is worth the risk of a 429.

The candidates that are left, weighted by how likely what is left of each was from the start, give the chance that a
submit is accepted at a time. To wait until that is certain takes longer than necessary. An earlier submit is a *dare*:
accepted or refused, it shows on which side x lies.

How early to dare follows from what can be gained. Let the paces that are possible differ by a factor e^L, and let m
scenes be still to come over this group. A dare with the chance q of success, if accepted, makes the certain pace faster
by a factor of about e^(L·(1 - q)), which saves as much time as m·L·(1 - q) submits take; if refused, it costs a 429,
which may be worth the time of `PRICE` submits. The gain, q·m·L·(1 - q) - (1 - q)·PRICE, is largest at

    q = 1/2 + 1/2 · PRICE / (m·L),     and from PRICE >= m·L on no dare is worth it.

What an accepted dare saves at once counts as well: the scene leaves before it would be certain, by so many submits'
time as the likely pace makes in between. Where scenes come one by one, below the limit, that is most of the gain; and
it is all of it where limits differ in when they admit a submit and not in their pace.

So a group bisects, ever more carefully as less is at stake (the value of information: Howard 1966; bisection of the
probability is optimal for one unknown number: Waeber, Frazier and Henderson 2013). What it spends on 429s is bounded by
what its own scenes to come can save, and nothing that other groups spend takes its dares away. 1/2 is a little less
here, since a refusal teaches as much as an acceptance does, and clearly less if it tells the reset: that teaches more,
and costs no time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from vidgen_nb.policies.paced.candidates import MIN_MASS, USUAL_WINDOW_SECONDS, Candidate, explaining
from vidgen_nb.policies.paced.submit_log import SubmitLog

__all__ = ["Belief", "Snapshot"]

PRICE = 1.0
"""What a 429 may cost, in submits."""
LEAST_CHANCE, LEAST_CHANCE_TOLD = 0.45, 0.3
"""The chance of a dare when much is at stake; and if a refusal tells the reset, so that it teaches more."""
SEARCH_STEPS, CLOSE_RATIO, MIN_SPAN_SECONDS = 10, 1.005, 1e-3
"""For the time of a dare."""
CHALLENGE = 0.6
WIDENING = 1.3
"""Factor by which a limit may be slower than believed, after a refusal that nothing explains."""
MAX_CORRECTION = 1.5
"""Largest factor by which one told reset corrects what is believed."""
NARROWING = 3.0
"""Factor by which it may be faster, after an acceptance that nothing explains."""

Snapshot = list[tuple[Candidate, float, float]]
"""Candidates, and where their x lay."""


class Belief:
    """The candidates that are left, and what follows from them."""

    __slots__ = ("_asked", "_asked_at", "_doubt", "_next", "_next_for", "candidates", "log", "prices", "told")

    def __init__(
        self, log: SubmitLog, candidates: Iterable[Candidate], *, told: bool = False, prices: float = 1.0
    ) -> None:
        self.log = log
        self.candidates = list(candidates)
        self.told = told
        """Whether 429s tell the wait, so that x is known for each candidate: the highest that is left."""
        self.prices = prices
        """How many times its usual price a 429 may cost."""
        self._asked: list[float] = []
        """For each candidate, up to which x the latest submit is admitted."""
        self._asked_at = (0.0, 0)
        """When that left, and how many were accepted before."""
        self._next: float | None = None
        self._next_for = 0.0
        """For how many scenes to come."""
        self._doubt: float | None = None

    @classmethod
    def after_first_429(cls, log: SubmitLog, at: float, reset: float | None) -> Belief | None:
        """Return what a first 429 teaches; None if too little was accepted before to say."""
        candidates = explaining(list(log.times), at, told=reset is not None) if log.times else []
        if reset is not None:
            candidates = [each for each in candidates if each.told(log, reset)]
        return cls(log, candidates, told=reset is not None) if candidates else None

    @classmethod
    def of_window(cls, log: SubmitLog, n: int, period: float) -> Belief:
        """Return the belief in a window that the server describes."""
        return cls(log, [Candidate(period * (1 - MIN_MASS), period, USUAL_WINDOW_SECONDS, "window", n)])

    # -- what is believed

    def chance(self, at: float) -> float:
        """Return how likely it is that one more submit is accepted at a time."""
        total = accepted = 0.0
        for each in self.candidates:
            x, mass = each.admits(self.log, at), 1.0 if self.told else each.mass
            total += mass
            accepted += mass * (each.is_certain(x) if self.told else each.share_up_to(x))
        return accepted / total

    def is_certain(self, at: float) -> bool:
        """Say whether each candidate admits one more submit at a time."""
        return all(each.is_certain(each.admits(self.log, at)) for each in self.candidates)

    @property
    def pace(self) -> float:
        """Submits per second that are safe for long."""
        return min(each.pace(each.high) for each in self.candidates)

    @property
    def burst(self) -> int:
        """How many submits may be possible at once when the told reset is reached."""
        return max(each.n for each in self.candidates) if self.told else 0

    @property
    def doubt(self) -> float:
        """The logarithm of the factor by which the paces differ that are possible."""
        if self._doubt is None:
            fastest = max(each.pace(each.high if self.told else each.low) for each in self.candidates)
            self._doubt = math.log(fastest / self.pace)
        return self._doubt

    @property
    def likely_pace(self) -> float:
        """The geometric middle of the paces that are possible."""
        return self.pace * math.exp(self.doubt / 2)

    # -- when the next submit may leave

    def next(self, now: float, scenes: float) -> float:
        """Return `now`, or when the next submit is certain enough; `scenes`: those still to come."""
        if self._next is None or self._next_for != scenes:
            self._next, self._next_for = self._when(scenes), scenes  # as long as nothing happens, it is the same
        return max(now, self._next)

    def challenge_at(self, now: float) -> float:
        """Return `now`, or when a submit would be accepted if the limit were clearly faster than believed."""
        return max(now, max(each.ready(self.log, CHALLENGE * each.low) for each in self.candidates))

    def _when(self, scenes: float) -> float:
        log = self.log
        certain = max(each.ready(log, each.high) for each in self.candidates)
        if certain == -math.inf:
            return certain
        last = log.times[-1]
        earliest = max(last, min(each.ready(log, each.low) for each in self.candidates))
        if earliest >= certain:
            return certain
        pays = self._pays(scenes, certain)
        if pays(earliest):
            return earliest
        short, long = max(earliest - last, MIN_SPAN_SECONDS), certain - last
        for _ in range(SEARCH_STEPS):
            if long <= CLOSE_RATIO * short:
                break
            middle = math.sqrt(short * long)
            if pays(last + middle):
                long = middle
            else:
                short = middle
        return last + long

    def _pays(self, scenes: float, certain: float) -> Callable[[float], bool]:
        """Return what says whether a dare at a time is worth its price; `certain`: when no dare is needed any more."""
        price, least = self.prices * PRICE, LEAST_CHANCE_TOLD if self.told else LEAST_CHANCE
        later, at_once = scenes * self.doubt, min(1.0, scenes) * self.likely_pace

        def pays(at: float) -> bool:
            stake = later + at_once * (certain - at)
            return stake > price and self.chance(at) >= least + (1 - least) * price / stake

        return pays

    # -- submits and their answers

    def take(self, at: float) -> bool:
        """Count a submit, and say whether its acceptance would teach something: `accepted` is to be called."""
        self._asked = [each.admits(self.log, at) for each in self.candidates]
        self._asked_at = at, self.log.count
        self.log.add(at)
        self._next = None
        return any(each.learns(x) for each, x in zip(self.candidates, self._asked, strict=True))

    def _ask_again(self) -> None:
        """The candidates are others than when the latest submit left."""
        at = self._asked_at[0]
        self.log.remove(at)
        self._asked = [each.admits(self.log, at) for each in self.candidates]
        self.log.add(at)

    def give_back(self, at: float) -> None:
        """A submit used up nothing."""
        self.log.remove(at)
        self._next = None

    def count(self, at: float) -> None:
        """A refused submit, which has been given back, used up part of the limit after all."""
        self.log.insert(at)
        self._next = None

    def accepted(self) -> bool:
        """The latest submit was accepted; False: nothing explains that."""
        if len(self._asked) != len(self.candidates):
            self._ask_again()
        before, (at, number) = self.snapshot(), self._asked_at
        for each, x in zip(self.candidates, self._asked, strict=True):
            each.accepted(at, number, x)
        return self._keep(before)

    def refused(self, at: float, reset: float | None) -> bool:
        """A submit that left at a time was refused, and has been given back; False: nothing explains that."""
        before = self.snapshot()
        for each in self.candidates:
            if reset is None or not each.aligned:  # else the reset says what can be said
                each.refused(self.log, at)
            if reset is not None and not each.is_empty and not each.told(self.log, reset):
                each.exclude()
        self.told = reset is not None
        return self._keep(before)

    def _keep(self, before: Snapshot) -> bool:
        """Drop the candidates that an answer has excluded; if that would be all, drop none."""
        left = [each for each in self.candidates if not each.is_empty]
        if left:
            self.candidates = left
            self._forget()
            return True
        self.restore(before)
        return False

    def _forget(self) -> None:
        self._next = self._doubt = None

    # -- answers that nothing explains

    def widen(self, at: float, times: int) -> None:
        """After a refusal, which has been given back: the limit is slower; `times`: how often that happened lately."""
        for each in self.candidates:
            each.widen(self.log, at, WIDENING**times)
        self._forget()

    def correct(self, at: float, reset: float, times: int) -> None:
        """The same, if the reset was told; if it is far, one refusal may be another limit's, or chance."""
        for each in self.candidates:
            each.correct(self.log, at, reset, MAX_CORRECTION if times == 1 else math.inf)
        self._forget()

    def narrow(self) -> None:
        """After an acceptance: the limit is faster."""
        for each, x in zip(self.candidates, self._asked, strict=True):
            each.narrow(x, NARROWING)
        self._forget()

    def snapshot(self) -> Snapshot:
        """Return what is believed now, for `restore`."""
        return [(each, each.low, each.high) for each in self.candidates]

    def restore(self, before: Snapshot) -> None:
        """Believe again what was believed before."""
        self.candidates = [each for each, _, _ in before]
        for each, low, high in before:
            each.low, each.high = low, high
        self._forget()
