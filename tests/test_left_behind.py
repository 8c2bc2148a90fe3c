"""Runs that were left behind are not forgotten: a new one beside them says so, and a restore takes them up."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.fakes import FakeBackend
from tests.test_restore import PROMPTS, Place, place, statuses

__all__ = ["place"]


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings about runs that were left."""
    return [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING and "not done" in each.msg]


def left_behind(place: Place) -> Path:
    """Leave a run with half of its scenes to do, and return its journal."""
    session = place.session(FakeBackend(hold=frozenset(["s001", "s002"])))
    session.start(PROMPTS)
    session.abandon()
    session.close()
    assert session.journal is not None
    return session.journal


def test_a_new_run_beside_one_that_was_left_says_so(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """One warning, which names the file and what to do; none once that run is done."""
    path = left_behind(place)
    assert warnings_of(caplog) == []
    place.session(FakeBackend()).run_blocking(PROMPTS)
    (told,) = warnings_of(caplog)
    assert f"restore({str(path)!r}, …)" in told and "pay for them twice" in told
    caplog.clear()
    again = place.restored(place.runs)
    assert again.journal == path and again.run_blocking().ended == "settled"
    place.session(FakeBackend()).run_blocking(PROMPTS)
    assert warnings_of(caplog) == []


def test_a_run_that_somebody_goes_on_with_is_not_left(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Sessions side by side in one folder are no reason for a warning, and none takes the other's run."""
    busy = place.session(FakeBackend(hold=frozenset(["s001"])))
    busy.start(PROMPTS)
    place.session(FakeBackend()).run_blocking(PROMPTS)
    assert warnings_of(caplog) == [] and busy.is_running
    again = place.restored(place.runs)
    assert again.journal != busy.journal and set(statuses(again).values()) == {"succeeded"}


def test_a_run_that_was_restored_after_its_end_is_done(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """It was looked at, and nothing of it is open."""
    place.session(FakeBackend()).run_blocking(PROMPTS)
    with place.restored(place.runs) as again:
        again.run_blocking()
    place.session(FakeBackend()).run_blocking(PROMPTS)
    assert warnings_of(caplog) == []
