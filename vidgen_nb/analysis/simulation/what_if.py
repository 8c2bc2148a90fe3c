"""A recorded run again, in virtual time, with something changed.

Everything about a simulated run is known, so without a change the same events result. The provider of a live run is a
guess: limits are estimated from its attempts, a scene takes as long as it did, and service times of others are drawn
from those seen; `assumed` says so in words.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from vidgen_nb.analysis.limits.estimate import estimate_limits
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.records.off_time import without
from vidgen_nb.analysis.records.provider_queue import provider_slots
from vidgen_nb.analysis.simulation.arrivals import arrivals_from
from vidgen_nb.analysis.simulation.overrides import with_override
from vidgen_nb.analysis.simulation.recorded_requests import recorded_requests
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, RetryPolicy
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.policies.registry import label
from vidgen_nb.provider import Concurrency, Empirical, Fault, Load, SimulatedProfile
from vidgen_nb.provider.described import profile_from
from vidgen_nb.provider.service import Service
from vidgen_nb.recording.codec import read_as
from vidgen_nb.recording.policies import resolve_policy

__all__ = [
    "MIN_OWN_TIMES",
    "changed_simulation",
    "faults_of",
    "in_words",
    "mode_of",
    "policy_of",
    "recorded_simulation",
    "retry_of",
    "service_times",
    "what_if",
]

MIN_OWN_TIMES = 5
"""A profile with this many service times uses its own, instead of those of all profiles."""


def what_if(data: RunData, changes: Mapping[str, Any]) -> tuple[dict[str, Any], list[ev.Event]]:
    """Run a recorded run again in virtual time with changes, and return header and events.

    `changes`: as `overrides.with_override` takes them; other `scenes` are there from the start. The header's `what_if`
    says which run it was, what was changed and what had to be assumed. Raises `InputError` if the run doesn't record
    enough, or for a change that is not possible.
    """
    simulation, assumed = changed_simulation(data, changes)
    header, events = simulation.run()
    changed = {name: in_words(value) for name, value in changes.items()}
    return {**header, "what_if": {"run": data.header.get("run"), "changed": changed, "assumed": assumed}}, events


def changed_simulation(data: RunData, changes: Mapping[str, Any]) -> tuple[Simulation, list[str]]:
    """Return a recorded run with changes as a simulation, and what had to be assumed."""
    simulation, assumed = recorded_simulation(data, changes)
    if "scenes" in changes:
        drawn = _arrivals(data.header, changes, None)
        simulation = replace(simulation, scenes=(), arrivals=drawn, requests=_without_scenes(simulation.requests))
    for name in sorted(changes, key=lambda each: each not in ("profiles", "policy", "mode")):
        simulation = with_override(simulation, name, changes[name])
    return simulation, assumed


def in_words(value: Any) -> str:
    """Return what something was changed to."""
    return label(value) if isinstance(value, Policy) else value.name if isinstance(value, Mode) else str(value)


def recorded_simulation(data: RunData, changes: Mapping[str, Any]) -> tuple[Simulation, list[str]]:
    """Return a recorded run as a simulation, and what had to be assumed; what will be changed need not be known."""
    header, backend = data.header, data.header.get("backend") or {}
    live = backend.get("name") != "simulated"
    options: dict[str, Any] = {} if live else {"latency": float(backend.get("latency", 0.0))}
    assumed: list[str] = []
    if "profiles" in changes and not isinstance(changes["profiles"], int):
        profiles: list[SimulatedProfile] = []  # they are given
    elif live:
        profiles, assumed = _assumed_profiles(data)
        if not changes.keys() & {"profiles", "capacity"}:
            profiles = [replace(each, capacity=_greatest_capacity(data, each.name)) for each in profiles]
    else:
        profiles = [profile_from(each) for each in backend["profiles"]]
    if not changes.keys() & {"profiles", "capacity"}:
        options["capacities"] = {name: steps[0][1] for name, steps in data.capacity_steps.items()}
    if not live:
        options["load"] = Load(**backend["load"]) if backend.get("load") else None
        options["attempt_timeout"] = backend.get("attempt_timeout")
        options["faults"], left_out = faults_of(backend.get("faults", ()))
        assumed += left_out
    if "policy" not in changes and (policy := policy_of(header)) is not None:
        options["policy"] = policy
    if (clients := header.get("clients", 1)) > 1:
        assumed.append(f"the provider's other {clients - 1} clients are not there")
    order = header.get("order", "given")
    asked = recorded_requests(data.events, changes, ordered=order != "given")
    if asked.ranked or not any(at for at, _ in asked.scenes):  # else those that came later had no ranks
        options["order"] = order
    cut = without(data.off)
    if "profiles" not in changes:
        options["absent"] = [each.name for each in profiles if each.name not in asked.present]
    if live and "profiles" not in changes:
        options["luck"] = recorded_luck(data, {each.name: each.service for each in profiles})
    elif header.get("luck"):
        options["luck"] = header["luck"]
    if live and asked.requests:
        assumed.append("what was requested by hand was requested at the same times")
    simulation = Simulation(
        [scene for _, scene in asked.scenes],
        profiles,
        mode_of(header),
        retry=retry_of(header),
        seed=int(header.get("seed", 0)),
        arrivals=_arrivals(header, changes, [cut(at) for at, _ in asked.scenes]),
        requests=[(cut(at), _moved(event, cut)) for at, event in asked.requests],
        cooldowns=asked.cooldowns,
        told_groups=header.get("told_groups", True),
        on_ambiguous=header.get("on_ambiguous", "hold"),
        max_wait=float(header.get("max_wait", 3600.0)),
        max_billed=header.get("max_billed"),
        max_cost=None if "max_cost" in changes else header.get("max_cost"),
        pause_after_same_failure=header.get("pause_after_same_failure"),
        **options,
    )
    return simulation, assumed


def _arrivals(header: Mapping[str, Any], changes: Mapping[str, Any], recorded: Any) -> Any:
    """Return when scenes come: as recorded, or drawn again from the run's process if that is known.

    It is drawn again for another seed, and for other scenes.
    """
    seed = changes.get("seed", header.get("seed"))
    if "arrivals" in header and (recorded is None or seed != header.get("seed")):
        return arrivals_from(header["arrivals"])
    return recorded


def _moved(event: ev.Event, cut: Callable[[float], float]) -> ev.Event:
    """Return a request as it is where times become others."""
    return replace(event, until=cut(event.until)) if isinstance(event, ev.CooldownImposed) else event


def _greatest_capacity(data: RunData, profile: str) -> int | None:
    """Return the greatest capacity that a profile had; None: no bound."""
    steps = [capacity for _, capacity in data.capacity_steps[profile]]
    return None if None in steps else max(capacity or 0 for capacity in steps)


def mode_of(header: Mapping[str, Any]) -> Mode:
    """Return the mode that a run began with."""
    return Mode(**header["mode"]) if "mode" in header else Mode("normal", 1, 4)


def retry_of(header: Mapping[str, Any]) -> RetryPolicy:
    """Return the retry policy that a run began with."""
    return _read(RetryPolicy, header["retry"], "retry") if "retry" in header else RetryPolicy()


def policy_of(header: Mapping[str, Any]) -> Policy | None:
    """Return the policy that a run began with, None if its header has none; `InputError` for an unknown class."""
    return resolve_policy(_read(Any, header["policy"], "policy")) if "policy" in header else None


def _read(kind: Any, data: Any, name: str) -> Any:
    try:
        return read_as(kind, data)
    except ValueError as error:
        raise InputError(f"the header of this run: {name}: {error}") from None


def _without_scenes(requests: Iterable[tuple[float, ev.Event]]) -> list[tuple[float, ev.Event]]:
    """Return the requests that are not about one scene."""
    return [
        (at, event)
        for at, event in requests
        if not isinstance(event, ev.SceneAdded) and not (isinstance(event, ev.CancelRequested) and event.scene)
    ]


def faults_of(described: Iterable[Mapping[str, Any]]) -> tuple[list[Fault], list[str]]:
    """Return the faults of a simulated run; a fault whose prompts a function chose can't be rebuilt."""
    faults, left_out = [], []
    numbers = ("start", "end", "probability", "seconds")  # an infinite one is written down as a text
    for data in described:
        if data.get("prompt") is not None:
            left_out.append(f"the fault {data['kind']!r} chose its prompts by a function, which is left out")
        else:
            given: dict[str, Any] = {name: float(each) if name in numbers else each for name, each in data.items()}
            faults.append(Fault(**given))
    return faults, left_out


def service_times(data: RunData) -> dict[str, list[float]]:
    """Return the seconds from acceptance to result of attempts that succeeded, by profile.

    Time in the provider's queue is no service: where a job was queued there, they count from when it began. Jobs
    accepted before a restore may have finished long before anybody looked; they count only if nothing else succeeded.
    """
    times: dict[str, list[float]] = {name: [] for name in data.profiles}
    for _, name, took in observed_services(data):
        times[name].append(took)
    return times


def observed_services(data: RunData) -> list[tuple[str, str, float]]:
    """Return scene, profile and seconds of the attempts that `service_times` counts."""
    accepted: dict[tuple[str, int], tuple[str, float]] = {}
    started: dict[tuple[str, int], str] = {}
    seen: list[tuple[str, str, float]] = []
    unseen: list[tuple[str, str, float]] = []
    restored = -math.inf
    began = {(each.scene, each.number): each.began for each in data.attempts if each.began != each.accepted}
    for event in data.events:
        if isinstance(event, ev.AttemptStarted):
            started[event.scene, event.number] = event.profile
        elif isinstance(event, ev.Accepted):
            accepted[event.scene, event.number] = (started[event.scene, event.number], event.at)
        elif isinstance(event, ev.RunRestored):
            restored = event.at
        elif isinstance(event, ev.Fetched) and (taken := accepted.get((event.scene, event.number))):
            name, since = taken
            start = began.get((event.scene, event.number))
            took = event.at - (since if start is None else start)
            (seen if since >= restored else unseen).append((event.scene, name, took))
    return seen or unseen


def recorded_luck(data: RunData, services: Mapping[str, Service]) -> dict[str, float]:
    """Return the quantile of each scene's service time among those that its profile's are drawn from.

    On the same profile the scene takes as long as it did; on another one, as long as one that is as slow there.
    """
    found: dict[str, float] = {}
    for scene, name, took in observed_services(data):
        service = services.get(name)
        if isinstance(service, Empirical):
            place = min(bisect_left(service.samples, took), len(service.samples) - 1)
            found[scene] = (place + 0.5) / len(service.samples)
    return found


def _assumed_profiles(data: RunData) -> tuple[list[SimulatedProfile], list[str]]:
    """Return a live run's profiles as its attempts show them, and in words what is a guess."""
    estimates, times, slots = estimate_limits(data), service_times(data), provider_slots(data)
    pooled = [seconds for each in times.values() for seconds in each if seconds > 0]
    if not pooled:
        raise InputError("no scene of this run succeeded, so service times are not known: pass profiles=")
    added = [event for event in data.events if isinstance(event, ev.ProfileAdded)]
    groups, prices = {each.profile: each.group or None for each in added}, {each.profile: each.price for each in added}
    told = any(attempt.retry_after is not None for attempt in data.attempts)
    profiles, assumed = [], []
    for name in data.profiles:
        own = times[name] if len(times[name]) >= MIN_OWN_TIMES and math.fsum(times[name]) > 0 else pooled
        estimate = estimates[name]
        limit = estimate.limit
        if limit is None and estimate.candidates:
            limit = max(estimate.candidates, key=lambda each: each.n / each.high).limit(per=None)
        if limit is None:
            assumed.append(f"{name}: no limit on its rate ({estimate.reason})")
        else:
            doubt = f", a guess ({estimate.reason})" if estimate.reason else ""
            assumed.append(f"{name}: {limit}{doubt}")
        if name in slots:
            queue = Concurrency(slots[name], over="queue")
            limit = queue if limit is None else limit & queue
            assumed.append(f"{name}: {slots[name]} jobs at once; further ones are queued there")
        where = "its own" if own is times[name] else "all profiles'"
        assumed.append(f"{name}: service times drawn from {len(own)} of {where}")
        _, capacity = data.capacity_steps[name][0]
        profiles.append(SimulatedProfile(name, limit, Empirical(own), capacity, told, groups[name], price=prices[name]))
    assumed.append("scenes that succeeded take as long as they did, or as one that is as slow on its profile")
    assumed.append("no failures but 429s")
    if any(isinstance(event, ev.RunRestored) for event in data.events):
        assumed.append("its program never ended, though it did")
        assumed.append("the time in which no program ran is left out")
    return profiles, assumed
