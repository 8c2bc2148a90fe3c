"""The accounts of a class: one for each student, all under one limit, with keys that nobody can guess."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from vidgen_nb.errors import InputError, OutputError
from vidgen_nb.inputs.profiles import load_profiles
from vidgen_nb.provider import Limit, LogNormal, Service, SimulatedProfile, TokenBucket

__all__ = ["GROUP", "MAX_STUDENTS", "class_profiles"]

GROUP: Final = "class"
"""The quota group of all."""
MAX_STUDENTS: Final = 300
_CHARACTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of keys: none that is read as another, and small letters only."""
_HEAD: Final = """\
# The keys of a class. Give each student the key of their name, and nobody else's: whoever has it submits as they do.
# The emulator reads this file again the next time; delete it for new keys.
"""


def class_profiles(
    students: int | Iterable[str] = 30,
    *,
    keys: str | os.PathLike[str] | None = None,
    limit: Limit | None = None,
    service: Service | None = None,
    capacity: int | None = 2,
) -> list[SimulatedProfile]:
    """Return an account for each student of a class, in one quota group: the limit is shared by all of them.

    `students`: how many, named `student01` and so on, or their names. `keys`: a TOML file with the name and the key of
    each; one that exists is read, and must name the same students, else it is written, for you alone to read. Without
    it, the keys are made anew each time; `profile.api_key` has them. `limit`: of the whole class; default: a bucket of
    two submits a minute for each student, `TokenBucket(60, per=60)` for 30. `service`: how long a job takes; default:
    `LogNormal(20, 0.3)`. `capacity`: jobs that one student generates at once. Raises `InputError` for a class that is
    none and for a file with other names, `OutputError` where the file can't be written.

    >>> emulator = Emulator(class_profiles(30, keys="keys.toml"), host="0.0.0.0", port=8000, speed=10)
    """
    names = _names(students)
    known = _known(Path(keys), names) if keys is not None else {}
    made = known or {name: _new_key() for name in names}
    if keys is not None and not known:
        _write(Path(keys), made)
    shared = limit if limit is not None else TokenBucket(2 * len(names), per=60)
    lasts = service if service is not None else LogNormal(20, 0.3)
    return [
        SimulatedProfile(name, shared, lasts, capacity=capacity, quota_group=GROUP, api_key=made[name])
        for name in names
    ]


def _names(students: int | Iterable[str]) -> list[str]:
    if isinstance(students, int) and not isinstance(students, bool):
        if not 1 <= students <= MAX_STUDENTS:
            raise InputError(f"a class has 1 to {MAX_STUDENTS} students, not {students:,}")
        digits = max(2, len(str(students)))
        return [f"student{number:0{digits}}" for number in range(1, students + 1)]
    if isinstance(students, str) or not isinstance(students, Iterable):
        raise InputError(f"students is how many there are, or a list of their names, not {students!r}")
    names = list(students)
    if not all(isinstance(name, str) and name.strip() for name in names):
        raise InputError("each student needs a non-empty text as a name")
    if not 1 <= len(names) <= MAX_STUDENTS:
        raise InputError(f"a class has 1 to {MAX_STUDENTS} students, not {len(names):,}")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two students are named {twice!r}: give each their own name")
    return names


def _new_key() -> str:
    """Return a key of 59 random bits that can be read out and typed."""
    return "-".join("".join(secrets.choice(_CHARACTERS) for _ in range(4)) for _ in range(3))


def _known(path: Path, names: list[str]) -> dict[str, str]:
    """Return the keys in a file, if there is one; it must have one for each name, and no others."""
    if not path.exists():
        return {}
    found = {profile.name: profile.api_key.reveal() for profile in load_profiles(path)}
    if found.keys() != set(names):
        other = min(found.keys() ^ set(names))
        here = "has a key for" if other in found else "has no key for"
        raise InputError(
            f"{path} has the keys of {len(found):,} students, of another class: it {here} {other!r}. "
            "Name another file, or delete it for new keys"
        )
    return found


def _write(path: Path, keys: dict[str, str]) -> None:
    text = "\n".join(
        [
            _HEAD,
            *(f"[[profile]]\nname = {json.dumps(name)}\napi_key = {json.dumps(key)}\n" for name, key in keys.items()),
        ]
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OutputError(f"the keys can't be written to {path}: {error.strerror}") from None
