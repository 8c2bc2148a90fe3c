"""Durations and times of day in words, and how long a run will still take."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from vidgen_nb.analysis.forecast.prediction import Prediction
from vidgen_nb.notebook.panel.status.session_snapshot import SessionSnapshot
from vidgen_nb.notebook.panel.status.times import clock_time, done_at, time_left

NOW = datetime(2026, 3, 2, 13, 32)
RUNNING = SessionSnapshot(now=100.0, wall=NOW, running=True)


@pytest.mark.parametrize(
    ("day", "words"), [(2, "14:05"), (3, "tomorrow 14:05"), (5, "Thu 14:05"), (20, "20 Mar 14:05")]
)
def test_a_time_of_day(day: int, words: str) -> None:
    """With the day, if it is not today."""
    assert clock_time(datetime(2026, 3, day, 14, 5), NOW) == words


def test_time_left_in_words() -> None:
    """In minutes, with an interval, and as a time of day; in seconds where it is soon; at the speed of the run."""
    prediction = Prediction(100.0, 5, 100.0 + 1860, 100.0 + 1980, 100.0 + 2100, 40)
    session = replace(RUNNING, prediction=prediction)
    assert time_left(session) == "≈ 33 min left (31–35 min), done ≈ 14:05"
    assert done_at(session) == "done ≈ 14:05"
    fast = replace(session, speed=60.0)
    assert time_left(fast) == "≈ 35 s left (30–35 s)" and done_at(fast) == "≈ 35 s left"
    assert time_left(replace(session, now=9_000.0)) == "almost done"


def test_time_left_while_nobody_can_tell() -> None:
    """At first it is estimated; a run that is paused, stopping or over has no end to tell."""
    assert time_left(RUNNING) == done_at(RUNNING) == "estimating …"
    others = replace(RUNNING, paused=True), replace(RUNNING, stopping=True), replace(RUNNING, running=False)
    assert [time_left(session) for session in others] == ["", "", ""]
