"""What an exercise gives, in words: every parameter is shown, none is hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from vidgen_nb.core.model import Mode, Scene
from vidgen_nb.core.policy import Policy
from vidgen_nb.plaintext import one_line, short_repr
from vidgen_nb.policies.registry import label
from vidgen_nb.provider import SimulatedProfile

__all__ = ["described", "own_copy", "rows_of", "short"]

MAX_LISTED = 12
"""Values of a list that are all shown; of a longer one, how it begins."""


def own_copy(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy whose lists can be changed, by a student or a teacher, without changing what is given."""
    return {name: list(value) if isinstance(value, list) else value for name, value in given.items()}


def rows_of(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is given as (name, text), a profile a row."""
    rows = []
    for name, value in given.items():
        if name == "profiles" and isinstance(value, Sequence):
            rows += [(f"profile {each.name}", described(each).split(": ", 1)[1]) for each in value]
        else:
            rows.append((name.replace("_", " "), described(value)))
    return rows


def short(value: Any) -> str:
    """Return a value in a few words, for a table: of profiles, how many and their names."""
    if isinstance(value, list | tuple) and value and all(isinstance(each, SimulatedProfile) for each in value):
        return f"{len(value)} ({', '.join(each.name for each in value)})"
    return described(value)


def described(value: Any) -> str:
    """Return a value as a reader writes it."""
    match value:
        case SimulatedProfile():
            return _profile(value)
        case Policy():
            return label(value)
        case Mode():
            return value.name.lower() if value.name else repr(value)
        case str():
            return one_line(value)
        case Mapping():
            return ", ".join(f"{name}: {described(each)}" for name, each in value.items())
        case [*many] if many and all(isinstance(each, Scene) for each in many):
            return f"{len(many)} scenes"
        case range():
            return f"{value[0]} to {value[-1]}" if value else "none"
        case [*many]:
            begin = ", ".join(described(each) for each in many[:MAX_LISTED])
            return (
                f"{begin}, … ({len(many):,} in all, the last one {described(many[-1])})" if many[MAX_LISTED:] else begin
            )
        case float():
            return f"{value:,g}"
        case _:
            return short_repr(value)


def _profile(profile: SimulatedProfile) -> str:
    """Return a profile with all that is not as by default, and with its limit and service in any case."""
    parts = [f"limit {profile.limit!r}" if profile.limit is not None else "no limit", f"service {profile.service!r}"]
    for each in fields(profile):
        value = getattr(profile, each.name)
        default = each.default if each.default is not MISSING else None
        if each.name in ("name", "limit", "service", "api_key") or value == default:
            continue
        parts.append(f"{each.name} {value!r}")
    return f"{profile.name}: {', '.join(parts)}"
