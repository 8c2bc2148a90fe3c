"""The words of a chart: hover lines and the summary, as plain text with foreign text made harmless.

Prompts, ids, names and reasons are foreign text. Here control and bidi characters are removed and the length is cut;
markup is escaped where the text goes into plotly or XML.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from vidgen_nb.analysis.metrics.results import (
    cooldown_seconds,
    horizon,
    outcome_counts,
    status_counts,
    succeeded_before,
)
from vidgen_nb.analysis.records.builder import AttemptRecord, CooldownRecord, RunData
from vidgen_nb.analysis.records.live_window import RecentData
from vidgen_nb.analysis.records.run_state import is_open
from vidgen_nb.analysis.records.timeline import seconds_of
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import count
from vidgen_nb.wording.standing import standing_counts

__all__ = [
    "AT_PROVIDER",
    "HoverExtras",
    "HoverTexts",
    "attempt_lines",
    "attempts_by_scene",
    "cooldown_lines",
    "off_lines",
    "outcome",
    "seconds",
    "short",
    "standing",
    "summary",
]

AT_PROVIDER = "queued at the provider"
_OUTCOMES = {
    None: "running",
    "rate_limited": "rate-limit refusal (429)",
    "ambiguous": "in doubt, it may have been accepted",
    "unusable": "refused, its account can't be used",
    "transient": "failed for a passing reason",
    "permanent": "failed",
}


def outcome(name: str | None) -> str:
    """Return an attempt's outcome for reading; None: it runs."""
    return _OUTCOMES.get(name, str(name))


def short(name: str, columns: int) -> str:
    """Return a name cleaned and cut in its middle to that many columns, where East Asian characters take two.

    It is cut in the middle because similar names differ at their ends.
    """
    line = one_line(name, 200)
    if _width(line) <= columns:
        return line
    kept = list(line)
    while _width(kept) > columns - 1:
        del kept[len(kept) // 2]
    middle = (len(kept) + 1) // 2
    return "".join([*kept[:middle], "…", *kept[middle:]])


def _width(characters: Iterable[str]) -> int:
    """Return how many columns characters take."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in characters)


def seconds(value: float) -> str:
    """Return a time on the axis of seconds for reading; inf means that it is not known."""
    if math.isinf(value):
        return "no end known"
    return f"{value:,.1f} s" if abs(value) >= 0.1 or abs(value) < 1e-8 else f"{value:.2g} s"


class HoverExtras(NamedTuple):
    """What the hover of an attempt says beyond its own record."""

    total: int
    """Attempts of its scene."""
    prompt: str | None
    until: float | None
    """End of the cooldown that its 429 began, or fell into."""
    following: AttemptRecord | None


class HoverTexts:
    """Finds what the hovers of attempts say."""

    def __init__(self, data: RunData) -> None:
        self._prompts = {scene.id: scene.prompt for scene in data.scenes}
        self.tries = attempts_by_scene(data.attempts)
        several = (each for each in self.tries.values() if len(each) > 1)
        self._following = {id(before): after for each in several for before, after in pairwise(each)}
        """By the attempt before, in O(1): a scene may have thousands."""
        self._windows: dict[str, list[CooldownRecord]] = defaultdict(list)
        for window in sorted(data.cooldowns, key=lambda window: window.start):
            self._windows[window.profile].append(window)

    def beyond(self, attempt: AttemptRecord) -> HoverExtras:
        """Return what the hover of an attempt says beyond its record."""
        all_of_it, following = self.tries[attempt.scene], self._following.get(id(attempt))
        until = self._until(attempt) if attempt.outcome == "rate_limited" else None
        return HoverExtras(all_of_it[-1].number, self._prompts.get(attempt.scene), until, following)

    def _until(self, attempt: AttemptRecord) -> float | None:
        if attempt.end is None:
            return None
        windows = self._windows[attempt.profile]
        at = bisect_right(windows, attempt.end + 1e-6, key=lambda window: window.start)
        return windows[at - 1].end if at and windows[at - 1].end > attempt.end else None


def attempt_lines(attempt: AttemptRecord, beyond: HoverExtras, end: float) -> tuple[str, ...]:
    """Return the hover of one attempt: which, where, when, how it ended, and what followed."""
    stop = end if attempt.end is None else attempt.end
    tries = f", try {attempt.number} of {beyond.total}" if beyond.total > 1 else ""
    lines = [
        f"{one_line(attempt.scene, 60)} on {one_line(attempt.profile, 60)}{tries}",
        f"“{one_line(beyond.prompt, 80)}”" if beyond.prompt else "",
        f"waited {duration(attempt.start - attempt.queued)}, started at {seconds(attempt.start)}, "
        f"{'running for' if attempt.end is None else 'took'} {duration(stop - attempt.start)}",
        _queued_line(attempt, stop),
        _download_line(attempt, stop),
        _now(attempt) + (f": {one_line(attempt.reason, 100)}" if attempt.reason else ""),
    ]
    if attempt.outcome == "rate_limited":
        lines.append(_rest_line(attempt, beyond.until))
    if (following := beyond.following) is not None:
        next_one = "the same again" if following.profile == attempt.profile else one_line(following.profile, 60)
        lines.append(f"next: {next_one} at {seconds(following.start)}")
    return tuple(line for line in lines if line)


def _download_line(attempt: AttemptRecord, stop: float) -> str:
    took = 0.0 if attempt.generated is None else stop - attempt.generated
    return f"download: {duration(took)}" if round(took, 1) else ""


def _now(attempt: AttemptRecord) -> str:
    """Return how an attempt ended, or what it does."""
    if attempt.waits_at_provider:
        return AT_PROVIDER
    return "downloading" if attempt.end is None and attempt.generated is not None else outcome(attempt.outcome)


def _rest_line(attempt: AttemptRecord, until: float | None) -> str:
    """Return how long the server asked to wait after a 429, and how long its profile did."""
    asked = "gave no time to wait" if attempt.retry_after is None else f"asked for {duration(attempt.retry_after)}"
    rested = "it did not rest"
    if until is not None and attempt.end is not None:
        rested = "no end of its rest is known" if math.isinf(until) else f"it rested {duration(until - attempt.end)}"
    return f"the server {asked}; {rested}"


def _queued_line(attempt: AttemptRecord, stop: float) -> str:
    """Return how long an attempt was queued at its provider; empty: it was not."""
    if attempt.accepted is None or attempt.accepted == attempt.began:
        return ""
    until = stop if attempt.began is None else attempt.began
    return f"{AT_PROVIDER} for {duration(until - attempt.accepted)}, until {seconds(until)}"


def cooldown_lines(window: CooldownRecord, end: float) -> tuple[str, ...]:
    """Return the hover of one window in which a profile rested, or was out of the rotation."""
    finite = math.isfinite(window.end)
    what = "is out of the rotation" if window.unusable else "rests"
    shared = f", with its quota group {one_line(window.group, 60)}" if window.group not in ("", window.profile) else ""
    length = f"{duration(window.end - window.start)}, until {seconds(window.end)}" if finite else "no end is known"
    late = " (after the end of the run)" if end < window.end < math.inf else ""
    lines = (
        f"{one_line(window.profile, 60)} {what}{shared}",
        f"from {seconds(window.start)}: {length}{late}",
        one_line(window.reason, 100),
    )
    return tuple(line for line in lines if line)


def off_lines(start: float, end: float) -> tuple[str, ...]:
    """Return the hover of time off."""
    return (f"no program ran, {duration(end - start)}", f"from {seconds(start)} to {seconds(end)}")


def summary(data: RunData, end: float) -> tuple[str, str]:
    """Return two sentences that sum up the run: numbers of `run.metrics()`, or those at `end` if it is open.

    Cooldowns are in seconds, as there: several rest at once, so that their sum is no time that passed.
    """
    data = data if data.end == end else replace(data, end=end)
    what = f"{count(len(data.scenes), 'scene')} on {count(len(data.profiles), 'profile')}"
    when = f"in {duration(end)} so far" if is_open(data) else f"in {duration(horizon(data))}"
    cooled = sum(cooldown_seconds(data).values())
    outcomes = outcome_counts(data)
    limited = sum(number for (_profile, kind), number in outcomes.items() if kind == "rate_limited")
    stand = standing(data)
    off = f"; no program ran for {duration(seconds_of(data.off))}" if data.off else ""
    return (
        f"{what} {when}: {', '.join(stand)}." if stand else f"{what} {when}.",
        f"{count(len(data.attempts), 'attempt')}, {limited:,} of them rate limited (429); "
        f"{count(len(data.moves), 'move')}; {cooled:,.0f} s of cooldown{off}.",
    )


def standing(data: RunData) -> list[str]:
    """Return how many scenes have succeeded, failed, are held, cancelled, running, waiting.

    Those that succeeded, were run again by hand and have not succeeded since are counted at the end.
    """
    states = status_counts(data)
    earlier = 0 if isinstance(data, RecentData) else succeeded_before(data)
    there = sum(each.waits_at_provider for each in data.attempts)
    notes = {"running": f" ({there:,} of them {AT_PROVIDER})" if there else ""}
    parts = [f"{number:,} {name}{notes.get(name, '')}" for name, number in standing_counts(states).items()]
    return parts + [f"{earlier:,} of these had succeeded earlier"] * bool(earlier)


def attempts_by_scene(attempts: list[AttemptRecord]) -> dict[str, list[AttemptRecord]]:
    """Return the attempts of each scene, in their order."""
    found: dict[str, list[AttemptRecord]] = defaultdict(list)
    for attempt in attempts:
        found[attempt.scene].append(attempt)
    return found
