"""The numbers that say how a run went, each with a plain name and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from vidgen_nb.analysis.costs import RunCost
from vidgen_nb.analysis.metrics.model import MetricsData
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import count, figure, percent
from vidgen_nb.wording.standing import standings_text

__all__ = ["STYLE", "Tile", "tiles", "tiles_html"]

STYLE = """
.vg-tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 8px; margin: 6px 0 10px; }
.vg-tile { border: 1px solid var(--vg-line, var(--jp-border-color2, #ddd)); border-radius: 6px; padding: 6px 10px; }
.vg-tile b { display: block; font-size: 20px; line-height: 26px; font-weight: 600; }
.vg-tile span { display: block; font-size: 12px; line-height: 16px; }
.vg-tile small { display: block; font-size: 11px; line-height: 14px; opacity: .75; }
"""


@dataclass(frozen=True)
class Tile:
    """One number."""

    name: str
    value: str
    meaning: str


def tiles(metrics: MetricsData, cost: RunCost | None = None) -> Iterator[Tile]:
    """Yield the numbers that are known, the most important ones first."""
    succeeded, total = metrics.scenes.get("succeeded", 0), sum(metrics.scenes.values())
    others = {name: number for name, number in metrics.scenes.items() if name != "succeeded"}
    yield Tile("Succeeded", f"{succeeded:,} of {total:,}", standings_text(others) or "all of them")
    if metrics.makespan is not None:
        yield Tile("Time", duration(metrics.makespan), "from the start to the last success")
    if metrics.bound is not None:
        yield Tile("Bound", duration(metrics.bound.seconds), "no scheduler could have been faster")
    if metrics.efficiency is not None:
        yield Tile("Efficiency", percent(metrics.efficiency), "bound ÷ time: 100 % is the best possible")
    if metrics.utilisation is not None:
        yield Tile("Utilisation", percent(metrics.utilisation), "of slot time went into scenes that succeeded")
    if metrics.wasted_share is not None:
        yield Tile("Wasted", percent(metrics.wasted_share), f"of {count(metrics.attempts, 'attempt')} led to no video")
    if cost is not None and cost.currency:
        rest = f"{cost.text(cost.wasted)} of it for no video" if cost.wasted else "all of it for scenes that succeeded"
        yield Tile(
            "Cost", cost.text(cost.spent), f"{cost.text(cost.committed)} more committed" if cost.committed else rest
        )
    yield Tile("Refusals (429)", f"{metrics.rate_limited:,}", count(metrics.moves, "move") + " to another account")
    if metrics.wait is not None:
        yield Tile("Median wait", duration(metrics.wait.p50), f"95 % waited at most {duration(metrics.wait.p95)}")
    if metrics.cooldown_duty:
        yield Tile("Cooling", percent(metrics.cooldown_duty), "of the time, the mean of all accounts")
    if metrics.goodput:
        yield Tile("Pace", figure(60 * metrics.goodput), "scenes a minute on average")


def tiles_html(metrics: MetricsData, cost: RunCost | None = None) -> str:
    """Return the numbers as HTML."""
    found = "".join(
        f'<div class="vg-tile"><span>{escape(each.name)}</span><b>{escape(each.value)}</b>'
        f"<small>{escape(each.meaning)}</small></div>"
        for each in tiles(metrics, cost)
    )
    return f'<div class="vg-tiles">{found}</div>'
