"""What the parts of the scheduler share: its settings, its timers, and its output of events and commands."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from copy import copy
from heapq import heappop, heappush
from random import Random
from typing import Any, Literal

from vidgen_nb.core.commands import Command, Submit
from vidgen_nb.core.events import Event
from vidgen_nb.core.model import Mode, PollSchedule, RetryPolicy
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.spending import Spending
from vidgen_nb.core.state import SceneState
from vidgen_nb.errors import InputError

__all__ = ["Context", "OnAmbiguous", "Timers", "as_on_ambiguous"]

OnAmbiguous = Literal["hold", "retry"]
Callback = Callable[[Any, float], None]


def as_on_ambiguous(choice: OnAmbiguous) -> OnAmbiguous:
    """Return what to do with a submit that may have been accepted; `InputError` for an unknown choice."""
    if choice not in ("hold", "retry"):
        raise InputError(f"on_ambiguous is 'hold' or 'retry', not {choice!r}")
    return choice


class Timers:
    """What happens when: a heap of times, and what is called at each of them, in order.

    Nothing is ever removed: a callback checks for itself whether it still has a reason. Floats are compared several
    times as fast as tuples that begin with them.
    """

    __slots__ = ("_calls", "times")

    def __init__(self) -> None:
        self.times = [math.inf]
        """A heap; the last one never comes, so that there is always a first."""
        self._calls: dict[float, list[tuple[Callback, Any]]] = {}

    def at(self, when: float, callback: Callback, argument: Any) -> None:
        """Call `callback(argument, now)` once `when` has come."""
        if (calls := self._calls.get(when)) is None:
            self._calls[when] = [(callback, argument)]
            heappush(self.times, when)
        else:
            calls.append((callback, argument))

    def pop(self) -> list[tuple[Callback, Any]]:
        """Take away the first time, and return what is to be called then."""
        return self._calls.pop(heappop(self.times))

    def run(self, now: float) -> None:
        """Call everything that is due, in order of time."""
        while self.times[0] <= now < math.inf:
            for callback, argument in self.pop():
                callback(argument, now)


class Context:
    """Settings, timers, and the two things that the scheduler produces: events and commands."""

    __slots__ = (
        "configured_policy",
        "counts_money",
        "events",
        "hold_unknown_jobs",
        "is_limited",
        "is_replay",
        "keep",
        "max_billed",
        "max_cost",
        "max_wait",
        "mode",
        "on_ambiguous",
        "pause_after_same_failure",
        "policy",
        "policy_error",
        "policy_fault",
        "policy_learns",
        "policy_paces",
        "policy_ranks",
        "poll",
        "restored_at",
        "retry",
        "rng",
        "spending",
        "timers",
        "to_do",
    )

    def __init__(
        self,
        mode: Mode,
        policy: Policy,
        retry: RetryPolicy,
        poll: PollSchedule,
        on_ambiguous: OnAmbiguous,
        max_wait: float,
        rng: Random,
        max_billed: int | None = None,
        max_cost: float | None = None,
        pause_after_same_failure: int | None = None,
    ) -> None:
        self.mode = mode
        self.events: list[Event] = []
        """Everything that happened, in order."""
        self.policy_error: BaseException | None = None
        """What the policy raised in a step that is completed first."""
        self.policy_fault: BaseException | None = None
        """What the policy raised last: a user's bug, not one of the scheduler."""
        self.spending = Spending()
        self.counts_money = False
        """Whether any price is known so far: until then, no event is looked at."""
        self.rng = rng
        self.use_policy(policy)
        self.retry = retry
        self.poll = poll
        self.on_ambiguous = on_ambiguous
        self.max_wait = max_wait
        self.max_billed: int | None
        """Submits that may be accepted in the run, including those in doubt; None: no bound."""
        self.max_cost: float | None
        """What the run may spend and commit, in the currency of its prices; None: no bound."""
        self.pause_after_same_failure: int | None
        """After how many equal failures in a row nothing new is submitted; None: never."""
        self.set_limits(max_billed, max_cost, pause_after_same_failure)
        self.restored_at = -math.inf
        """When another program last took the run over: before that, nobody looked after its jobs."""
        self.hold_unknown_jobs = False
        """Whether to hold jobs from before the restore that the provider doesn't know: it may be the wrong provider."""
        self.is_replay = False
        """Whether recorded events are fed in: then those decisions that are not looked up wait for their record."""
        self.timers = Timers()
        self.to_do: deque[Command | SceneState] = deque()
        """What is to be done, in order; a scene stands for the submit of its running attempt."""

    def backoff(self, failures: int) -> float:
        """Return seconds to wait after so many failures: full jitter (AWS, "Exponential Backoff And Jitter")."""
        return self.rng.uniform(0.0, min(self.retry.backoff * 2.0 ** min(failures - 1, 64), self.retry.backoff_cap))

    def use_policy(self, policy: Policy) -> None:
        """Decide by a policy from now on; which optional methods it overrides is looked up once.

        A policy that starts each run as a fresh copy first observes what has happened so far.
        """
        self.configured_policy = policy
        """As the user gave it; `policy`, its copy for this run, decides."""
        fresh = policy.for_run()
        self.policy = fresh.with_seed(copy(self.rng).getrandbits(64))  # a copy: the run's own numbers stay as they are
        self.trust_policy()
        self.policy_paces = type(policy).earliest is not Policy.earliest
        self.policy_ranks = type(policy).finish is not Policy.finish
        if self.policy_learns and fresh is not policy:
            for event in self.events:
                self._notify_policy(event)

    def trust_policy(self) -> None:
        """Let the policy observe events, also after one that it failed at."""
        self.policy_learns = type(self.policy).observe is not Policy.observe
        self._choose_keep()

    def _choose_keep(self) -> None:
        self.keep: Callable[[Event], None]
        """Keeps an event that has its time, and shows it to the policy and the account, if they look at events."""
        self.keep = self._keep_and_show if self.policy_learns or self.counts_money else self.events.append

    def defer_policy_error(self, error: BaseException) -> None:
        """Raise what the policy raised once the step is complete, with nothing lost; the first one counts."""
        self.policy_error = self.policy_fault = self.policy_error or error

    def set_limits(self, max_billed: int | None, max_cost: float | None, pause_after_same_failure: int | None) -> None:
        """Bound what the run submits, what it costs, and how often it fails for the same reason."""
        self.max_billed, self.max_cost = max_billed, max_cost
        self.pause_after_same_failure = pause_after_same_failure
        self.is_limited = not (max_billed is max_cost is pause_after_same_failure is None)

    def count_money(self) -> None:
        """Keep account of what the run costs from its beginning on: a price is known, or about to be."""
        if not self.counts_money:
            self.counts_money = True
            self._choose_keep()
            for event in self.events:
                self.spending.take(event)

    def record(self, event: Event, now: float) -> None:
        """Stamp an event and keep it."""
        event.at = now  # type: ignore[misc]  # records are frozen for everyone else
        self.keep(event)

    def take_commands(self) -> list[Command]:
        """Return what is to be done, and forget it."""
        commands: list[Command] = []
        for each in self.to_do:
            if isinstance(each, SceneState):
                assert each.profile is not None  # noqa: S101 - an attempt in flight has one
                commands.append(Submit(each.scene, each.number, each.profile.name))
            else:
                commands.append(each)
        self.to_do.clear()
        return commands

    def _keep_and_show(self, event: Event) -> None:
        self.events.append(event)
        if self.counts_money:
            self.spending.take(event)
        if self.policy_learns:
            self._notify_policy(event)

    def _notify_policy(self, event: Event) -> None:
        try:
            self.policy.observe(event, event.at)
        except BaseException as error:  # noqa: BLE001 - a user's policy may even exit
            self.policy_learns = False  # or every further event would fail, and no command get out
            self._choose_keep()
            self.defer_policy_error(error)
