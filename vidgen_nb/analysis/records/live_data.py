"""The records of the latest part of a run, with counts and sums of the rest: what `live_window.Recent` returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from vidgen_nb.analysis.records.bounded_series import Bin, Span
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.records.timeline import cooling_spans, subtract, union

__all__ = ["COOLDOWN", "OlderSums", "RecentData", "SumKey"]

COOLDOWN = "cooldown"
SumKey = tuple[str, str | None]
OlderSums = Bin[SumKey]
"""Of an interval: attempts that ended, by (profile, outcome), and seconds of cooldown, by (profile, `COOLDOWN`)."""


@dataclass(frozen=True, slots=True)
class RecentData(RunData):
    """The latest part of a run, and counts of the whole. `events` is empty."""

    since: float = 0.0
    """All attempts that end after this are there, and no others."""
    started: int = 0
    """Attempts of the whole run."""
    moved: int = 0
    """Moves of the whole run."""
    statuses: dict[str, int] = field(default_factory=dict)
    """How many scenes of the whole run have which status."""
    tallies: dict[tuple[str, str | None], int] = field(default_factory=dict)
    """Attempts of the whole run that ended, by (profile, outcome)."""
    history: list[OlderSums] = field(default_factory=list)
    """Sums of what is older, in bins of one width that begin at multiples of it; empty ones are left out."""
    places: list[int] = field(default_factory=list)
    """The index of each attempt among all of the run."""
    slots: list[int] = field(default_factory=list)
    """The slot of each attempt (`slots.SlotAllocator`)."""
    used: dict[str, int] = field(default_factory=dict)
    """How many slots each profile ever used."""
    waiting: list[tuple[float, int]] = field(default_factory=list)
    """The queue's length as steps (time, length from then on), with those that are queued at a provider."""
    backlog: list[Span] = field(default_factory=list)
    """When something could have been submitted: the gate was open, and a scene waited whose back-off was over."""
    taken: dict[str, list[Span]] = field(default_factory=dict)
    """Per profile, when it ran something or was not part of the session."""

    def idle_spans(self) -> dict[str, list[Span]]:
        """Return, per profile, when it stood idle although scenes waited: `idle_time.idle_spans` of the window."""
        cooling = cooling_spans(self, self.end)
        backlog = subtract(union((max(start, self.since), stop) for start, stop in self.backlog), self.off)
        return {name: subtract(backlog, union([*self.taken[name], *cooling[name]])) for name in self.profiles}

    @property
    def older(self) -> int:
        """Attempts that have left the window."""
        return self.started - len(self.attempts)
