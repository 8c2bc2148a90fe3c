"""The tabs below the chart as HTML: attempts, metrics, log, events; bounded, and escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from vidgen_nb.analysis.records import AttemptRecord
from vidgen_nb.charts.text import clean
from vidgen_nb.widgets.feed import RING, Feed

__all__ = ["AttemptsTable", "lines", "metrics_table"]

HEADS = ("Scene", "Try", "Profile", "Queued s", "Start s", "Took s", "Outcome", "Retry-After s", "Reason")
_MARKS = {None: "… running", "succeeded": "✓ succeeded", "rate_limited": "▲ 429", "ambiguous": "? in doubt"}


class AttemptsTable:
    """The latest attempts; a row is made once, and again only when its attempt has ended."""

    def __init__(self) -> None:
        self._rows: dict[AttemptRecord, tuple[str, str]] = {}
        """What the filter looks at, and the row's HTML."""

    def html(self, attempts: Sequence[AttemptRecord], total: int, needle: str = "") -> str:
        """Return the table, newest first; `needle` keeps the rows that have it in one of their cells."""
        wanted = needle.casefold().strip()
        latest = attempts if wanted else attempts[-RING:]
        self._rows = {each: self._rows.get(each) or _row(each) for each in reversed(latest)}
        found = [html for text, html in self._rows.values() if wanted in text][:RING]
        return _table(HEADS, found, f"{len(found)} of {total:,} attempts, newest first; {RING} at most are shown.")


def _row(each: AttemptRecord) -> tuple[str, str]:
    cells = (
        each.scene, str(each.number), each.profile, f"{each.queued:.1f}", f"{each.start:.1f}",
        "" if each.end is None else f"{each.end - each.start:.1f}", _MARKS.get(each.outcome, f"✕ {each.outcome}"),
        "" if each.retry_after is None else f"{each.retry_after:.1f}", each.reason or "",
    )  # fmt: skip
    return "\n".join(cells).casefold(), _tr(cells)


def metrics_table(feed: Feed, now: float) -> str:
    """Return the run's numbers and each profile's share."""
    counts = feed.counts
    total = sum(counts.values())
    said = (
        f"{counts['succeeded']} of {total} scenes succeeded, {counts['failed']} failed, {counts['held']} held; "
        f"{feed.attempts} attempts, {feed.limited} rate limited, {feed.moves} moves; {now:.0f} s of run time."
    )
    rows = [
        _tr((name, str(lane.attempts), str(lane.ok), str(lane.limited), str(lane.running), f"{lane.cooled:.0f}"))
        for name, lane in feed.lanes.items()
    ]
    return _table(("Profile", "Attempts", "Succeeded", "429", "Under way", "Cooldown s"), rows, said)


def lines(found: Iterable[str], what: str) -> str:
    """Return lines, newest first."""
    text = "\n".join(reversed(list(found)))
    caption = f'<div class="vg-note">The latest {RING} {what}, newest first.</div>'
    return f'{caption}<pre class="vg-lines" tabindex="0">{escape(text) or "none yet"}</pre>'


def _tr(cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<td>{escape(clean(cell, 120))}</td>" for cell in cells) + "</tr>"


def _table(heads: Sequence[str], rows: Iterable[str], caption: str) -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join(rows)
    note = f'<div class="vg-note">{escape(caption)}</div>'
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'{note}<div class="vg-scroll" tabindex="0">{table}</div>'
