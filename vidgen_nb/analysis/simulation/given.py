"""What a simulation is given by hand, checked: each in a plain form, or an `InputError` that says what is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vidgen_nb.analysis.validation import is_number, listed, plain_number, seconds
from vidgen_nb.core import events as ev
from vidgen_nb.errors import InputError
from vidgen_nb.inputs.unknown_names import suggestion
from vidgen_nb.provider import SimulatedProfile

__all__ = ["as_absent", "as_capacities", "as_luck", "as_requests"]


def as_requests(requests: Any) -> list[tuple[float, ev.Event]]:
    """Return what a user does meanwhile; `InputError` for anything but pairs of time and event."""
    pairs = listed("requests", requests, "(run seconds, event) pairs")
    for each in pairs:
        if not isinstance(each, tuple) or len(each) != 2 or not isinstance(each[1], ev.Event):
            raise InputError(f"requests are (run seconds, event) pairs, such as (60, Paused()), not {each!r}")
    return [(seconds("a request's time", at), event) for at, event in pairs]


def as_luck(luck: Any) -> dict[str, float]:
    """Return scenes' quantiles; `InputError` for anything but a dict of numbers between 0 and 1."""
    if not isinstance(luck, Mapping) or not all(is_number(each) and 0 < each < 1 for each in luck.values()):
        raise InputError(f"luck gives scenes a quantile between 0 and 1, such as {{'s001': 0.5}}, not {luck!r}")
    return {scene: float(each) for scene, each in luck.items()}


def as_absent(absent: Any, profiles: Sequence[SimulatedProfile]) -> list[str]:
    """Return the profiles that are missing at the start; `InputError` for anything but a list of names of these."""
    names = listed("absent", absent, "names of profiles", str)
    known = tuple(profile.name for profile in profiles)
    for name in names:
        if name not in known:
            raise InputError(f"absent names a profile {name!r}, which does not exist{suggestion(name, known)}")
    return names


def as_capacities(capacities: Any) -> dict[str, int | None]:
    """Return what profiles begin with, by name; `InputError` for anything but whole numbers from 1 up, or None."""
    wanted = "capacities gives profiles a number of jobs at once, such as {'p1': 2}"
    if not isinstance(capacities, Mapping):
        raise InputError(f"{wanted}, not {capacities!r}; capacity= is that of every profile")
    found = {name: plain_number(each) for name, each in capacities.items()}
    for name, each in found.items():
        if not isinstance(name, str):
            raise InputError(f"{wanted}; {name!r} is no name of a profile")
        if each is not None and (not isinstance(each, int) or isinstance(each, bool) or each < 1):
            raise InputError(f"{wanted}, 1 or more, or None for no bound; that of {name!r} is {each!r}")
    return found
