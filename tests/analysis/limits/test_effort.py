"""An estimate takes a bounded number of steps, whatever the run: calls are counted, because seconds vary."""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from vidgen_nb.analysis.limits.estimate import estimate_group
from vidgen_nb.analysis.limits.submit_history import RefusedSubmit, SubmitHistory

ATTEMPTS = 1000
MOST_CALLS = 1_500_000
"""Half a second, about; the worst of these once took 23 million, and half a minute."""


def history(answers: list[tuple[float, bool]], *, live: bool, retry_after: float | None = None) -> SubmitHistory:
    """Return submits that were answered at these moments, accepted or not; `live`: within 0.3 s."""
    found = SubmitHistory("p", not live, ["p"])
    late = 0.3 if live else 0.0
    for at, accepted in sorted(answers):
        if accepted:
            found.accepted.append((at, at + late))
        else:
            before = len(found.accepted)
            found.refused.append(RefusedSubmit((at, at + late), retry_after, before, before))
    return found


def late_429(random: Random) -> list[tuple[float, bool]]:
    """Any n explains one 429 after hundreds of acceptances."""
    return [*((k + random.random(), True) for k in range(ATTEMPTS - 1)), (ATTEMPTS + 0.5, False)]


def half_refused(random: Random) -> list[tuple[float, bool]]:
    """Nothing explains every second submit refused, at any time."""
    return [(k + random.random(), k < 500 or k % 2 == 0) for k in range(ATTEMPTS)]


def short_windows(random: Random) -> list[tuple[float, bool]]:
    """Edges of windows that are known well, many windows apart: thousands of lengths are possible."""
    return [(100 * k + 0.01 * j + 0.01 * random.random(), j < 4) for k in range(ATTEMPTS // 5) for j in range(5)]


def slower_and_slower(random: Random) -> list[tuple[float, bool]]:
    """Acceptances of which every one is on the hull."""
    return [(k * k * 1e-3 + 1e-4 * random.random(), k % 10 != 9) for k in range(ATTEMPTS)]


def anything(random: Random) -> list[tuple[float, bool]]:
    """Acceptances and 429s at random."""
    chance, at, answers = random.choice([0.001, 0.01, 0.1, 0.5, 0.9]), 0.0, []
    for _ in range(ATTEMPTS):
        at += random.choice([0.0, random.random(), 30 * random.random()])
        answers.append((at, random.random() > chance))
    return answers


def calls(function: Callable[[], Any]) -> int:
    """Return how many functions a call of this one calls, those of the interpreter included."""
    count = 0

    def note(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("retry_after", [None, pytest.param(5.0, marks=pytest.mark.long)])
@pytest.mark.parametrize("make", [late_429, half_refused, short_windows, slower_and_slower, anything])
def test_an_estimate_from_1000_attempts(
    make: Callable[[Random], list[tuple[float, bool]]], retry_after: float | None, live: bool
) -> None:
    """It is done after a bounded number of calls, on a real clock and in virtual time, with and without Retry-After."""
    for seed in range(4 if make is anything else 1):
        submits = history(make(Random(seed)), live=live, retry_after=retry_after)
        assert calls(lambda each=submits: estimate_group(each)) < MOST_CALLS  # type: ignore[misc]
