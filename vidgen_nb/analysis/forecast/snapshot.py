"""How a run stands: which scenes wait and run, which profiles cool; enough to go on from there."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from vidgen_nb.analysis.forecast.outages import Answer
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.simulation.what_if import mode_of
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, Operation, Scene
from vidgen_nb.core.money import micros
from vidgen_nb.core.outcomes import Ambiguous, Transient
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.spending import Spending

__all__ = ["RunningJob", "Snapshot", "snapshot"]

ANSWER_EVENTS = (ev.Accepted, ev.CallFailed, ev.SceneRequeued, ev.SceneSettled)
"""Events that answer a submit, if the scene has one open."""


@dataclass(slots=True)
class RunningJob:
    """An attempt that was accepted and has no end."""

    scene: Scene
    number: int
    profile: str
    since: float
    """When it was accepted."""


@dataclass(slots=True)
class Snapshot:
    """How a run stands. Times in run seconds."""

    mode: Mode
    policy: Policy | None = None
    """The latest one set during the run; None: the one it began with."""
    stopped: bool = False
    max_billed: int | None = None
    left: int | None = None
    """What may still be spent, in millionths; None: any amount."""
    scenes: dict[str, Scene] = field(default_factory=dict)
    queued: dict[str, bool] = field(default_factory=dict)
    """Ids of scenes that wait, and whether they go first: single scenes and bounced ones."""
    ranks: dict[str, float] = field(default_factory=dict)
    """Of scenes that were added with one."""
    jobs_running: dict[str, RunningJob] = field(default_factory=dict)
    """By scene id."""
    submitting: dict[str, ev.AttemptStarted] = field(default_factory=dict)
    """Unanswered submits, by scene."""
    profiles: dict[str, ev.ProfileAdded] = field(default_factory=dict)
    """Profiles that may be used, with their current capacity."""
    cooling: dict[tuple[str, bool], ev.CooldownStarted] = field(default_factory=dict)
    """Open cooldowns, by (group, alone)."""
    accepted: int = 0
    in_doubt: int = 0
    """Submits that may have been accepted."""
    broken: int = 0
    """Accepted attempts that ended with a transient failure."""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    """By profile: the submits that were accepted, or failed with a transient failure."""

    @property
    def waiting(self) -> list[Scene]:
        """The waiting scenes that will still run, in order: as many as the limits allow, none after a stop."""
        if self.stopped:
            return []
        ids = sorted(self.queued, key=lambda name: (not self.queued[name], self.ranks.get(name, math.inf)))
        room = None if self.max_billed is None else max(0, self.max_billed - self.accepted - self.in_doubt)
        return self._affordable([self.scenes[name] for name in ids[:room]])

    def _affordable(self, scenes: list[Scene]) -> list[Scene]:
        """Return the scenes that fit under `max_cost`, each on the profile that is cheapest for it."""
        if self.left is None:
            return scenes
        left, prices = self.left, [each.price for each in self.profiles.values() if each.price is not None]
        for count, scene in enumerate(scenes):
            left -= min([cost for each in prices if (cost := each.of(scene)) is not None], default=left + 1)
            if left < 0:
                return scenes[:count]
        return scenes


def snapshot(data: RunData) -> Snapshot:
    """Return how a run stands after its last event."""
    now = Snapshot(mode_of(data.header), max_billed=data.header.get("max_billed"))
    started: dict[str, RunningJob] = {}
    """By scene, until its submit is answered."""
    for event in data.events:
        if isinstance(event, ANSWER_EVENTS):
            now.submitting.pop(event.scene, None)
        match event:
            case ev.SceneAdded(scene=scene, single=single, rank=rank):
                now.scenes[scene.id] = scene
                now.queued[scene.id] = single
                if rank is not None:
                    now.ranks[scene.id] = rank
            case ev.SceneEdited(scene=scene):
                now.scenes[scene.id] = scene
            case ev.AttemptStarted(scene=name, number=number, profile=profile):
                now.submitting[name] = event
                started[name] = RunningJob(now.scenes[name], number, profile, event.at)
            case ev.Accepted(scene=name):
                now.accepted += 1
                now.queued.pop(name, None)
                now.jobs_running[name] = flight = started.pop(name)
                flight.since = event.at
                now.answers.setdefault(flight.profile, []).append((event.at, True))
            case ev.AskedAgain(scene=scene, number=number, profile=profile):
                now.scenes[scene.id] = scene
                now.jobs_running[scene.id] = RunningJob(scene, number, profile, event.at)
            case ev.CallFailed(scene=name, phase="submit", outcome=Ambiguous()):
                now.in_doubt += 1
            case ev.CallFailed(scene=name, phase="submit", outcome=Transient(local=False)) if name in started:
                now.answers.setdefault(started[name].profile, []).append((event.at, False))
            case ev.AttemptAbandoned(scene=name, sent=True):
                now.in_doubt += name in started
            case ev.SceneRequeued(scene=name, outcome=outcome):
                flown = now.jobs_running.pop(name, None)
                now.queued[name] = True
                now.broken += flown is not None and isinstance(outcome, Transient) and not outcome.local
            case ev.Fetched(scene=name) | ev.SceneSettled(scene=name):
                now.jobs_running.pop(name, None)
                now.queued.pop(name, None)
            case _:
                _settings(now, event)
    if (cap := _max_cost(data)) is not None:
        spending = Spending(data.events)
        now.left = micros(cap) - spending.spent - spending.committed
    return now


def _max_cost(data: RunData) -> float | None:
    """Return the spending cap at the end of the record."""
    changes = (event for event in reversed(data.events) if isinstance(event, ev.SpendingCapChanged))
    cap: float | None = data.header.get("max_cost")
    return next((event.max_cost for event in changes), cap)


def _settings(now: Snapshot, event: ev.Event) -> None:
    """Apply an event about the whole run, or about profiles."""
    match event:
        case ev.ProfileAdded(profile=name):
            now.profiles[name] = ev.ProfileAdded(name, event.capacity, event.group, event.price)
        case ev.ProfileChanged(profile=name) if name in now.profiles:
            now.profiles[name] = replace(now.profiles[name], capacity=event.capacity)
        case ev.PriceChanged(profile=name) if name in now.profiles:
            now.profiles[name] = replace(now.profiles[name], price=event.price)
        case ev.ProfileRemoved(profile=name):
            now.profiles.pop(name, None)
        case ev.CooldownStarted():
            now.cooling[event.group, event.alone] = event
        case ev.CooldownEnded():
            now.cooling.pop((event.group, event.alone), None)
        case ev.ModeChanged():
            now.mode = event.mode
        case ev.PolicyChanged():
            now.policy = event.policy
        case ev.RunStarted():
            now.stopped = False
        case ev.BillingLimitChanged():
            now.max_billed = event.max_billed
        case ev.Stopped():
            now.stopped = True


def resume_events(now: Snapshot, at: float, scenes: Iterable[Scene], ends: dict[str, float]) -> list[ev.Event]:
    """Return events that bring a new scheduler to where a run stands; running jobs end at `ends`."""
    events: list[ev.Event] = [
        ev.ProfileAdded(each.profile, each.capacity, each.group) for each in now.profiles.values()
    ]
    for (_, alone), cool in now.cooling.items():
        names = [name for name in cool.profiles if name in now.profiles][
            :1
        ]  # one member is enough: the cooldown is the group's
        events += [ev.CooldownImposed(name, cool.until, cool.reason, alone, cool.unusable) for name in names]
    for flight in now.jobs_running.values():
        if flight.profile in now.profiles:
            name, after = flight.scene.id, max(0.0, ends[flight.scene.id] - at)
            events.append(ev.SceneAdded(flight.scene, False, flight.number - 1))
            events.append(ev.AttemptStarted(name, flight.number, flight.profile, "running"))
            events.append(ev.Accepted(name, flight.number, Operation(name, "simulated", None, after)))
    events += [ev.SceneAdded(scene) for scene in scenes]
    for event in events:
        event.at = at if math.isfinite(at) else 0.0  # type: ignore[misc]  # events are frozen for everyone else
    return events
