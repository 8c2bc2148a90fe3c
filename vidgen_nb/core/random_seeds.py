"""Random numbers of a policy: each generator that it holds is seeded anew from its own state and the run's seed."""

from __future__ import annotations

from copy import copy
from random import Random, SystemRandom
from types import FunctionType, MethodType, ModuleType
from typing import Any

__all__ = ["reseeded"]

_NO_HOLDERS = (type, ModuleType, FunctionType, MethodType)
DEPTH = 4
"""So deep below a policy generators are found: an attribute of an object in a dict of the policy's is 3 deep."""


def reseeded(holder: Any, seed: int) -> Any:
    """Return an object with the generators it holds seeded anew; the object itself, if it holds none.

    Generators are `random.Random` and NumPy's `Generator` and `RandomState`, in attributes, dicts, lists and tuples.
    What leads to one is copied, the rest is shared. A generator that is held twice stays one.
    """
    return _reseeded(holder, seed, DEPTH, {})


def _reseeded(value: Any, seed: int, depth: int, done: dict[int, Any]) -> Any:
    if id(value) in done:
        return done[id(value)]
    made = done[id(value)] = _generator(value, seed)
    if made is not value or not depth:
        return made
    if type(value) in (list, tuple):
        parts = [_reseeded(each, seed, depth - 1, done) for each in value]
        if any(new is not old for new, old in zip(parts, value, strict=True)):
            made = type(value)(parts)
    elif isinstance(value, dict):
        changed = _changed(value, seed, depth, done)
        if changed:
            made = copy(value)
            made.update(changed)
    elif isinstance(getattr(value, "__dict__", None), dict) and not isinstance(value, _NO_HOLDERS):
        changed = _changed(vars(value), seed, depth, done)
        if changed:
            made = copy(value)
            for name, new in changed.items():
                object.__setattr__(made, name, new)
    done[id(value)] = made
    return made


def _changed(items: dict[Any, Any], seed: int, depth: int, done: dict[int, Any]) -> dict[Any, Any]:
    """Return those of the values that are, or lead to, a generator, as they are seeded anew."""
    new = {name: _reseeded(each, seed, depth - 1, done) for name, each in items.items()}
    return {name: each for name, each in new.items() if each is not items[name]}


def _generator(value: Any, seed: int) -> Any:
    """Return a generator like this one, seeded from its state and the seed; anything else unchanged."""
    if isinstance(value, Random):
        if isinstance(value, SystemRandom):  # it has no seed
            return value
        new = copy(value)
        new.seed(f"{new.getrandbits(64)}/{seed}")
        return new
    if type(value).__module__.partition(".")[0] == "numpy" and type(value).__name__ in ("Generator", "RandomState"):
        old = copy(value)
        own = int.from_bytes(old.bytes(8), "big")
        mixed = Random(f"{own}/{seed}").getrandbits(32)  # noqa: S311 - no secret
        kind = type(value)
        return kind(mixed) if kind.__name__ == "RandomState" else kind(type(value.bit_generator)(mixed))
    return value
