"""Checks of what callers pass: each returns it in a plain form, or raises an `InputError` that says what is wanted.

Numbers may come from numpy: whole and real numbers of any kind become an `int` or a `float`, so that records and
headers stay plain JSON.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from numbers import Integral, Real
from typing import Any, ParamSpec, TypeVar

from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.errors import InputError
from vidgen_nb.inputs.unknown_names import suggestion
from vidgen_nb.provider import SimulatedProfile

__all__ = [
    "as_profiles",
    "check_call",
    "check_texts",
    "checks_arguments",
    "data_of",
    "is_number",
    "listed",
    "plain_number",
    "seconds",
    "share",
    "whole",
    "yes_or_no",
]

P = ParamSpec("P")
R = TypeVar("R")


def checks_arguments(*, called: str = "", options: Iterable[str] = ()) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function raise an `InputError` for wrong arguments, with the nearest right name.

    `called`: its name for callers, if different. `options`: keyword arguments that it passes on; Python's own
    `TypeError` would name a function that the caller doesn't know.
    """

    def decorate(call: Callable[P, R]) -> Callable[P, R]:
        signature, name = inspect.signature(call), called or call.__name__
        unnamed = [each for each, kind in signature.parameters.items() if kind.kind is kind.VAR_POSITIONAL]
        named = [each for each, kind in signature.parameters.items() if kind.kind is not kind.VAR_KEYWORD]
        own = [each for each in named if each not in unnamed]
        known = (*(each for each in own if each not in ("self", "data")), *options)

        @wraps(call)
        def checked(*args: P.args, **given: P.kwargs) -> R:
            for each in given:
                if each in unnamed:
                    raise InputError(f"{name} takes {each} without {each}=, one after the other: {name}(one, other)")
                if each not in known:
                    raise InputError(f"{name} has no argument {each!r}{suggestion(each, known)}")
            try:
                signature.bind(*args, **given)
            except TypeError as error:
                raise InputError(f"{name}: {error}") from None
            return call(*args, **given)

        return checked

    return decorate


def plain_number(value: Any) -> Any:
    """Return a number of any kind as an `int` or a `float`, and anything else unchanged."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def is_number(value: Any) -> bool:
    """Return whether a value is a number other than NaN; infinity counts as one."""
    number = plain_number(value)
    return isinstance(number, int | float) and not isinstance(number, bool) and number == number


def seconds(what: str, value: Any, *, finite: bool = True, zero: bool = True) -> float:
    """Return a number of seconds; `InputError` for a negative one, or anything else."""
    good = is_number(value) and value >= 0 and (zero or value > 0) and (value < math.inf or not finite)
    if not good:
        kind, least = "finite " if finite else "", "0 or more" if zero else "above 0"
        raise InputError(f"{what} is a {kind}number of seconds, {least}, not {value!r}")
    return plain_number(value)  # type: ignore[no-any-return]


def whole(what: str, value: Any) -> int:
    """Return a whole number; `InputError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InputError(f"{what} is a whole number, not {value!r}")
    return int(value)


def share(what: str, value: Any) -> float:
    """Return a number between 0 and 1, such as a confidence; `InputError` for anything else."""
    if not is_number(value) or not 0 < value < 1:
        raise InputError(f"{what} lies between 0 and 1, such as 0.95, not {value!r}")
    return float(value)


def yes_or_no(what: str, value: Any) -> bool:
    """Return True or False; `InputError` for anything else, such as the text "no"."""
    if not isinstance(value, bool):
        raise InputError(f"{what} is True or False, not {value!r}")
    return value


def listed(what: str, source: Any, such: str, kind: type[Any] | tuple[type[Any], ...] = object) -> list[Any]:
    """Return the elements of any iterable as a list; a single object of the kind becomes a list of one.

    Raises `InputError` for anything else, and for elements that are not of the kind: "`what` are `such`".
    """
    if kind is not object and isinstance(source, kind):
        return [source]
    if isinstance(source, str | bytes | Mapping) or not isinstance(source, Iterable):
        raise InputError(f"{what} are {such}, in a list, not {source!r}")
    found = list(source)
    for each in found:
        if not isinstance(each, kind):
            raise InputError(f"{what} are {such}, not {each!r}")
    return found


def as_profiles(profiles: Iterable[SimulatedProfile] | SimulatedProfile) -> list[SimulatedProfile]:
    """Return a list of simulated profiles; `InputError` for anything else."""
    return listed("profiles", profiles, "SimulatedProfile(name, limit, …) objects", SimulatedProfile)


def data_of(what: str, run: Any) -> RunData:
    """Return the records of a `Run`, or the records themselves; `InputError` for anything else."""
    data = getattr(run, "data", run)
    if not isinstance(data, RunData):
        raise InputError(f"{what} is a Run, as simulate, load_run and Controller.run return it, not {run!r}")
    return data


def check_texts(what: str, names: Iterable[Any]) -> None:
    """Raise `InputError` for a name that is not a text."""
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"{what} has a text as the name of each element, not {name!r}")


def check_call(what: str, call: Any, names: Iterable[str]) -> None:
    """Raise `InputError` for something that can't be called with keyword arguments of these names."""
    given = list(names)
    wanted = f"{what} is a function of {', '.join(given)}"
    if not callable(call):
        raise InputError(f"{wanted}, not {call!r}")
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):  # some callables have no signature
        return
    try:
        signature.bind(**dict.fromkeys(given))
    except TypeError as error:
        raise InputError(f"{wanted}, given by name; this one takes {signature}: {error}") from None
