"""Which limit of weights to name, and why none is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from vidgen_nb.analysis.limits.reasons import MIN_MET, NARROW_FACTOR, few_tell
from vidgen_nb.analysis.limits.submit_history import SubmitHistory
from vidgen_nb.core import events as ev
from vidgen_nb.errors import InputError

__all__ = ["Sizes", "WeighedLimit", "check_weight", "round_lengths", "roundest", "weighed_doubt", "weighed_rates"]

MIN_429S: Final = 2
"""What was seen once may have been something else."""
Sizes = tuple[float, float]
"""The smallest and the largest that may explain every answer."""


@dataclass(frozen=True, slots=True)
class WeighedLimit:
    """Limits of one kind, lengths and sizes of which some explain every answer; those outside explain too little."""

    kind: str
    per: float
    """The roundest of the lengths that explains every answer, if one was found."""
    sizes: Sizes | None
    """All sizes that explain every answer with that length; None: it does not."""
    low: float
    high: float
    """Sizes with any of the lengths."""
    shortest: float
    longest: float


def round_lengths(first: float, last: float) -> Iterator[float]:
    """Yield numbers in a range, those with few digits first; before them minutes and hours."""
    yield from (each for each in (60.0, 3600.0, 600.0, 86_400.0) if first <= each <= last)
    for power in range(math.ceil(math.log10(last)), -9, -1):
        step = 10.0**power
        yield from (round(k * step, 9) for k in range(math.ceil(first / step), math.floor(last / step) + 1))


def check_weight(events: Sequence[ev.Event], weight: str) -> None:
    """Raise `InputError` for a parameter that no scene has."""
    names = dict.fromkeys(name for event in events if isinstance(event, ev.SceneAdded) for name in event.scene.params)
    if weight not in names:
        have = f"they have: {', '.join(names)}" if names else "they have none"
        raise InputError(f"weight: no scene has a parameter {weight!r}; {have}")


def weighed_rates(found: Sequence[WeighedLimit]) -> tuple[float, float]:
    """Return the lowest and the highest rate."""
    return min(each.low / each.longest for each in found), max(each.high / each.shortest for each in found)


def roundest(found: Sequence[WeighedLimit]) -> tuple[WeighedLimit, int]:
    """Return the limit with the fewest digits in length and size, because people set limits; and its size."""
    sized = [(each, _round_within(*(each.sizes or (each.low, each.high)))) for each in found]
    return min(sized, key=lambda each: (not each[0].sizes, _digits(each[0].per) + _digits(each[1]), each[0].per))


def _digits(number: float) -> int:
    """Return how many digits a number has without the zeros at its end; minutes and hours count as one."""
    if number in (60.0, 600.0, 3600.0, 86_400.0):
        return 1
    return len(f"{number:.6g}".replace(".", "").strip("0")) or 1


def _round_within(low: float, high: float) -> int:
    """Return the roundest whole number in an interval, or the one at its lower end."""
    for power in range(int(math.log10(max(high, 1.0))), -1, -1):
        number: int = math.ceil(low / 10**power) * 10**power
        if 1 <= number <= high:
            return number
    return max(1, math.ceil(low))


def weighed_doubt(submits: SubmitHistory, found: Sequence[WeighedLimit], weight: str, *, met: int) -> str:
    """Return why there can be no estimate, or an empty text."""
    if not submits.refused:
        return f"no 429 over the rate; {len(submits.accepted)} submits were accepted"
    if not math.isfinite(math.fsum(submits.weights)):
        return f"some scenes' {weight} are no numbers"
    if not found:
        return (
            f"no single limit of {weight} explains every answer: something else uses this account, or it has several "
            "limits, such as one of requests"
        )
    low, high = weighed_rates(found)
    between = f"between {low:.3g} and {high:.3g} {weight} a second"
    if high == math.inf and met >= MIN_MET:
        return f"its 429s only show that it is at least {low:.3g} {weight} a second"
    if high == math.inf or (met < MIN_MET and high > NARROW_FACTOR * low):
        return f"{few_tell(met)}: {between}"
    if len(submits.refused) < MIN_429S:
        return f"it was reached only once; if nothing else uses this account, it is {between}"
    return ""
