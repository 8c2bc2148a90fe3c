"""The retry budget: retries after transient failures are paid for by successes.

A token bucket after Marc Brooker, "Fixing retries with token buckets and circuit breakers" (2022): it starts full, each
scene that succeeds adds a fraction of a token, each retry takes one. Without a token a scene waits, first come, first
served; it is never lost (R17). When every unsettled scene waits, no success can come: then one retry goes without a
token, and if it succeeds the trouble is over and the bucket is full again, as when a circuit breaker closes.
"""

from __future__ import annotations

from collections.abc import Callable

from vidgen_nb.core import events as ev
from vidgen_nb.core.context import Context
from vidgen_nb.core.model import RetryBudget
from vidgen_nb.core.state import SceneState

__all__ = ["RetryTokens"]

ROUNDING_TOKENS = 1e-9
"""Tokens that may be missing because of rounding: ten tenths make one."""


class RetryTokens:
    """The tokens left, and the scenes that wait for one; without a budget every retry is free."""

    def __init__(self, context: Context, budget: RetryBudget | None, release: Callable[[SceneState], None]) -> None:
        self._context = context
        self._budget = budget
        self._release = release
        """Waits out a scene's back-off, then puts it into the queue."""
        self.tokens = budget.size if budget is not None else 0.0
        self.waiting: dict[str, tuple[SceneState, float]] = {}
        """Scenes that wait for a token, in order, and when their back-offs end."""
        self._unpaid: SceneState | None = None
        """The scene that is retried without a token."""

    def spend(self) -> bool:
        """Take a token, if there is one."""
        if self._budget is None:
            return True
        if self.waiting or self.tokens < 1 - ROUNDING_TOKENS:
            return False
        self.tokens -= 1
        return True

    def change_budget(self, budget: RetryBudget | None, now: float) -> None:
        """Follow another budget from now on."""
        if budget == self._budget:
            return
        before, self._budget = self._budget, budget
        if budget is not None:
            self.tokens = budget.size if before is None else min(self.tokens, budget.size)
        else:
            for scene in list(self.waiting):
                self._grant(scene, "there is no longer a retry budget", now)

    def wait(self, state: SceneState, not_before: float) -> None:
        """Let a scene wait for a token."""
        self.waiting[state.scene.id] = (state, not_before)

    def forget(self, state: SceneState) -> None:
        """A scene no longer waits."""
        self.waiting.pop(state.scene.id, None)

    def earn(self, state: SceneState, now: float) -> None:
        """A scene has succeeded."""
        if self._budget is not None:
            more = self._budget.size if state is self._unpaid else self._budget.per_success
            self.tokens = min(self._budget.size, self.tokens + more)
            while self.waiting and self.tokens >= 1 - ROUNDING_TOKENS:
                self.tokens -= 1
                self._grant(next(iter(self.waiting)), "the retry budget has a token", now)

    def unblock(self, unsettled: int, now: float) -> None:
        """If all unsettled scenes wait, let the first one go."""
        if len(self.waiting) == unsettled:
            self._grant_unpaid(next(iter(self.waiting)), now)

    def replay_grant(self, scene: str, now: float) -> None:
        """Repeat a recorded grant; one that a success paid for has been repeated with that success."""
        if scene in self.waiting:
            self._grant_unpaid(scene, now)

    def _grant_unpaid(self, scene: str, now: float) -> None:
        self._unpaid = self.waiting[scene][0]
        self._grant(scene, "all scenes wait for the retry budget: this retry is unpaid", now)

    def _grant(self, scene: str, reason: str, now: float) -> None:
        """Let a waiting scene retry once its back-off is over."""
        state, not_before = self.waiting.pop(scene)
        state.not_before = not_before if not_before > now else None
        self._context.record(ev.RetryGranted(scene, state.number, reason, state.not_before), now)
        self._release(state)
