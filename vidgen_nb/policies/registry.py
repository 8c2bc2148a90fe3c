"""The policies by name, and policies as data: described for a file or a reader, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown, GroupView, Policy
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import ExponentialCooldown, GlobalPause, PerProfileCooldown
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.paced.policy import Paced

__all__ = [
    "POLICIES",
    "RecordedPolicy",
    "as_policy",
    "describe",
    "from_description",
    "label",
]


@dataclass(frozen=True)
class RecordedPolicy(Policy):
    """Stands for a policy of a recorded run whose class is not known here; it can be shown, not run."""

    name: str
    settings: tuple[tuple[str, Any], ...] = ()

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Refuse: the class that decided is not known here."""
        raise InputError(f"the policy class {self.name!r} of this run is not known here: import it, or pass policy=")


POLICIES: dict[str, type[Policy]] = {
    kind.__name__: kind for kind in (PerProfileCooldown, GlobalPause, ExponentialCooldown, Paced, EarliestFinish)
}


def as_policy(policy: object) -> Policy:
    """Return the policy of that name with its defaults, or the policy itself; `InputError` for an unknown one."""
    if isinstance(policy, Policy) and type(policy).on_429 not in (Policy.on_429, RecordedPolicy.on_429):
        return policy
    if isinstance(policy, Policy):
        raise InputError(f"{type(policy).__name__} can't decide: a policy needs an on_429 method of its own")
    if isinstance(policy, str) and policy in POLICIES:
        return POLICIES[policy]()
    if isinstance(policy, type) and issubclass(policy, Policy):
        raise InputError(f"the policy is a class: pass an instance of it, such as {policy.__name__}()")
    raise InputError(f"unknown policy {policy!r}: choose one of {', '.join(POLICIES)}, or pass an instance of Policy")


def describe(policy: Policy) -> dict[str, Any]:
    """Return a policy as data: its class's name and its settings, which are the fields of a dataclass."""
    if isinstance(policy, RecordedPolicy):
        return {"name": policy.name, **dict(policy.settings)}
    names = [each.name for each in fields(policy) if each.init] if is_dataclass(policy) else list[str]()
    return {**{name: _plain_setting(getattr(policy, name)) for name in names}, "name": type(policy).__name__}


def _plain_setting(value: Any) -> Any:
    """Return a setting as data: a policy as its description, limits as their text."""
    if isinstance(value, Policy):
        return describe(value)
    if isinstance(value, Mapping):
        return {name: repr(each) if hasattr(each, "state") else each for name, each in value.items()}
    return value


def label(policy: Policy) -> str:
    """Return a policy's class with the settings that differ from its defaults: `PerProfileCooldown(seconds=10)`."""
    changed = []
    for name, value in describe(policy).items():
        if name != "name" and value != getattr(type(policy), name, None):
            changed.append(f"{name}={value:g}" if isinstance(value, float) else f"{name}={value!r}")
    return f"{type(policy).__name__}({', '.join(changed)})"


def from_description(data: dict[str, Any]) -> Policy:
    """Return the policy that `describe` described, or a `RecordedPolicy` if its class is not known here.

    Also for a `Paced` with given limits: they are text, from which `recording.policies` rebuilds them.
    """
    settings = {key: value for key, value in data.items() if key != "name"}
    kind = POLICIES.get(data["name"])
    if isinstance(settings.get("policy"), dict) and "name" in settings["policy"]:
        settings["policy"] = from_description(settings["policy"])
    if kind is None or (kind is Paced and settings.get("limits")):
        return RecordedPolicy(data["name"], tuple(settings.items()))
    return kind(**settings)
