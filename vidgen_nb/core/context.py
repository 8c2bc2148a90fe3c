"""What the parts of the scheduler share: its settings, its timers, and what it has written down."""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Any, Literal

from vidgen_nb.core.commands import Command
from vidgen_nb.core.events import Event
from vidgen_nb.core.model import Mode, PollSchedule, RetryPolicy
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError

__all__ = ["Context", "OnAmbiguous", "Timers", "as_on_ambiguous"]

OnAmbiguous = Literal["hold", "retry"]
Callback = Callable[[Any, float], None]


def as_on_ambiguous(choice: OnAmbiguous) -> OnAmbiguous:
    """Return what follows a submit that may have been accepted; `InputError` for what is no choice."""
    if choice not in ("hold", "retry"):
        raise InputError(f"on_ambiguous is 'hold' or 'retry', not {choice!r}")
    return choice


class Timers:
    """What is to happen when: a heap of (time, order, callback, argument).

    Nothing is ever taken out: a callback looks itself whether it still has a reason.
    """

    __slots__ = ("_order", "heap")

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, Callback, Any]] = []
        self._order = 0

    def at(self, when: float, callback: Callback, argument: Any) -> None:
        """Call `callback(argument, now)` once `when` has come."""
        self._order += 1
        heappush(self.heap, (when, self._order, callback, argument))

    def run(self, now: float) -> None:
        """Call everything that is due, in order of time."""
        heap = self.heap
        while heap and heap[0][0] <= now:
            _, _, callback, argument = heappop(heap)
            callback(argument, now)

    def next(self) -> float | None:
        """Return when the next one is due, or None."""
        return self.heap[0][0] if self.heap else None


class Context:
    """Settings, timers, and the two things that the scheduler produces: events and commands."""

    __slots__ = (
        "commands",
        "events",
        "fault",
        "given",
        "learns",
        "max_billed",
        "max_wait",
        "mode",
        "on_ambiguous",
        "paces",
        "policy",
        "poll",
        "ranks",
        "restored_at",
        "retry",
        "rng",
        "timers",
        "wary",
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
    ) -> None:
        self.mode = mode
        self.events: list[Event] = []
        """Everything that happened, in order."""
        self.fault: Exception | None = None
        """What the policy raised while it was told of an event."""
        self.use(policy)
        self.retry = retry
        self.poll = poll
        self.on_ambiguous = on_ambiguous
        self.max_wait = max_wait
        self.rng = rng
        self.max_billed = max_billed
        """Submits that may be accepted in the run, those in doubt among them; None: no bound."""
        self.restored_at = -math.inf
        """When the run was last carried on by another program: before that nobody looked after its jobs."""
        self.wary = False
        """Whether what the provider says of those may come from the wrong place."""
        self.timers = Timers()
        self.commands: list[Command] = []
        """What is to be done; emptied by every `handle`."""

    def use(self, policy: Policy) -> None:
        """Decide by a policy from now on; whether it overrides what it need not is looked up once.

        One that begins each run as a copy is told first what has happened so far.
        """
        self.given = policy
        """As the user gave it; what decides is its copy for this run."""
        self.policy = policy.for_run()
        self.learns = type(policy).observe is not Policy.observe
        self.paces = type(policy).earliest is not Policy.earliest
        self.ranks = type(policy).finish is not Policy.finish
        if self.learns and self.policy is not policy:
            for event in self.events:
                self._tell(event, event.at)

    def record(self, event: Event, now: float) -> None:
        """Stamp an event and write it down; let the policy learn from it."""
        event.at = now  # type: ignore[misc]  # records are frozen for everyone else
        self.events.append(event)
        if self.learns:
            self._tell(event, now)

    def _tell(self, event: Event, now: float) -> None:
        try:
            self.policy.observe(event, now)
        except Exception as mistake:  # noqa: BLE001 - a user's policy: raised once what is being done is done
            self.fault = self.fault or mistake
