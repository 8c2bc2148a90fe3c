"""The status strip: a segmented bar, when it will be over, and one sentence that says what is going on.

HTML with the colours of JupyterLab's theme; foreign text is cleaned and escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from vidgen_nb.analysis.forecast.predict import Prediction
from vidgen_nb.notebook.panel.run_feed import SETTLED, Feed, Lane
from vidgen_nb.plaintext import clean

__all__ = ["State", "chip", "error_strip", "eta", "sentence", "strip"]

PARTS = (
    ("succeeded", "ok", "#005A8C", "#FFFFFF"),
    ("running", "running", "#56B4E9", "#10222E"),
    ("held", "held", "#FFFFFF", "#A84A00"),
    ("failed", "failed", "#2B2B2B", "#FFFFFF"),
    ("cancelled", "cancelled", "#8C8C8C", "#FFFFFF"),
    ("queued", "queued", "transparent", "inherit"),
)
"""Status, its word, fill and ink; as in the chart."""
LISTED = 3
"""Scenes that are held, of which the strip says why."""


@dataclass(frozen=True)
class State:
    """What is going on now, beside what the events say."""

    now: float = 0.0
    running: bool = False
    paused: bool = False
    stopping: bool = False
    closed: bool = False
    closing: bool = False
    """Closed, with scenes still under way."""
    speed: float = 1.0
    ready: int = 0
    """Scenes that Run would take."""
    unfinished: bool = False
    """There is a run of before that Restore last run would go on with."""
    cooling: Mapping[str, float] | None = None
    forecast: Prediction | None = None


def sentence(feed: Feed, state: State) -> str:
    """Say in one sentence what is going on, as plain text."""
    counts = feed.counts
    under_way, waiting = counts["running"], counts["queued"]
    if state.closing:
        return f"Closing: {_n(under_way, 'scene')} under way will settle first; Cancel all cancels them."
    if state.closed:
        return "This controller is closed; make a new one to run more."
    if not state.running:
        return _idle(feed, state)
    if feed.unwritten:
        why = clean(next(reversed(feed.unwritten.values())), 200)
        return f"{_n(len(feed.unwritten), 'finished video')} can't be saved, nothing new is submitted: {why}."
    if state.stopping:
        return f"Stopping: {_n(under_way, 'scene')} under way will settle; {waiting} stay queued."
    if state.paused:
        return f"Paused: nothing new is submitted; {_n(under_way, 'scene')} under way; {waiting} wait."
    cooling = sorted((state.cooling or {}).items(), key=lambda each: each[1])
    if not cooling:
        busy = sum(lane.running > 0 for lane in feed.lanes.values())
        return f"{_n(under_way, 'scene')} under way on {_n(busy, 'profile')}; {waiting} wait."
    if len(cooling) >= len(feed.lanes) and waiting and not under_way:
        first, left = cooling[0]
        return f"All profiles cool; {clean(first, 40)} is back first, {_left(left, 'in ')}; {waiting} wait."
    return _cooling(feed, cooling)


def _idle(feed: Feed, state: State) -> str:
    if feed.run is None and state.unfinished:
        begins = f"; Run begins a new one, of {_n(state.ready, 'scene')}" if state.ready else ""
        return f"The last run is not done: Restore last run takes it up again{begins}."
    if feed.run is None:
        return f"Nothing has run yet; {_n(state.ready, 'scene')} chosen: press Run." if state.ready else (
            "Nothing has run yet: type, paste or load scenes."
        )  # fmt: skip
    counts, total = feed.counts, sum(feed.counts.values())
    parts = [f"{counts[name]} {name}" for name in ("failed", "held", "cancelled", "queued") if counts[name]]
    more = f" ({', '.join(parts)})" if parts else ""
    if feed.restored:
        under_way = f", {counts['running']} under way at the provider" if counts["running"] else ""
        then = " Run goes on with it." if counts["queued"] or counts["running"] else ""
        return f"The run is restored: {counts['succeeded']} of {_n(total, 'scene')} succeeded{under_way}{more}.{then}"
    left = f", {_n(counts['running'], 'result')} left with the provider" if counts["running"] else ""
    goes_on = " Run goes on with what is not done; Cancel all drops it." if counts["queued"] or left else ""
    if state.unfinished:
        goes_on = " Restore last run asks again about its jobs, and Run then goes on with it."
    return (
        f"The run has ended, {feed.ended or 'broken off'}: "
        f"{counts['succeeded']} of {_n(total, 'scene')} succeeded{more}{left}; "
        f"{_n(feed.limited, 'attempt')} got a 429, {_n(feed.moves, 'move')}.{goes_on}"
    )


def _cooling(feed: Feed, cooling: list[tuple[str, float]]) -> str:
    def begun(name: str) -> float:
        lane = feed.lanes.get(name, Lane())
        return lane.until if lane.scene else -math.inf

    name = max((name for name, _ in cooling), key=begun)
    lane, left = feed.lanes.get(name, Lane()), dict(cooling)[name]
    what = "is out of the rotation" if lane.unusable else f"cools {_left(left)}"
    text = f"{clean(name, 40)} {what}"
    if lane.scene is not None:
        after = " after a 429 on" if lane.retry_after is not None or "429" in lane.reason else " after"
        text += f"{after} {clean(lane.scene, 40)}"
        where = feed.on.get(lane.scene)
        if where is not None and where != name:
            text += f", which moved to {clean(where, 40)}"
        elif feed.status.get(lane.scene) == "queued":
            text += ", which waits"
    others = len(cooling) - 1
    return f"{text}; {_n(others, 'more profile')} cool{'s' * (others == 1)}." if others else f"{text}."


def _left(seconds: float, before: str = "") -> str:
    if math.isinf(seconds):
        return "with no end known"
    return f"{before}{math.ceil(seconds)} s" + ("" if before else " more")


def _n(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def eta(feed: Feed, state: State) -> str:
    """Say when it will be over, as foretold or from the pace so far; empty while nobody can tell."""
    if state.running and not state.paused and (foretold := _foretold(state)):
        return foretold
    counts = feed.counts
    done = sum(counts[name] for name in SETTLED)
    rest = counts["queued"] + counts["running"]
    if not state.running or state.paused or feed.first is None or done - feed.done_before < 2 or not rest:
        return ""
    left = rest * (state.now - feed.first) / (done - feed.done_before)
    return f"about {left:.0f} s left{_wall(left, state)}"


def _foretold(state: State) -> str:
    told = state.forecast
    if told is None or told.low is None or told.middle is None or told.high is None or told.middle <= state.now:
        return ""
    left = told.middle - state.now
    between = f"{max(0.0, told.low - state.now):.0f} to {told.high - state.now:.0f} s in 4 cases of 5"
    return f"about {left:.0f} s left{_wall(left, state)}: {between}"


def _wall(seconds: float, state: State) -> str:
    return f" ({seconds / state.speed:.0f} s at {state.speed:g}×)" if state.speed != 1 else ""


def strip(feed: Feed, state: State) -> str:
    """Return the strip as HTML."""
    counts, total = feed.counts, max(1, sum(feed.counts.values()))
    bar, words = [], []
    for status, word, fill, ink in PARTS:
        count = counts[status]
        if count:
            edge = "box-shadow:inset 0 0 0 2px #D55E00;" if status == "held" else ""
            bar.append(
                f'<div style="flex:{count} 0 0;min-width:24px;background:{fill};color:{ink};{edge}text-align:center">'
                f"{count}</div>"
            )
        if count or status in ("succeeded", "running", "held", "failed"):
            words.append(f"{word} {count}")
    if not bar:
        bar = ['<div style="flex:1;text-align:center">nothing yet</div>']
    done = 100 * (total - counts["queued"] - counts["running"]) // total if feed.status else 0
    said = escape(", ".join(words))
    return (
        f'<div class="vg-strip"><div class="vg-bar" role="img" aria-label="{said}; {done} % settled">'
        f"{''.join(bar)}</div>"
        f'<div class="vg-words"><span>{escape(" · ".join(words))}</span><span>{escape(eta(feed, state))}</span>'
        f"</div><div class='vg-now'>{escape(sentence(feed, state))}</div>{_held(feed)}</div>"
    )


def _held(feed: Feed) -> str:
    """Return the latest scenes that are held as HTML, with what to do."""
    each = [f"{clean(scene, 40)}: {clean(reason, 400)}." for scene, reason in feed.held.items()][-LISTED:]
    more = len(feed.held) - len(each)
    told = [f"Held – {text}" for text in each] + [f"{more:,} more are held: see run.scenes."] * (more > 0)
    return "".join(f'<div class="vg-note">{escape(text)}</div>' for text in told)


def chip(name: str, lane: Lane, state: State, capacity: int | None) -> str:
    """Return one profile's chip as HTML, with its countdown."""
    left = (state.cooling or {}).get(name)
    if left is None:
        word, colour = ("busy", "#56B4E9") if lane.running else ("ready", "#3A9A5B")
    else:
        word = "unusable" if lane.unusable else "cooling"
        word += "" if math.isinf(left) else f" {math.ceil(left)} s"
        colour = "#F0C05A"
    asked = "" if left is None or lane.retry_after is None else f" · Retry-After {math.ceil(lane.retry_after)} s"
    room = "" if capacity is None else f" of {capacity}"
    why = escape(clean(lane.reason, 120)) if left is not None else ""
    return (
        f'<div class="vg-chip" title="{why}"><span class="vg-dot" style="background:{colour}"></span>'
        f"<b>{escape(clean(name, 24))}</b> {escape(word)}{escape(asked)}<br>"
        f"<small>{lane.running}{room} under way · ok {lane.ok} · 429 {lane.limited}</small></div>"
    )


def error_strip(texts: list[str]) -> str:
    """Return the red strip with the text to copy; empty where nothing went wrong."""
    if not texts:
        return ""
    each = "".join(f"<pre>{escape(text)}</pre>" for text in texts)
    return f'<div class="vg-errors" role="alert"><b>Something went wrong; this is the text to copy:</b>{each}</div>'
