"""The page of metrics as HTML, escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from vidgen_nb.notebook.panel.run_feed import Feed
from vidgen_nb.plaintext import clean

__all__ = ["metrics_table"]


def metrics_table(feed: Feed, now: float) -> str:
    """Return the run's numbers and each profile's share."""
    counts = feed.counts
    total = sum(counts.values())
    said = (
        f"{counts['succeeded']} of {total} scenes succeeded, {counts['failed']} failed, {counts['held']} held; "
        f"{feed.attempts} attempts, {feed.limited} rate limited, {feed.moves} moves; {now:.0f} s of run time."
    )
    rows = [
        _tr(
            (
                name,
                str(lane.attempts),
                str(lane.ok),
                str(lane.limited),
                str(lane.running),
                f"{feed.cooling.seconds(name, now):.0f}",
            )
        )
        for name, lane in feed.lanes.items()
    ]
    return _table(("Profile", "Attempts", "Succeeded", "429", "Under way", "Cooldown s"), rows, said)


def _tr(cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<td>{escape(clean(cell, 120))}</td>" for cell in cells) + "</tr>"


def _table(heads: Sequence[str], rows: Iterable[str], caption: str) -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join(rows)
    note = f'<div class="vg-note">{escape(caption)}</div>'
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'{note}<div class="vg-scroll" tabindex="0">{table}</div>'
