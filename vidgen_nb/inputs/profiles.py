"""Profiles from a TOML file; no error of it ever shows a key."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from vidgen_nb.errors import FileFormatError, InputError, MissingKey
from vidgen_nb.inputs.files import read_text
from vidgen_nb.ports import Profile

__all__ = ["hint", "load_profiles", "parsed", "tables", "unknown"]

LONGEST_LINE: Final = 10_000
"""Characters of a line of TOML."""
_TABLES: Final = ("profile", "profiles")
_KEYS: Final = ("name", "api_key", "key_env", "capacity", "quota_group", "base_url")
_TEXTS: Final = ("name", "api_key", "key_env", "quota_group", "base_url")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACE: Final = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


def load_profiles(path: str | Path) -> list[Profile]:
    """Return the profiles of a TOML file, in its order.

    Each is a `[[profile]]` with a `name`, or a `[profiles.<name>]`. Its key stands in the environment variable that
    `key_env` names (default: `<NAME>_API_KEY`), or in the file as `api_key`; `capacity`, `quota_group` and `base_url`
    are as in `Profile`. Raises `FileFormatError` with line and column for bad TOML, and for what doesn't belong there;
    `MissingKey` with the variable that isn't set; `InputError` for a name that is there twice.
    """
    path = Path(path)
    profiles: dict[str, Profile] = {}
    for place, options in tables(parsed(path), str(path)):
        profile = _profile(place, options, str(path))
        if profile.name in profiles:
            raise InputError(f"{path}: profile {profile.name!r} is there twice: give each its own name")
        profiles[profile.name] = profile
    if not profiles:
        raise FileFormatError(str(path), 'there are no profiles in it; add [[profile]] with name = "..."')
    return list(profiles.values())


def parsed(path: Path) -> dict[str, Any]:
    """Return a TOML file's tables; `FileFormatError` with line and column where it is malformed."""
    text = read_text(path)
    for number, content in enumerate(text.split("\n"), start=1):
        if len(content) > LONGEST_LINE:  # tomllib takes minutes for a key of a hundred thousand dots
            raise FileFormatError(str(path), f"this line is longer than {LONGEST_LINE:,} characters", number)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # the place is an attribute from Python 3.14 on, and part of the text before
        problem, line, column = match.groups() if (match := _PLACE.fullmatch(str(error))) else (str(error), None, None)
        at_end = (text.count("\n") + 1, len(text) - text.rfind("\n"))
        place = (int(line), int(column)) if line and column else at_end
        raise FileFormatError(str(path), f"malformed TOML: {problem}", *place) from None
    except (RecursionError, ValueError):  # too deep; a number of thousands of digits
        raise FileFormatError(str(path), "this TOML can't be read: nested too deeply, or too long a number") from None


def tables(document: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (how to call it in an error, its options) of every profile."""
    for key, value in document.items():
        if key not in _TABLES:
            raise FileFormatError(path, f"{unknown(key, _TABLES)}: profiles are [[profile]] tables")
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            yield from ((f"profile {place}", item) for place, item in enumerate(value, start=1))
        elif isinstance(value, dict) and all(isinstance(item, dict) for item in value.values()):
            yield from ((f"profile {name!r}", {"name": name, **item}) for name, item in value.items())
        else:
            raise FileFormatError(path, f"write [[{key}]] for each profile, or [{key}.<name>]")


def _profile(place: str, options: dict[str, Any], path: str) -> Profile:
    for key, value in options.items():
        if key not in _KEYS:
            raise FileFormatError(path, f"{place}: {unknown(key, _KEYS)}")
        if key in _TEXTS and not isinstance(value, str):
            raise FileFormatError(path, f"{place}: {key} has to be a text in quotes")
    if "name" not in options:
        raise FileFormatError(path, f'{place} has no name: add name = "..."')
    if "api_key" in options and "key_env" in options:
        raise FileFormatError(path, f"{place} has both api_key and key_env: choose one")
    variable = options.get("key_env")
    if variable is not None and not _VARIABLE.fullmatch(variable):
        # it is not quoted: it may be the key itself
        raise FileFormatError(path, f"{place}: key_env is the name of an environment variable; a key is api_key's")
    others = {key: options[key] for key in ("capacity", "quota_group", "base_url") if key in options}
    try:
        if "api_key" not in options:
            return Profile.from_env(options["name"], variable, **others)
        profile = Profile(options["name"], options["api_key"], **others)
    except MissingKey:
        raise
    except InputError as error:
        raise FileFormatError(path, f"{place}: {error}") from None
    if not profile.has_key:
        raise MissingKey(profile.name, f"api_key is empty in {path}")
    return profile


def unknown(key: str, known: tuple[str, ...]) -> str:
    """Return an error about an unknown key; it is quoted only where it is a known one but for a slip.

    Anything else may be an API key in the wrong place.
    """
    close = difflib.get_close_matches(key, known, n=1)
    if close and len(key) <= len(close[0]) + 2:
        return f"unknown key {key!r}{hint(key, known)}"
    return f"an unknown option, not shown as it may be an API key (known: {', '.join(known)})"


def hint(key: str, known: tuple[str, ...]) -> str:
    """Return the end of an error about an unknown key: the nearest known one, or all."""
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f" (known: {', '.join(known)})"
