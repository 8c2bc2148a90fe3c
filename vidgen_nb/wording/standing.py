"""How a scene stands, and how a run ended, in the words that people read.

A scene *waits*, is *running*, or has *succeeded*, *failed*, is *cancelled* or *held* (in doubt). The statuses that the
scheduler knows are finer: what submits, generates or fetches is running. A *run* is done when no scene of it waits or
runs any more, whatever became of them; so "done" is never said of a scene.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

__all__ = ["RUNNING", "SETTLED", "STANDINGS", "ended_word", "standing", "standing_counts", "standings_text"]

RUNNING = ("submitting", "generating", "fetching")
"""Statuses of a scene with a running attempt."""
SETTLED = ("succeeded", "failed", "held", "cancelled")
STANDINGS = (*SETTLED, "running", "waiting")
"""How a scene can stand, in the order in which they are told."""
_WORDS = {"queued": "waiting", **dict.fromkeys(RUNNING, "running")}
_ENDINGS = {None: "broken off", "settled": "done", "max_billed": "spending cap reached"}


def standing(status: str) -> str:
    """Return how a scene with this status stands, in a word."""
    return _WORDS.get(status, status)


def standing_counts(statuses: Mapping[str, int] | Iterable[str]) -> dict[str, int]:
    """Return how many scenes stand how, of their statuses or of numbers by status; zeros are left out."""
    counts: Counter[str] = Counter()
    for status, number in Counter(statuses).items():
        counts[standing(status)] += number
    order = [*STANDINGS, *(name for name in counts if name not in STANDINGS)]
    return {name: counts[name] for name in order if counts[name]}


def standings_text(statuses: Mapping[str, int] | Iterable[str]) -> str:
    """Return the same for reading: `9 succeeded, 1 failed, 2 waiting`; empty: there is no scene."""
    return ", ".join(f"{number:,} {name}" for name, number in standing_counts(statuses).items())


def ended_word(reason: str | None) -> str:
    """Return why a run ended, in a word or a few; None: it was broken off."""
    return _ENDINGS.get(reason, str(reason))
