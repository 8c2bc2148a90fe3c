"""The numbers that say how a run went, each with a plain name and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from vidgen_nb.analysis.costs import RunCost
from vidgen_nb.analysis.metrics.model import MetricsData
from vidgen_nb.charts.drawing.curves import percent
from vidgen_nb.charts.drawing.text import count

__all__ = ["STYLE", "Tile", "duration", "tiles", "tiles_html"]

STYLE = """
.vg-tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 8px; margin: 6px 0 10px; }
.vg-tile { border: 1px solid var(--vg-line, var(--jp-border-color2, #ddd)); border-radius: 6px; padding: 6px 10px; }
.vg-tile b { display: block; font-size: 20px; line-height: 26px; font-weight: 600; }
.vg-tile span { display: block; font-size: 12px; line-height: 16px; }
.vg-tile small { display: block; font-size: 11px; line-height: 14px; opacity: .75; }
"""
ROUNDING = 1e-8
"""A share that is no larger is what a subtraction left of 0."""
_MINUTES, _HOURS = 120.0, 7200.0
"""Seconds from which on a duration is told in minutes, and in hours."""


@dataclass(frozen=True)
class Tile:
    """One number."""

    name: str
    value: str
    meaning: str


def tiles(metrics: MetricsData, cost: RunCost | None = None) -> Iterator[Tile]:
    """Yield the numbers that are known, the most important ones first."""
    done, total = metrics.scenes.get("succeeded", 0), sum(metrics.scenes.values())
    yield Tile("Scenes done", f"{done:,} of {total:,}", _others(metrics))
    if metrics.makespan is not None:
        yield Tile("Time", duration(metrics.makespan), "from the start to the last finished scene")
    if metrics.bound is not None:
        yield Tile("Bound", duration(metrics.bound.seconds), "no scheduler could have been faster")
    if metrics.efficiency is not None:
        yield Tile("Efficiency", share(metrics.efficiency), "bound ÷ time: 100 % is the best possible")
    if metrics.utilisation is not None:
        yield Tile("Utilisation", share(metrics.utilisation), "of slot time went into finished scenes")
    if metrics.wasted_share is not None:
        yield Tile("Wasted", share(metrics.wasted_share), f"of {count(metrics.attempts, 'attempt')} led to no video")
    if cost is not None and cost.currency:
        rest = f"{cost.text(cost.wasted)} of it for no video" if cost.wasted else "all of it for finished scenes"
        yield Tile(
            "Cost", cost.text(cost.spent), f"{cost.text(cost.committed)} more committed" if cost.committed else rest
        )
    yield Tile("Refusals (429)", f"{metrics.rate_limited:,}", count(metrics.moves, "move") + " to another account")
    if metrics.wait is not None:
        yield Tile("Median wait", duration(metrics.wait.p50), f"95 % waited at most {duration(metrics.wait.p95)}")
    if metrics.cooldown_duty:
        yield Tile("Cooling", share(metrics.cooldown_duty), "of the time, the mean of all accounts")
    if metrics.goodput:
        yield Tile("Pace", f"{_short(60 * metrics.goodput)} / min", "finished scenes, in the mean")


def tiles_html(metrics: MetricsData, cost: RunCost | None = None) -> str:
    """Return the numbers as HTML."""
    found = "".join(
        f'<div class="vg-tile"><span>{escape(each.name)}</span><b>{escape(each.value)}</b>'
        f"<small>{escape(each.meaning)}</small></div>"
        for each in tiles(metrics, cost)
    )
    return f'<div class="vg-tiles">{found}</div>'


def duration(seconds: float) -> str:
    """Return a duration: `8.3 s`, `95 s`, `16 min`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s" if seconds >= 0.05 else "0 s"
    if seconds < _MINUTES:
        return f"{seconds:.0f} s"
    if seconds < _HOURS:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{round(seconds / 60)} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def share(value: float) -> str:
    """Return a share in whole per cent; `<1 %` for what is more than a rounding error."""
    return percent(0.0 if abs(value) <= ROUNDING else value)


def _others(metrics: MetricsData) -> str:
    names = {"queued": "waiting"}
    parts = [
        f"{count:,} {names.get(name, name)}" for name, count in metrics.scenes.items() if name != "succeeded" and count
    ]
    return ", ".join(parts) or "all of them"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
