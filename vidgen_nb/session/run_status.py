"""What a session shows of its run, from any thread."""

from __future__ import annotations

import os
from pathlib import Path

from vidgen_nb.analysis.costs import RunCost, run_cost
from vidgen_nb.core import events as ev
from vidgen_nb.core.spending import Spending
from vidgen_nb.errors import SessionError
from vidgen_nb.plaintext import one_line
from vidgen_nb.run import Run
from vidgen_nb.session.live.state_changes import same_failure
from vidgen_nb.session.runner import Runner

__all__ = ["RunStatus"]


class RunStatus:
    """The run that is under way, or the last one, and how far it is."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    @property
    def last_run(self) -> Run | None:
        """The run that is under way, or the last one; None: there was none."""
        return self._runner.live.run if self._runner.live is not None else None

    def report(self, path: str | os.PathLike[str] | None = None, *, title: str = "") -> Path:
        """Write a report of the last run, as `Run.report`, with the stills of its videos; return its path."""
        if self.last_run is None or not self.last_run.events:
            raise SessionError("nothing is recorded yet: run something first")
        return self.last_run.report(path, title=title, videos=self._runner.resources.videos.base)

    @property
    def in_flight(self) -> int:
        """How many attempts are under way."""
        return self._runner.live.scheduler.in_flight if self._runner.live is not None else 0

    @property
    def left_over(self) -> int:
        """Scenes that a stopped or restored run has left: `run()` goes on with them, `cancel()` drops them."""
        return self._runner.unfinished - (self.in_flight if self._runner.is_running else 0)

    @property
    def failed(self) -> int:
        """How many scenes of the last run have failed."""
        return (
            0
            if self._runner.live is None
            else sum(s.status == "failed" for s in self._runner.live.scheduler.scenes.values())
        )

    @property
    def billed(self) -> int:
        """How many submits of the last run were, or may have been, accepted; `max_billed` bounds them."""
        return self._runner.live.scheduler.billed if self._runner.live is not None else 0

    @property
    def now(self) -> float:
        """Seconds of the run that is under way, or that the last one took; 0: there was none."""
        if self._runner.live is None or self._runner.live.is_over:
            events = self._runner.live.scheduler.events if self._runner.live is not None else []
            return events[-1].at if events else 0.0
        return self._runner.live.now

    @property
    def is_stopping(self) -> bool:
        """Whether the run ends with what is under way; a pause for the same failure is none: `unpause()` goes on."""
        live = self._runner.live
        if live is None or live.is_over or live.scheduler.stopped_by is ev.EndReason.SAME_FAILURE:
            return False
        return live.scheduler.stopped

    @property
    def cooling(self) -> dict[str, float]:
        """Run seconds left for each profile that cools or is unusable; inf: no end is known."""
        return (
            {}
            if self._runner.live is None or self._runner.is_closed
            else self._runner.loop.call(self._runner.live.cooling)
        )

    @property
    def last_429_at(self) -> float | None:
        """Time of the latest 429 on any profile, in seconds of the last run; None: there was none (R19)."""
        return self._runner.live.scheduler.last_429_at if self._runner.live is not None else None

    @property
    def cost(self) -> RunCost:
        """What the run costs: spent, committed, and what the scenes that wait will cost; per profile and in all."""
        runner = self._runner
        return self._cost() if runner.live is None or runner.is_closed else runner.loop.call(self._cost)

    def _cost(self) -> RunCost:
        state, live = self._runner.state, self._runner.live
        prices = {name: each.price for name, each in state.profiles.items()}
        if live is None:
            spending = Spending()
            spending.currency = next((each.currency for each in prices.values() if each is not None), "")
            return run_cost(spending, (), prices, state.settings.max_cost)
        waiting = (each.scene for each in live.scheduler.scenes.values() if each.status == "queued")
        return run_cost(live.scheduler.spending, waiting, prices, state.settings.max_cost)

    @property
    def is_at_max_cost(self) -> bool:
        """Whether the last run ended because no scene fits under `max_cost`, which has not changed since."""
        live, cap = self._runner.live, self._runner.state.settings.max_cost
        ended = live is not None and live.is_over and live.scheduler.ended is ev.EndReason.MAX_COST
        return ended and live is not None and live.scheduler.max_cost == cap

    @property
    def pause_reason(self) -> str:
        """Why the run holds back new work by itself; empty: it doesn't. `unpause()` goes on."""
        live = self._runner.live
        if live is None or (found := same_failure(live.scheduler)) is None:
            return ""
        return f"the last {len(found.scenes)} scenes failed for the same reason: {one_line(found.reason)}"

    @property
    def is_closed(self) -> bool:
        """Whether the session was closed."""
        return self._runner.is_closed
