"""What is predicted of an open run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Prediction"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """When a run will be finished. Times in run seconds."""

    at: float
    """When the prediction was made."""
    left: int
    """Scenes that were not settled."""
    low: float | None
    """There is a 10 % chance that it finishes earlier; None: can't tell, see `reason`."""
    middle: float | None
    """It is as likely to finish earlier as later."""
    high: float | None
    """There is a 10 % chance that it finishes later."""
    runs: int
    """Simulations behind it."""
    reason: str = ""
    """Why there is no prediction; empty: there is one."""
