"""An independent check of a run's events against the rules R1-R23 of ARCHITECTURE.md.

It knows nothing of the scheduler: it reads events in order, keeps a slow and simple picture of what must be true, and
fails at the first event that breaks a rule. Used after every scheduler test, after every step of the state machine, and
on live runs over HTTP.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from tests.audit_money import MoneyView
from tests.audit_views import GateView, ProfileView, SceneView
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import NORMAL, Mode
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Permanent, RateLimited
from vidgen_nb.core.policy import Policy

LIVE = ("submitting", "generating", "fetching")
SETTLED = ("succeeded", "failed", "cancelled", "held")


class Audit:
    """Feed it events; it raises `AssertionError` at the first broken rule.

    `turns`: profiles take turns (R4). Without, the policy has a say in that, which events do not tell: where an attempt
    goes is checked no further than that it may go there.
    """

    def __init__(
        self,
        mode: Mode = NORMAL,
        *,
        moves: bool = True,
        turns: bool = True,
        on_ambiguous: str = "hold",
        max_billed: int | None = None,
        min_cooldown: float = 1.0,
        max_cost: float | None = None,
        pause_after_same_failure: int | None = None,
    ) -> None:
        self.mode, self.moves, self.on_ambiguous = mode, moves, on_ambiguous
        self.turns, self.min_cooldown = turns, min_cooldown
        self.max_billed, self.billed = max_billed, 0
        self.limited: ev.EndReason | None = None
        self.money = MoneyView(max_cost, pause_after_same_failure)
        self.scenes: dict[str, SceneView] = {}
        self.profiles: dict[str, ProfileView] = {}
        self.gates: dict[tuple[str, bool], GateView] = {}
        self.now = -math.inf
        self.orders = 0
        self.last_profile = -1
        self.started = self.paused = self.stopped = False
        self.last: ev.Event | None = None
        self.expected_cooldowns: set[str] | None = None

    def feed(self, events: Iterable[ev.Event]) -> Audit:
        """Check events, in order."""
        for event in events:
            assert event.at >= self.now, f"time runs backwards at {event}"
            self.now = event.at
            if isinstance(event, ev.SpendingCapReached | ev.SameFailureRepeated):
                self.check_limit(event)
            if handler := getattr(self, "on_" + type(event).__name__, None):
                handler(event)
            self.money.take(event)
            self.last = event
        return self

    # -- helpers

    def gates_of(self, name: str) -> list[tuple[str, bool]]:
        """Return the keys of a profile's two gates."""
        return [(self.profiles[name].group, False), (name, True)]

    def gate(self, key: tuple[str, bool]) -> GateView:
        """Return a gate."""
        return self.gates.setdefault(key, GateView())

    def busy(self, name: str) -> int:
        """Return how many attempts submit or generate on a profile."""
        return sum(s.profile == name and s.status in ("submitting", "generating") for s in self.scenes.values())

    def eligible(self, name: str) -> bool:
        """Say whether a profile may submit now, as far as events tell."""
        profile = self.profiles[name]
        bounds = [b for b in (profile.capacity, self.mode.max_generating) if b is not None]
        if profile.removed or self.busy(name) >= min(bounds, default=math.inf):
            return False
        unanswered = sum(s.group == profile.group and s.status == "submitting" for s in self.scenes.values())
        gates = [self.gate(key) for key in self.gates_of(name)]
        return unanswered < 4 + gates[0].accepted and all(gate.open and gate.probe is None for gate in gates)  # R21

    def attempt(self, scene: str, number: int, status: str) -> SceneView:
        """Return the scene, whose running attempt this must be about."""
        view = self.scenes[scene]
        assert (view.number, view.status) == (number, status), f"{scene} #{number}: {view}"
        return view

    def answered(self, scene: str, view: SceneView, *, accepted: bool) -> None:
        """Note a submit's answer at the gates that it probed."""
        for key in view.probing:
            self.gate(key).probe, self.gate(key).probe_due = None, not accepted
        view.probing = set()

    def unpin(self, profile: str | None = None) -> None:
        """Let scenes that wait for a profile, or for any, go anywhere."""
        for view in self.scenes.values():
            view.pinned = view.pinned and profile not in (None, view.profile)

    # -- requests

    def on_ProfileAdded(self, event: ev.ProfileAdded) -> None:
        """A new profile, or one that is back."""
        old = self.profiles.get(event.profile)
        assert old is None or old.removed
        index = len(self.profiles) if old is None else old.index
        self.profiles[event.profile] = ProfileView(event.capacity, event.group or event.profile, index)

    def on_ProfileChanged(self, event: ev.ProfileChanged) -> None:
        """Another capacity."""
        self.profiles[event.profile].capacity = event.capacity

    def on_ProfileRemoved(self, event: ev.ProfileRemoved) -> None:
        """Out of the rotation."""
        self.profiles[event.profile].removed = True
        self.unpin(event.profile)

    def on_SceneAdded(self, event: ev.SceneAdded) -> None:
        """R17: only a new or a settled scene may be added; numbers go on."""
        old = self.scenes.get(event.scene.id)
        assert old is None or old.status in SETTLED
        self.orders, order = self.orders + 1, self.orders + 1 if event.rank is None else event.rank
        number = event.attempts if old is None else old.number
        self.scenes[event.scene.id] = SceneView(order, event.single, number=number)

    def on_SceneEdited(self, event: ev.SceneEdited) -> None:
        """R15: what runs is not disturbed."""
        assert self.scenes[event.scene.id].status not in ("submitting", "generating", "fetching"), event

    def on_SubmitAgainRequested(self, event: ev.SubmitAgainRequested) -> None:
        """R12: only what is held needs that word."""
        assert self.scenes[event.scene].status == "held"

    def on_AskedAgain(self, event: ev.AskedAgain) -> None:
        """R17: a settled scene's job is followed again, as a new attempt and without a submit."""
        view = self.scenes[event.scene.id]
        assert view.status == "held" or (view.status == "failed" and view.open_job), f"nothing to ask about: {event}"
        assert event.number == view.number + 1, f"numbers go on: {event}"
        view.status, view.number, view.profile, view.open_job = "generating", event.number, event.profile, True

    def on_RunStarted(self, _: ev.RunStarted) -> None:
        """Submissions may begin."""
        self.started, self.stopped, self.limited = True, False, None

    def on_ModeChanged(self, event: ev.ModeChanged) -> None:
        """R15."""
        self.mode = event.mode

    def on_PolicyChanged(self, event: ev.PolicyChanged) -> None:
        """R15."""
        self.moves, self.min_cooldown = event.policy.moves, event.policy.min_cooldown
        self.turns = takes_turns(event.policy)
        if self.moves:
            self.unpin()

    def on_Paused(self, _: ev.Paused) -> None:
        """R16."""
        self.paused = True

    def on_Unpaused(self, _: ev.Unpaused) -> None:
        """R16."""
        self.paused = False
        self.take_back(ev.EndReason.SAME_FAILURE)

    def on_Stopped(self, _: ev.Stopped) -> None:
        """R16."""
        self.stopped, self.limited = True, None

    def take_back(self, limit: ev.EndReason) -> None:
        """A run that this limit stopped goes on."""
        if self.limited is limit:
            self.stopped, self.limited = False, None

    def on_BillingLimitChanged(self, event: ev.BillingLimitChanged) -> None:
        """R15; a run that the limit stopped goes on."""
        self.max_billed = event.max_billed
        self.take_back(ev.EndReason.MAX_BILLED)

    def on_SpendingCapChanged(self, _: ev.SpendingCapChanged) -> None:
        """R15; a run that the cap stopped goes on."""
        self.take_back(ev.EndReason.MAX_COST)

    # -- answers

    def on_Accepted(self, event: ev.Accepted) -> None:
        """R7: strikes are forgotten; R3: the scene's memory of who bounced it as well."""
        view = self.attempt(event.scene, event.number, "submitting")
        view.status, view.avoid, view.open_job = "generating", set(), True
        self.billed += 1
        self.gate((view.group, False)).accepted += 1
        self.answered(event.scene, view, accepted=True)
        for key in self.gates_of(view.profile):
            self.gate(key).strikes = 0

    def on_Progressed(self, event: ev.Progressed) -> None:
        """R14: a job that waits at its provider holds its slot, as one that runs does."""
        self.attempt(event.scene, event.number, "generating")
        assert event.status in ("queued", "running"), f"a job is queued or running: {event}"

    def on_Generated(self, event: ev.Generated) -> None:
        """A slot is free."""
        self.attempt(event.scene, event.number, "generating").status = "fetching"

    def on_Fetched(self, event: ev.Fetched) -> None:
        """Settled."""
        self.attempt(event.scene, event.number, "fetching").status = "succeeded"

    def on_CallFailed(self, event: ev.CallFailed) -> None:
        """R1, R6, R8, R12: what the failure of a submit may lead to."""
        status = {"submit": "submitting", "poll": "generating", "fetch": "fetching", "cancel": "generating"}
        view = self.attempt(event.scene, event.number, status[event.phase])
        if event.phase == "submit":
            self.answered(event.scene, view, accepted=False)
            self.billed += isinstance(event.outcome, Ambiguous)
            self.note_429(event.outcome, view)

    def on_CancelAnswered(self, event: ev.CancelAnswered) -> None:
        """What is cancelled has ended."""
        self.attempt(event.scene, event.number, "generating").open_job = event.answer != "cancelled"

    def on_JobFailed(self, event: ev.JobFailed) -> None:
        """The provider has given up."""
        view = self.attempt(event.scene, event.number, "generating")
        view.open_job = False
        self.note_429(event.outcome, view)

    def note_429(self, outcome: object, view: SceneView) -> None:
        """R6: a late 429 is no new strike."""
        if isinstance(outcome, RateLimited):
            gate = self.gate((self.profiles[view.profile].group, False))
            gate.strikes, gate.accepted = gate.strikes + (view.started > gate.since), 0

    def on_AttemptAbandoned(self, event: ev.AttemptAbandoned) -> None:
        """R17: only an attempt in flight can be; the scene is settled next."""
        view = self.scenes[event.scene]
        assert view.number == event.number and view.status in LIVE
        if view.status == "submitting":
            self.answered(event.scene, view, accepted=False)
            self.billed += event.sent

    # -- decisions

    def on_AttemptStarted(self, event: ev.AttemptStarted) -> None:
        """R2-R4, R14, R16-R18: the right scene, on a profile that may have it, and once."""
        view = self.scenes[event.scene]
        assert self.started and not self.paused and not self.stopped, f"R16: {event}"
        assert view.status == "queued", f"R17, twice at the same time: {event}"
        assert view.not_before <= self.now, f"R9, back-off not over: {event}"
        assert not view.unpaid, f"no token of the retry budget: {event}"
        assert event.number == view.number + 1, f"numbers go on: {event}"
        view.open_job = False
        assert self.eligible(event.profile), f"R1/R14/R18/R21, not eligible: {event}"
        submitting = sum(s.status == "submitting" for s in self.scenes.values())
        assert submitting < (self.mode.max_submitting or math.inf), f"mode: {event}"
        assert self.billed + submitting < (self.max_billed or math.inf), f"max_billed: {event}"
        if self.moves:
            self.check_order_and_place(event, view)
        view.status, view.number, view.profile, view.started = "submitting", event.number, event.profile, event.at
        view.group = self.profiles[event.profile].group
        if not view.pinned:  # else it was nobody's turn
            self.last_profile = self.profiles[event.profile].index
        view.pinned = False
        for key in self.gates_of(event.profile):
            if self.gate(key).probe_due:
                self.gate(key).probe = event.scene
                view.probing.add(key)

    def check_order_and_place(self, event: ev.AttemptStarted, view: SceneView) -> None:
        """R2: nobody with precedence waits; R3, R4: the next free profile in turn that did not bounce it."""
        queued = (s for s in self.scenes.values() if s.status == "queued" and not s.unpaid)
        waiting = [s for s in queued if s.not_before <= self.now]
        assert view.precedence == min(s.precedence for s in waiting), f"R2: {event}"
        if not self.turns:
            return
        fits = self.money.fits  # R22
        free = [n for n in self.profiles if self.eligible(n) and fits(event.scene, n, "open", "doubtful", "spent")]
        others = [name for name in free if not view.avoid & set(self.gates_of(name))] or free
        turn = len(self.profiles)
        expected = min(others, key=lambda name: (self.profiles[name].index - self.last_profile - 1) % turn)
        assert event.profile == expected, f"R3/R4: expected {expected}: {event}"

    def on_SceneRequeued(self, event: ev.SceneRequeued) -> None:
        """R2, R8: to the front, with memory of what bounced it."""
        view = self.scenes[event.scene]
        assert view.number == event.number
        assert view.status in LIVE
        assert not view.open_job, f"R12, its job may still finish: {event}"
        assert not isinstance(event.outcome, Permanent), f"R10: {event}"
        if self.on_ambiguous == "hold":
            assert not isinstance(event.outcome, Ambiguous), f"R12: {event}"
        view.status, view.bounced = "queued", True
        view.not_before = -math.inf if event.not_before is None else event.not_before
        view.pinned = not self.moves and isinstance(event.outcome, RateLimited)
        view.unpaid = event.unpaid
        assert not (event.unpaid and isinstance(event.outcome, RateLimited)), f"R8, a 429 costs nothing: {event}"
        group = isinstance(event.outcome, RateLimited) or getattr(event.outcome, "cause", "") == "day_quota"
        if not isinstance(event.outcome, Cancelled):  # else it was never sent, and nobody bounced it
            view.avoid.add((self.profiles[event.profile].group, False) if group else (event.profile, True))

    def on_RetryGranted(self, event: ev.RetryGranted) -> None:
        """The retry budget lets a scene go that waited for it."""
        view = self.scenes[event.scene]
        assert view.unpaid and view.status == "queued", f"granted twice: {event}"
        view.unpaid = False
        view.not_before = -math.inf if event.not_before is None else event.not_before

    def on_SceneSettled(self, event: ev.SceneSettled) -> None:
        """R17: settled once."""
        view = self.scenes[event.scene]
        assert view.status not in SETTLED, f"R17, settled twice: {event}"
        assert event.status != "failed" or not view.open_job, f"R12, its job may still finish: {event}"
        view.status = event.status

    def on_BillingLimitReached(self, event: ev.BillingLimitReached) -> None:
        """It is reached, and there is something left to submit."""
        assert self.max_billed is not None and self.billed >= self.max_billed == event.max_billed, f"too early: {event}"
        assert any(view.status == "queued" for view in self.scenes.values()), f"nothing is left: {event}"
        self.stopped, self.limited = True, ev.EndReason.MAX_BILLED

    def check_limit(self, event: ev.SpendingCapReached | ev.SameFailureRepeated) -> None:
        """R22, R23: it is reached, and there is something left to submit."""
        waiting = [name for name, view in self.scenes.items() if view.status == "queued"]
        assert waiting, f"nothing is left: {event}"
        if isinstance(event, ev.SameFailureRepeated):
            assert list(event.scenes) == self.money.streak and len(event.scenes) >= (self.money.pause_after or 0)
            self.stopped, self.limited = True, ev.EndReason.SAME_FAILURE
            return
        ready = [name for name in waiting if not self.scenes[name].unpaid and self.scenes[name].not_before <= self.now]
        first = min(ready, key=lambda name: self.scenes[name].precedence)
        usable = [name for name in self.profiles if not self.profiles[name].removed and self.opens_soon(name)]
        pinned = self.scenes[first].pinned
        assert pinned or not any(self.money.fits(first, name, "doubtful", "spent") for name in usable), f"R22: {event}"
        self.stopped, self.limited = True, ev.EndReason.MAX_COST

    def opens_soon(self, name: str) -> bool:
        """Say whether a profile's gates open within an hour."""
        return all(self.gate(key).open or self.gate(key).until <= self.now + 3600 for key in self.gates_of(name))

    def on_CooldownStarted(self, event: ev.CooldownStarted) -> None:
        """R1: only the group that was limited; R6: never shorter; R7: the policy's minimum, doubling."""
        gate = self.gate((event.group, event.alone))
        assert event.until > gate.until or gate.open, f"R6: {event}"
        if gate.open:
            gate.since = event.at
        trigger = self.last
        if isinstance(trigger, ev.CallFailed | ev.JobFailed) and isinstance(trigger.outcome, RateLimited):
            own = self.profiles[self.scenes[trigger.scene].profile].group
            assert not self.moves or (event.group, event.alone) == (own, False), f"R1: {event}"
            floor = min(self.min_cooldown * 2.0 ** min(max(gate.strikes, 1) - 1, 64), 600.0)
            assert (event.group != own) or event.until >= event.at + floor - 1e-9, f"R7: {event}"
        local = event.unusable and getattr(getattr(trigger, "outcome", None), "local", False)
        gate.opens_when_heard = isinstance(trigger, ev.CallFailed) and (trigger.phase in ("poll", "fetch") or local)
        gate.until, gate.open = event.until, False

    def on_CooldownEnded(self, event: ev.CooldownEnded) -> None:
        """R5, R18: not before its time, unless released by hand; a probe is due."""
        gate = self.gate((event.group, event.alone))
        assert not gate.open
        comes_back = event.alone and self.profiles[event.group].removed
        heard = isinstance(self.last, ev.Progressed | ev.Generated | ev.Fetched | ev.JobFailed) and self.last.scene
        key_is_good = heard and gate.opens_when_heard and self.scenes[heard].profile == event.group
        released = comes_back or key_is_good or isinstance(self.last, ev.CooldownReleased | ev.CooldownEnded)
        assert released or event.at >= gate.until, f"R5: {event}"
        gate.open, gate.probe_due, gate.until = True, True, min(gate.until, event.at)

    def on_RunEnded(self, event: ev.RunEnded) -> None:
        """R17: nothing is under way; all is settled, or was stopped, or no profile is usable."""
        statuses = {view.status for view in self.scenes.values()}
        left = {"fetching"} if event.reason == ev.EndReason.RESULTS_UNWRITABLE else set()
        assert not statuses & set(LIVE) - left, f"R17: {event}"
        assert event.reason != ev.EndReason.SETTLED or statuses <= set(SETTLED), f"R17: {event}"
        if event.reason == ev.EndReason.MAX_BILLED:
            assert self.stopped and self.billed >= (self.max_billed or 0), f"{event}"
        if event.reason in (ev.EndReason.MAX_COST, ev.EndReason.SAME_FAILURE):
            assert self.stopped and self.limited is event.reason, f"{event}"


def takes_turns(policy: Policy) -> bool:
    """Say whether nothing but the rules decides which profile is next."""
    kind = type(policy)
    return kind.earliest is Policy.earliest and kind.finish is Policy.finish


def audit(events: Iterable[ev.Event], mode: Mode = NORMAL, **options: Any) -> Audit:
    """Check a whole run."""
    return Audit(mode, **options).feed(events)
