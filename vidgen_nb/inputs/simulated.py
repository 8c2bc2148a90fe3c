"""Simulated profiles from a TOML file, for `vidgen-nb emulator --profiles`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from vidgen_nb.errors import FileFormatError, InputError
from vidgen_nb.inputs.profiles import hint, parsed, tables
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    DailyQuota,
    Empirical,
    Exponential,
    FixedWindow,
    Limit,
    LogNormal,
    Service,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)

__all__ = ["load_simulated"]

LIMITS: Final[Mapping[str, Callable[..., Limit]]] = {
    "token_bucket": TokenBucket,
    "fixed_window": FixedWindow,
    "sliding_window": SlidingWindow,
    "concurrency": Concurrency,
    "daily_quota": DailyQuota,
}
SERVICES: Final[Mapping[str, Callable[..., Service]]] = {
    "constant": Constant,
    "exponential": Exponential,
    "lognormal": LogNormal,
    "empirical": Empirical,
}
KEYS: Final = ("name", "limits", "service", "capacity", "retry_after", "quota_group", "api_key")


def load_simulated(path: str | Path) -> list[SimulatedProfile]:
    """Return the simulated profiles of a TOML file, in its order.

        [[profile]]
        name = "alice"
        limits = [{kind = "token_bucket", n = 4, per = 60}, {kind = "concurrency", n = 2}]
        service = {kind = "lognormal", mean = 60, cv = 0.2}

    `capacity`, `retry_after`, `quota_group` and `api_key` are as in `SimulatedProfile`; several limits hold together.
    Kinds: token_bucket, fixed_window, sliding_window (n, per), concurrency, daily_quota (n); constant (seconds),
    exponential (mean), lognormal (mean, cv), empirical (samples). Raises `FileFormatError` for what is wrong.
    """
    profiles = [_profile(place, options, str(path)) for place, options in tables(parsed(Path(path)), str(path))]
    if not profiles:
        raise FileFormatError(str(path), 'there are no profiles in it; add [[profile]] with name = "..."')
    return profiles


def _profile(place: str, options: dict[str, Any], path: str) -> SimulatedProfile:
    for key in options:
        if key not in KEYS:
            raise FileFormatError(path, f"{place}: unknown key {key!r}{hint(key, KEYS)}")
    if not isinstance(options.get("name"), str):
        raise FileFormatError(path, f'{place} has no name: add name = "..."')
    given = {key: value for key, value in options.items() if key not in ("limits", "service")}
    try:
        if "limits" in options:
            given["limit"] = _limits(options["limits"])
        if "service" in options:
            given["service"] = _made(SERVICES, options["service"], "service")
        return SimulatedProfile(**given)
    except (InputError, TypeError) as error:
        raise FileFormatError(path, f"{place}: {error}") from None


def _limits(described: Any) -> Limit | None:
    limit: Limit | None = None
    for each in described if isinstance(described, list) else [described]:
        made = _made(LIMITS, each, "limit")
        limit = made if limit is None else limit & made
    return limit


def _made(kinds: Mapping[str, Callable[..., Any]], described: Any, what: str) -> Any:
    if not isinstance(described, dict) or described.get("kind") not in kinds:
        raise InputError(f"a {what} is a table with kind = one of {', '.join(kinds)}, not {described!r}")
    options = {key: value for key, value in described.items() if key != "kind"}
    try:
        return kinds[described["kind"]](**options)
    except TypeError as error:
        raise InputError(f"{what} {described['kind']}: {error}") from None
