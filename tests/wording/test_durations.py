"""One way to write a duration."""

from __future__ import annotations

import math

import pytest

from vidgen_nb.wording.durations import countdown, duration, roughly, roughly_between


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (1e-12, "0 s"), (0.02, "<0.1 s"), (0.34, "0.3 s"), (4.2, "4.2 s"), (59.94, "59.9 s"),
        (59.96, "1 min"), (80, "1 min 20 s"), (119.7, "2 min"), (3_599.7, "1 h"), (7_500, "2 h 5 min"),
        (86_399, "1 d"), (273_600, "3 d 4 h"), (1e8, "1,157 d 10 h"), (-80, "-1 min 20 s"), (math.inf, "no end known"),
    ],
)  # fmt: skip
def test_what_was_measured(seconds: float, words: str) -> None:
    """A decimal below a minute; above it the two largest units, rounded as a whole: no 60 s and no 24 h in them."""
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "5 s"), (43, "45 s"), (89, "1 min 30 s"), (100, "1 min 30 s"), (155, "2 min 30 s"), (1_984, "33 min"),
     (7_900, "2 h 10 min"), (7_200, "2 h"), (86_061, "1 d"), (400_000, "5 d")],
)  # fmt: skip
def test_a_forecast(seconds: float, words: str) -> None:
    """Rounded to what anybody wants to know."""
    assert roughly(seconds) == words


def test_an_interval_of_a_forecast() -> None:
    """The unit is said once where both ends have the same one."""
    pairs = ((1_860, 2_100), (30, 36), (80, 160), (55, 115), (3_500, 3_510), (7_200, 10_800), (5_000, 7_900))
    assert [roughly_between(*pair) for pair in pairs] == [
        "31–35 min", "30–35 s", "1 min 20 s–2 min 30 s", "55 s–2 min", "", "2–3 h", "1 h 23 min–2 h 10 min",
    ]  # fmt: skip


def test_a_countdown() -> None:
    """Whole seconds, and 0 only at the end."""
    assert [countdown(left) for left in (15.2, 0.01, 0, -1, 90, 5_460)] == [
        "16 s", "1 s", "0 s", "0 s", "1 min 30 s", "1 h 31 min",
    ]  # fmt: skip
