"""A session that runs for a long time: `make bench` has 100,000 scenes over 200 profiles, this is a shorter one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.soak import soak


def test_all_is_accounted_for_and_nothing_is_left_behind(tmp_path: Path) -> None:
    """With 5 % faults, each scene has an end, each paid job is known of, each success is a file."""
    samples = asyncio.run(soak(tmp_path, batches=3, scenes=100, profiles=20))
    last = samples[-1]
    assert set(last.scenes) <= {"succeeded", "failed", "held"}
    assert last.scenes.total() == 300
    assert [each.paid for each in samples] == [each.known for each in samples]
    assert [each.videos for each in samples] == [each.scenes["succeeded"] for each in samples]
    assert {each.tasks for each in samples} == {samples[0].tasks}
    assert last.files <= samples[0].files
