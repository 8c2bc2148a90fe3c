"""The status strip: a bar of scenes by status, the time left, and one sentence that says what is going on.

It is HTML in the colours of JupyterLab's theme. Foreign text is cleaned and escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from vidgen_nb.analysis.forecast.predict import Prediction
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.plaintext import one_line

__all__ = ["SessionSnapshot", "sentence", "status_html", "time_left"]

STATUS_COLOURS = (
    ("succeeded", "#005A8C", "#FFFFFF"),
    ("running", "#56B4E9", "#10222E"),
    ("held", "#FFFFFF", "#A84A00"),
    ("failed", "#2B2B2B", "#FFFFFF"),
    ("cancelled", "#8C8C8C", "#FFFFFF"),
    ("waiting", "transparent", "inherit"),
)
"""Status, fill and ink; as in the chart."""
ALWAYS_SHOWN = ("succeeded", "running", "held", "failed")
"""Statuses whose number is shown even if it is 0."""
MAX_HELD_SCENES = 3
"""Held scenes whose reason is shown."""
MIN_SETTLED_FOR_PACE = 2
"""Scenes that must have settled before their pace says anything about the rest."""


@dataclass(frozen=True)
class SessionSnapshot:
    """What the session says at one moment, beside what its events say."""

    now: float = 0.0
    running: bool = False
    paused: bool = False
    stopping: bool = False
    closed: bool = False
    closing: bool = False
    """It is closed, but scenes are still running."""
    speed: float = 1.0
    chosen: int = 0
    """Scenes that Run would take."""
    restorable: bool = False
    """An earlier run did not finish, and Restore last run would continue it."""
    cooling: Mapping[str, float] = field(default_factory=dict)
    """Run seconds left for each profile that is cooling or unusable; inf: no end is known."""
    prediction: Prediction | None = None


def sentence(feed: RunFeed, session: SessionSnapshot) -> str:
    """Say in one sentence what is going on, as plain text."""
    running, waiting = feed.counts.scenes["running"], feed.counts.scenes["waiting"]
    if session.closing:
        return f"Closing: {_scenes_are(running)} still running; Cancel all cancels what has not settled."
    if session.closed:
        return "This controller is closed; make a new one to run more."
    if not session.running:
        return _idle_sentence(feed, session)
    if feed.unwritten:
        reason = one_line(next(reversed(feed.unwritten.values())), 200)
        return (
            f"{_plural(len(feed.unwritten), 'finished video')} can't be saved, so nothing new is submitted: {reason}."
        )
    if session.stopping:
        return f"Stopping: {_scenes_are(running)} still running and will settle; {waiting:,} stay waiting."
    if session.paused:
        return (
            f"Paused: nothing new is submitted; {_plural(running, 'scene')} running{_at_provider(feed)}; "
            f"{waiting:,} waiting."
        )
    cooling = sorted(session.cooling.items(), key=lambda each: each[1])
    if not cooling:
        busy = sum(profile.running > 0 for profile in feed.counts.profiles.values())
        return (
            f"{_plural(running, 'scene')} running on {_plural(busy, 'profile')}{_at_provider(feed)}; "
            f"{waiting:,} waiting."
        )
    if len(cooling) >= len(feed.counts.profiles) and waiting and not running:
        first, left = cooling[0]
        back = "with no known end" if math.isinf(left) else f"in {math.ceil(left)} s"
        return f"All profiles are cooling; {one_line(first, 40)} is back first, {back}; {waiting:,} waiting."
    return _cooling_sentence(feed, cooling)


def _at_provider(feed: RunFeed) -> str:
    """Say how many of the running scenes wait in their provider's own queue."""
    there = feed.counts.at_provider
    return f", {there:,} of them queued at the provider" if there else ""


def _idle_sentence(feed: RunFeed, session: SessionSnapshot) -> str:
    chosen = _plural(session.chosen, "scene")
    if feed.run is not None:
        return _restored_sentence(feed) if feed.restored else _ended_sentence(feed, session)
    if session.restorable:
        starts = f"; Run starts a new one with {chosen}" if session.chosen else ""
        return f"The last run did not finish: Restore last run continues it{starts}."
    if session.chosen:
        return f"Nothing has run yet; {chosen} chosen: press Run."
    return "Nothing has run yet: type, paste or load scenes."


def _restored_sentence(feed: RunFeed) -> str:
    counts, running = feed.counts, feed.counts.scenes["running"]
    at_provider = f", {running:,} still running at the provider{_at_provider(feed)}" if running else ""
    then = " Run continues it." if counts.unsettled else ""
    succeeded = f"{counts.scenes['succeeded']:,} of {_plural(counts.total, 'scene')} succeeded"
    return f"The run is restored: {succeeded}{at_provider}{_not_succeeded(feed)}.{then}"


def _ended_sentence(feed: RunFeed, session: SessionSnapshot) -> str:
    counts, running = feed.counts, feed.counts.scenes["running"]
    at_provider = f", {_plural(running, 'result')} still at the provider" if running else ""
    then = " Run continues with the rest; Cancel all drops it." if counts.unsettled else ""
    if session.restorable:
        then = " Restore last run asks again about its jobs, and Run then continues it."
    succeeded = f"{counts.scenes['succeeded']:,} of {_plural(counts.total, 'scene')} succeeded"
    return (
        f"The run has ended ({feed.ended or 'broken off'}): {succeeded}{_not_succeeded(feed)}{at_provider}; "
        f"{_plural(counts.rate_limited, 'attempt')} got a 429, {_plural(counts.moves, 'move')}.{then}"
    )


def _not_succeeded(feed: RunFeed) -> str:
    """Return the other scenes by status, in brackets."""
    scenes = feed.counts.scenes
    parts = [f"{scenes[name]:,} {name}" for name in ("failed", "held", "cancelled", "waiting") if scenes[name]]
    return f" ({', '.join(parts)})" if parts else ""


def _cooling_sentence(feed: RunFeed, cooling: list[tuple[str, float]]) -> str:
    """Name the profile whose cooldown reaches furthest, why it is cooling, and where its scene went."""

    def end(name: str) -> float:
        latest = feed.cooldown(name)
        return latest.until if latest.scene else -math.inf

    name = max((name for name, _ in cooling), key=end)
    latest, left = feed.cooldown(name), dict(cooling)[name]
    how_long = "with no known end" if math.isinf(left) else f"for {math.ceil(left)} s more"
    text = f"{one_line(name, 40)} is {'out of the rotation' if latest.unusable else f'cooling {how_long}'}"
    if latest.scene is not None:
        cause = "a 429 on " if latest.retry_after is not None or "429" in latest.reason else ""
        text += f" after {cause}{one_line(latest.scene, 40)}"
        status, profile = feed.status_of(latest.scene)
        if profile is not None and profile != name:
            text += f", which moved to {one_line(profile, 40)}"
        elif status == "queued":
            text += ", which is waiting"
    others = len(cooling) - 1
    return (
        f"{text}; {_plural(others, 'more profile')} {'is' if others == 1 else 'are'} cooling." if others else f"{text}."
    )


def _scenes_are(count: int) -> str:
    return f"{_plural(count, 'scene')} {'is' if count == 1 else 'are'}"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def time_left(feed: RunFeed, session: SessionSnapshot) -> str:
    """Say how long the run will take from now, as predicted or at the pace so far; empty while that is unknown."""
    if not session.running or session.paused:
        return ""
    if predicted := _predicted_time_left(session):
        return predicted
    counts = feed.counts
    settled = counts.settled - feed.settled_before
    if feed.first_attempt_at is None or settled < MIN_SETTLED_FOR_PACE or not counts.unsettled:
        return ""
    left = counts.unsettled * (session.now - feed.first_attempt_at) / settled
    return f"about {left:.0f} s left{_wall_time(left, session)}"


def _predicted_time_left(session: SessionSnapshot) -> str:
    end = session.prediction
    if end is None or end.low is None or end.middle is None or end.high is None or end.middle <= session.now:
        return ""
    left = end.middle - session.now
    between = f"{max(0.0, end.low - session.now):.0f} to {end.high - session.now:.0f} s in 4 of 5 cases"
    return f"about {left:.0f} s left{_wall_time(left, session)}: {between}"


def _wall_time(seconds: float, session: SessionSnapshot) -> str:
    return f" ({seconds / session.speed:.0f} s at {session.speed:g}×)" if session.speed != 1 else ""


def status_html(feed: RunFeed, session: SessionSnapshot) -> str:
    """Return the strip as HTML."""
    scenes, bar, words = feed.counts.scenes, [], []
    for status, fill, ink in STATUS_COLOURS:
        count = scenes[status]
        if count:
            edge = "box-shadow:inset 0 0 0 2px #D55E00;" if status == "held" else ""
            bar.append(
                f'<div style="flex:{count} 0 0;min-width:24px;background:{fill};color:{ink};{edge}text-align:center">'
                f"{count}</div>"
            )
        if count or status in ALWAYS_SHOWN:
            words.append(f"{status} {count}")
    if not bar:
        bar = ['<div style="flex:1;text-align:center">nothing yet</div>']
    settled = 100 * feed.counts.settled // max(1, feed.counts.total)
    return (
        f'<div class="vg-strip"><div class="vg-bar" role="img" aria-label="{", ".join(words)}; {settled} % settled">'
        f"{''.join(bar)}</div>"
        f'<div class="vg-words"><span>{" · ".join(words)}</span><span>{escape(time_left(feed, session))}</span>'
        f"</div><div class='vg-now'>{escape(sentence(feed, session))}</div>{_held_html(feed)}</div>"
    )


def _held_html(feed: RunFeed) -> str:
    """Return the latest held scenes as HTML, with what to do."""
    scenes = [f"{one_line(scene, 40)}: {one_line(reason, 400)}." for scene, reason in feed.held.items()][
        -MAX_HELD_SCENES:
    ]
    more = len(feed.held) - len(scenes)
    notes = [f"Held – {text}" for text in scenes] + [f"{more:,} more are held: see run.scenes."] * (more > 0)
    return "".join(f'<div class="vg-note">{escape(text)}</div>' for text in notes)
