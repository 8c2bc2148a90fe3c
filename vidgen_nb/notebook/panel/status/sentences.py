"""One sentence that says what is going on, and what the main button says that it will do; plain text.

Foreign text is cleaned here, and escaped where it becomes HTML.
"""

from __future__ import annotations

import math
from datetime import timedelta

from vidgen_nb.notebook.panel.panel_words import in_panel_words
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.notebook.panel.status.session_snapshot import SessionSnapshot
from vidgen_nb.notebook.panel.status.times import clock_time
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.durations import countdown, roughly
from vidgen_nb.wording.numbers import count

__all__ = ["is_at_cap", "sentence", "state_word"]

RUN, STILL_RUN = ("runs", "run"), ("still runs", "still run")
WAIT, STAY = ("waits", "wait"), ("stays waiting", "stay waiting")
"""Verbs for one scene, and for several."""
_END_WORDS = {
    "stopped": "Stopped", "no usable profile": "No account can be used any more",
    "results can't be written": "Stopped: videos can't be saved",
    "spending cap reached": "Spending cap reached", None: "Broken off",
}  # fmt: skip


def is_at_cap(session: SessionSnapshot) -> bool:
    """Say whether the spending cap keeps the rest of an ended run from going on."""
    reached = session.cap is not None and session.billed >= session.cap
    return (reached or bool(session.at_max_cost)) and not session.running and session.left_over > 0


def state_word(feed: RunFeed, session: SessionSnapshot) -> str:
    """Return one word, or two, for the state of the session."""
    if session.closed or session.closing:
        return "Closing" if session.closing else "Closed"
    if session.running:
        return "Stopping" if session.stopping else "Paused" if session.paused else "Running"
    if feed.run is None:
        return "Ready" if session.chosen else "No scenes"
    if feed.restored:
        return "Restored"
    if session.pause_reason:
        return "Paused"
    if is_at_cap(session):
        return "Cap reached"
    return "Stopped" if feed.counts.unsettled else "Cancelled" if feed.was_cancelled else "Done"


def sentence(feed: RunFeed, session: SessionSnapshot) -> str:
    """Say in one sentence what is going on, and in a second one what waits for a decision."""
    held = len(feed.held)
    if not held or session.closed or session.closing:
        return _what_goes_on(feed, session)
    doubt = f"{count(held, 'scene')} {'is' if held == 1 else 'are'} in doubt: decide in Scenes."
    return f"{_what_goes_on(feed, session)} {doubt}"


def _what_goes_on(feed: RunFeed, session: SessionSnapshot) -> str:
    running = feed.counts.scenes["running"]
    if session.closing:
        return f"Closing: {_scenes(running, STILL_RUN)}. To end it now, cancel everything (beside Stop)."
    if session.closed:
        return "This controller is closed. Make a new one to run more."
    if not session.running:
        return _idle_sentence(feed, session)
    if feed.unwritten:
        reason = one_line(in_panel_words(next(reversed(feed.unwritten.values()))), 200)
        return f"{count(len(feed.unwritten), 'finished video')} can't be saved, so nothing new is submitted: {reason}."
    if session.stopping:
        return f"Stopping: {_both(feed, STILL_RUN, STAY)}."
    if session.pause_reason:
        return f"{_paused_by_itself(session)} {_both(feed, STILL_RUN, WAIT)}."
    if session.paused:
        return f"Paused: nothing new is submitted; {_both(feed, STILL_RUN, WAIT)}."
    cooling = sorted(session.cooling.items(), key=lambda each: each[1])
    if not cooling:
        busy = sum(profile.running > 0 for profile in feed.counts.profiles.values())
        on = f" on {count(busy, 'account')}" if busy else ""
        return f"{_both(feed, RUN, WAIT, on)}."
    if len(cooling) >= len(feed.counts.profiles) and feed.counts.scenes["waiting"] and not running:
        first, left = cooling[0]
        back = "" if math.isinf(left) else f"; {one_line(first, 40)} is back first, {_back(left, session)}"
        return f"No account is free{back}. {_both(feed, RUN, WAIT)}."
    return _cooling_sentence(feed, session, cooling)


def _paused_by_itself(session: SessionSnapshot) -> str:
    return f"Paused: {one_line(session.pause_reason, 200).rstrip('.')}. Resume goes on."


def _scenes(number: int, verb: tuple[str, str]) -> str:
    """Return `2 scenes run`, or `1 scene runs`."""
    return f"{count(number, 'scene')} {verb[number != 1]}"


def _both(feed: RunFeed, run: tuple[str, str], wait: tuple[str, str], on: str = "") -> str:
    """Say how many scenes run and how many wait, leaving out what is zero."""
    running, waiting, there = feed.counts.scenes["running"], feed.counts.scenes["waiting"], feed.counts.at_provider
    if not running:
        return _scenes(waiting, wait) if waiting else "nothing is running"
    queued = f", {there:,} of them queued at the provider" if there else ""
    rest = f"{';' if on or queued else ','} {waiting:,} {wait[waiting != 1]}" if waiting else ""
    return f"{_scenes(running, run)}{on}{queued}{rest}"


def _idle_sentence(feed: RunFeed, session: SessionSnapshot) -> str:
    if feed.run is not None:
        return _restored_sentence(feed) if feed.restored else _ended_sentence(feed, session)
    if session.restorable:
        starts = f" Run starts a new one with {count(session.chosen, 'scene')}." if session.chosen else ""
        return f"The last run did not finish: Restore last run continues it.{starts}"
    if session.chosen:
        return f"{count(session.chosen, 'scene')} chosen. Press Run."
    return "Type, paste or load scenes under ⚙ to begin."


def _restored_sentence(feed: RunFeed) -> str:
    running = feed.counts.scenes["running"]
    at_provider = f", {_scenes(running, STILL_RUN)} at the provider" if running else ""
    then = " Run continues it." if feed.counts.unsettled else ""
    return f"Restored. {_standing(feed)}{at_provider}.{then}"


def _ended_sentence(feed: RunFeed, session: SessionSnapshot) -> str:
    left, running = feed.counts.unsettled, feed.counts.scenes["running"]
    if session.pause_reason:
        return f"{_paused_by_itself(session)} {_standing(feed)}."
    if is_at_cap(session):
        what = "it" if session.left_over == 1 else "them"
        used = session.at_max_cost or f"{session.billed:,} of {session.cap:,}"
        reached = f"Spending cap reached ({used})"
        return f"{reached}. {count(session.left_over, 'scene')} left: raise the cap or discard {what}."
    word = _END_WORDS.get(feed.ended, "Cancelled" if feed.was_cancelled else "Done")
    if feed.ended in ("max_billed", "spending cap reached"):
        word = "The spending cap was reached" if left else "Done"
    limited = feed.counts.rate_limited
    refused = f"; {count(limited, 'rate-limit refusal')} (429)" if limited else ""
    at_provider = f"; {count(running, 'result')} still at the provider" if running else ""
    then = f" Run continues with the {left:,} left." if left else ""
    if session.restorable:
        then = " Restore last run asks again about its jobs, and Run then continues it."
    return f"{word}. {_standing(feed)}{at_provider}{refused}.{then}"


def _standing(feed: RunFeed) -> str:
    """Say how many scenes have succeeded, and what has become of the others."""
    scenes = feed.counts.scenes
    parts = [f"{scenes['succeeded']:,} of {feed.counts.total:,} succeeded"]
    parts += [f"{scenes[name]:,} {name}" for name in ("failed", "held", "cancelled", "waiting") if scenes[name]]
    return ", ".join(parts)


def _cooling_sentence(feed: RunFeed, session: SessionSnapshot, cooling: list[tuple[str, float]]) -> str:
    """Name the profile whose cooldown reaches furthest, why it rests, and where its scene went."""

    def end(name: str) -> float:
        latest = feed.cooldown(name)
        return latest.until if latest.scene else -math.inf

    name = max((name for name, _ in cooling), key=end)
    latest, left = feed.cooldown(name), dict(cooling)[name]
    text = one_line(name, 40)
    if latest.unusable:
        text += " is out" if math.isinf(left) else f" is out, back {_back(left, session)}"
    else:
        text += " rests" if math.isinf(left) else f" rests {countdown(left)}"
    if latest.scene is not None:
        cause = "a 429 on " if latest.retry_after is not None or "429" in latest.reason else ""
        text += f" after {cause}{one_line(latest.scene, 40)}"
        status, profile = feed.status_of(latest.scene)
        if profile is not None and profile != name:
            text += f", which moved to {one_line(profile, 40)}"
        elif status == "queued":
            text += ", which waits"
    others = len(cooling) - 1
    if others:
        text += f"; {count(others, 'more account')} {'rests' if others == 1 else 'rest'}"
    return f"{text}."


def _back(left: float, session: SessionSnapshot) -> str:
    """Say when something is over: in some seconds or minutes, or at a time of day."""
    wall = left / session.speed
    if wall < 3600:
        return f"in {countdown(left)}" if left < 90 else f"in {roughly(left)}"
    return clock_time(session.wall + timedelta(seconds=wall), session.wall)
