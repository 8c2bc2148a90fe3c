"""The tab of metrics: tiles with plain names, and a row for each account; measured in the background."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import ipywidgets as w

from vidgen_nb.analysis.costs import RunCost
from vidgen_nb.analysis.metrics.measure import Metrics
from vidgen_nb.charts.report.tiles import STYLE, tiles_html
from vidgen_nb.notebook.panel.background import RunInBackground
from vidgen_nb.notebook.panel.control_binding import set_if_changed
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.durations import duration

__all__ = ["MetricsPage"]

HEADINGS = ("Account", "Attempts", "Succeeded", "429", "Running", "Cooled for")
UPDATES_BETWEEN = 6
"""Updates of the panel between two measurements: 3 wall seconds."""
MAX_LIVE_EVENTS = 60_000
"""A run with more events is measured once it has ended."""


class MetricsPage:
    """The numbers of the run, as they were measured last."""

    def __init__(self, run_in_background: RunInBackground) -> None:
        self._run_in_background = run_in_background
        self._measured: tuple[object, int] | None = None
        """The run, and how many of its events were measured."""
        self._tiles = ""
        self._busy = False
        self._updates_left = 0
        self.html = w.HTML()

    def show(self, feed: RunFeed, now: float) -> None:
        """Write the page, and measure again if there is something new and it is time."""
        run = feed.run
        if run is None or (self._measured is not None and self._measured[0] is not run):
            self._tiles, self._measured = "", None
        self._updates_left -= 1
        size = len(run.events) if run is not None else 0
        is_due = feed.ended is not None or (self._updates_left <= 0 and size <= MAX_LIVE_EVENTS)
        if run is not None and is_due and not self._busy and self._measured != (run, size):
            self._busy, self._updates_left = True, UPDATES_BETWEEN

            def measure() -> tuple[Metrics, RunCost] | Exception:
                try:
                    return run.metrics(), run.cost
                except Exception as error:  # noqa: BLE001 - of a run that some other program recorded, say
                    return error

            def take(found: tuple[Metrics, RunCost] | Exception) -> None:
                self._busy, self._measured = False, (run, size)
                self._tiles = tiles_html(*found) if isinstance(found, tuple) else ""
                self._write(feed, now)

            self._run_in_background(measure, take)
        self._write(feed, now)

    def _write(self, feed: RunFeed, now: float) -> None:
        set_if_changed(self.html, "value", f"<style>{STYLE}</style>{self._tiles}{accounts_html(feed, now)}")


def accounts_html(feed: RunFeed, now: float) -> str:
    """Return a row for each account."""
    rows: list[tuple[Any, ...]] = []
    for name, each in feed.counts.profiles.items():
        cooled = feed.cooling.seconds(name, now)
        counts = (each.attempts, each.succeeded, each.rate_limited, each.running)
        rows.append((name, *(count or "" for count in counts), duration(cooled) if cooled > 0 else ""))
    return _table_html(HEADINGS, rows) if rows else '<div class="vg-note">Nothing has run yet.</div>'


def _table_html(headings: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(one_line(str(cell), 120))}</td>" for cell in row) + "</tr>" for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="vg-scroll" tabindex="0">{table}</div>'
