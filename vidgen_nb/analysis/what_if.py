"""A recorded run once more, in virtual time, with something changed.

Of a simulated run everything is known, so that without a change the same events come out. Of a live one the provider is
a guess: limits as estimated from its attempts, service times drawn from those seen; `assumed` says so, in words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from vidgen_nb.analysis.compare import label
from vidgen_nb.analysis.estimate import estimate_limits
from vidgen_nb.analysis.kinds import RunData
from vidgen_nb.analysis.simulation import Simulation
from vidgen_nb.analysis.vary import varied
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, RetryPolicy
from vidgen_nb.core.policy import Policy, RecordedPolicy, recorded
from vidgen_nb.errors import InputError
from vidgen_nb.provider import Empirical, Fault, SimulatedProfile
from vidgen_nb.provider.described import profile_from

__all__ = ["FEWEST", "mode_of", "policy_of", "recorded_simulation", "service_times", "what_if"]

FEWEST = 5
"""Service times of a profile's own from which on they are used, instead of those of all."""
REPEATED = (
    ev.ProfileAdded, ev.ProfileChanged, ev.ProfileRemoved, ev.ModeChanged, ev.PolicyChanged, ev.Paused, ev.Unpaused,
    ev.Stopped, ev.BillingLimitChanged, ev.CancelRequested, ev.CooldownReleased, ev.CooldownImposed,
)  # fmt: skip
"""What was asked for by hand, or known from elsewhere, and is repeated at its time."""
ABOUT_PROFILES = (ev.ProfileAdded, ev.ProfileChanged, ev.ProfileRemoved, ev.CooldownReleased, ev.CooldownImposed)


def what_if(data: RunData, changes: Mapping[str, Any]) -> tuple[dict[str, Any], list[ev.Event]]:
    """Run a recorded run again in virtual time with changes, and return header and events.

    `changes`: what `vary.varied` takes; other `scenes` are there from the start. The header's `what_if` says which run
    it was, what was changed and what had to be assumed. Raises `InputError` where the run doesn't say enough, or for a
    change that can't be.
    """
    simulation, assumed = recorded_simulation(data, changes)
    if "scenes" in changes:
        simulation = replace(simulation, scenes=(), arrivals=None, requests=_of_no_scene(simulation.requests))
    for name in sorted(changes, key=lambda each: each not in ("profiles", "policy", "mode")):
        simulation = varied(simulation, name, changes[name])
    header, events = simulation.run()
    changed = {name: _in_words(value) for name, value in changes.items()}
    return {**header, "what_if": {"run": data.header.get("run"), "changed": changed, "assumed": assumed}}, events


def _in_words(value: Any) -> str:
    return label(value) if isinstance(value, Policy) else value.name if isinstance(value, Mode) else str(value)


def recorded_simulation(data: RunData, changes: Mapping[str, Any]) -> tuple[Simulation, list[str]]:
    """Return a recorded run as a simulation, and what had to be assumed; what is to be changed need not be known."""
    header, backend = data.header, data.header.get("backend") or {}
    live = backend.get("name") != "simulated"
    options: dict[str, Any] = {} if live else {"latency": float(backend.get("latency", 0.0))}
    assumed: list[str] = []
    if "profiles" in changes and not isinstance(changes["profiles"], int):
        profiles: list[SimulatedProfile] = []  # they are given
    elif live:
        profiles, assumed = _guessed_profiles(data)
    else:
        profiles = [profile_from(each) for each in backend["profiles"]]
    if not live:
        options["faults"], left_out = _faults(backend.get("faults", ()))
        assumed += left_out
    if "policy" not in changes and (policy := policy_of(header)) is not None:
        options["policy"] = policy
    asked = _asked(data.events, changes)
    if live and asked.requests:
        assumed.append("what was asked for by hand was asked for at the same times")
    simulation = Simulation(
        [event.scene for event in asked.scenes],
        profiles,
        mode_of(header),
        retry=RetryPolicy(**header["retry"]) if "retry" in header else RetryPolicy(),
        seed=int(header.get("seed", 0)),
        arrivals=[event.at for event in asked.scenes],
        requests=asked.requests,
        cooldowns=asked.cooldowns,
        on_ambiguous=header.get("on_ambiguous", "hold"),
        max_wait=float(header.get("max_wait", 3600.0)),
        max_billed=header.get("max_billed"),
        **options,
    )
    return simulation, assumed


def mode_of(header: Mapping[str, Any]) -> Mode:
    """Return the mode that a run began with."""
    return Mode(**header["mode"]) if "mode" in header else Mode("normal", 1, 4)


def policy_of(header: Mapping[str, Any]) -> Policy | None:
    """Return the policy that a run began with, None where its header has none; `InputError` for an unknown class."""
    if "policy" not in header:
        return None
    policy = recorded(header["policy"])
    if isinstance(policy, RecordedPolicy):
        raise InputError(f"the policy class {policy.name!r} of this run is not known here: pass policy=")
    return policy


def _of_no_scene(requests: Iterable[tuple[float, ev.Event]]) -> list[tuple[float, ev.Event]]:
    """Return what was asked for, but for what is about one scene."""
    return [
        (at, event)
        for at, event in requests
        if not isinstance(event, ev.SceneAdded) and not (isinstance(event, ev.CancelRequested) and event.scene)
    ]


class _Asked(NamedTuple):
    """What a user asked for: what is there at the start, and what comes later."""

    scenes: list[ev.SceneAdded]
    cooldowns: list[ev.CooldownImposed]
    requests: list[tuple[float, ev.Event]]


def _asked(events: Iterable[ev.Event], changes: Mapping[str, Any]) -> _Asked:
    """Return what was asked for, without what the changes replace; a scene is run once, however often it was.

    A run that was stopped goes on where it did; that its program ended, and it was restored, is not repeated.
    """
    dropped = {"mode": (ev.ModeChanged,), "policy": (ev.PolicyChanged,), "profiles": ABOUT_PROFILES}
    without = tuple(kind for name in changes for kind in dropped.get(name, ()))
    asked = _Asked([], [], [])
    scenes, profiles, started, halted = set[str](), set[str](), False, False
    for event in events:
        if isinstance(event, ev.RunStarted):
            if started and halted:
                asked.requests.append((event.at, replace(event)))
            started, halted = True, False
        elif isinstance(event, ev.Stopped) and event.reason == ev.BROKEN_OFF:
            continue
        halted = halted or isinstance(event, ev.Stopped | ev.BillingLimitReached)
        if isinstance(event, ev.SceneAdded):
            if event.scene.id not in scenes:
                scenes.add(event.scene.id)
                if event.single:
                    asked.requests.append((event.at, replace(event)))
                else:
                    asked.scenes.append(event)
        elif isinstance(event, ev.ProfileAdded) and event.profile not in profiles:
            profiles.add(event.profile)  # the simulation has it from the start
        elif not isinstance(event, REPEATED) or isinstance(event, without):
            continue
        elif isinstance(event, ev.CooldownImposed) and not started:
            asked.cooldowns.append(event)
        else:
            asked.requests.append((event.at, replace(event)))
    return asked


def _faults(described: Iterable[Mapping[str, Any]]) -> tuple[list[Fault], list[str]]:
    """Return the faults of a simulated run; one whose prompts a function chose is not in the record."""
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
    """Return the seconds from acceptance to the result of what succeeded, by profile.

    What was accepted before the run was restored may have been done long before anybody looked: it counts only where
    nothing else succeeded.
    """
    accepted: dict[tuple[str, int], tuple[str, float]] = {}
    started: dict[tuple[str, int], str] = {}
    times: dict[str, list[float]] = {name: [] for name in data.profiles}
    unseen: dict[str, list[float]] = {name: [] for name in data.profiles}
    restored = -math.inf
    for event in data.events:
        if isinstance(event, ev.AttemptStarted):
            started[event.scene, event.number] = event.profile
        elif isinstance(event, ev.Accepted):
            accepted[event.scene, event.number] = (started[event.scene, event.number], event.at)
        elif isinstance(event, ev.RunRestored):
            restored = event.at
        elif isinstance(event, ev.Fetched) and (taken := accepted.get((event.scene, event.number))):
            name, since = taken
            (times if since >= restored else unseen)[name].append(event.at - since)
    return times if any(times.values()) else unseen


def _guessed_profiles(data: RunData) -> tuple[list[SimulatedProfile], list[str]]:
    """Return a live run's profiles as its attempts show them, and in words what of that is a guess."""
    estimates, times = estimate_limits(data), service_times(data)
    pooled = [seconds for each in times.values() for seconds in each if seconds > 0]
    if not pooled:
        raise InputError("no scene of this run succeeded, so that nobody knows how long one takes: pass profiles=")
    groups = {event.profile: event.group or None for event in data.events if isinstance(event, ev.ProfileAdded)}
    told = any(attempt.retry_after is not None for attempt in data.attempts)
    profiles, assumed = [], []
    for name in data.profiles:
        own = times[name] if len(times[name]) >= FEWEST and math.fsum(times[name]) > 0 else pooled
        estimate = estimates[name]
        limit = estimate.limit
        if limit is None and estimate.candidates:
            limit = max(estimate.candidates, key=lambda each: each.n / each.high).limit(per=None)
        if limit is None:
            assumed.append(f"{name}: no limit on its rate ({estimate.reason})")
        else:
            doubt = f", a guess ({estimate.reason})" if estimate.reason else ""
            assumed.append(f"{name}: {limit}{doubt}")
        where = "its own" if own is times[name] else "all profiles'"
        assumed.append(f"{name}: service times drawn from {len(own)} of {where}")
        capacity = data.capacities.get(name)
        profiles.append(SimulatedProfile(name, limit, Empirical(own), capacity, told, groups[name]))
    assumed.append("no failures but 429s")
    if any(isinstance(event, ev.RunRestored) for event in data.events):
        assumed.append("its program never ended, which it did")
    return profiles, assumed
