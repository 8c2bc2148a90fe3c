"""A session that runs for a long time: `make bench` has 100,000 scenes over 200 profiles, this is a shorter one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.soak import soak


@pytest.mark.parametrize("scenes", [40, pytest.param(100, marks=pytest.mark.long)])
def test_all_is_accounted_for_and_nothing_is_left_behind(scenes: int, tmp_path: Path) -> None:
    """With 5 % faults, each scene has an end, each paid job is known of, each success is a file; no task is left."""
    before, *batches, after = asyncio.run(soak(tmp_path, batches=3, scenes=scenes, profiles=20))
    assert set(after.scenes) <= {"succeeded", "failed", "held"}
    assert after.scenes.total() == 3 * scenes
    assert [each.paid for each in batches] == [each.known for each in batches]
    assert [each.videos for each in batches] == [each.scenes["succeeded"] for each in batches]
    assert [each.tasks for each in (before, *batches, after)] == [()] * 5
    assert max(each.files for each in batches) <= before.files + 100  # connections that are kept warm
    assert after.files <= before.files
