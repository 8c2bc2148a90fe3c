"""Which part of the scheduler handles which event."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.failures import Failures
from vidgen_nb.core.attempts.lifecycle import AttemptLifecycle
from vidgen_nb.core.requests.limits import Limits
from vidgen_nb.core.requests.requests import Requests
from vidgen_nb.errors import InputError

__all__ = ["Handlers", "handlers_of"]


class Handlers(dict[type[ev.Event], Callable[[Any, float], None]]):
    """What handles each event that may be fed in; `InputError` for any other."""

    def __init__(
        self, handlers: dict[type[ev.Event], Callable[[Any, float], None]], add_scenes: Callable[[Any, float], None]
    ) -> None:
        super().__init__(handlers)
        self._add_scenes = add_scenes

    def handle_all(self, events: Iterable[ev.Event], now: float) -> None:
        """Handle events in order, scenes that follow each other together."""
        for kind, alike in groupby(events, type):
            if kind is ev.SceneAdded:
                self._add_scenes(alike, now)
            else:
                for event in alike:
                    self[kind](event, now)

    def __missing__(self, kind: type[ev.Event]) -> Callable[[Any, float], None]:
        raise InputError(f"{kind.__name__} is a decision of the scheduler's own; it can't be fed in")


def handlers_of(requests: Requests, limits: Limits, attempts: AttemptLifecycle, failures: Failures) -> Handlers:
    """Return what handles each event that may be fed in."""
    handlers: dict[type[ev.Event], Callable[[Any, float], None]] = {
        ev.ProfileAdded: requests.add_profile,
        ev.ProfileChanged: requests.change_profile,
        ev.PriceChanged: requests.change_price,
        ev.ProfileRemoved: requests.remove_profile,
        ev.SceneAdded: requests.add_scene,
        ev.SceneEdited: requests.edit_scene,
        ev.AskedAgain: attempts.asked_again,
        ev.SubmitAgainRequested: requests.submit_again,
        ev.RunStarted: requests.start,
        ev.RunRestored: requests.restore,
        ev.ModeChanged: requests.change_mode,
        ev.PolicyChanged: requests.change_policy,
        ev.Paused: requests.pause,
        ev.Unpaused: requests.unpause,
        ev.Stopped: requests.stop,
        ev.BillingLimitChanged: limits.change_max_billed,
        ev.SpendingCapChanged: limits.change_max_cost,
        ev.CancelRequested: requests.cancel,
        ev.CooldownReleased: requests.release_cooldown,
        ev.CooldownImposed: requests.impose_cooldown,
        ev.Accepted: attempts.accepted,
        ev.Progressed: attempts.progressed,
        ev.Generated: attempts.generated,
        ev.Fetched: attempts.fetched,
        ev.CallFailed: failures.call_failed,
        ev.JobFailed: failures.job_failed,
        ev.CancelAnswered: attempts.cancellations.answered,
        ev.AttemptAbandoned: attempts.abandoned,
    }
    return Handlers(handlers, requests.add_scenes)
