"""Three processes with the same three accounts, against one emulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sharing.kernels import run_kernels
from tests.sharing.server import RedisServer

LATE = 0.5
"""Wall seconds, a third of a cooldown, for busy machines; tests/benchmarks measures it on a quiet one."""


@pytest.mark.parametrize(
    ("mode", "scenes"),
    [
        ("normal", 5),
        pytest.param("normal", 12, marks=pytest.mark.long),
        pytest.param("boost", 12, marks=pytest.mark.long),
    ],
)
def test_nobody_submits_to_an_account_that_another_process_saw_limited(
    tmp_path: Path, redis_server: RedisServer, mode: str, scenes: int
) -> None:
    """From a moment after a 429's answer until the cooldown's end, no other process submits for that account.

    Most hear of it much sooner; all scenes are done in the end. Without sharing that is not so.
    """
    seen = run_kernels(tmp_path / "shared", redis_server.url, mode=mode, scenes=scenes)
    assert set(seen.statuses) == {"succeeded"} and len(seen.statuses) == 3 * scenes
    assert seen.limited > 0 and seen.delays
    assert [late for late in seen.late if late > LATE] == []
    if mode == "normal":  # else many are under way, and are answered later than they left
        assert [late for late in seen.answered if late > 2 * LATE] == []


@pytest.mark.long
def test_processes_that_do_not_share_run_into_what_others_saw(tmp_path: Path) -> None:
    """So the test above can fail."""
    seen = run_kernels(tmp_path / "alone", None)
    assert [late for late in seen.late if late > LATE]
    assert [late for late in seen.answered if late > 2 * LATE]
    assert seen.delays == []
