"""Random events against the scheduler: after every step the audit holds, and nothing is lost or done twice."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.core.harness import BOOST, NORMAL, World, names
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Cancel, Command, Fetch, Poll, Submit
from vidgen_nb.core.model import Artifact, Mode, Operation, RetryBudget, RetryPolicy
from vidgen_nb.core.money import Price
from vidgen_nb.core.outcomes import (
    Ambiguous,
    Cancelled,
    Failure,
    Permanent,
    ProfileUnusable,
    RateLimited,
    Transient,
)
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.core.state import SceneState
from vidgen_nb.policies.cooldowns import ExponentialCooldown, GlobalPause, PerProfileCooldown
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import Concurrency, SlidingWindow, TokenBucket

WAITS = st.sampled_from([None, 0.0, 0.5, 5.0, 30.0, 700.0])
OUTCOMES: st.SearchStrategy[Failure] = st.one_of(
    st.builds(RateLimited, WAITS),
    st.just(Transient("503")),
    st.just(Permanent("refused")),
    st.builds(ProfileUnusable, st.just("no"), st.sampled_from(["auth", "day_quota", "credit"]), WAITS),
    st.just(Ambiguous("502")),
)
MODES = st.sampled_from([NORMAL, BOOST, Mode("two", max_generating=2), Mode("three", max_submitting=3)])
POLICIES: list[Policy] = [
    PerProfileCooldown(2),
    PerProfileCooldown(20),
    PerProfileCooldown(10, honour_retry_after=True),
    GlobalPause(15),
    ExponentialCooldown(2, jitter="full"),
    ExponentialCooldown(2, jitter="decorrelated", seed=3),
    Paced(),
    Paced({"team": TokenBucket(2, per=20) & Concurrency(2), "p3": SlidingWindow(1, per=5)}),
    EarliestFinish(PerProfileCooldown(2)),
    EarliestFinish(Paced(), service={"p1": 100, "p2": 1, "p3": 5}),
]
SETTLED = ("succeeded", "failed", "cancelled", "held")


def state_of(scheduler: Scheduler) -> dict[str, Any]:
    """Return everything that later decisions depend on, except the heaps' inner order."""
    return {
        "scenes": {
            name: (s.status, s.number, s.order, s.single, s.failures, s.not_before, s.started, s.cancelling,
                   s.profile and s.profile.name, sorted((g.name, g.scope) for g in s.avoid or ()), s.ticket > 0)
            for name, s in scheduler.scenes.items()
        },
        "profiles": {
            name: (p.active, p.limit, p.removed, *(
                (g.until, g.closed_at, g.strikes, g.closed, g.probe_due, g.probe and g.probe.scene.id, g.unusable)
                for g in p.gates
            ))
            for name, p in scheduler.roster.profiles.items()
        },
        "cursor": scheduler.roster.rotation.cursor,
        "run": (scheduler.ended, scheduler.paused, scheduler.stopped, scheduler.waiting, scheduler.in_flight,
                scheduler.submitting, scheduler.unsettled, scheduler.last_429_at,
                scheduler._ledger.billed, scheduler._run.stopped_by, scheduler._ledger.streak.scenes,
                scheduler.spending.spent, scheduler.spending.committed, scheduler.spending.in_doubt,
                scheduler.spending.wasted, scheduler.spending.spent_by_scene,
                scheduler._ledger.retries.tokens, list(scheduler._ledger.retries.waiting)),
    }  # fmt: skip


class SchedulerMachine(RuleBasedStateMachine):
    """Everything that users, drivers and providers can do, in any order."""

    world: World
    on_ambiguous = "hold"

    @initialize(
        mode=MODES,
        policy=st.sampled_from(POLICIES),
        retry=st.booleans(),
        deadline=st.sampled_from([None, 40.0]),
        budget=st.sampled_from([None, RetryBudget(1, 0.5)]),
        max_billed=st.sampled_from([None, None, 1, 4]),
        max_cost=st.sampled_from([None, None, 1.0, 2.5]),
        pause_after=st.sampled_from([None, 2]),
    )
    def begin(
        self,
        mode: Mode,
        policy: Policy,
        retry: bool,
        deadline: float | None,
        budget: RetryBudget | None,
        max_billed: int | None,
        max_cost: float | None,
        pause_after: int | None,
    ) -> None:
        """Start with two groups, one of two profiles, and a few scenes."""
        self.world = World(
            {"p1": (None, "team"), "p2": (2, "team"), "p3": (1, "")},
            scenes=3,
            mode=mode,
            policy=policy,
            retry=RetryPolicy(max_failures=3, deadline=deadline, job_timeout=deadline, budget=budget),
            on_ambiguous="retry" if retry else "hold",
            max_billed=max_billed,
            max_cost=max_cost,
            pause_after_same_failure=pause_after,
            prices={"p1": Price(0.5), "p2": Price(0.3)},
        )
        self.answered: list[ev.Event] = []
        self.billed: dict[str, int] = {}

    def answer(self, event: ev.Event) -> None:
        """Answer a command, and remember the answer so that it can come again."""
        self.answered.append(event)
        self.world.feed(event)

    def pick(self, data: st.DataObject, *kinds: type[Command]) -> Any:
        """Take one of the open commands of these kinds."""
        command = data.draw(st.sampled_from([c for c in self.world.open if isinstance(c, kinds)]))
        self.world.open.remove(command)
        return command

    def has(self, *kinds: type[Command]) -> bool:
        """Say whether such a command is open."""
        return any(isinstance(command, kinds) for command in self.world.open)

    # -- providers

    @precondition(lambda self: self.has(Submit))
    @rule(data=st.data(), wait=st.sampled_from([None, 0.0, 3.0]))
    def accept(self, data: st.DataObject, wait: float | None) -> None:
        """A submit is accepted."""
        command = self.pick(data, Submit)
        self.billed[command.scene.id] = self.billed.get(command.scene.id, 0) + 1
        job = Operation(f"{command.scene.id}-{command.number}", poll_after=wait)
        self.answer(ev.Accepted(command.scene.id, command.number, job))

    @precondition(lambda self: self.has(Submit))
    @rule(data=st.data(), outcome=OUTCOMES)
    def submit_fails(self, data: st.DataObject, outcome: Failure) -> None:
        """A submit fails."""
        command = self.pick(data, Submit)
        self.answer(ev.CallFailed(command.scene.id, command.number, "submit", outcome))

    @precondition(lambda self: self.has(Poll))
    @rule(data=st.data(), status=st.sampled_from(["queued", "running", "done", "broken"]), outcome=OUTCOMES)
    def poll(self, data: st.DataObject, status: str, outcome: Failure) -> None:
        """A poll finds something."""
        command = self.pick(data, Poll)
        attempt = (command.scene.id, command.number)
        if status == "done":
            self.answer(ev.Generated(*attempt, Artifact("with_key")))
        elif status == "broken":
            if not isinstance(outcome, Ambiguous):
                self.answer(ev.JobFailed(*attempt, data.draw(st.sampled_from([outcome, Cancelled()]))))
        else:
            self.answer(ev.Progressed(*attempt, status))

    @precondition(lambda self: self.has(Fetch))
    @rule(data=st.data())
    def fetch(self, data: st.DataObject) -> None:
        """A result arrives."""
        command = self.pick(data, Fetch)
        self.answer(ev.Fetched(command.scene.id, command.number, "x.mp4"))

    @precondition(lambda self: self.has(Poll, Fetch, Cancel))
    @rule(data=st.data(), outcome=OUTCOMES)
    def call_fails(self, data: st.DataObject, outcome: Failure) -> None:
        """A poll, a fetch or a cancel fails."""
        command = self.pick(data, Poll, Fetch, Cancel)
        phase: Any = {Poll: "poll", Fetch: "fetch", Cancel: "cancel"}[type(command)]
        self.answer(ev.CallFailed(command.scene.id, command.number, phase, outcome))

    @precondition(lambda self: self.has(Cancel))
    @rule(data=st.data(), answer=st.sampled_from(["cancelled", "requested", "too late", "unsupported"]))
    def cancel_answered(self, data: st.DataObject, answer: Any) -> None:
        """The provider answers a cancel."""
        command = self.pick(data, Cancel)
        self.answer(ev.CancelAnswered(command.scene.id, command.number, answer))

    @precondition(lambda self: self.answered)
    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        """An old answer arrives a second time: nothing happens."""
        old = data.draw(st.sampled_from(self.answered))
        if isinstance(old, ev.CancelAnswered | ev.CallFailed) or self.is_open(old):
            return
        before = len(self.world.scheduler.events)
        copied = replace(old)
        due = self.world.scheduler.next_wakeup()
        if not self.world.scheduler.ended and (due is None or due > self.world.now):
            assert self.world.feed(copied) == []
            assert len(self.world.scheduler.events) == before

    def is_open(self, event: Any) -> bool:
        """Say whether the attempt still waits for such an answer (a second Progressed is a first one then)."""
        return any((c.scene.id, c.number) == (event.scene, event.number) for c in self.world.open)

    @precondition(lambda self: self.world.scheduler.in_flight)
    @rule(data=st.data())
    def abandon(self, data: st.DataObject) -> None:
        """Nobody continues an attempt."""
        running = [s for s in self.world.scheduler.scenes.values() if s.profile is not None]
        state = data.draw(st.sampled_from(running))
        self.world.open = [c for c in self.world.open if c.scene.id != state.scene.id]
        sent = state.status != "submitting" or data.draw(st.booleans())
        self.answer(ev.AttemptAbandoned(state.scene.id, state.number, sent))

    # -- users

    @rule(seconds=st.sampled_from([0.0, 0.25, 1.0, 10.0, 31.0, 400.0]))
    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.world.sleep_until(self.world.now + seconds)

    @rule(
        name=st.sampled_from(names("s", 12)), single=st.booleans(), rank=st.sampled_from([None, None, 2.5, 9.5, -1.0])
    )
    def add_scene(self, name: str, single: bool, rank: float | None) -> None:
        """A scene is added, or run again."""
        state = self.world.scheduler.scenes.get(name)
        if state is None or state.status in SETTLED:
            self.billed.pop(name, None)
            self.world.add(name, single=single, rank=rank)

    @rule(name=st.sampled_from(names("p", 5)), capacity=st.sampled_from([None, 1, 3]))
    def toggle_profile(self, name: str, capacity: int | None) -> None:
        """A profile is added, changed or removed."""
        profile = self.world.scheduler.roster.profiles.get(name)
        if profile is None or profile.removed:
            self.world.feed(ev.ProfileAdded(name, capacity, "team" if name in ("p2", "p4") else ""))
        elif capacity == 3:
            self.world.feed(ev.ProfileRemoved(name))
        elif capacity == 1:
            self.world.feed(ev.PriceChanged(name, Price(0.4)))
        else:
            self.world.feed(ev.ProfileChanged(name, capacity))

    @rule(event=st.sampled_from([ev.Paused, ev.Unpaused, ev.Stopped, ev.RunStarted]))
    def control(self, event: type[ev.Event]) -> None:
        """Pause, unpause, stop, continue."""
        self.world.feed(event())

    @rule(mode=MODES)
    def change_mode(self, mode: Mode) -> None:
        """Another mode."""
        self.world.feed(ev.ModeChanged(mode))

    @rule(max_billed=st.sampled_from([None, 2, 6]))
    def change_limit(self, max_billed: int | None) -> None:
        """`max_billed` changes; it may be reached already."""
        self.world.feed(ev.BillingLimitChanged(max_billed))

    @rule(max_cost=st.sampled_from([None, 0.9, 3.0]))
    def change_cap(self, max_cost: float | None) -> None:
        """`max_cost` changes; it may be reached already."""
        self.world.feed(ev.SpendingCapChanged(max_cost))

    @rule(policy=st.sampled_from(POLICIES))
    def change_policy(self, policy: Policy) -> None:
        """Another policy."""
        self.world.feed(ev.PolicyChanged(policy))

    @rule(name=st.none() | st.sampled_from(names("s", 12)))
    def cancel(self, name: str | None) -> None:
        """Cancel one, or all."""
        if name is None or name in self.world.scheduler.scenes:
            self.world.feed(ev.CancelRequested(name))

    @rule(name=st.sampled_from(names("p", 3)), impose=st.booleans())
    def hand_on_cooldown(self, name: str, impose: bool) -> None:
        """A cooldown is released by hand, or known from elsewhere."""
        event = ev.CooldownImposed(name, self.world.now + 5, "elsewhere") if impose else ev.CooldownReleased(name)
        self.world.feed(event)

    # -- what must hold after every step

    @invariant()
    def accounted_for(self) -> None:
        """R17: every scene is settled, in flight with a command or a timer, or queued where it can be found."""
        if not hasattr(self, "world"):
            return
        scheduler = self.world.scheduler
        states = scheduler.scenes.values()
        assert scheduler.in_flight == sum(s.profile is not None for s in states)
        assert scheduler.submitting == sum(s.status == "submitting" for s in states)
        assert scheduler.unsettled == sum(s.status not in SETTLED for s in states)
        for state in states:
            queued = state.status == "queued"
            unpaid = state.scene.id in scheduler._ledger.retries.waiting
            assert (state.ticket > 0) == (queued and state.not_before is None and not unpaid)
            assert unpaid == self.world.audit.scenes[state.scene.id].unpaid * queued
            assert (state.profile is None) == (queued or state.status in SETTLED)
        for name, profile in scheduler.roster.profiles.items():
            assert profile.active == self.world.audit.busy(name)
        assert set(scheduler.scenes) == set(self.world.audit.scenes)
        assert {n: s.status for n, s in scheduler.scenes.items()} == {
            n: v.status for n, v in self.world.audit.scenes.items()
        }

    def may_submit(self, name: str, state: SceneState) -> bool:
        """Say whether a profile may submit a scene now, as far as events tell and the policy says."""
        allowed = self.world.scheduler._context.policy.earliest(name, self.world.now) <= self.world.now
        fits = self.world.audit.money.fits(state.scene.id, name, "open", "doubtful", "spent")
        return allowed and fits and self.world.audit.eligible(name)

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        """R4, R5: while scenes wait and submissions are allowed, no profile is free."""
        if not hasattr(self, "world"):
            return
        scheduler, audit = self.world.scheduler, self.world.audit
        most = scheduler.mode.max_submitting
        if audit.paused or audit.stopped or scheduler.ended or (most and scheduler.submitting >= most):
            return
        if audit.max_billed is not None and audit.billed + scheduler.submitting >= audit.max_billed:
            # it waits for an answer, or nothing is left to submit, or it would have stopped
            assert scheduler.submitting or scheduler.unsettled == scheduler.in_flight
            return
        for profile in scheduler.roster.profiles.values():
            if (pinned := scheduler._queue.peek_pinned(profile)) is not None:
                assert not self.may_submit(profile.name, pinned)
                assert scheduler.in_flight or scheduler.next_wakeup() is not None
        if (first := scheduler._queue.peek()) is not None:
            assert [name for name in audit.profiles if self.may_submit(name, first)] == []
            wakeup = scheduler.next_wakeup()
            # someone will wake it: an answer that is due, a timer, or the user where no profile is left
            assert scheduler.in_flight or wakeup is not None

    @invariant()
    def money_adds_up(self) -> None:
        """R22: what is spent and committed is what the events say, and the cap was never exceeded."""
        if not hasattr(self, "world"):
            return
        spending, money = self.world.scheduler.spending, self.world.audit.money
        assert spending.spent == money.total("spent") == sum(spending.spent_by_profile.values())
        assert spending.committed == money.total("open", "doubtful") == sum(spending.committed_by_profile.values())
        assert spending.in_doubt == money.total("doubtful")
        assert list(self.world.scheduler._ledger.streak.scenes) == money.streak

    @invariant()
    def replay_gives_the_same_state(self) -> None:
        """A scheduler that is fed the recorded events has the same state and the same record."""
        if not hasattr(self, "world"):
            return
        settings = {**self.world.settings, "rng": Random(1)}
        twin = Scheduler.replay(list(self.world.scheduler.events), **settings)
        if not twin.ended:
            twin.wake(self.world.now)  # timers that changed nothing on record
        assert state_of(twin) == state_of(self.world.scheduler)
        assert twin.events == self.world.scheduler.events

    def teardown(self) -> None:
        """A journal may end anywhere: what it holds is replayed, and the run continues from there."""
        if hasattr(self, "world"):
            events = list(self.world.scheduler.events)
            part = events[: Random(len(events)).randrange(len(events) + 1)]
            twin = Scheduler.replay(part, **{**self.world.settings, "rng": Random(1)})
            assert twin.events[: len(part)] == part


SchedulerMachine.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink],  # explaining takes minutes
)
TestScheduler = SchedulerMachine.TestCase
