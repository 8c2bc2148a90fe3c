"""A run's numbers as tiles, each with its difference to the run before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from vidgen_nb.analysis.metrics.model import MetricsData
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import percent

__all__ = ["Tile", "tiles"]

MINUS, PLUS = "\N{MINUS SIGN}", "+"
Number = Callable[[MetricsData], float | None]


@dataclass(frozen=True)
class Tile:
    """One number, and how it differs."""

    name: str
    value: str
    difference: str = ""
    """Empty: there is no run before, or the number is the same as it was."""
    is_better: bool | None = None
    """Whether the difference is for the better; None: it is neither."""
    meaning: str = ""


@dataclass(frozen=True)
class _Kind:
    name: str
    number: Number
    text: Callable[[float], str]
    meaning: str
    more_is_better: bool = False
    unit: str = ""
    """What is said after a difference, if it is not part of the text."""


def _points(value: float) -> str:
    return f"{100 * value:.0f}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _wait(metrics: MetricsData) -> float | None:
    return None if metrics.wait is None else metrics.wait.p50


FIRST: Final = (
    _Kind("Time", lambda each: each.makespan, duration, "from the start to the last finished scene"),
    _Kind("Refusals (429)", lambda each: each.rate_limited, _whole, "submits that were refused"),
    _Kind("Wasted", lambda each: each.wasted_share, percent, "of the attempts led to no video", unit=" points"),
    _Kind("Median wait", _wait, duration, "of a scene, until its service began"),
)
LATER: Final = (
    _Kind("Share of the bound", lambda each: each.efficiency, percent, "bound ÷ time: 100 % is the best possible",
          more_is_better=True, unit=" points"),
)  # fmt: skip
"""It takes longer than the run itself."""


def tiles(metrics: MetricsData, before: MetricsData | None, *, bound: bool) -> Iterator[Tile]:
    """Yield the tiles of a run; with `bound`, also how far it is from the best possible."""
    for kind in (*FIRST, *(LATER if bound else ())):
        number = kind.number(metrics)
        difference, is_better = _difference(kind, number, None if before is None else kind.number(before))
        text = "–" if number is None else kind.text(number)
        yield Tile(kind.name, text, difference, is_better, kind.meaning)
    if not bound:
        yield from (Tile(kind.name, "…", meaning=kind.meaning) for kind in LATER)
    done, total = metrics.scenes.get("succeeded", 0), sum(metrics.scenes.values())
    if done < total:
        yield Tile("Scenes done", f"{done:,} of {total:,}", meaning="the rest failed, or was not run to its end")


def _difference(kind: _Kind, number: float | None, before: float | None) -> tuple[str, bool | None]:
    """Return a difference in words, and whether it is for the better."""
    if number is None or before is None:
        return "", None
    apart = number - before
    text = (_points if kind.unit else kind.text)(abs(apart))
    if text.split()[0] in ("0", "0.0"):
        return "", None
    unit = kind.unit.removesuffix("s") if text == "1" else kind.unit
    return f"{PLUS if apart > 0 else MINUS}{text}{unit}", (apart > 0) == kind.more_is_better
