"""What happened in a run, decision by decision, each in one sentence; its reason is the recorded one.

What the sentences say comes from events alone: a start from `AttemptStarted.reason` and from who else could have taken
the scene (`accounts`), a refusal from the 429, the cooldown that it began and where its scene went. What a hand did is
said as the chart's marks say it, anything else as the log does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from vidgen_nb.analysis.records.hand_marks import HandMarks
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.reasons import IN_TURN
from vidgen_nb.plaintext import one_line
from vidgen_nb.recording.runlog import RunLog
from vidgen_nb.replay.accounts import Accounts, name_list, short_name
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import count

__all__ = ["KINDS", "Decisions", "Kind", "Moment"]

Kind = Literal["429", "move", "cooldown", "failure", "other"]
KINDS: tuple[Kind, ...] = ("429", "move", "cooldown", "failure", "other")
"""A refusal; a start on another account than before; a cooldown's end; any other failure; anything else."""
REASON_CHARS = 160


class Moment(NamedTuple):
    """One thing that happened."""

    at: float
    kind: Kind
    text: str
    scene: str | None = None
    attempt: int | None = None
    """The index of its attempt among those of the run, in order of start."""


class Decisions:
    """Reads a run's events and makes its moments, in their order."""

    def __init__(self, data: RunData) -> None:
        self.moments: list[Moment] = []
        self.accounts = Accounts(data.header)
        self._off = {stop: stop - start for start, stop in data.off}
        self._hands = HandMarks()
        self._log = _LogWords()
        self._started = 0
        """Attempts so far."""
        self._attempt: dict[str, tuple[int, str]] = {}
        """Each scene's latest attempt, by its index, and its account."""
        self._cooled: dict[str, ev.CooldownStarted] = {}
        """The cooldown that a scene's failure began, and how many accounts; its sentence is still to come."""
        self._also_cooled: dict[str, list[str]] = {}
        self._is_started = False
        self._known = set[str]()
        """Scenes that were added."""
        self._to_be_told = {(each.scene, each.at) for each in data.events if isinstance(each, ev.Fetched)}
        """Which scenes are done when, as far as it is not told yet."""
        self._words: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.RunStarted: self._run_started,
            ev.SceneAdded: self._added,
            ev.AttemptStarted: self._start,
            ev.AskedAgain: self._asked_again,
            ev.SceneRequeued: self._requeued,
            ev.SceneSettled: self._settled,
            ev.Generated: self._done,
            ev.Fetched: self._done,
            ev.CooldownStarted: self._cooldown,
            ev.CooldownEnded: self._back,
            ev.RunRestored: self._restored,
        }
        for event in data.events:
            self._take(event)

    def _take(self, event: ev.Event) -> None:
        marks = len(self._hands.marks)
        self._hands.take(event)
        if (words := self._words.get(type(event))) is not None:
            words(event)
        elif len(self._hands.marks) > marks:
            self._add(event, "other", f"By hand: {self._hands.marks[-1].text}")
        elif type(event) in _LOGGED:
            line = self._log.line(event)
            self._add(event, "other", line[:1].upper() + line[1:])
        self.accounts.take(event)

    def _add(self, event: ev.Event, kind: Kind, text: str, scene: str | None = None) -> None:
        attempt = self._attempt[scene][0] if scene in self._attempt else None
        line = one_line(text, 400).rstrip(".")
        self.moments.append(Moment(event.at, kind, line if line.endswith("…") else f"{line}.", scene, attempt))

    # -- starts

    def _run_started(self, event: ev.RunStarted) -> None:
        self._add(event, "other", "The run goes on" if self._is_started else "The run starts")
        self._is_started = True

    def _added(self, event: ev.SceneAdded) -> None:
        scene = event.scene.id
        if scene in self._known:
            self._add(event, "other", f"By hand: {short_name(scene)} is to run again", scene)
        self._known.add(scene)

    def _begin(self, scene: str, profile: str) -> str | None:
        """Note an attempt; return the account of the one before."""
        before = self._attempt.get(scene)
        self._attempt[scene] = (self._started, profile)
        self._started += 1
        return None if before is None else before[1]

    def _start(self, event: ev.AttemptStarted) -> None:
        before = self._begin(event.scene, event.profile)
        scene, profile = short_name(event.scene), short_name(event.profile)
        others, free = self.accounts.others(event.profile)
        why = event.reason
        if before is not None and before != event.profile:
            what = f"{scene} moves from {short_name(before)} to {profile}"
            known = f"moved from {before}"
        else:
            what = f"{scene} goes {'to' if before is None else 'back to'} {profile}"
            known = f"back on {event.profile}"
        why = why.removeprefix(known).lstrip(": ").replace("no other profile is free", "no other account is free")
        if why == IN_TURN and others and not free:
            why = ""  # there was nobody else
        said = "; ".join(filter(None, [why, others]))
        self._add(
            event,
            "other" if before in (None, event.profile) else "move",
            f"{what}: {said}" if said else what,
            event.scene,
        )

    def _asked_again(self, event: ev.AskedAgain) -> None:
        scene = event.scene.id
        before = self._begin(scene, event.profile)
        moved = before is not None and before != event.profile
        text = f"{short_name(scene)} is asked about again on {short_name(event.profile)}: its job may exist there"
        self._add(event, "move" if moved else "other", text, scene)

    # -- ends

    def _requeued(self, event: ev.SceneRequeued) -> None:
        then = _then(event)
        if isinstance(event.outcome, RateLimited):
            self._refused(event, event.profile, event.outcome, then)
            return
        why = one_line(event.outcome.reason, REASON_CHARS)
        text = f"{short_name(event.scene)} fails on {short_name(event.profile)} ({why}){self._cooling(event)}; {then}"
        self._add(event, "failure", text, event.scene)

    def _refused(self, event: Any, profile: str, outcome: RateLimited, then: str) -> None:
        asked = "" if outcome.retry_after is None else f", Retry-After {duration(outcome.retry_after)}"
        what = f"{short_name(profile)} refuses {short_name(event.scene)} (429{asked})"
        cooling = self._cooling(event, subject=profile) or " and cools already"
        self._add(event, "429", f"{what}{cooling}; {then}", event.scene)

    def _settled(self, event: ev.SceneSettled) -> None:
        scene, why = short_name(event.scene), one_line(event.reason, REASON_CHARS)
        if isinstance(event.outcome, RateLimited) and event.profile is not None:
            self._refused(event, event.profile, event.outcome, f"{scene} has {event.status}: {why}")
            return
        on = "" if event.profile is None else f" on {short_name(event.profile)}"
        verb = {"failed": "has failed", "held": "is held", "cancelled": "is cancelled"}[event.status]
        kind: Kind = "other" if event.status == "cancelled" else "failure"
        self._add(event, kind, f"{scene} {verb}{on}: {why.rstrip('.')}{self._cooling(event)}", event.scene)

    def _done(self, event: ev.Generated | ev.Fetched) -> None:
        """Tell that a scene is done; one that is fetched at once, before the start that its slot is then used for."""
        if (event.scene, event.at) not in self._to_be_told:
            return
        self._to_be_told.remove((event.scene, event.at))
        profile = self._attempt.get(event.scene, (0, ""))[1]
        on = f" on {short_name(profile)}" if profile else ""
        self._add(event, "other", f"{short_name(event.scene)} is done{on}", event.scene)

    # -- cooldowns

    def _cooldown(self, event: ev.CooldownStarted) -> None:
        if event.scene is not None:  # a sentence about that scene's failure follows
            self._cooled[event.scene] = event
            self._also_cooled.setdefault(event.scene, []).extend(event.profiles)
            return
        self._add(event, "other", f"{_cools(event, list(event.profiles))}: {one_line(event.reason, REASON_CHARS)}")

    def _cooling(self, event: ev.SceneRequeued | ev.SceneSettled, subject: str = "") -> str:
        """Return which accounts cool because of a scene's failure; empty: none that did not before.

        `subject`: the account that the sentence is about so far.
        """
        cooled, profiles = self._cooled.pop(event.scene, None), self._also_cooled.pop(event.scene, [])
        if cooled is None:
            return ""
        if profiles == [subject]:
            return f" and {_cools(cooled, [])}"
        return f"; {_cools(cooled, profiles)}"

    def _back(self, event: ev.CooldownEnded) -> None:
        names = name_list(event.profiles)
        is_are = "is" if len(event.profiles) == 1 else "are"
        self._add(event, "cooldown", f"{names} {is_are} back from cooldown; one probe goes first")

    def _restored(self, event: ev.RunRestored) -> None:
        off = self._off.get(event.at)
        after = "" if off is None else f" after {duration(off)} without a program"
        self._add(event, "other", f"The run is taken up again{after}")


def _cools(event: ev.CooldownStarted, profiles: list[str]) -> str:
    """Say that accounts cool, and for how long; without names, as the predicate of one that was named."""
    length = event.until - event.at
    several = len(profiles) > 1
    names = f"{name_list(profiles)} " if profiles else ""
    if several and len(profiles) > 4:
        names = f"{count(len(profiles), 'account')} "
    if event.unusable:
        end = "no end is known" if math.isinf(length) else f"for {duration(length)}"
        return f"{names}{'are' if several else 'is'} out of the rotation, {end}"
    verb = "cool" if several else "cools"
    return f"{names}{verb} for {duration(length)}" if math.isfinite(length) else f"{names}{verb}, no end is known"


def _then(event: ev.SceneRequeued) -> str:
    """Say where a scene waits after a failed attempt."""
    scene = short_name(event.scene)
    if event.not_before is not None and math.isfinite(event.not_before):
        return f"{scene} tries again in {duration(event.not_before - event.at)} ({event.reason})"
    if event.reason.startswith("waits"):
        return f"{scene} {event.reason}"
    return f"{scene} goes {event.reason}" if event.reason.startswith("to ") else f"{scene} waits: {event.reason}"


_LOGGED = frozenset({
    ev.RunEnded, ev.Stopped, ev.RetryGranted, ev.BillingLimitReached, ev.SpendingCapReached,
    ev.SameFailureRepeated, ev.SubmitAgainRequested, ev.SceneEdited,
})  # fmt: skip


class _LogWords(RunLog):
    """The log's words, whatever the level of the logger."""

    def line(self, event: ev.Event) -> str:
        """Return the line of an event that has one."""
        found = self._all[type(event)](event)
        return "" if found is None else found[1]
