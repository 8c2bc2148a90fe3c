"""Which waiting scene is submitted now, and where (R2-R4); and which submit must not leave after all (R16)."""

from __future__ import annotations

import math
from collections.abc import Callable

from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.context import Context
from vidgen_nb.core.events import EndReason
from vidgen_nb.core.money import amount_text, micros
from vidgen_nb.core.profiles.rotation import Rotation
from vidgen_nb.core.queue import SceneQueue
from vidgen_nb.core.state import ProfileState, RunState, SceneState

__all__ = ["Dispatcher"]


class Dispatcher:
    """Brings waiting scenes and free profiles together, until one of them runs out."""

    def __init__(self, context: Context, run: RunState, ledger: Ledger, rotation: Rotation, queue: SceneQueue) -> None:
        self.max_submits: int | None = None
        """How many submits can be in the air at once, as the backend says; set by the driver. None: no bound."""
        self._context = context
        self._run = run
        self._ledger = ledger
        self._unwritable = ledger.unwritable
        self._rotation = rotation
        self._queue = queue

    def dispatch(self, now: float) -> None:
        """Begin all attempts that may begin now."""
        run = self._run
        context = self._context
        if run.stopped or run.paused or self._unwritable.failures or context.policy_error is not None:
            return
        queue, rotation, offered = self._queue, self._rotation, self._rotation.offered
        if queue.pinned:
            self._dispatch_pinned(now)
        bounded = context.is_limited or context.mode.max_submitting is not None or self.max_submits is not None
        while offered and not (bounded and self._room() <= 0) and (state := queue.peek()) is not None:
            chosen = rotation.pick(state.avoid, now, self._fits(state) if bounded else None)
            if chosen is None:
                return
            self._ledger.begin(state, chosen, now)

    def _dispatch_pinned(self, now: float) -> None:
        """Submit scenes that wait for one profile alone, and before them singles, which may go to any (R2)."""
        queue, rotation = self._queue, self._rotation
        while self._room() > 0 and (state := queue.peek()) is not None and state.single:
            chosen = rotation.pick(state.avoid, now, self._fits(state))
            if chosen is None:
                break
            self._ledger.begin(state, chosen, now)
        for profile in list(queue.pinned):
            while (
                (state := queue.peek_pinned(profile)) is not None
                and self._room() > 0
                and rotation.is_eligible(profile, now)
                and ((fits := self._fits(state)) is None or fits(profile))
            ):
                self._ledger.begin(state, profile, now)

    def _room(self) -> float:
        """Return how many more submits the mode, `max_billed` and what can be in the air at once allow."""
        at_once, billable, ledger = self._context.mode.max_submitting, self._context.max_billed, self._ledger
        room = math.inf if at_once is None else at_once - ledger.submitting
        if self.max_submits is not None:
            room = min(room, self.max_submits - ledger.submitting)
        if billable is not None:  # submits without an answer may be accepted, too
            room = min(room, billable - ledger.billed - ledger.submitting)
        return room

    def _fits(self, state: SceneState) -> Callable[[ProfileState], bool] | None:
        """Return what says whether a scene's next job on a profile keeps within `max_cost`; None: there is none.

        All that is under way is taken to cost its price. A job of unknown price does not fit.
        """
        context = self._context
        if context.max_cost is None:
            return None
        spending = context.spending
        left = micros(context.max_cost) - spending.spent - spending.committed
        return lambda profile: (
            (cost := profile.cost_of(state.scene)) is not None and spending.expected(profile.name, cost) <= left
        )

    def _is_over_max_cost(self) -> bool:
        context = self._context
        spending, cap = context.spending, context.max_cost
        return cap is not None and spending.spent + spending.committed > micros(cap)

    def reason_to_stay(self, scene: str, number: int) -> str:
        """Return why a submit that has not left must not leave any more; empty: it may.

        What was decided may have waited for the disk or for a connection, and much may have happened meanwhile.
        """
        run, ledger, limit = self._run, self._ledger, self._context.max_billed
        state = ledger.current(scene, number, "submitting")
        if state is None or state.profile is None:
            return "the attempt had ended"
        if state.cancelling:
            return "the scene was cancelled"
        is_stopped = run.stopped and run.stopped_by is not EndReason.MAX_COST  # what was decided before may fit
        if is_stopped or run.paused or run.ended:
            paused = run.paused or run.stopped_by is EndReason.SAME_FAILURE
            return "the run was paused" if paused else "the run was stopped"
        if limit is not None and ledger.billed + ledger.submitting > limit:
            return f"max_billed={limit} leaves no room for it"
        if self._is_over_max_cost():
            cap = amount_text(micros(self._context.max_cost or 0), self._context.spending.currency)
            return f"the spending cap of {cap} leaves no room for it"
        if ledger.unwritable.failures:
            return "results could not be written"
        if state.profile.removed:
            return f"{state.profile.name!r} was removed"
        if (at_once := self._context.mode.max_submitting) is not None and ledger.submitting > at_once:
            return f"the mode {self._context.mode.name!r} has {at_once} submit{'s' * (at_once != 1)} at once"
        if state.profile.active > state.profile.limit:
            return f"{state.profile.name!r} has no room for it any more"
        for gate in state.profile.gates:
            if gate.closed:
                return f"{state.profile.name!r} began to cool"
            if gate.probe_due and gate.probe is not state:
                return f"{state.profile.name!r} had cooled, and waits for a probe"
        return ""
