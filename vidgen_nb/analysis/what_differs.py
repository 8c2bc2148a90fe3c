"""How two runs differ in what they were given: short names for each, to be set side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from vidgen_nb.analysis.records.model import RunData

__all__ = ["what_differs"]

_MAX_NAMED: Final = 3
_NUMBERS: Final = ("seed", "order", "max_wait", "max_billed", "on_ambiguous")
_OF_PROVIDERS: Final = ("name", "latency", "attempt_timeout", "load")


def what_differs(one: RunData, other: RunData) -> tuple[str, str] | None:
    """Return a name for each of two runs, of what sets them apart, such as `GlobalPause` and `PerProfileCooldown`.

    None: nothing that a run records does.
    """
    pairs = [pair for pair in _pairs(one, other) if pair[0] != pair[1]][:_MAX_NAMED]
    return (", ".join(mine for mine, _ in pairs), ", ".join(its for _, its in pairs)) if pairs else None


def _pairs(one: RunData, other: RunData) -> Iterator[tuple[str, str]]:
    """Yield each setting of both in words, what matters most first."""
    mine, its = one.header, other.header
    yield from _policies(mine.get("policy") or {}, its.get("policy") or {})
    yield str((mine.get("mode") or {}).get("name", "normal")), str((its.get("mode") or {}).get("name", "normal"))
    yield f"{len(one.scenes):,} scenes", f"{len(other.scenes):,} scenes"
    here, there = mine.get("backend") or {}, its.get("backend") or {}
    yield from _profiles(one, other, here.get("profiles") or (), there.get("profiles") or ())
    faults = [len(each.get("faults") or ()) for each in (here, there)]
    if faults[0] != faults[1]:
        yield tuple(f"{count or 'no'} {'fault' if count == 1 else 'faults'}" for count in faults)  # type: ignore[misc]
    elif here.get("faults") != there.get("faults"):
        yield "these faults", "other faults"
    for name, values in [(name, (here.get(name), there.get(name))) for name in _OF_PROVIDERS] + [
        (name, (mine.get(name), its.get(name))) for name in _NUMBERS
    ]:
        yield f"{name} {values[0]}", f"{name} {values[1]}"


def _policies(mine: Mapping[str, Any], its: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the classes, or if they are one, each setting."""
    if mine.get("name") != its.get("name"):
        yield str(mine.get("name")), str(its.get("name"))
        return
    for name in dict.fromkeys([*mine, *its]):
        one, other = mine.get(name), its.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping) and "name" in one and "name" in other:
            yield from _policies(one, other)
        elif one != other:
            yield f"{name}={one}", f"{name}={other}"


def _profiles(one: RunData, other: RunData, here: Any, there: Any) -> Iterator[tuple[str, str]]:
    """Yield how many there are; if as many, whose limit, slots or service differ."""
    if len(one.profiles) != len(other.profiles):
        yield f"{len(one.profiles):,} profiles", f"{len(other.profiles):,} profiles"
    elif one.profiles != other.profiles:
        yield ", ".join(one.profiles[:_MAX_NAMED]), ", ".join(other.profiles[:_MAX_NAMED])
    else:
        for mine, its in zip(here, there, strict=False):
            for name in mine:
                if mine[name] != its.get(name):
                    plain = all(isinstance(each.get(name), int | float | str | None) for each in (mine, its))
                    values = (mine[name], its.get(name)) if plain else ("this", "another")
                    yield f"{mine['name']}: {name} {values[0]}", f"{its['name']}: {name} {values[1]}"
