"""Events as JSON objects and back, field by field according to their annotations.

`{"event": "Accepted", "at": 1.5, "scene": "s001", …}`; numbers that JSON can't express are the texts `"inf"`, `"-inf"`
and `"nan"`. `rate`, which servers seldom send, `rank`, and what older files don't have (`off_since`, prices, costs) are
left out if there are none, and `local` if it is false. A field whose metadata has `recorded_as` keeps that name in
files. A policy is its class's name and settings. No event contains an API key.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Set
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache, partial
from operator import attrgetter
from types import NoneType
from typing import Any, Literal, NamedTuple, NoReturn, get_args, get_origin, get_type_hints

from vidgen_nb.core.events import EVENTS, Event
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.core.policy import Policy
from vidgen_nb.policies.registry import describe, from_description

__all__ = ["decode", "encode", "encode_plainly", "plain", "read_as"]

Reader = Callable[[Any], Any]
"""Checks plain data and returns the value; raises a `ValueError` that says what is wrong."""


def encode(event: Event) -> dict[str, Any]:
    """Return an event as plain data."""
    return _plain_fields(event, {"event": type(event).__name__})


def encode_plainly(event: Event) -> dict[str, Any]:
    """Return what `encode` does, but for values that JSON can't hold as they are: `plain` is for those.

    It takes half of the time. Numbers that are not finite are left, too: JSON encoders refuse them.
    """
    names, values, omitted_if_none, has_local = _layout(type(event))  # type: ignore[arg-type]  # a class is hashable
    found = {"event": type(event).__name__}
    found.update(zip(names, values(event), strict=True))
    if omitted_if_none or has_local:
        _omit(found, omitted_if_none, has_local)
    return found


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it; for unknown types, for example in a user's own policy, the repr."""
    match value:
        case None | str() | int():  # a member of a StrEnum is a text, too
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Scene():
            return {"id": value.id, "prompt": value.prompt, "params": dict(value.params)}
        case Policy():
            return plain(describe(value))
        case tuple() | list():
            return [plain(each) for each in value]
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case _ if isinstance(value, Failure):
            return _plain_fields(value, {"kind": value.kind})
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _plain_fields(value)
        case _:
            return repr(value)


def decode(data: Mapping[str, Any]) -> Event:
    """Return the event that `encode` wrote.

    Raises a `ValueError` that says what is wrong: an unknown event, a missing or unknown field, a value of the wrong
    type.
    """
    name = data.get("event")
    if not isinstance(name, str) or name not in EVENTS:
        raise ValueError(f"unknown event {name!r}")
    event: Event = _object(EVENTS[name], {key: value for key, value in data.items() if key != "event"})
    if not math.isfinite(event.at):
        raise ValueError(f"{name}: at: {event.at} is not a time in run seconds")
    return event


def read_as(kind: Any, data: Any) -> Any:
    """Return a value of that type from plain data; `Any` is a policy, as in events. Raises `ValueError`."""
    return _reader(kind)(data)


@cache
def _recorded_fields(kind: type) -> tuple[tuple[str, Field[Any]], ...]:
    """Return the fields of a dataclass that files hold, with their names there."""
    return tuple((each.metadata.get("recorded_as", each.name), each) for each in fields(kind) if each.init)


class _Layout(NamedTuple):
    """How a dataclass is written."""

    names: tuple[str, ...]
    """Its fields, as files call them."""
    values: Callable[[Any], tuple[Any, ...]]
    omitted_if_none: tuple[str, ...]
    has_local: bool


@cache
def _layout(kind: type) -> _Layout:
    recorded_fields = _recorded_fields(kind)
    names = tuple(name for name, _ in recorded_fields)
    attributes = [each.name for _, each in recorded_fields]
    values = attrgetter(*attributes) if len(names) > 1 else lambda value: tuple(getattr(value, a) for a in attributes)
    return _Layout(names, values, tuple(each for each in OMITTED_IF_NONE if each in names), OMITTED_IF_FALSE in names)


def _plain_fields(value: Any, found: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a dataclass as plain data, after what was `found` already."""
    names, values, omitted_if_none, has_local = _layout(type(value))  # type: ignore[arg-type]  # a class is hashable
    found = {} if found is None else found
    for name, of in zip(names, values(value), strict=True):
        kind = type(of)
        found[name] = of if kind in AS_IT_IS or (kind is float and -math.inf < of < math.inf) else plain(of)
    _omit(found, omitted_if_none, has_local)
    return found


def _omit(found: dict[str, Any], omitted_if_none: tuple[str, ...], has_local: bool) -> None:
    """Leave out what files don't hold if there is none."""
    for name in omitted_if_none:
        if found[name] is None:
            del found[name]
    if has_local and found[OMITTED_IF_FALSE] is False:
        del found[OMITTED_IF_FALSE]


# -- reading


@cache
def _field_readers(kind: type) -> tuple[dict[str, tuple[str, Reader]], frozenset[str]]:
    """Return attribute and reader of each field of a dataclass, by its name in files, and the required names."""
    hints, recorded_fields = get_type_hints(kind), _recorded_fields(kind)
    required = (name for name, each in recorded_fields if each.default is MISSING and each.default_factory is MISSING)
    return {name: (each.name, _reader(hints[each.name])) for name, each in recorded_fields}, frozenset(required)


def _object(kind: type[Any], data: Any) -> Any:
    readers, required = _field_readers(kind)  # type: ignore[arg-type]  # a class is hashable
    if not isinstance(data, dict) or not required <= data.keys() <= readers.keys():
        _refuse_fields(kind.__name__, data, required, readers.keys())
    values = {}
    for key, value in data.items():
        try:
            attribute, read = readers[key]
            values[attribute] = read(value)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{kind.__name__}: {key}: {error}") from None
    return kind(**values)


def _refuse_fields(what: str, data: Any, required: Set[str], known: Set[str]) -> NoReturn:
    """Raise a `ValueError` that says what is wrong with an object's fields."""
    if not isinstance(data, dict):
        raise ValueError(f"{what}: {data!r} is not an object")
    if unknown := data.keys() - known:
        raise ValueError(f"{what}: unknown field {min(unknown)!r}")
    raise ValueError(f"{what}: missing field {min(required - data.keys())!r}")


def _reader(hint: Any) -> Reader:
    """Return a reader of values of that type."""
    if hint in READERS:
        return READERS[hint]
    origin, args = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return partial(_member, hint)
    if origin is Literal:
        return partial(_choice, args)
    if origin is tuple:
        return partial(_tuple, _reader(args[0]))
    if origin is dict:
        return partial(_dict, _reader(args[1]))
    if args:
        return _union(args)
    return partial(_object, hint)


def _union(kinds: tuple[Any, ...]) -> Reader:
    """Return a reader of `X | None`, or of a failure, whose `kind` names its class."""
    some = [kind for kind in kinds if kind is not NoneType]
    reader = _reader(some[0]) if len(some) == 1 else partial(_failure, {kind.kind: kind for kind in some})
    return partial(_optional, reader) if NoneType in kinds else reader


def _optional(reader: Reader, value: Any) -> Any:
    return None if value is None else reader(value)


def _failure(by_kind: Mapping[str, type], value: Any) -> Any:
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in by_kind:
        raise ValueError(f"{value!r} is not a failure: its kind is one of {', '.join(by_kind)}")
    return _object(by_kind[kind], {key: each for key, each in value.items() if key != "kind"})


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or (not isinstance(value, int | float) and value not in ("inf", "-inf", "nan")):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is not true or false")
    return value


def _choice(choices: tuple[str, ...], value: Any) -> str:
    if value not in choices:
        raise ValueError(f"{value!r} is not one of {', '.join(choices)}")
    return str(value)


def _member(kind: type[StrEnum], value: Any) -> StrEnum:
    return kind(_choice(tuple(kind), value))


def _tuple(each: Reader, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is not a list")
    return tuple(map(each, value))


def _dict(each: Reader, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not an object")
    return {key: each(item) for key, item in value.items()}


def _scene(value: Any) -> Scene:
    if not isinstance(value, dict) or value.keys() != SCENE_FIELDS:
        _refuse_fields("Scene", value, SCENE_FIELDS, SCENE_FIELDS)
    try:
        return Scene(value["id"], value["prompt"], **value["params"])
    except TypeError as error:
        raise ValueError(str(error)) from None


def _policy(value: Any) -> Policy:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ValueError(f"{value!r} is not a policy: it has no name")
    try:
        return from_description(value)
    except TypeError as error:
        raise ValueError(str(error)) from None


AS_IT_IS = frozenset((str, int, bool, NoneType))
"""Types of most values, which JSON has, too."""
OMITTED_IF_NONE = ("rate", "off_since", "cost", "price", "pause_after_same_failure", "rank")
OMITTED_IF_FALSE = "local"
SCENE_FIELDS = {"id", "prompt", "params"}
READERS: dict[Any, Reader] = {
    str: _text,
    float: _number,
    int: _whole,
    bool: _flag,
    Scene: _scene,
    Any: _policy,  # a policy: the one field of an event without a type
}
