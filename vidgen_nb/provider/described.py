"""Simulated profiles as plain data and back: for a run's header, and for files.

    {"name": "alice", "limits": [{"kind": "token_bucket", "n": 4, "per": 60}],
     "service": {"kind": "constant", "mean": 60}}

`capacity`, `retry_after`, `quota_group`, `rate_headers` and `price` are as in `SimulatedProfile`; several limits apply
together.
An `organisation` is `{"name": …, "limits": […]}`, the same for each of its profiles.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields
from functools import cache, partial
from inspect import signature
from typing import Any, Final

from vidgen_nb.errors import InputError
from vidgen_nb.provider.limits import (
    All,
    Concurrency,
    DailyQuota,
    FixedWindow,
    Limit,
    SlidingWindow,
    TokenBucket,
    given_fields,
)
from vidgen_nb.provider.model import Organisation, SimulatedProfile
from vidgen_nb.provider.service import Constant, Empirical, Exponential, LogNormal, Service

__all__ = ["PROFILE_KEYS", "describe_profile", "describe_profiles", "limit_from_text", "profile_from"]

PROFILE_KEYS: Final = (
    "name", "limits", "service", "capacity", "retry_after", "quota_group", "api_key", "rate_headers", "organisation",
    "price",
)  # fmt: skip
LIMITS: Final[Mapping[str, type[Limit]]] = {
    "token_bucket": TokenBucket,
    "fixed_window": FixedWindow,
    "sliding_window": SlidingWindow,
    "concurrency": Concurrency,
    "daily_quota": DailyQuota,
}
SERVICES: Final[Mapping[str, type[Service]]] = {
    "constant": Constant,
    "exponential": Exponential,
    "lognormal": LogNormal,
    "empirical": Empirical,
}


def describe_profiles(profiles: Iterable[SimulatedProfile]) -> list[dict[str, Any]]:
    """Return profiles as plain data, without their keys; what is equal is described once."""
    limits, services = cache(_plain_limits), cache(partial(_plain, SERVICES))
    return [_describe(each, [{**part} for part in limits(each.limit)], {**services(each.service)}) for each in profiles]


def describe_profile(profile: SimulatedProfile) -> dict[str, Any]:
    """Return a profile as plain data, without its key."""
    return describe_profiles([profile])[0]


def _describe(profile: SimulatedProfile, limits: list[dict[str, Any]], service: dict[str, Any]) -> dict[str, Any]:
    team = profile.organisation
    return {
        "name": profile.name,
        "limits": limits,
        "service": service,
        "capacity": profile.capacity,
        "retry_after": profile.retry_after,
        "quota_group": profile.quota_group,
        "rate_headers": profile.rate_headers,
        **({} if profile.price is None else {"price": asdict(profile.price)}),
        **({} if team is None else {"organisation": {"name": team.name, "limits": _plain_limits(team.limit)}}),
    }


def _plain_limits(limit: Limit | None) -> list[dict[str, Any]]:
    parts = () if limit is None else limit.parts if isinstance(limit, All) else (limit,)
    return [_plain(LIMITS, part) for part in parts]


def _plain(kinds: Mapping[str, type[Any]], spec: Any) -> dict[str, Any]:
    kind = next(name for name, each in kinds.items() if type(spec) is each)
    if isinstance(spec, Limit):
        return {"kind": kind, **given_fields(spec)}
    values = {each.name: getattr(spec, each.name) for each in fields(spec) if each.init or each.name == "samples"}
    if kind == "empirical":
        values = {"samples": list(spec.samples)}
    return {"kind": kind, **values}


def profile_from(data: Mapping[str, Any]) -> SimulatedProfile:
    """Return the profile that the data describe; `InputError` if something is wrong with them."""
    given = {key: value for key, value in data.items() if key not in ("limits", "service", "organisation")}
    if data.get("organisation") is not None:
        given["organisation"] = _organisation(data["organisation"])
    if "limits" in data:
        given["limit"] = _limits(data["limits"])
    if "service" in data:
        given["service"] = _build(SERVICES, data["service"], "service")
    try:
        return SimulatedProfile(**given)
    except TypeError as error:
        raise InputError(str(error)) from None


def _organisation(data: Any) -> Organisation:
    if not isinstance(data, dict) or data.keys() != {"name", "limits"}:
        raise InputError(f"an organisation is a table with name and limits, not {data!r}")
    limit = _limits(data["limits"])
    if limit is None:
        raise InputError(f"organisation {data['name']!r}: give at least one limit")
    return Organisation(data["name"], limit)


def _limits(data: Any) -> Limit | None:
    limit: Limit | None = None
    for each in data if isinstance(data, list) else [data]:
        part = _build(LIMITS, each, "limit")
        limit = part if limit is None else limit & part
    return limit


def _build(kinds: Mapping[str, Callable[..., Any]], data: Any, what: str) -> Any:
    if not isinstance(data, dict) or data.get("kind") not in kinds:
        raise InputError(f"a {what} is a table with kind = one of {', '.join(kinds)}, not {data!r}")
    options = {key: value for key, value in data.items() if key != "kind"}
    kind = kinds[data["kind"]]
    try:
        return kind(**options)
    except TypeError as error:
        raise InputError(f"{what} {data['kind']}: {_misfit(kind, options) or error}") from None


def _misfit(kind: Callable[..., Any], options: Mapping[str, Any]) -> str:
    """Say what is wrong with the names of options: Python's own words on a call would name its `__init__`."""
    try:
        signature(kind).bind(**options)
    except TypeError as error:
        return str(error)
    return ""


def limit_from_text(text: Any) -> Limit | None:
    """Return the limit with this repr, or None for any other text; no code in it is run.

    >>> limit_from_text("TokenBucket(n=4, per=60)")
    TokenBucket(n=4, per=60)
    """
    try:
        limit = _read(ast.parse(text, mode="eval").body)
    except (InputError, SyntaxError, TypeError, ValueError, RecursionError, MemoryError):
        return None
    return limit if isinstance(limit, Limit) and repr(limit) == text else None


def _read(node: ast.expr) -> Any:
    """Return a limit, a tuple of limits, or a constant."""
    if isinstance(node, ast.Tuple):
        return tuple(map(_read, node.elts))
    if not isinstance(node, ast.Call):
        return ast.literal_eval(node)
    kinds = {kind.__name__: kind for kind in (*LIMITS.values(), All)}
    if not isinstance(node.func, ast.Name) or node.func.id not in kinds:
        raise ValueError("no limit")
    return kinds[node.func.id](**{str(each.arg): _read(each.value) for each in node.keywords})
