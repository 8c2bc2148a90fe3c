"""What the toolbar says of the run, as HTML: its state in a line of numbers, and a bar of scenes by status.

The colours are those of JupyterLab's theme. Foreign text is cleaned and escaped here.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.notebook.panel.status.sentences import sentence, state_word
from vidgen_nb.notebook.panel.status.session_snapshot import SessionSnapshot
from vidgen_nb.notebook.panel.status.times import done_at, time_left
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import count

__all__ = ["progress_html", "sentence_html", "spoken", "state_html"]

STATUS_COLOURS = (
    ("succeeded", "#005A8C", "#FFFFFF"),
    ("running", "#56B4E9", "#10222E"),
    ("held", "#FFFFFF", "#A84A00"),
    ("failed", "#2B2B2B", "#FFFFFF"),
    ("cancelled", "#6E6E6E", "#FFFFFF"),
    ("waiting", "transparent", "inherit"),
)
"""How a scene stands, fill and ink; as in the chart."""


def state_html(feed: RunFeed, session: SessionSnapshot) -> str:
    """Return the state in a word, and the numbers that go with it: `RUNNING 15/24 · 7 × 429 · done ≈ 14:05`."""
    word, short, whole = state_word(feed, session), _numbers(feed, session, done_at), _numbers(feed, session, time_left)
    title = escape(" · ".join([word, *whole]), quote=True)
    return (
        f'<div class="vg-state vg-state-{word.lower().replace(" ", "-")}" title="{title}"><b>{word}</b> '
        f'<span class="vg-short">{escape(" · ".join(short))}</span>'
        f'<span class="vg-whole" aria-hidden="true">{escape(" · ".join(whole))}</span></div>'
    )


def _numbers(feed: RunFeed, session: SessionSnapshot, ends: Callable[[SessionSnapshot], str]) -> list[str]:
    counts, scenes = feed.counts, feed.counts.scenes
    if feed.run is None:
        return [count(session.chosen, "scene")] if session.chosen else []
    parts = [f"{scenes['succeeded']:,}/{counts.total:,}"]
    parts += [f"{scenes[name]:,} {name}" for name in ("failed", "held", "cancelled") if scenes[name]]
    parts += [f"{counts.rate_limited:,} × 429"] * bool(counts.rate_limited)
    if session.cap is not None:
        parts.append(f"cap {session.billed:,}/{session.cap:,}")
    if session.cost is not None:
        cost = session.cost
        cap = "" if cost.max_cost is None else f" of {cost.text(cost.max_cost)}"
        parts.append(f"{cost.text(cost.spent)}{cap}")
    if end := ends(session):
        parts.append(end)
    if not session.running and not counts.unsettled and session.now:
        parts.append(f"took {duration(session.now)}")
    return parts


def progress_html(feed: RunFeed) -> str:
    """Return a bar of scenes by status, each part with its number."""
    scenes = feed.counts.scenes
    parts = [(scenes[word], word, fill, ink) for word, fill, ink in STATUS_COLOURS if scenes[word]]
    bar = "".join(
        f'<div style="flex:{number} 0 0;background:{fill};color:{ink}" class="vg-part-{word}" '
        f'title="{number:,} {word}">{number:,}</div>'
        for number, word, fill, ink in parts
    )
    said = ", ".join(f"{number:,} {word}" for number, word, _fill, _ink in parts) or "nothing has run yet"
    return f'<div class="vg-bar" role="img" aria-label="Scenes: {said}">{bar}</div>'


def sentence_html(feed: RunFeed, session: SessionSnapshot) -> str:
    """Return the sentence that says what is going on."""
    text = escape(sentence(feed, session))
    return f'<div class="vg-now" title="{text}"><span>{text}</span></div>'


def spoken(feed: RunFeed, session: SessionSnapshot) -> str:
    """Return what a screen reader is told when it changes, as HTML: the state, and at rest the sentence."""
    text = sentence(feed, session) if not session.running or session.paused else state_word(feed, session)
    return f'<div class="vg-spoken" role="status">{escape(text)}</div>'
