"""What a run came to, in numbers: counts, makespan, and each profile's share (analysis.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from vidgen_nb.analysis.records import AttemptRecord, RunData

__all__ = ["Metrics", "ProfileMetrics", "measure", "trail"]


@dataclass(frozen=True, slots=True)
class ProfileMetrics:
    """One profile's share of a run. Times in run seconds."""

    profile: str
    scenes: int
    """Scenes that succeeded on it."""
    attempts: int
    rate_limited: int
    """Attempts that got a 429."""
    cooldown: float
    """Length of the union of its cooldown windows, cut at the run's end."""
    utilisation: float
    """Slot time of attempts that succeeded ÷ (slots · run's length), 0 to 1. Slots: its capacity; without one, the
    most attempts that it ever had at once."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """A run in numbers. Times in run seconds."""

    scenes: dict[str, int]
    """How many scenes have which status."""
    attempts: int
    rate_limited: int
    moves: int
    makespan: float | None
    """Latest end of a scene that succeeded, from the run's start; None: none did."""
    profiles: list[ProfileMetrics]


def measure(data: RunData) -> Metrics:
    """Return a run's numbers."""
    by_profile: dict[str, list[AttemptRecord]] = {name: [] for name in data.profiles}
    for attempt in data.attempts:
        by_profile[attempt.profile].append(attempt)
    windows: dict[str, list[tuple[float, float]]] = {name: [] for name in data.profiles}
    for window in data.cooldowns:
        windows[window.profile].append((window.start, min(window.end, data.end)))
    ends = [scene.end for scene in data.scenes if scene.status == "succeeded" and scene.end is not None]
    return Metrics(
        scenes=dict(Counter(scene.status for scene in data.scenes)),
        attempts=len(data.attempts),
        rate_limited=sum(attempt.outcome == "rate_limited" for attempt in data.attempts),
        moves=len(data.moves),
        makespan=max(ends, default=None),
        profiles=[
            ProfileMetrics(
                name,
                scenes=sum(attempt.outcome == "succeeded" for attempt in attempts),
                attempts=len(attempts),
                rate_limited=sum(attempt.outcome == "rate_limited" for attempt in attempts),
                cooldown=union(windows[name]),
                utilisation=_utilisation(attempts, data.capacities[name], data.end),
            )
            for name, attempts in by_profile.items()
        ],
    )


def union(windows: Iterable[tuple[float, float]]) -> float:
    """Return the length of the union of (start, end) windows."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(windows):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def trail(attempts: Iterable[AttemptRecord]) -> str:
    """Return a scene's way in one line, such as `A✕429→B✓`; attempts in order.

    `✓` succeeded, `✕429` rate limited, `?` in doubt, `…` still running; any other outcome by its name: `✕transient`.
    """
    return "→".join(each.profile + MARKS.get(each.outcome or "", "✕" + (each.outcome or "")) for each in attempts)


MARKS = {"succeeded": "✓", "rate_limited": "✕429", "ambiguous": "?", "": "…"}


def _utilisation(attempts: list[AttemptRecord], capacity: int | None, end: float) -> float:
    spans = [(a.start, end if a.end is None else a.end) for a in attempts]
    slots = capacity or _most_at_once(spans)
    busy = sum(a.end - a.start for a in attempts if a.outcome == "succeeded" and a.end is not None)
    return min(1.0, busy / (slots * end)) if slots and end > 0 else 0.0


def _most_at_once(spans: Iterable[tuple[float, float]]) -> int:
    changes = sorted(change for start, end in spans for change in ((start, 1), (end, -1)))
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
