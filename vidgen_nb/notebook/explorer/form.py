"""What the explorer's controls show: a state as plain values, and what can be chosen.

A control has an id: a name such as `scenes`, or for an account a name and the account's place: `n@0`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from vidgen_nb.analysis.simulation.arrivals import Arrivals, Bursts, Poisson
from vidgen_nb.core.model import MODES
from vidgen_nb.core.policy import Policy
from vidgen_nb.notebook.explorer.state import ExplorerState
from vidgen_nb.notebook.explorer.state_text import LENGTHS
from vidgen_nb.plaintext import one_line
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.provider import Limit, LogNormal, SimulatedProfile
from vidgen_nb.provider.described import LIMITS, SERVICES

__all__ = ["AS_GIVEN", "TOLD", "besides", "choices", "form_of", "inner_policy", "setting_of"]

AS_GIVEN: Final = "given"
"""The choice of something that controls can't make, such as two limits together."""
TOLD: Final = "told"
"""The choice of `Paced` with the accounts' limits."""
POLICY_NAMES: Final = {
    "PerProfileCooldown": "Rest that account",
    "GlobalPause": "Pause all accounts",
    "ExponentialCooldown": "Rest longer each time",
    "Paced": "Learn the limits",
    TOLD: "Told the limits",
    "EarliestFinish": "Earliest finish",
}
LIMIT_NAMES: Final = {
    "none": "no limit",
    "token_bucket": "token bucket",
    "fixed_window": "fixed window",
    "sliding_window": "sliding window",
    "concurrency": "jobs at once",
    "daily_quota": "daily quota",
}
SERVICE_NAMES: Final = {"constant": "constant", "lognormal": "log-normal", "exponential": "exponential"}
SERVICE_KINDS: Final[Mapping[str, Any]] = {name: SERVICES[name] for name in SERVICE_NAMES}
ARRIVAL_NAMES: Final = {"start": "all at the start", "poisson": "at random (Poisson)", "even": "evenly"}
ORDER_NAMES: Final = {"given": "as given", "shortest": "shortest first", "longest": "longest first"}


def inner_policy(policy: Policy) -> Policy:
    """Return the policy that reacts to a 429: the one inside `EarliestFinish`."""
    return policy.policy if isinstance(policy, EarliestFinish) else policy


def setting_of(policy: Policy, *names: str) -> str | None:
    """Return the first of these settings that a policy has; None: it has none of them."""
    has = {each.name for each in fields(policy) if each.init} if is_dataclass(policy) else set[str]()
    return next((name for name in names if name in has), None)


def kind_of(kinds: Mapping[str, Any], value: Any) -> str:
    """Return the name of a value's class; `AS_GIVEN` for any other one."""
    return next((name for name, kind in kinds.items() if type(value) is kind), AS_GIVEN)


def form_of(state: ExplorerState) -> dict[str, Any]:
    """Return each control's value by id; None: it has none now."""
    inner = inner_policy(state.policy)
    seconds, honour = setting_of(inner, *LENGTHS), setting_of(inner, "honour_retry_after")
    outage, told = state.outage, {each.retry_after for each in state.profiles}
    found: dict[str, Any] = {
        "scenes": state.scenes,
        "mode": state.mode.name,
        "policy": TOLD if state.told else type(state.policy).__name__,
        "cooldown": None if seconds is None else getattr(inner, seconds),
        "honour": None if honour is None else getattr(inner, honour),
        "arrivals": _arrivals_kind(state.arrivals),
        "rate": _rate(state.arrivals),
        "outage": outage is not None,
        "outage_start": None if outage is None else outage.start,
        "outage_length": None if outage is None else outage.length,
        "outage_on": None if outage is None else outage.profile or "",
        "latency": state.latency,
        "order": state.order,
        "retry_after": told == {True},
        "seed": state.seed,
    }
    for place, profile in enumerate(state.profiles):
        own = _account(profile, is_on=profile.name not in state.off)
        found |= {f"{name}@{place}": value for name, value in own.items()}
    return found


def _account(profile: SimulatedProfile, *, is_on: bool) -> dict[str, Any]:
    limit: Limit | None = profile.limit
    kind = "none" if limit is None else kind_of(LIMITS, limit)
    service = kind_of(SERVICE_KINDS, profile.service)
    return {
        "on": is_on,
        "limit": kind,
        "n": getattr(limit, "n", None),
        "per": getattr(limit, "per", None),
        "service": service,
        "mean": None if service == AS_GIVEN else profile.service.mean,
        "spread": 100 * profile.service.cv if isinstance(profile.service, LogNormal) else None,
        "slots": profile.capacity,
    }


def _arrivals_kind(arrivals: Arrivals | None) -> str:
    if arrivals is None:
        return "start"
    if isinstance(arrivals, Poisson):
        return "poisson"
    is_even = isinstance(arrivals, Bursts) and arrivals.size == 1 and isinstance(arrivals.every, int | float)
    return "even" if is_even else AS_GIVEN


def _rate(arrivals: Arrivals | None) -> float | None:
    """Return the scenes a minute that come."""
    if isinstance(arrivals, Poisson):
        return round(60 * arrivals.rate / arrivals.per, 9)
    if isinstance(arrivals, Bursts) and isinstance(arrivals.every, int | float) and arrivals.size == 1:
        return round(60 / arrivals.every, 9)
    return None


def choices(given: ExplorerState) -> dict[str, list[list[str]]]:
    """Return what can be chosen, as pairs of value and words; what the explorer was given is among it."""
    modes = {name: name.capitalize() for name in MODES} | _own(given.mode.name, MODES)
    policies = {**POLICY_NAMES, **_own(type(given.policy).__name__, POLICY_NAMES)}
    arrivals = dict(ARRIVAL_NAMES)
    if _arrivals_kind(given.arrivals) == AS_GIVEN:
        arrivals[AS_GIVEN] = type(given.arrivals).__name__.lower()
    hit = {"": "all accounts", **{each.name: each.name for each in given.profiles}}
    found = {"mode": modes, "policy": policies, "arrivals": arrivals, "order": dict(ORDER_NAMES), "outage_on": hit}
    for place, profile in enumerate(given.profiles):
        limits, services = dict(LIMIT_NAMES), dict(SERVICE_NAMES)
        if profile.limit is not None and kind_of(LIMITS, profile.limit) == AS_GIVEN:
            limits[AS_GIVEN] = " & ".join(str(each) for each in getattr(profile.limit, "parts", (profile.limit,)))
        elif profile.limit is None and profile.quota_group is not None:
            limits["none"] = f"that of group {profile.quota_group}"
        if kind_of(SERVICE_KINDS, profile.service) == AS_GIVEN:
            services[AS_GIVEN] = type(profile.service).__name__.lower()
        found |= {f"limit@{place}": limits, f"service@{place}": services}
    return {name: [[value, one_line(words, 60)] for value, words in each.items()] for name, each in found.items()}


def _own(name: str, known: Mapping[str, Any]) -> dict[str, str]:
    """Return a choice of the user's own, if it is not one of the known ones."""
    return {} if name in known else {name: name}


def besides(state: ExplorerState, options: Mapping[str, Any]) -> str:
    """Return in words what no control shows: further options of the simulation, and what accounts belong to."""
    said = [f"{name}={one_line(_in_short(value), 120)}" for name, value in options.items()]
    for each in state.profiles:
        if each.organisation is not None:
            said.append(f"{one_line(each.name, 40)} belongs to {one_line(_in_short(each.organisation), 80)}")
        if each.quota_group is not None:
            said.append(f"{one_line(each.name, 40)} is in the quota group {one_line(each.quota_group, 40)}")
        if each.rate_headers:
            said.append(f"{one_line(each.name, 40)} answers with rate-limit headers")
    return "; ".join(said)


def _in_short(value: Any) -> str:
    """Return a value's repr; of a record only what is not as usual."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_in_short, value))}]"
    if not is_dataclass(value) or isinstance(value, type | Limit):
        return repr(value)
    given = {each.name: getattr(value, each.name) for each in fields(value) if each.init and each.repr}
    usual = {each.name: each.default for each in fields(value)}
    shown = [f"{name}={each!r}" for name, each in given.items() if each != usual[name]]
    return f"{type(value).__name__}({', '.join(shown)})"
