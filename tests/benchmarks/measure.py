"""How rates are compared: interleaved in one run, each measured several times, the best of each counts."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["Row", "best_of", "quiet", "table"]

REPEATS = 7


def quiet() -> None:
    """Let log lines of level WARNING be made, as by default, and go nowhere."""
    logging.getLogger("vidgen_nb").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    """The figures behind the value."""
    value: float | None
    """None: it was not measured."""
    unit: str = "x"
    least: float | None = None
    most: float | None = None

    @property
    def target(self) -> str:
        """What is wanted, as text."""
        if self.least is not None:
            return f">= {self.least:g} {self.unit}"
        return "" if self.most is None else f"<= {self.most:g} {self.unit}"

    @property
    def missed(self) -> bool:
        """Whether the value misses its target."""
        if self.value is None:
            return False
        too_small = self.least is not None and self.value < self.least
        return too_small or (self.most is not None and self.value > self.most)


def best_of(candidates: Mapping[str, Callable[[], float]], repeats: int = REPEATS) -> dict[str, float]:
    """Return each candidate's best rate; they take turns, and each begins with the garbage collected.

    The collector stays on for all of them: what a run keeps costs time in real life too. The first round warms up.
    """
    best = dict.fromkeys(candidates, 0.0)
    for turn in range(repeats + 1):
        for name, measure in candidates.items():
            gc.collect()
            rate = measure()
            if turn:
                best[name] = max(best[name], rate)
    return best


def table(rows: list[Row]) -> str:
    """Return rows as aligned text."""
    cells = [("what", "measured", "value", "target", "")]
    cells += [
        (
            row.what,
            row.measured,
            "" if row.value is None else f"{row.value:.3g} {row.unit}",
            row.target,
            "" if row.value is None or not row.target else "MISSED" if row.missed else "ok",
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)
