"""The paths of scenes over profiles, in one line each, and a run at a glance as HTML."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from vidgen_nb.analysis.metrics.model import MetricsData
from vidgen_nb.analysis.records.model import AttemptRecord, RunData
from vidgen_nb.plaintext import html_line
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.standing import standing_counts

__all__ = ["run_html", "trail"]

MARKS = {"succeeded": "✓", "rate_limited": "✕429", "ambiguous": "?", "": "…"}
MAX_TRAILS = 12
"""Trails in a notebook's view of a run."""


def trail(attempts: Iterable[AttemptRecord]) -> str:
    """Return a scene's path in one line, such as `A✕429→B✓`; attempts in order.

    `✓` succeeded, `✕429` rate limited, `?` in doubt, `…` still running; any other outcome by its name: `✕transient`.
    """
    return "→".join(each.profile + MARKS.get(each.outcome or "", "✕" + (each.outcome or "")) for each in attempts)


def run_html(data: RunData, numbers: MetricsData) -> str:
    """Return a row of numbers, and the trails of the scenes that needed more than one attempt."""
    took = "–" if numbers.makespan is None else duration(numbers.makespan)
    counts = {"scenes": len(data.scenes), **standing_counts(numbers.scenes), "attempts": numbers.attempts}
    counts |= {"429s": numbers.rate_limited, "moves": numbers.moves}
    shown = {**{name: f"{count:,}" for name, count in counts.items()}, "makespan": took}
    head = "".join(f"<th>{escape(name)}</th>" for name in shown)
    row = "".join(f"<td>{text}</td>" for text in shown.values())
    tried: dict[str, list[AttemptRecord]] = {scene.id: [] for scene in data.scenes}
    for attempt in data.attempts:
        tried[attempt.scene].append(attempt)
    several = [(scene, attempts) for scene, attempts in tried.items() if len(attempts) > 1]
    lines = "".join(
        f"<li>{html_line(scene, 120)}: {html_line(trail(each))}</li>" for scene, each in several[:MAX_TRAILS]
    )
    more = f"<li>… and {len(several) - MAX_TRAILS:,} more</li>" if len(several) > MAX_TRAILS else ""
    return f"<table><tr>{head}</tr><tr>{row}</tr></table><ul>{lines}{more}</ul>"
