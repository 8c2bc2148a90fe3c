"""Profiles from a TOML file; no error ever shows a key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from vidgen_nb.core.money import as_price
from vidgen_nb.errors import FileFormatError, InputError, MissingKey
from vidgen_nb.inputs.toml_files import profile_tables, read_toml
from vidgen_nb.inputs.unknown_names import unknown_option
from vidgen_nb.ports import Profile

__all__ = ["load_profiles"]

_OPTIONS: Final = ("name", "api_key", "key_env", "capacity", "quota_group", "base_url", "price")
_TEXT_OPTIONS: Final = ("name", "api_key", "key_env", "quota_group", "base_url")
_VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def load_profiles(path: str | Path) -> list[Profile]:
    """Return the profiles of a TOML file, in its order.

    Each is a `[[profile]]` with a `name`, or a `[profiles.<name>]`. Its key is in the environment variable that
    `key_env` names (default: `<NAME>_API_KEY`), or in the file as `api_key`; `capacity`, `quota_group`,
    `base_url` and `price` (`0.40` a job, `"0.10/s"`, or a table: `{per_second = 0.10, currency = "EUR"}`) are as in
    `Profile`. Raises `FileFormatError` with line and column for malformed TOML, and for unknown or invalid
    options; `MissingKey` with the variable that isn't set; `InputError` for a name that appears twice.
    """
    path = Path(path)
    profiles: dict[str, Profile] = {}
    for place, options in profile_tables(read_toml(path), str(path)):
        profile = _make_profile(place, options, str(path))
        if profile.name in profiles:
            raise InputError(f"{path}: profile {profile.name!r} appears twice: give each its own name")
        profiles[profile.name] = profile
    if not profiles:
        raise FileFormatError(str(path), 'there are no profiles in it; add [[profile]] with name = "..."')
    return list(profiles.values())


def _make_profile(place: str, options: dict[str, Any], path: str) -> Profile:
    for key, value in options.items():
        if key not in _OPTIONS:
            raise FileFormatError(path, f"{place}: {unknown_option(key, _OPTIONS)}")
        if key in _TEXT_OPTIONS and not isinstance(value, str):
            raise FileFormatError(path, f"{place}: {key} must be a text in quotes")
    if "name" not in options:
        raise FileFormatError(path, f'{place} has no name: add name = "..."')
    if "api_key" in options and "key_env" in options:
        raise FileFormatError(path, f"{place} has both api_key and key_env: choose one")
    variable = options.get("key_env")
    if variable is not None and not _VARIABLE_NAME.fullmatch(variable):
        # not quoted in the error: it may be the key itself
        raise FileFormatError(path, f"{place}: key_env is the name of an environment variable; put a key into api_key")
    others = {key: options[key] for key in ("capacity", "quota_group", "base_url", "price") if key in options}
    try:
        others["price"] = as_price(others.get("price"))
    except InputError as error:
        raise FileFormatError(path, f"{place}: {error}") from None
    try:
        if "api_key" not in options:
            return Profile.from_env(options["name"], variable, **{k: v for k, v in others.items() if v is not None})
        profile = Profile(options["name"], options["api_key"], **others)
    except MissingKey:
        raise
    except InputError as error:
        raise FileFormatError(path, f"{place}: {error}") from None
    if not profile.has_key:
        raise MissingKey(profile.name, f"api_key is empty in {path}")
    return profile
