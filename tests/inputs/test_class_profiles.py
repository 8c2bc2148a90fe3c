"""The accounts of a class: one limit for all, keys that are kept in a file, for the teacher alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

import vidgen_nb as vg


def test_one_account_each_under_one_limit() -> None:
    """Named in order; the limit is by default two submits a minute for each, of all together."""
    students = vg.class_profiles(30)
    assert [each.name for each in students[:2]] == ["student01", "student02"]
    assert len(students) == 30
    assert {each.quota_group for each in students} == {"class"}
    assert {each.limit for each in students} == {vg.TokenBucket(60, per=60)}
    vg.Emulator(students)


def test_keys_differ_and_are_never_shown() -> None:
    """Long enough to be guessed by nobody, and no repr has one."""
    students = vg.class_profiles(["ada", "ben"])
    assert len({each.api_key for each in students}) == 2
    assert all(len(each.api_key) == 14 and each.api_key not in repr(students) for each in students)


def test_keys_stay(tmp_path: Path) -> None:
    """The file is made once, for its owner alone, and read the next time; profiles can be loaded from it, too."""
    path = tmp_path / "class" / "keys.toml"
    first, second = (vg.class_profiles(3, keys=path) for _ in range(2))
    assert [each.api_key for each in first] == [each.api_key for each in second]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in vg.load_profiles(path)] == ["student01", "student02", "student03"]


def test_the_keys_of_another_class(tmp_path: Path) -> None:
    """A file with other names is left as it is, and the message quotes no key."""
    path = tmp_path / "keys.toml"
    keys = [each.api_key for each in vg.class_profiles(3, keys=path)]
    before = path.read_bytes()
    with pytest.raises(vg.InputError, match=r"the keys of 3 students.*no key for 'student04'") as refused:
        vg.class_profiles(4, keys=path)
    assert path.read_bytes() == before
    assert not any(key in str(refused.value) for key in keys)


def test_keys_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that can't be made is said."""
    (tmp_path / "file").touch()
    with pytest.raises(vg.OutputError, match="the keys can't be written"):
        vg.class_profiles(2, keys=tmp_path / "file" / "keys.toml")


@pytest.mark.parametrize("students", [0, 301, True, "ada", ["ada", "ada"], ["ada", ""], [], 3.5])
def test_what_is_no_class(students: Any) -> None:
    """A clear error, before any file is written."""
    with pytest.raises(vg.InputError, match="student"):
        vg.class_profiles(students)
