"""The words of a chart: hover lines and the summary, as plain text with foreign text made harmless.

Prompts, ids, names and reasons are somebody else's text. Here they lose control and bidi characters and their
length; what is markup to plotly or to XML is escaped where the text is put into one of them.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from vidgen_nb.analysis.records import AttemptRecord, CooldownRecord, RunData

__all__ = ["Hover", "Words", "clean", "consecutive", "cooldown_lines", "seconds", "short", "summary"]

_OUTCOMES = {
    None: "running",
    "rate_limited": "rate limited (429)",
    "ambiguous": "in doubt: it may have been accepted",
    "unusable": "profile unusable",
}


def clean(text: str, limit: int = 80) -> str:
    """Return one line of at most `limit` characters: no control, bidi or other invisible character in it."""
    kept: list[str] = []
    start = text[: 4 * limit]
    if start.isascii() and start.isprintable():
        kept.append(start)
        start = ""
    for char in start:
        kind = unicodedata.category(char)
        if kind in ("Zs", "Zl", "Zp") or char in "\t\n\r":
            kept.append(" ")
        elif not kind.startswith("C"):
            kept.append(char)
    line = " ".join("".join(kept).split())
    cut = len(line) > limit or len(text) > 4 * limit
    return line[: limit - 1].rstrip() + "…" if cut else line


def short(name: str, columns: int) -> str:
    """Return a name cleaned and cut in its middle to that many columns, of which East Asian characters take two.

    In the middle, because names of one family differ at their ends.
    """
    line = clean(name, 200)
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
    """Return a time or a duration for reading; inf is one whose end is not known."""
    if math.isinf(value):
        return "no end known"
    return f"{value:.1f} s" if abs(value) >= 1 or value == 0 else f"{value:.3g} s"


def _attempt_lines(
    attempt: AttemptRecord,
    *,
    total: int,
    prompt: str | None,
    window: CooldownRecord | None,
    following: AttemptRecord | None,
    end: float,
) -> tuple[str, ...]:
    """Return the hover of one attempt: which, where, when, how it ended, and what came next."""
    outcome = _OUTCOMES.get(attempt.outcome, str(attempt.outcome))
    took = (end if attempt.end is None else attempt.end) - attempt.start
    lines = [
        f"scene {clean(attempt.scene, 60)} · attempt {attempt.number} of {total} · on {clean(attempt.profile, 60)}",
        f"“{clean(prompt)}”" if prompt else "",
        f"queued at {seconds(attempt.queued)} · start at {seconds(attempt.start)} · "
        + (f"running for {seconds(took)}" if attempt.end is None else f"took {seconds(took)}"),
        f"outcome: {outcome}" + (f" – {clean(attempt.reason, 100)}" if attempt.reason else ""),
    ]
    if attempt.outcome == "rate_limited":
        given = "none" if attempt.retry_after is None else seconds(attempt.retry_after)
        used = "no cooldown"
        if window is not None and attempt.end is not None:
            used = seconds(window.end - attempt.end)
        lines.append(f"Retry-After given: {given} · used: {used}")
    if following is not None:
        where = "again" if following.profile == attempt.profile else clean(following.profile, 60)
        lines.append(f"next: {where} at {seconds(following.start)}")
    return tuple(line for line in lines if line)


class Words:
    """Hover lines of one chart, kept for the next one of the same run: most attempts ended and stay as they are."""

    def __init__(self) -> None:
        self.old: dict[tuple[str, int], tuple[tuple[Any, ...], tuple[str, ...]]] = {}
        self.new: dict[tuple[str, int], tuple[tuple[Any, ...], tuple[str, ...]]] = {}
        self.windows: dict[CooldownRecord, tuple[str, ...]] = {}
        self.old_windows: dict[CooldownRecord, tuple[str, ...]] = {}

    def turn(self) -> None:
        """Begin another chart; what the last one did not use is forgotten."""
        self.old, self.new = self.new, {}
        self.old_windows, self.windows = self.windows, {}


class Hover:
    """Finds, for an attempt, what its hover tells beyond its own record."""

    def __init__(self, data: RunData, end: float, words: Words | None = None) -> None:
        self.end = end
        self.words = words or Words()
        self.words.turn()
        self.prompts = {scene.id: scene.prompt for scene in data.scenes}
        self.total: dict[str, int] = {}
        self.following: dict[tuple[str, int], AttemptRecord] = {}
        self.windows: dict[str, list[CooldownRecord]] = defaultdict(list)
        for before, after in consecutive(data.attempts):
            self.following[before.scene, before.number] = after
        for attempt in data.attempts:
            self.total[attempt.scene] = max(attempt.number, self.total.get(attempt.scene, 0))
        for window in sorted(data.cooldowns, key=lambda window: window.start):
            self.windows[window.profile].append(window)

    def of(self, attempt: AttemptRecord) -> tuple[str, ...]:
        """Return the lines of one attempt."""
        window = None
        if attempt.outcome == "rate_limited" and attempt.end is not None:
            windows = self.windows[attempt.profile]
            at = bisect_right(windows, attempt.end + 1e-6, key=lambda window: window.start)
            if at and windows[at - 1].end > attempt.end:
                window = windows[at - 1]
        key = (attempt.scene, attempt.number)
        following, total = self.following.get(key), self.total[attempt.scene]
        # A running attempt's record is a new one each time; of the next attempt, the hover tells only this.
        told = (attempt, total, window, following and (following.profile, following.start))
        before = self.words.old.get(key)
        if before is not None and before[0] == told and attempt.end is not None:
            lines = before[1]
        else:
            prompt = self.prompts.get(attempt.scene)
            lines = _attempt_lines(
                attempt, total=total, prompt=prompt, window=window, following=following, end=self.end
            )
        self.words.new[key] = (told, lines)
        return lines

    def cools(self, window: CooldownRecord) -> tuple[str, ...]:
        """Return the lines of a cooldown window."""
        lines = self.words.old_windows.get(window) if window.end <= self.end else None
        lines = self.words.windows[window] = lines or cooldown_lines(window, self.end)
        return lines


def cooldown_lines(window: CooldownRecord, end: float) -> tuple[str, ...]:
    """Return the hover of one cooldown window."""
    until = "until " + seconds(window.end) if math.isfinite(window.end) else "no end known"
    late = " (after the end of the run)" if end < window.end < math.inf else ""
    length = f" · {seconds(window.end - window.start)}" if math.isfinite(window.end) else ""
    shared = f" · quota group {clean(window.group, 60)}" if window.group not in ("", window.profile) else ""
    lines = (
        f"cooldown of {clean(window.profile, 60)}{shared}",
        f"from {seconds(window.start)} {until}{late}{length}",
        clean(window.reason, 100),
    )
    return tuple(line for line in lines if line)


def summary(data: RunData, end: float) -> tuple[str, str]:
    """Return two sentences that sum the run up, with times until `end`."""
    states = Counter(scene.status for scene in data.scenes)
    settled = [f"{states[name]:,} {name}" for name in ("succeeded", "failed", "held", "cancelled", "queued")]
    under_way = sum(states[name] for name in ("submitting", "generating", "fetching"))
    parts = [part for part in (*settled, f"{under_way} under way") if not part.startswith("0 ")]
    limited = sum(attempt.outcome == "rate_limited" for attempt in data.attempts)
    cooled = sum(max(0.0, min(window.end, end) - window.start) for window in data.cooldowns)
    what = f"{_count(len(data.scenes), 'scene')} on {_count(len(data.profiles), 'profile')} in {seconds(end)}"
    return (
        f"{what}: {', '.join(parts)}." if parts else f"{what}.",
        f"{_count(len(data.attempts), 'attempt')}, {limited:,} of them rate limited (429); "
        f"{_count(len(data.moves), 'move')}; {cooled:,.0f} s of cooldown.",
    )


def _count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it needs one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def consecutive(attempts: list[AttemptRecord]) -> list[tuple[AttemptRecord, AttemptRecord]]:
    """Return all pairs of consecutive attempts of a scene."""
    by_scene: dict[str, list[AttemptRecord]] = defaultdict(list)
    for attempt in attempts:
        by_scene[attempt.scene].append(attempt)
    return [pair for tries in by_scene.values() for pair in pairwise(tries)]
