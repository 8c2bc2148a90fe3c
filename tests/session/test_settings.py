"""The settings of a run are one value, which its header holds."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest

from vidgen_nb.core.events import RunRestored
from vidgen_nb.core.model import BOOST, PollSchedule, RetryPolicy
from vidgen_nb.errors import FileFormatError, InputError
from vidgen_nb.policies.cooldowns import ExponentialCooldown, PerProfileCooldown
from vidgen_nb.session.settings import RunSettings

PATH = Path("run.jsonl")
SETTINGS = RunSettings.checked(
    mode="boost",
    policy=ExponentialCooldown(3, jitter="full"),
    retry=RetryPolicy(5, deadline=90),
    on_ambiguous="retry",
    max_wait=7,
    speed=20,
    seed=4,
    max_billed=12,
)


def test_a_header_holds_them_whole() -> None:
    """What is written as JSON is read as the same settings."""
    header = json.loads(json.dumps(SETTINGS.to_header()))
    assert RunSettings.from_header(PATH, header) == SETTINGS


def test_a_header_from_before_there_was_a_limit() -> None:
    """It has none."""
    header = {name: value for name, value in SETTINGS.to_header().items() if name != "max_billed"}
    assert RunSettings.from_header(PATH, header) == replace(SETTINGS, max_billed=None)


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("speed", 0, "out of its range"),
        ("on_ambiguous", "guess", "out of its range"),
        ("mode", 7, "header: mode"),
        ("max_billed", "many", "max_billed"),
        ("seed", None, "header: seed"),
    ],
)
def test_a_damaged_header(name: str, value: Any, what: str) -> None:
    """The error names the file, the line and the setting."""
    with pytest.raises(FileFormatError, match=f"run.jsonl, line 1: .*{what}"):
        RunSettings.from_header(PATH, {**SETTINGS.to_header(), name: value})


def test_a_header_of_another_program() -> None:
    """A run that no session wrote can't be restored, and the error says which setting is missing."""
    with pytest.raises(FileFormatError, match=r"has no 'retry'.* can be loaded, not restored"):
        RunSettings.from_header(PATH, {name: value for name, value in SETTINGS.to_header().items() if name != "retry"})


def test_they_do_not_change() -> None:
    """A change makes another value; a restore on record makes the next one."""
    with pytest.raises(FrozenInstanceError):
        SETTINGS.seed = 5  # type: ignore[misc]
    event = RunRestored(epoch=1.0, speed=2.0, seed=9, retry=RetryPolicy(1), on_ambiguous="hold", max_wait=1.0)
    after = SETTINGS.after_restore(event)
    assert (after.speed, after.seed, after.retry, after.on_ambiguous, after.max_wait) == (
        2.0, 9, RetryPolicy(1), "hold", 1.0
    )  # fmt: skip
    assert (after.mode, after.policy, after.max_billed) == (BOOST, SETTINGS.policy, 12)


def test_a_scheduler_goes_by_them() -> None:
    """Mode, policy and limit are the scheduler's."""
    scheduler = SETTINGS.scheduler(PollSchedule())
    assert (scheduler.mode, scheduler.policy, scheduler.max_billed) == (BOOST, SETTINGS.policy, 12)
    assert SETTINGS.replay([], PollSchedule()).policy == SETTINGS.policy


@pytest.mark.parametrize(
    "wrong", [{"speed": 0}, {"speed": "fast"}, {"mode": "turbo"}, {"policy": "none"}, {"max_billed": 0}]
)
def test_wrong_ones_are_refused(wrong: dict[str, Any]) -> None:
    """At once, and by name."""
    with pytest.raises(InputError):
        RunSettings.checked(**wrong)


def test_the_defaults() -> None:
    """Only the limited profile cools, for 30 s."""
    assert RunSettings.checked().policy == PerProfileCooldown(30)
