"""Simulated profiles from a TOML file, for `vidgen-nb emulator --profiles`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidgen_nb.errors import FileFormatError, InputError
from vidgen_nb.inputs.toml_files import profile_tables, read_toml
from vidgen_nb.inputs.unknown_names import unknown_option
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.provider.described import PROFILE_KEYS, profile_from

__all__ = ["load_simulated"]


def load_simulated(path: str | Path) -> list[SimulatedProfile]:
    """Return the simulated profiles of a TOML file, in its order.

        [[profile]]
        name = "alice"
        limits = [{kind = "token_bucket", n = 4, per = 60}, {kind = "concurrency", n = 2}]
        service = {kind = "lognormal", mean = 60, cv = 0.2}

    `capacity`, `retry_after`, `quota_group`, `api_key`, `rate_headers` and `price` (0.40, "0.10/s") are as in
    `SimulatedProfile`; several limits apply together. `organisation = {name = "team", limits = […]}`: the same for each
    profile of it.
    Kinds: token_bucket, fixed_window, sliding_window (n, per, count_refusals, weight), daily_quota (n, count_refusals,
    weight), concurrency (n, over); constant (mean), exponential (mean), lognormal (mean, cv), empirical (samples).
    Raises `FileFormatError` for mistakes.
    """
    profiles = [
        _make_profile(place, options, str(path)) for place, options in profile_tables(read_toml(Path(path)), str(path))
    ]
    if not profiles:
        raise FileFormatError(str(path), 'there are no profiles in it; add [[profile]] with name = "..."')
    return profiles


def _make_profile(place: str, options: dict[str, Any], path: str) -> SimulatedProfile:
    for key in options:
        if key not in PROFILE_KEYS:
            raise FileFormatError(path, f"{place}: {unknown_option(key, PROFILE_KEYS)}")
    if not isinstance(options.get("name"), str):
        raise FileFormatError(path, f'{place} has no name: add name = "..."')
    try:
        return profile_from(options)
    except InputError as error:
        raise FileFormatError(path, f"{place}: {error}") from None
