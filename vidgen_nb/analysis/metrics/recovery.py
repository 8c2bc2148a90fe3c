"""How long a run needs to recover after trouble, such as an outage: against the same run without it.

The baseline is a control: a run with the same luck, in which the trouble did not happen. So a run without trouble has
recovered at once, whatever its goodput does, and what is left is what the trouble did. A live run has no control:
nobody knows what would have been. It is compared with its own goodput at other times, which is a weaker statement.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf
from statistics import median
from typing import Any

from vidgen_nb.analysis.metrics.results import makespan, successes
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.records.timeline import Steps, queue, value_at
from vidgen_nb.analysis.simulation.what_if import faults_of, what_if
from vidgen_nb.analysis.validation import is_number, listed
from vidgen_nb.errors import InputError

__all__ = ["Recovery", "as_trouble", "check_trouble", "control_of", "outage", "recovery"]

RECOVERED_SHARE = 0.9
"""The share of the baseline's results that counts as recovered; one result less is no difference, either."""
ROUNDING = 1e-9
STEPS_PER_WINDOW = 4
"""Windows of a run's own goodput begin so often in each window's length."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a run recovered after trouble. Times in run seconds.

    For an interval, compare over seeds: `compare(..., faults=[outage]).summary("recovery.lost")`.
    """

    start: float
    """When the trouble began."""
    end: float
    """When it was over."""
    window: float
    """Seconds over which goodput is taken."""
    before: float
    """Results per second in the window before the trouble."""
    seconds: float | None
    """From the end of the trouble until the goodput was back: from then on, at every time until the control is done, at
    least 0.9 as many results have come as in the control, or one less. None: not a window before the control was done.
    Without a control: in the next window at least 0.9 of the run's own median in windows before and well after it."""
    caught_up: float | None = None
    """From the end of the trouble until it had as many results as the control; None: not before that was done. Without
    a control: until the queue was no longer than before."""
    behind: int | None = None
    """The most results that it was behind the control; None: there is no control."""
    lost: float | None = None
    """Its makespan minus the control's; None: there is no control, or one of them has none."""
    control: bool = False
    """Whether there was a control with the same luck."""


def control_of(data: RunData, trouble: tuple[float, float]) -> RunData | None:
    """Return a simulated run again, without its faults that have an end and fall into the trouble.

    If there are none, it is the run itself. None: it is a live run, or one that can't be simulated again.
    """
    backend = data.header.get("backend") or {}
    if backend.get("name") != "simulated":
        return None
    faults, left_out = faults_of(backend.get("faults", ()))
    if left_out:
        return None
    others = [each for each in faults if each.end == inf or each.end <= trouble[0] or each.start >= trouble[1]]
    if len(others) == len(faults):
        return data
    try:
        return build(*what_if(data, {"faults": others}))
    except InputError:  # such as a policy whose class is not known here
        return None


def recovery(data: RunData, start: float, end: float, window: float = 60.0, control: RunData | None = None) -> Recovery:
    """Return how long the run needed after trouble from `start` to `end`.

    `control`: the same run with the same luck, without the trouble. Raises `InputError` as `check_trouble` does.
    """
    check_trouble(start, end, window)
    mine = _ends(data)
    before = _between(mine, start - window, start) / window
    if control is None:
        back = _back_to_itself(mine, start, end, window)
        return Recovery(start, end, window, before, back, _queue_back(data, start, end))
    theirs = _ends(control)
    made, other = makespan(data), makespan(control)
    return Recovery(
        start,
        end,
        window,
        before,
        _back(mine, theirs, end, window),
        _caught_up(mine, theirs, end),
        max([bisect_right(theirs, at) - bisect_right(mine, at) for at in theirs if at >= start], default=0),
        None if made is None or other is None else made - other,
        control=True,
    )


def check_trouble(start: float, end: float, window: float) -> None:
    """Raise `InputError` if the end is before the start, or the window is not a positive number."""
    if not 0 <= start <= end < inf:
        raise InputError(f"trouble starts at 0 s or later and ends after that, not {start!r} to {end!r}")
    if not 0 < window < inf:
        raise InputError(f"goodput's window is a number of seconds above 0, not {window!r}")


def _ends(data: RunData) -> list[float]:
    """Return when results came, in order."""
    return sorted(each.end for each in successes(data) if each.end is not None)


def _between(ends: Sequence[float], start: float, end: float) -> int:
    """Return how many results came in (start, end]."""
    return bisect_right(ends, end) - bisect_right(ends, start)


def _back(mine: Sequence[float], theirs: Sequence[float], end: float, window: float) -> float | None:
    """Return from when on the run had its share of the control's results, counted from there, whenever that is asked.

    With g = results - 0.9 · the control's, it is the first time after which g never falls by more than one.
    """
    last = theirs[-1] if theirs else end
    times = [end, *(at for at in sorted({*mine, *theirs}) if end < at <= last)]
    ahead = [bisect_right(mine, at) - RECOVERED_SHARE * bisect_right(theirs, at) for at in times]
    least = [*accumulate(reversed(ahead), min)][::-1]
    at = next(at for at, now, later in zip(times, ahead, least, strict=True) if later >= now - 1 - ROUNDING)
    return None if at > end and at + window > last else at - end


def _caught_up(mine: Sequence[float], theirs: Sequence[float], end: float) -> float | None:
    """Return when there were as many results as in the control, from the end of the trouble on."""
    last = theirs[-1] if theirs else end
    for at in (end, *mine[bisect_right(mine, end) :]):
        if at > last:
            break
        if bisect_right(mine, at) >= bisect_right(theirs, at):
            return at - end
    return None


def _back_to_itself(mine: Sequence[float], start: float, end: float, window: float) -> float | None:
    """Return when the goodput was back at the run's own, from the end of the trouble on."""
    last = mine[-1] if mine else 0.0
    step = window / STEPS_PER_WINDOW
    begins = [step * k for k in range(int(max(0.0, last - window) / step) + 1)]
    usual = [
        _between(mine, at, at + window)
        for at in begins
        if at + window <= last and (at + window <= start or at >= end + window)
    ]
    if not usual:
        return None
    enough = RECOVERED_SHARE * median(usual) - 1
    for at in (end, *mine[bisect_right(mine, end) :]):
        if at > end and at + window > last:
            return None
        if _between(mine, at, min(at + window, max(last, at))) >= enough or at + window > last:
            return at - end
    return None


def _queue_back(data: RunData, start: float, end: float) -> float | None:
    """Return when the queue was no longer than before, from the end of the trouble on."""
    waiting = queue(data)
    before = value_at(_until(waiting, start), start)
    if value_at(waiting, end) <= before:
        return 0.0
    return next((at - end for at, length in waiting if at > end and length <= before), None)


def _until(steps: Steps, t: float) -> Steps:
    """Return the steps before a time: a scene that bounced at that moment was not in the queue before."""
    return [step for step in steps if step[0] < t]


def outage(faults: Iterable[Mapping[str, Any]]) -> tuple[float, float] | None:
    """Return start and end of the faults in a run's header that have an end, or None."""
    spans = [(fault.get("start", 0.0), fault.get("end")) for fault in faults]
    ended = [(start, end) for start, end in spans if isinstance(end, int | float) and end < inf]
    return (min(start for start, _ in ended), max(end for _, end in ended)) if ended else None


def as_trouble(trouble: Any) -> tuple[float, float]:
    """Return the start and the end of the trouble; `InputError` for anything else."""
    pair = listed("trouble", trouble, "start and end in run seconds, such as (60, 90)")
    if len(pair) != 2 or not all(map(is_number, pair)) or not pair[0] <= pair[1]:
        raise InputError(f"trouble is (start, end) in run seconds, start first, not {trouble!r}")
    return (pair[0], pair[1])
