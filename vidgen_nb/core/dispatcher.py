"""Which waiting scene is submitted now, and where (R2-R4)."""

from __future__ import annotations

from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.context import Context
from vidgen_nb.core.profiles.rotation import Rotation
from vidgen_nb.core.queue import SceneQueue

__all__ = ["Dispatcher"]


class Dispatcher:
    """Brings waiting scenes and free profiles together, until one of them runs out."""

    def __init__(self, context: Context, ledger: Ledger, rotation: Rotation, queue: SceneQueue) -> None:
        self._context = context
        self._ledger = ledger
        self._rotation = rotation
        self._queue = queue

    def dispatch(self, now: float) -> None:
        """Begin all attempts that may begin now."""
        queue, rotation = self._queue, self._rotation
        if self._ledger.unwritable.failures:
            return
        if queue.pinned:
            self._dispatch_free(now, singles_only=True)  # they go before bounced scenes (R2)
        for profile in list(queue.pinned):
            while (
                (state := queue.peek_pinned(profile)) is not None
                and self._may_submit()
                and rotation.is_eligible(profile, now)
            ):
                self._ledger.begin(state, profile, now)
        self._dispatch_free(now)

    def _dispatch_free(self, now: float, *, singles_only: bool = False) -> None:
        """Submit scenes that may go to any profile, from the head of the queue on."""
        rotation, queue = self._rotation, self._queue
        while (
            rotation.offered
            and self._may_submit()
            and (state := queue.peek()) is not None
            and (state.single or not singles_only)
        ):
            chosen = rotation.pick(state.avoid, now)
            if chosen is None:
                return
            self._ledger.begin(state, chosen, now)

    def _may_submit(self) -> bool:
        """Say whether the mode and `max_billed` allow another submit."""
        at_once, billable, ledger = self._context.mode.max_submitting, self._context.max_billed, self._ledger
        if billable is not None and ledger.billed + ledger.submitting >= billable:
            return False  # submits without an answer may be accepted, too
        return at_once is None or ledger.submitting < at_once
