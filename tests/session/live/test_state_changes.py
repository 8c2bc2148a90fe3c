"""A run follows its session's state: what is different is asked for, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from tests.fakes import FakeBackend, profiles
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, PollSchedule
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.policies.cooldowns import GlobalPause
from vidgen_nb.ports import Profile
from vidgen_nb.session.live.state_changes import changes_to
from vidgen_nb.session.settings import RunSettings, SessionState
from vidgen_nb.session.validation import as_profiles


def started(state: SessionState) -> tuple[Scheduler, dict[str, Profile]]:
    """Return a scheduler that follows the state already, and its profiles."""
    scheduler, known = state.settings.scheduler(PollSchedule()), dict[str, Profile]()
    apply(state, scheduler, known)
    return scheduler, known


def apply(state: SessionState, scheduler: Scheduler, known: dict[str, Profile]) -> list[ev.Event]:
    """Hand over the changes one by one, as a live run does, and return them."""
    done = []
    for event in changes_to(state, scheduler, known):
        if isinstance(event, ev.ProfileAdded):
            known[event.profile] = state.profiles[event.profile]
        scheduler.handle(event, 0.0)
        done.append(event)
    return done


STATE = SessionState(RunSettings.checked(), as_profiles(FakeBackend(), profiles("p1", "p2")))


def test_nothing_has_changed() -> None:
    """A run that follows already hears nothing."""
    scheduler, known = started(STATE)
    assert apply(STATE, scheduler, known) == []


def test_settings_and_pause() -> None:
    """Mode, policy, limit and pause are asked for once, in that order, and back again."""
    scheduler, known = started(STATE)
    other = replace(
        STATE, settings=replace(STATE.settings, mode=BOOST, policy=GlobalPause(9), max_billed=3), paused=True
    )
    kinds = [type(event) for event in apply(other, scheduler, known)]
    assert kinds == [ev.ModeChanged, ev.PolicyChanged, ev.BillingLimitChanged, ev.Paused]
    assert apply(other, scheduler, known) == []
    assert ev.Unpaused in map(type, apply(STATE, scheduler, known))
    assert (scheduler.mode, scheduler.policy, scheduler.max_billed) == (
        STATE.settings.mode,
        STATE.settings.policy,
        None,
    )


def test_profiles_come_go_and_get_other_keys() -> None:
    """A profile with another key leaves and comes back; one with another capacity stays."""
    scheduler, known = started(STATE)
    new = {"p2": Profile("p2", api_key="another"), "p3": Profile("p3", api_key="third")}
    done = apply(replace(STATE, profiles=new), scheduler, known)
    assert [(type(event), event.profile) for event in done if hasattr(event, "profile")] == [
        (ev.ProfileRemoved, "p1"),
        (ev.ProfileRemoved, "p2"),
        (ev.ProfileAdded, "p2"),
        (ev.ProfileAdded, "p3"),
    ]
    new["p3"].capacity = 2
    (change,) = apply(replace(STATE, profiles=new), scheduler, known)
    assert isinstance(change, ev.ProfileChanged) and change.capacity == 2
