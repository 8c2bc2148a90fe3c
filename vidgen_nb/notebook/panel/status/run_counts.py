"""How many scenes and attempts a run has, by status and by profile. The live window counts; this only reads it.

Statuses have the words that people read: what submits, generates or fetches is running, what is queued is waiting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from vidgen_nb.analysis.metrics.results import outcome_counts, status_counts
from vidgen_nb.analysis.records.live_window import RecentData
from vidgen_nb.wording.standing import SETTLED, standing_counts

__all__ = ["ProfileCounts", "RunCounts"]


@dataclass(frozen=True)
class ProfileCounts:
    """The attempts of one profile."""

    attempts: int = 0
    running: int = 0
    succeeded: int = 0
    rate_limited: int = 0


@dataclass(frozen=True)
class RunCounts:
    """The scenes and attempts of a whole run."""

    scenes: Counter[str] = field(default_factory=Counter)
    """By status: `waiting`, `running`, `succeeded`, `failed`, `held`, `cancelled`."""
    attempts: int = 0
    rate_limited: int = 0
    """Attempts that got a 429."""
    moves: int = 0
    at_provider: int = 0
    """Running scenes whose job waits in its provider's own queue."""
    profiles: Mapping[str, ProfileCounts] = field(default_factory=dict)
    """In the order in which they were added."""

    @classmethod
    def of(cls, window: RecentData) -> Self:
        """Return the counts that a live window has kept."""
        outcomes = outcome_counts(window)
        running = Counter(attempt.profile for attempt in window.attempts if attempt.end is None)
        ended: Counter[str] = Counter()
        for (profile, _outcome), count in outcomes.items():
            ended[profile] += count
        return cls(
            scenes=Counter(standing_counts(status_counts(window))),
            attempts=window.started,
            rate_limited=sum(count for (_profile, outcome), count in outcomes.items() if outcome == "rate_limited"),
            moves=window.moved,
            at_provider=sum(attempt.waits_at_provider for attempt in window.attempts),
            profiles={
                name: ProfileCounts(
                    attempts=ended[name] + running[name],
                    running=running[name],
                    succeeded=outcomes[name, "succeeded"],
                    rate_limited=outcomes[name, "rate_limited"],
                )
                for name in window.profiles
            },
        )

    @property
    def total(self) -> int:
        """All scenes."""
        return self.scenes.total()

    @property
    def settled(self) -> int:
        """Scenes that neither wait nor run."""
        return sum(self.scenes[name] for name in SETTLED)

    @property
    def unsettled(self) -> int:
        """Scenes that wait or run."""
        return self.scenes["waiting"] + self.scenes["running"]
