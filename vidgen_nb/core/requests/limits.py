"""What ends or pauses a run before its scenes are done: `max_billed`, `max_cost` (R22), and the same failure (R23).

Each is a decision, recorded with what led to it: nothing new is submitted, what is under way goes on, and then the run
ends, with scenes left queued. A higher limit, or `Unpaused`, takes it back, and so does the next `RunStarted`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.context import Context
from vidgen_nb.core.model import as_max_billed
from vidgen_nb.core.money import as_max_cost, micros
from vidgen_nb.core.profiles.roster import Roster
from vidgen_nb.core.queue import SceneQueue
from vidgen_nb.core.retries import is_count
from vidgen_nb.core.state import ProfileState, RunState, SceneState
from vidgen_nb.errors import InputError

__all__ = ["LIMIT_EVENTS", "Limits", "as_pause_after"]

END_REASONS: Final[dict[type[ev.Event], ev.EndReason]] = {
    ev.BillingLimitReached: ev.EndReason.MAX_BILLED,
    ev.SpendingCapReached: ev.EndReason.MAX_COST,
    ev.SameFailureRepeated: ev.EndReason.SAME_FAILURE,
}
LIMIT_EVENTS: Final = tuple(END_REASONS)


def as_pause_after(value: int | None) -> int | None:
    """Return after how many equal failures in a row a run pauses, or None for never; `InputError` for anything else."""
    if value is not None and not is_count(value):
        raise InputError(f"pause_after_same_failure is a whole number from 1 up, or None for never, not {value!r}")
    return value


class Limits:
    """Says when a run must not go on by itself."""

    def __init__(self, context: Context, run: RunState, ledger: Ledger, roster: Roster, queue: SceneQueue) -> None:
        self._context = context
        self._run = run
        self._ledger = ledger
        self._roster = roster
        self._queue = queue

    def check(self, now: float) -> None:
        """Stop where a limit is reached, if there are scenes left to submit."""
        context, ledger = self._context, self._ledger
        if self._run.stopped or ledger.unsettled <= ledger.in_flight:
            return
        streak, most = ledger.streak, context.pause_after_same_failure
        if most is not None and len(streak.scenes) >= most:
            self.reach(ev.SameFailureRepeated(tuple(streak.scenes), streak.reason), now)
        elif context.max_billed is not None and ledger.billed >= context.max_billed:
            self.reach(ev.BillingLimitReached(context.max_billed), now)
        elif context.max_cost is not None and self._nothing_fits(now):
            self.reach(ev.SpendingCapReached(context.max_cost), now)

    def reach(self, event: ev.Event, now: float) -> None:
        """Submit nothing new, as after a stop."""
        self._context.record(event, now)
        self._ledger.streak.clear()
        self._run.stopped, self._run.stopped_by = True, END_REASONS[type(event)]

    def change_max_billed(self, event: ev.BillingLimitChanged, now: float) -> None:
        """Set `max_billed`, and continue if the old limit is what stopped the run."""
        max_billed = as_max_billed(event.max_billed)
        context = self._context
        context.record(event, now)
        context.set_limits(max_billed, context.max_cost, context.pause_after_same_failure)
        self._run.take_back(ev.EndReason.MAX_BILLED)

    def change_max_cost(self, event: ev.SpendingCapChanged, now: float) -> None:
        """Set `max_cost`, and continue if the old one is what stopped the run."""
        max_cost = as_max_cost(event.max_cost)
        context = self._context
        context.record(event, now)
        context.set_limits(context.max_billed, max_cost, context.pause_after_same_failure)
        self._run.take_back(ev.EndReason.MAX_COST)

    def _nothing_fits(self, now: float) -> bool:
        """Say whether no scene that is next fits under `max_cost`, even if all that is under way should cost nothing.

        Scenes keep their order: a cheaper one further back does not overtake.
        """
        context = self._context
        assert context.max_cost is not None  # noqa: S101 - asked only then
        left = micros(context.max_cost) - context.spending.spent - context.spending.in_doubt
        queue, roster = self._queue, self._roster
        heads: list[tuple[SceneState | None, Iterable[ProfileState]]] = [(queue.peek(), roster.profiles.values())]
        heads += [(queue.peek_pinned(profile), [profile]) for profile in list(queue.pinned)]
        usable = [(state, roster.usable(profiles, now)) for state, profiles in heads if state is not None]
        if not any(profiles for _, profiles in usable):  # nobody to wait for: another rule says so
            return False
        return not any(self._fits(state, profile, left) for state, profiles in usable for profile in profiles)

    def _fits(self, state: SceneState, profile: ProfileState, left: int) -> bool:
        cost = profile.cost_of(state.scene)
        return cost is not None and self._context.spending.expected(profile.name, cost) <= left
