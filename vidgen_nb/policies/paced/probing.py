"""Learning a limit whose 429s do not tell the reset: waits that grow, and bursts that show what came meanwhile.

After the first 429 a `Trial` waits and then tries as many as the first burst. Refused at once, it waits longer.
Refused after some, it is a bucket, for which so many tokens came in that time. All accepted, it is a window, or a
bucket that is full again: from then on bursts come a little earlier each time, until one is refused.

Waits grow up to a bound, and what took long is tried once more: it may have been an outage (`policies.paced.outage`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from vidgen_nb.policies.paced.limit_models import LONGEST_WAIT, Bucket, Model, Trial, Window

__all__ = ["Counted", "Tried", "accepted", "anew", "pause", "refused"]

FIRST_WAIT = 3.0
"""Seconds."""
LONGER = 3.0
"""By what the wait grows when it was too short."""
MUCH_LONGER = 5.0
"""The same once the risk budget is used up."""
EARLIER = 0.6
"""By what the window is shortened in a try."""
WIDER = 1.15
"""By what a window grows at least that was refused."""
BURSTS = 3
"""So many bursts show how long a window is on average."""
NEAR = 1.25
"""A window whose bounds are nearer to each other is not tried any more."""
DOUBTED = 125.0
"""Seconds of waiting after which a `Trial` is made once more, up to what it found: it may have been an outage."""
COLLAPSED = 4.0
"""A model that has become so many times slower is learned anew."""
RAISE = 1.25
"""By what a limit is taken to be higher once more was accepted than was expected."""
SHORTEST = 1e-3
"""Seconds; what is closer together is not told apart."""
MARGIN = 1.03
"""Windows are taken to be so much longer, and rates so much lower, than what was seen."""


class Tried(Window):
    """A window that has been long enough; it is tried shorter until that is refused."""

    __slots__ = ("burst", "known", "low", "trying")

    def __init__(self, n: int, known: float, log: Iterable[float], low: float) -> None:
        super().__init__(n, known, log)
        self.known = known
        """So long was enough."""
        self.low = low
        """So long was not."""
        self.trying = False
        self.burst = 0
        """Submits accepted at the length that is tried."""

    @property
    def pace(self) -> float:
        """Submits a second, of those that are sure."""
        return self.n / self.known

    @pace.setter
    def pace(self, pace: float) -> None:
        self.trying = False
        self.known = self.per = self.n / pace

    def shorten(self) -> None:
        """Try a shorter one, if there is much between the bounds."""
        self.trying = self.known > NEAR * self.low
        self.per = max(EARLIER * self.known, math.sqrt(self.low * self.known)) if self.trying else self.known
        self.burst = 0

    def settle(self) -> None:
        """Try no more."""
        self.trying, self.per = False, MARGIN * self.known


class Counted(Bucket):
    """A bucket whose rate is known from how many tokens came since it was empty."""

    __slots__ = ("came", "empty", "late", "latest", "since")

    def __init__(self, n: int, came: int, since: float, now: float, risky: bool) -> None:
        # less than one more came
        super().__init__(n, (came + 0.5 * risky) / max(now - since, SHORTEST), 0.0, now)
        self.came, self.since = came, since
        """Tokens that were taken since then, up to the latest refusal."""
        self.empty = True
        """Whether there were none at that time."""
        self.late, self.latest = 0, now
        """Tokens that were taken since the latest refusal, and when that was."""

    def take(self, now: float) -> None:
        """Count a submit."""
        super().take(now)
        self.late += 1

    def give_back(self) -> None:
        """A submit used up nothing."""
        super().give_back()
        self.late -= 1

    def raised(self, now: float) -> None:
        """More came than was expected: the limit is another one than it was."""
        self.rate *= RAISE
        self.begin(now, empty=False)

    def refused(self, now: float, risky: bool) -> None:
        """It is empty again."""
        came = self.came + self.late
        mean = (came + 0.5 * risky) / max(now - self.since, SHORTEST)
        least, most = (count / max(now - self.latest, SHORTEST) for count in (self.late, self.late + 1))
        slower = mean > most
        self.rate = min(0.95 * self.rate, (max(least, 0.5 * most) if slower else mean) / MARGIN)
        self.came, self.late, self.latest = came, 0, now
        if slower or not self.empty:
            self.begin(now, empty=True)
        self.tokens, self.at = 0.0, now

    def begin(self, now: float, *, empty: bool) -> None:
        """Count anew."""
        self.came, self.since, self.empty = 0, now, empty
        self.late, self.latest = 0, now


def pause(model: Model | None) -> float:
    """Return for how many seconds a group cools that was refused now."""
    if model is None:
        return FIRST_WAIT
    return min(model.wait * LONGER, LONGEST_WAIT) if isinstance(model, Trial) and model.taken <= 1 else 0.0


def heed(model: Trial, too_short: Mapping[int, float]) -> None:
    """Wait longer where a group with an equal first burst was refused after that time; but not twice in a row."""
    waited = model.gate - model.tried
    if not (model.taken or model.skipped) and waited <= too_short.get(model.n, 0.0):
        model.skipped = True
        model.put_off(model.gate, LONGER)


def accepted(model: Model | None, history: Sequence[float], risky: bool) -> Model | None:
    """Return the model after one more was accepted; `risky`: whether one more may be refused."""
    if isinstance(model, Trial) and model.taken >= model.n:
        known = min(model.began - model.start, model.known)
        if model.began - model.tried > DOUBTED and model.known == math.inf:
            return Trial(model.n, model.began, history[-1], FIRST_WAIT, known)
        model = Tried(model.n, known, history, model.low)
        if risky:
            model.shorten()
    elif isinstance(model, Tried) and model.trying:
        model.burst += 1
        if model.burst >= model.n:
            model.known = model.per
            if risky:
                model.shorten()
    return model


def refused(model: Model | None, history: Sequence[float], now: float, risky: bool) -> Model | None:
    """Return the model after a refusal."""
    if model is None:
        return Trial(len(history), history[0], now, FIRST_WAIT) if history else None
    if isinstance(model, Trial):
        if model.taken:
            waited = model.began - model.tried
            if waited > DOUBTED and model.known == math.inf:
                return Trial(model.n, now, now, FIRST_WAIT, waited / model.taken)
            return Counted(model.n, model.taken, model.tried, now, risky)
        model.skipped = False
        model.low = now - model.start
        model.put_off(now, LONGER if risky else MUCH_LONGER)
        return model
    if isinstance(model, Tried):
        return _try_refused(model, now, risky)
    if isinstance(model, Counted):
        model.refused(now, risky)
    elif isinstance(model, Bucket):  # the server told its resets, and does no longer
        model.rate /= RAISE
        model.tokens, model.at = 0.0, now
    else:
        model.per *= RAISE
    return model


def anew(model: Model | None, now: float) -> Model | None:
    """Return what follows a model that was wrong, after a refusal: its size is kept."""
    if model is None or isinstance(model, Trial):
        return model
    return Trial(model.n, now, now, FIRST_WAIT)


def raised(model: Model | None, now: float) -> None:
    """More was accepted than the model expected."""
    if isinstance(model, Counted):
        model.raised(now)
    elif isinstance(model, Bucket):
        model.rate *= RAISE
    elif isinstance(model, Window):
        model.per /= RAISE
        if isinstance(model, Tried):
            model.known = model.per


def _try_refused(model: Tried, now: float, risky: bool) -> Model:
    if not model.trying:
        # a fixed window may have looked shorter than it is: bursts fell on both sides of its edge
        seen = min(len(model.log), BURSTS * model.n)
        mean = (now - model.log[-seen]) * model.n / seen if seen else 0.0
        model.known = model.per = max(WIDER * model.per, mean)
    elif model.burst:
        used_up = model.log[-1 - model.burst] if len(model.log) > model.burst else model.log[0]
        return Counted(model.n, model.burst, used_up, now, risky)
    else:
        model.low = model.per
        if risky and model.known > NEAR**2 * model.low:
            model.shorten()
        else:
            model.settle()
    return model
