"""Recorded policies as such that can decide: their classes are looked for among those that are defined by now."""

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

__all__ = ["made"]

log = logging.getLogger("vidgen_nb")


def made(policy: Policy) -> Policy:
    """Return a policy whose class, and those of policies within it, are defined by now.

    Limits that it was told are read from their text. Raises `InputError` for a class that is not known here, or a
    policy that its recorded settings don't make again.
    """
    if isinstance(policy, EarliestFinish):
        return replace(policy, policy=made(policy.policy))
    if not isinstance(policy, RecordedPolicy):
        return policy
    kinds = [*_below(Policy, policy.name), *(kind for name, kind in POLICIES.items() if name == policy.name)]
    for kind in reversed(kinds):
        if (again := _again(kind, policy)) is not None:
            return again
    why = "can't be made again from what is recorded" if kinds else "is not known here"
    raise InputError(
        f"the policy {policy.name!r} of this run {why}: import or define its class before, or pass policy="
    )


def _again(kind: type[Policy], policy: RecordedPolicy) -> Policy | None:
    """Return a policy of that class with the recorded settings; None where they don't make the same again."""
    settings = {name: _setting(name, each) for name, each in policy.settings}
    try:
        if not signature(kind).parameters.keys() <= settings.keys():
            return None  # a setting that is no field of a dataclass is not on record
        found = kind(**settings)
        if plain(describe(found)) == plain(describe(policy)):
            return found
    except Exception as error:  # noqa: BLE001 - somebody else's class; what went wrong is not lost
        log.debug("%s can't be made of what is recorded: %s", policy.name, error)
    return None


def _setting(name: str, value: Any) -> Any:
    """Return a setting as it was given: a policy within this one, limits of their text."""
    if isinstance(value, Policy):
        return made(value)
    if name == "limits" and isinstance(value, Mapping):
        return {key: limit_from_text(each) or each for key, each in value.items()}
    return value


def _below(kind: type[Policy], name: str) -> list[type[Policy]]:
    """Return the classes of that name below one; a cell that was run again has left more than one."""
    return [
        found for each in kind.__subclasses__() for found in ([each] * (each.__name__ == name) + _below(each, name))
    ]
