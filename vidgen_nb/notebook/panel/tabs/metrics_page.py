"""The tab of metrics as HTML, with foreign text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.plaintext import one_line

__all__ = ["metrics_html"]

HEADINGS = ("Profile", "Attempts", "Succeeded", "429", "Running", "Cooldown s")


def metrics_html(feed: RunFeed, now: float) -> str:
    """Return the run's numbers, and a row for each profile."""
    counts, scenes = feed.counts, feed.counts.scenes
    caption = (
        f"{scenes['succeeded']} of {counts.total} scenes succeeded, {scenes['failed']} failed, {scenes['held']} held; "
        f"{counts.attempts} attempts, {counts.rate_limited} rate limited, {counts.moves} moves; "
        f"{now:.0f} s of run time."
    )
    rows = [
        (name, each.attempts, each.succeeded, each.rate_limited, each.running, f"{feed.cooling.seconds(name, now):.0f}")
        for name, each in counts.profiles.items()
    ]
    return _table_html(HEADINGS, rows, caption)


def _table_html(headings: Sequence[str], rows: Iterable[Iterable[object]], caption: str) -> str:
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(one_line(str(cell), 120))}</td>" for cell in row) + "</tr>" for row in rows
    )
    note = f'<div class="vg-note">{escape(caption)}</div>'
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'{note}<div class="vg-scroll" tabindex="0">{table}</div>'
