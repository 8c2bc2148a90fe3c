"""A window of a run: what happened after one time and up to another, as if it had been measured then.

`until` is where the run is looked at: what comes later is not known. `after` is where counting begins: what was over by
then is left out, and time averages begin there. A window that contains the run is the run.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from vidgen_nb.analysis.metrics.results import horizon, successes
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.analysis.records.model import AttemptRecord, RunData
from vidgen_nb.analysis.validation import seconds
from vidgen_nb.errors import InputError

__all__ = ["Window", "window_of"]


@dataclass(frozen=True, slots=True)
class Window:
    """The records of a run up to the end of a window, and what of it counts."""

    data: RunData
    """Up to the end of the window, with everything before it."""
    after: float
    end: float
    """Up to when slots are measured."""
    done: list[AttemptRecord]
    """The successes in `data`."""
    is_part: bool
    """Whether it is less than the run."""

    def over(self, end: float | None) -> bool:
        """Say whether something that ended then was over before the window began."""
        return end is not None and end <= self.after and self.after > 0

    @property
    def seen(self) -> RunData:
        """The records, without scenes, attempts, moves and cooldowns that were over before it began."""
        if not self.after:
            return self.data
        return replace(
            self.data,
            scenes=[each for each in self.data.scenes if not self.over(each.end)],
            attempts=[each for each in self.data.attempts if not self.over(each.end)],
            moves=[each for each in self.data.moves if not self.over(each.at)],
            cooldowns=[each for each in self.data.cooldowns if not self.over(each.end)],
        )

    def in_it(self, attempts: list[AttemptRecord]) -> list[AttemptRecord]:
        """Return the attempts that ended in it or still run at its end."""
        return [each for each in attempts if not self.over(each.end)] if self.after else attempts


def window_of(data: RunData, after: Any, until: Any) -> Window:
    """Return the window from `after` to `until`, in run seconds; None: the start, and the end of the run.

    Raises `InputError` for times that are none, for an end before the start, and for a window after the run.
    """
    first = 0.0 if after is None else seconds("after", after)
    last = inf if until is None else seconds("until", until, finite=False)
    if not first < last:
        raise InputError(f"a window begins before it ends, not after={first:g} and until={last:g}")
    if first and first >= data.end:
        raise InputError(f"after lies in the run, which ended at {data.end:g} s: not {after!r}")
    if last >= data.end:
        done = successes(data)
        return Window(data, first, max(horizon(data, done), first), done, is_part=first > 0)
    known = build(data.header, data.events[: bisect_right(data.events, last, key=lambda event: event.at)])
    off = [(start, min(end, last)) for start, end in data.off if start < last]
    known = replace(known, end=last, off=off)
    return Window(known, first, last, successes(known), is_part=True)
