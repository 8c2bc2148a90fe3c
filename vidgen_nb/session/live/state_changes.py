"""What a scheduler has to hear so that its run follows the session's state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vidgen_nb.core import events as ev
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.ports import Profile
from vidgen_nb.session.settings import SessionState

__all__ = ["changes_to", "is_stopped_for_good", "same_failure"]


def changes_to(state: SessionState, scheduler: Scheduler, known: Mapping[str, Profile]) -> Iterator[ev.Event]:
    """Yield the requests that bring mode, policy, limit, pause and profiles in line; to be handed over one by one.

    `known`: the run's profiles by name. One that has another key now leaves, and comes back under its name.
    """
    settings = state.settings
    if scheduler.mode != settings.mode:
        yield ev.ModeChanged(settings.mode)
    if scheduler.policy is not settings.policy:
        yield ev.PolicyChanged(settings.policy)
    if scheduler.max_billed != settings.max_billed:
        yield ev.BillingLimitChanged(settings.max_billed)
    if scheduler.max_cost != settings.max_cost:
        yield ev.SpendingCapChanged(settings.max_cost)
    if scheduler.paused != state.paused:
        yield ev.Paused() if state.paused else ev.Unpaused()
    present = {name: each for name, each in scheduler.roster.profiles.items() if not each.removed}
    replaced = [name for name in present if state.profiles.get(name) is not known[name]]
    for name in replaced:
        yield ev.ProfileRemoved(name)
    for name, profile in state.profiles.items():
        if name not in present or name in replaced:
            yield ev.ProfileAdded(name, profile.capacity, profile.quota_group or "", profile.price)
            continue
        if present[name].capacity != profile.capacity:
            yield ev.ProfileChanged(name, profile.capacity)
        if profile.price not in (None, present[name].price):  # a restored run may know it from before
            yield ev.PriceChanged(name, profile.price)


def is_stopped_for_good(scheduler: Scheduler) -> bool:
    """Say whether another stop would change nothing. After one by a limit it would: a higher limit ends that."""
    return scheduler.stopped and scheduler.stopped_by is None


def same_failure(scheduler: Scheduler) -> ev.SameFailureRepeated | None:
    """Return why a run holds back new work by itself, where scenes failed for the same reason; None: it doesn't."""
    if scheduler.stopped_by is not ev.EndReason.SAME_FAILURE:
        return None
    return next((each for each in reversed(scheduler.events) if isinstance(each, ev.SameFailureRepeated)), None)
