"""Events as JSON objects and back, field by field as their annotations say.

`{"event": "Accepted", "at": 1.5, "scene": "s001", …}`; infinite times are the texts `"inf"` and `"-inf"`, since JSON
has no number for them. A policy is its class's name and settings; keys of profiles are in no event.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from vidgen_nb.core import outcomes
from vidgen_nb.core.events import EVENTS, Event
from vidgen_nb.core.model import Artifact, Mode, Operation, Scene
from vidgen_nb.core.policy import Policy, describe, recorded

__all__ = ["decode", "encode", "plain"]

OUTCOMES: dict[str, type[Any]] = {
    kind.kind: kind
    for kind in (
        outcomes.RateLimited,
        outcomes.Transient,
        outcomes.Permanent,
        outcomes.ProfileUnusable,
        outcomes.Ambiguous,
        outcomes.Cancelled,
    )
}

OUTCOMES_BY_TYPE = {kind: name for name, kind in OUTCOMES.items()}


def encode(event: Event) -> dict[str, Any]:
    """Return an event as plain data."""
    names = (each.name for each in fields(event) if each.name != "at")
    return {
        "event": type(event).__name__,
        "at": event.at,
        **{name: plain(getattr(event, name)) for name in names},
    }


def plain(value: Any) -> Any:
    """Return a value as what JSON can carry."""
    match value:
        case float() if math.isinf(value):
            return str(value)
        case Scene():
            return {"id": value.id, "prompt": value.prompt, "params": dict(value.params)}
        case Policy():
            return describe(value)
        case tuple() | list():
            return [plain(each) for each in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            kind = OUTCOMES_BY_TYPE.get(type(value))
            data = {each.name: plain(getattr(value, each.name)) for each in fields(value) if each.init}
            return data if kind is None else {"kind": kind, **data}
        case _:
            return value


def decode(data: Mapping[str, Any]) -> Event:
    """Return the event that `encode` wrote.

    Raises `ValueError` that says what is wrong: an unknown event, a field that is missing or not known, a value of
    the wrong kind.
    """
    name = data.get("event")
    if name not in EVENTS:
        raise ValueError(f"unknown event {name!r}")
    kind = EVENTS[name]
    known = {each.name: each for each in fields(kind)}
    unknown = data.keys() - known.keys() - {"event"}
    required = {n for n, each in known.items() if each.default is MISSING and each.default_factory is MISSING}
    if unknown or (missing := required - data.keys()):
        raise ValueError(f"{name}: " + (f"unknown field {min(unknown)!r}" if unknown else f"no {min(missing)!r}"))
    try:
        return kind(**{key: _value(str(known[key].type), value) for key, value in data.items() if key != "event"})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{name}: {error}") from None


def _value(annotation: str, value: Any) -> Any:
    if value is None and (annotation.endswith("| None") or annotation == "Any"):
        return None
    kind = annotation.removesuffix(" | None")
    reader = READERS.get(kind)
    return reader(value) if reader else value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or value == "nan":
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value


READERS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "float": _number,
    "int": _whole,
    "tuple[str, ...]": lambda value: tuple(map(_text, value)),
    "Scene": lambda value: Scene(value["id"], value["prompt"], **value["params"]),
    "Mode": lambda value: Mode(**value),
    "Any": recorded,
    "Operation": lambda value: Operation(**value),
    "Artifact": lambda value: Artifact(**value),
    "Failure": lambda value: OUTCOMES[value["kind"]](**{k: v for k, v in value.items() if k != "kind"}),
}
