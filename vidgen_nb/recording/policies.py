"""Recorded policies turned into ones that can decide: their classes are looked up among those defined by now."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from inspect import signature
from typing import Any

from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.registry import POLICIES, RecordedPolicy, describe
from vidgen_nb.provider.described import limit_from_text
from vidgen_nb.recording.codec import plain

__all__ = ["resolve_policy"]

log = logging.getLogger("vidgen_nb")


def resolve_policy(policy: Policy) -> Policy:
    """Return the recorded policy as an instance of its real class; also the policies inside it.

    Limits among its settings are read from their text. Raises `InputError` for a class that is not defined here, or one
    that does not give the same policy for the recorded settings.
    """
    if isinstance(policy, EarliestFinish):
        return replace(policy, policy=resolve_policy(policy.policy))
    if not isinstance(policy, RecordedPolicy):
        return policy
    kinds = [*_subclasses_named(Policy, policy.name), *(kind for name, kind in POLICIES.items() if name == policy.name)]
    for kind in reversed(kinds):
        if (found := _rebuilt(kind, policy)) is not None:
            return found
    problem = "can't be rebuilt from what is recorded" if kinds else "is not known here"
    raise InputError(
        f"the policy {policy.name!r} of this run {problem}: import or define its class first, or pass policy="
    )


def _rebuilt(kind: type[Policy], policy: RecordedPolicy) -> Policy | None:
    """Return a policy of that class with the recorded settings; None if that is not the same policy."""
    settings = {name: _setting(name, each) for name, each in policy.settings}
    try:
        if not signature(kind).parameters.keys() <= settings.keys():
            return None  # only the fields of a dataclass are recorded
        found = kind(**settings)
        if plain(describe(found)) == plain(describe(policy)):
            return found
    except Exception as error:  # noqa: BLE001 - a user's class; the log has the error
        log.debug("%s can't be rebuilt from what is recorded: %s", policy.name, error)
    return None


def _setting(name: str, value: Any) -> Any:
    """Return a setting as the user gave it: a policy inside this one, limits from their text."""
    if isinstance(value, Policy):
        return resolve_policy(value)
    if name == "limits" and isinstance(value, Mapping):
        return {key: limit_from_text(each) or each for key, each in value.items()}
    return value


def _subclasses_named(kind: type[Policy], name: str) -> list[type[Policy]]:
    """Return the subclasses of that name; a notebook cell that was run again leaves several."""
    return [
        found
        for each in kind.__subclasses__()
        for found in ([each] * (each.__name__ == name) + _subclasses_named(each, name))
    ]
