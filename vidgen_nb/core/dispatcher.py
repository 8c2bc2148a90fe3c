"""Which waiting scene is submitted now, and where (R2-R4)."""

from __future__ import annotations

from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.context import Context
from vidgen_nb.core.queue import SceneQueue
from vidgen_nb.core.roster import Roster

__all__ = ["Dispatcher"]


class Dispatcher:
    """Brings waiting scenes and free profiles together, until one of them runs out."""

    def __init__(self, context: Context, ledger: Ledger, roster: Roster, queue: SceneQueue) -> None:
        self._context = context
        self._ledger = ledger
        self._roster = roster
        self._queue = queue

    def dispatch(self, now: float) -> None:
        """Begin all attempts that may begin now."""
        queue, roster = self._queue, self._roster
        if self._ledger.unwritable.waiting:
            return
        if queue.pinned:
            self._dispatch_free(now, singles=True)  # they go before bounced ones (R2)
        for profile in list(queue.pinned):
            while (state := queue.peek_pinned(profile)) is not None and self._room() and roster.eligible(profile, now):
                self._ledger.begin(state, profile, now)
        self._dispatch_free(now)

    def _dispatch_free(self, now: float, *, singles: bool = False) -> None:
        """Serve scenes that may go to any profile; with `singles` only those at the head that are single."""
        roster, queue = self._roster, self._queue
        while roster.offered and self._room() and (state := queue.peek()) is not None and (state.single or not singles):
            chosen = roster.pick(state.avoid, now)
            if chosen is None:
                return
            self._ledger.begin(state, chosen, now)

    def _room(self) -> bool:
        """Say whether the mode and `max_billed` allow another submit."""
        most, limit, ledger = self._context.mode.max_submitting, self._context.max_billed, self._ledger
        if limit is not None and ledger.billed + ledger.submitting >= limit:
            return False  # what is under way may be accepted, too
        return most is None or ledger.submitting < most
