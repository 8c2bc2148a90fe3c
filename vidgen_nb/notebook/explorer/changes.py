"""What each control changes in a state, by the control's id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from vidgen_nb.analysis.simulation.arrivals import Arrivals, Bursts, Poisson
from vidgen_nb.analysis.validation import is_number, plain_number, yes_or_no
from vidgen_nb.core.model import as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.notebook.explorer.form import AS_GIVEN, TOLD, form_of, inner_policy, setting_of
from vidgen_nb.notebook.explorer.state import ExplorerState
from vidgen_nb.notebook.explorer.state_text import LENGTHS, Outage
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.registry import POLICIES
from vidgen_nb.provider import Concurrency, Constant, Exponential, Limit, LogNormal, SimulatedProfile
from vidgen_nb.provider.described import LIMITS
from vidgen_nb.provider.limits import DailyQuota

__all__ = ["changed"]

USUAL: Final = {"n": 4, "per": 60.0, "mean": 20.0, "spread": 25.0, "rate": 12.0, "outage_start": 20.0,
                "outage_length": 20.0}  # fmt: skip
"""What a control begins with that had no value."""


def changed(state: ExplorerState, control: str, value: Any, given: ExplorerState) -> ExplorerState:
    """Return the state with a control set to a value; `InputError` for a value that makes no sense.

    `given`: what the explorer began with, whose own modes, policies and limits can be chosen again.
    """
    value = plain_number(value)
    name, at, place = control.partition("@")
    if at:
        return _with_account(state, name, int(place), value, given)
    if name in ("scenes", "latency", "seed"):
        return replace(state, **{name: _number(value)})
    if name == "order":
        return replace(state, order=value)
    if name == "mode":
        return replace(state, mode=given.mode if value == given.mode.name else as_mode(value))
    if name == "policy":
        return _with_policy(state, value, given)
    if name in ("cooldown", "honour"):
        return replace(state, policy=_with_setting(state.policy, name, value))
    if name in ("arrivals", "rate"):
        return replace(state, arrivals=_arrivals(state, name, value, given))
    if name.startswith("outage"):
        return replace(state, outage=_outage(state, name, value, given))
    if name == "retry_after":
        told = yes_or_no("Retry-After", value)
        return replace(state, profiles=tuple(replace(each, retry_after=told) for each in state.profiles))
    raise InputError(f"there is no control {control!r}")


def _number(value: Any) -> Any:
    if not is_number(value):
        raise InputError("a number is missing" if value in (None, "") else f"{value!r} is no number")
    return value


def _now(state: ExplorerState, control: str, given: ExplorerState) -> Any:
    """Return a control's value; if it has none, what it was given or usually is."""
    values = (form_of(state).get(control), form_of(given).get(control), USUAL.get(control.partition("@")[0]))
    return next((each for each in values if each is not None), None)


# -- the policy


def _with_policy(state: ExplorerState, name: str, given: ExplorerState) -> ExplorerState:
    """Return the state with another policy, which keeps the length of the cooldown where it has one."""
    before, chosen = form_of(state), "Paced" if name == TOLD else name
    if chosen == type(given.policy).__name__ and (name == TOLD) == given.told:
        policy = given.policy
    elif chosen in POLICIES:
        policy = POLICIES[chosen]()
    else:
        raise InputError(f"unknown policy {name!r}")
    for setting in ("cooldown", "honour"):
        if before[setting] is not None and setting_of(inner_policy(policy), *_settings(setting)) is not None:
            policy = _with_setting(policy, setting, before[setting])
    return replace(state, policy=policy, told=name == TOLD)


def _settings(control: str) -> tuple[str, ...]:
    return LENGTHS if control == "cooldown" else ("honour_retry_after",)


def _with_setting(policy: Policy, control: str, value: Any) -> Policy:
    inner = inner_policy(policy)
    setting = setting_of(inner, *_settings(control))
    if setting is None:
        raise InputError(f"{type(inner).__name__} has no such setting")
    checked = _number(value) if control == "cooldown" else yes_or_no("As long as the server asks", value)
    found: Policy = replace(inner, **{setting: checked})  # type: ignore[type-var]  # setting_of looked: a dataclass
    return replace(policy, policy=found) if isinstance(policy, EarliestFinish) else found


# -- arrivals and the outage


def _arrivals(state: ExplorerState, name: str, value: Any, given: ExplorerState) -> Arrivals | None:
    kind = value if name == "arrivals" else form_of(state)["arrivals"]
    rate = _number(value if name == "rate" else _now(state, "rate", given))
    if kind == AS_GIVEN:
        return given.arrivals
    if kind == "start":
        return None
    if rate <= 0:
        raise InputError(f"scenes a minute is a number above 0, not {rate!r}")
    return Poisson(rate, per=60) if kind == "poisson" else Bursts(1, 60 / rate)


def _outage(state: ExplorerState, name: str, value: Any, given: ExplorerState) -> Outage | None:
    if name == "outage" and not value:
        return None
    found = {each: _now(state, each, given) for each in ("outage_start", "outage_length", "outage_on")}
    if name in found:
        found[name] = value if name == "outage_on" else _number(value)
    return Outage(found["outage_start"], found["outage_length"], found["outage_on"] or None)


# -- accounts


def _with_account(state: ExplorerState, name: str, place: int, value: Any, given: ExplorerState) -> ExplorerState:
    if not 0 <= place < len(state.profiles) or name not in ACCOUNT_CONTROLS:
        raise InputError(f"there is no control {name}@{place}")
    profile = state.profiles[place]
    if name == "on":
        off = set(state.off) - {profile.name} if value else {*state.off, profile.name}
        return replace(state, off=tuple(off))
    own = form_of(state) | {f"{each}@{place}": _now(state, f"{each}@{place}", given) for each in KEPT}
    values = {each: own[f"{each}@{place}"] for each in ACCOUNT_CONTROLS} | {name: value}
    original = given.profiles[place] if place < len(given.profiles) else profile
    made = replace(profile, **{ACCOUNT_CONTROLS[name]: MAKERS[ACCOUNT_CONTROLS[name]](profile, original, values)})
    return replace(state, profiles=tuple(made if each is profile else each for each in state.profiles))


def _limit(profile: SimulatedProfile, original: SimulatedProfile, values: Mapping[str, Any]) -> Limit | None:
    kind = values["limit"]
    if kind == "none":
        return None
    if kind == AS_GIVEN:
        return original.limit
    if kind not in LIMITS:
        raise InputError(f"unknown limit {kind!r}")
    numbers = {"n": _number(values["n"])}
    if LIMITS[kind] not in (Concurrency, DailyQuota):
        numbers["per"] = _number(values["per"])
    if type(profile.limit) is LIMITS[kind]:  # its other options stay
        return replace(profile.limit, **numbers)  # type: ignore[type-var]
    return LIMITS[kind](**numbers)


def _service(_profile: SimulatedProfile, original: SimulatedProfile, values: Mapping[str, Any]) -> Any:
    kind = values["service"]
    if kind == AS_GIVEN:
        return original.service
    mean = _number(values["mean"])
    if kind == "lognormal":
        return LogNormal(mean, _number(values["spread"]) / 100)
    if kind not in ("constant", "exponential"):
        raise InputError(f"unknown service times {kind!r}")
    return Constant(mean) if kind == "constant" else Exponential(mean)


def _capacity(_profile: SimulatedProfile, _original: SimulatedProfile, values: Mapping[str, Any]) -> int | None:
    return None if values["slots"] in (None, "") else values["slots"]


KEPT: Final = ("n", "per", "mean", "spread")
ACCOUNT_CONTROLS: Final = {
    "on": "", "limit": "limit", "n": "limit", "per": "limit", "service": "service", "mean": "service",
    "spread": "service", "slots": "capacity",
}  # fmt: skip
"""An account's controls, and which field of its profile each changes."""
MAKERS: Final[Mapping[str, Callable[[SimulatedProfile, SimulatedProfile, Mapping[str, Any]], Any]]] = {
    "limit": _limit, "service": _service, "capacity": _capacity,
}  # fmt: skip
