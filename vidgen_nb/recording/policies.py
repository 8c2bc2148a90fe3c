"""Recorded policies as such that can decide: their classes are looked for among those that are defined by now."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from inspect import signature
from typing import Any

from vidgen_nb.core.policy import POLICIES, EarliestFinish, Policy, RecordedPolicy, describe
from vidgen_nb.errors import InputError
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
    kind = (subclasses(Policy) | POLICIES).get(policy.name)
    if kind is not None and (again := _again(kind, policy)) is not None:
        return again
    why = "is not known here" if kind is None else "can't be made again from what is recorded"
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


def subclasses(kind: type[Policy]) -> dict[str, type[Policy]]:
    """Return all classes below one, by name; of two with one name, the one that was defined last."""
    found: dict[str, type[Policy]] = {}
    for each in kind.__subclasses__():
        found |= {each.__name__: each} | subclasses(each)
    return found
