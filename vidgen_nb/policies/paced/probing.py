"""Learning a limit whose 429s do not tell the reset: waits that grow, then bursts that show what became available.

After the first 429 a `ProbeModel` waits, then tries as many submits as in the first burst. If the first is refused, it
waits longer. If a later one is refused, the limit is a bucket that got that many tokens in that time. If all are
accepted, it is a window, or a bucket that is full again: from then on bursts come a little earlier each time, until one
is refused.

Waits grow up to a bound, and a wait that took long is tried once more, because it may have been an outage (`outage`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from vidgen_nb.policies.paced.limit_models import MAX_WAIT_SECONDS, BucketModel, LimitModel, ProbeModel, WindowModel

__all__ = ["CountingBucket", "ShrinkingWindow", "accepted", "cooldown_seconds", "probe_again", "refused"]

FIRST_WAIT_SECONDS = 3.0
WAIT_GROWTH = 3.0
"""Factor of a wait that was too short."""
CAUTIOUS_WAIT_GROWTH = 5.0
"""The same once the risk budget is used up."""
SHRINK_FACTOR = 0.6
"""Factor by which a try shortens the window."""
MIN_WIDENING = 1.15
"""Least factor of a window that was refused."""
AVERAGED_BURSTS = 3
"""Bursts from which a window's average length is taken."""
CLOSE_BOUNDS_RATIO = 1.25
"""A window is no longer shortened if the ratio of its bounds is below this."""
DOUBTED_WAIT_SECONDS = 125.0
"""After a longer wait, the probe is repeated, up to what it found: it may have been an outage."""
COLLAPSED_RATIO = 4.0
"""A model that has become this many times slower is learned again."""
RAISE_FACTOR = 1.25
"""Factor by which a limit is assumed to be higher if more was accepted than expected."""
MIN_SPAN_SECONDS = 1e-3
"""Times closer than this are treated as one."""
SAFETY_FACTOR = 1.03
"""Windows are assumed to be this much longer, and rates this much lower, than what was seen."""


class ShrinkingWindow(WindowModel):
    """A window that has been long enough; it is shortened until that is refused."""

    __slots__ = ("burst", "enough", "too_short", "trying")

    def __init__(self, n: int, enough: float, log: Iterable[float], too_short: float) -> None:
        super().__init__(n, enough, log)
        self.enough = enough
        """Seconds that were enough."""
        self.too_short = too_short
        """Seconds that were not enough."""
        self.trying = False
        self.burst = 0
        """Submits accepted at the length that is being tried."""

    @property
    def pace(self) -> float:
        """Submits per second that are safe."""
        return self.n / self.enough

    @pace.setter
    def pace(self, pace: float) -> None:
        self.trying = False
        self.enough = self.per = self.n / pace

    def shorten(self) -> None:
        """Try a shorter window, unless the bounds are close."""
        self.trying = self.enough > CLOSE_BOUNDS_RATIO * self.too_short
        self.per = (
            max(SHRINK_FACTOR * self.enough, math.sqrt(self.too_short * self.enough)) if self.trying else self.enough
        )
        self.burst = 0

    def settle(self) -> None:
        """Stop shortening."""
        self.trying, self.per = False, SAFETY_FACTOR * self.enough


class CountingBucket(BucketModel):
    """A bucket whose rate follows from how many tokens came since it was empty."""

    __slots__ = ("empty", "refused_at", "since", "taken_before", "taken_since")

    def __init__(self, n: int, came: int, since: float, now: float, risky: bool) -> None:
        # between came and came + 1 tokens came
        super().__init__(n, (came + 0.5 * risky) / max(now - since, MIN_SPAN_SECONDS), 0.0, now)
        self.taken_before, self.since = came, since
        """Tokens taken from `since` to the latest refusal."""
        self.empty = True
        """Whether the bucket was empty at `since`."""
        self.taken_since, self.refused_at = 0, now
        """Tokens taken since the latest refusal, and when that was."""

    def take(self, now: float) -> None:
        """Count a submit."""
        super().take(now)
        self.taken_since += 1

    def give_back(self) -> None:
        """A submit used up nothing."""
        super().give_back()
        self.taken_since -= 1

    def raised(self, now: float) -> None:
        """More was accepted than expected: the limit has changed."""
        self.rate *= RAISE_FACTOR
        self.begin(now, empty=False)

    def refused(self, now: float, risky: bool) -> None:
        """It is empty again."""
        came = self.taken_before + self.taken_since
        mean = (came + 0.5 * risky) / max(now - self.since, MIN_SPAN_SECONDS)
        span, count = max(now - self.refused_at, MIN_SPAN_SECONDS), self.taken_since
        least, most = count / span, (count + 1) / span
        slower = mean > most
        self.rate = min(0.95 * self.rate, (max(least, 0.5 * most) if slower else mean) / SAFETY_FACTOR)
        self.taken_before, self.taken_since, self.refused_at = came, 0, now
        if slower or not self.empty:
            self.begin(now, empty=True)
        self.tokens, self.at = 0.0, now

    def begin(self, now: float, *, empty: bool) -> None:
        """Start counting again."""
        self.taken_before, self.since, self.empty = 0, now, empty
        self.taken_since, self.refused_at = 0, now


def cooldown_seconds(model: LimitModel | None) -> float:
    """Return for how many seconds a group cools after a refusal now."""
    if model is None:
        return FIRST_WAIT_SECONDS
    return (
        min(model.wait * WAIT_GROWTH, MAX_WAIT_SECONDS) if isinstance(model, ProbeModel) and model.taken <= 1 else 0.0
    )


def heed_other_groups(model: ProbeModel, too_short: Mapping[int, float]) -> None:
    """Wait longer if a group with an equal first burst was refused after that time, but not twice in a row."""
    waited = model.retry_at - model.used_up_at
    if not (model.taken or model.lengthened) and waited <= too_short.get(model.n, 0.0):
        model.lengthened = True
        model.wait_longer(model.retry_at, WAIT_GROWTH)


def accepted(model: LimitModel | None, history: Sequence[float], risky: bool) -> LimitModel | None:
    """Return the model after an accepted submit; `risky`: whether one more refusal may be risked."""
    if isinstance(model, ProbeModel) and model.taken >= model.n:
        enough = min(model.probed_at - model.start, model.enough)
        if model.probed_at - model.used_up_at > DOUBTED_WAIT_SECONDS and model.enough == math.inf:
            return ProbeModel(model.n, model.probed_at, history[-1], FIRST_WAIT_SECONDS, enough)
        model = ShrinkingWindow(model.n, enough, history, model.too_short)
        if risky:
            model.shorten()
    elif isinstance(model, ShrinkingWindow) and model.trying:
        model.burst += 1
        if model.burst >= model.n:
            model.enough = model.per
            if risky:
                model.shorten()
    return model


def refused(model: LimitModel | None, history: Sequence[float], now: float, risky: bool) -> LimitModel | None:
    """Return the model after a refusal."""
    if model is None:
        return ProbeModel(len(history), history[0], now, FIRST_WAIT_SECONDS) if history else None
    if isinstance(model, ProbeModel):
        if model.taken:
            waited = model.probed_at - model.used_up_at
            if waited > DOUBTED_WAIT_SECONDS and model.enough == math.inf:
                return ProbeModel(model.n, now, now, FIRST_WAIT_SECONDS, waited / model.taken)
            return CountingBucket(model.n, model.taken, model.used_up_at, now, risky)
        model.lengthened = False
        model.too_short = now - model.start
        model.wait_longer(now, WAIT_GROWTH if risky else CAUTIOUS_WAIT_GROWTH)
        return model
    if isinstance(model, ShrinkingWindow):
        return _try_refused(model, now, risky)
    if isinstance(model, CountingBucket):
        model.refused(now, risky)
    elif isinstance(model, BucketModel):  # the server used to tell its resets, and no longer does
        model.rate /= RAISE_FACTOR
        model.tokens, model.at = 0.0, now
    else:
        model.per *= RAISE_FACTOR
    return model


def probe_again(model: LimitModel | None, now: float) -> LimitModel | None:
    """Return what replaces a wrong model after a refusal: a probe of the same size."""
    if model is None or isinstance(model, ProbeModel):
        return model
    return ProbeModel(model.n, now, now, FIRST_WAIT_SECONDS)


def raised(model: LimitModel | None, now: float) -> None:
    """More was accepted than the model expected: raise its limit."""
    if isinstance(model, CountingBucket):
        model.raised(now)
    elif isinstance(model, BucketModel):
        model.rate *= RAISE_FACTOR
    elif isinstance(model, WindowModel):
        model.per /= RAISE_FACTOR
        if isinstance(model, ShrinkingWindow):
            model.enough = model.per


def _try_refused(model: ShrinkingWindow, now: float, risky: bool) -> LimitModel:
    if not model.trying:
        # a fixed window may have looked too short: bursts fell on both sides of its edge
        seen = min(len(model.log), AVERAGED_BURSTS * model.n)
        mean = (now - model.log[-seen]) * model.n / seen if seen else 0.0
        model.enough = model.per = max(MIN_WIDENING * model.per, mean)
    elif model.burst:
        used_up = model.log[-1 - model.burst] if len(model.log) > model.burst else model.log[0]
        return CountingBucket(model.n, model.burst, used_up, now, risky)
    else:
        model.too_short = model.per
        if risky and model.enough > CLOSE_BOUNDS_RATIO**2 * model.too_short:
            model.shorten()
        else:
            model.settle()
    return model
