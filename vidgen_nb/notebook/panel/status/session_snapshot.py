"""What the session says at one moment, beside what its events say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from vidgen_nb.analysis.costs import RunCost
from vidgen_nb.analysis.forecast.prediction import Prediction
from vidgen_nb.clock import local_time

__all__ = ["SessionSnapshot"]


@dataclass(frozen=True)
class SessionSnapshot:
    """One moment of a session; times in run seconds."""

    now: float = 0.0
    wall: datetime = field(default_factory=local_time)
    """The date and time of day here."""
    running: bool = False
    paused: bool = False
    stopping: bool = False
    closed: bool = False
    closing: bool = False
    """It is closed, but scenes are still running."""
    speed: float = 1.0
    chosen: int = 0
    """Scenes that Run would take."""
    left_over: int = 0
    """Scenes that an ended run has left."""
    cap: int | None = None
    """How many submits of a run may be accepted: the spending cap."""
    billed: int = 0
    """Submits of this run that were, or may have been, accepted."""
    at_max_cost: str = ""
    """What of the cap in money is used up, where an ended run has reached it; empty: it has not."""
    cost: RunCost | None = None
    """None: no price is known."""
    pause_reason: str = ""
    """Why the run holds back new work by itself; empty: it doesn't."""
    restorable: bool = False
    """An earlier run did not finish, and Restore last run would continue it."""
    cooling: Mapping[str, float] = field(default_factory=dict)
    """Run seconds left for each profile that is cooling or unusable; inf: no end is known."""
    prediction: Prediction | None = None
    """When the run is expected to be done; None: nobody can tell yet."""
