"""What was offered and what came through: windows by hand, and when a load that comes back is served worse."""

from __future__ import annotations

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.metrics.offered_load import LoadWindow, load_by_window, returns
from vidgen_nb.errors import InputError


def windows(*counts: tuple[int, int]) -> list[LoadWindow]:
    """Return windows of 10 s from (came, made)."""
    return [LoadWindow(10.0 * at, 10.0 * (at + 1), *each) for at, each in enumerate(counts)]


def test_windows_by_hand() -> None:
    """Four come in the first 10 s and one in the third, each for 9 s on one of two slots; only whole windows count."""
    profile = vg.SimulatedProfile("a", None, vg.Constant(9), 2)
    run = vg.simulate(5, [profile], mode="boost", arrivals=[0, 1, 2, 3, 25])  # done at 9, 10, 18, 19, 34
    found = [(each.start, each.end, each.came, each.made) for each in load_by_window(run.data, 10)]
    assert found == [(0, 10, 4, 1), (10, 20, 0, 3), (20, 30, 1, 0)]
    assert (load_by_window(run.data, 10)[0].offered, load_by_window(run.data, 10)[1].goodput) == (0.4, 0.3)
    with pytest.raises(InputError, match="window"):
        load_by_window(run.data, 0)


@pytest.mark.parametrize(
    ("counts", "worse"),
    [
        ([(40, 40), (90, 60), (40, 4)], [True]),
        ([(40, 40), (90, 60), (40, 60)], [False]),  # what was left over is caught up
        ([(40, 40), (90, 60), (40, 36)], [False]),  # chance
        ([(40, 40), (80, 80), (120, 30), (80, 20), (40, 2)], [True, True]),
        ([(40, 40), (40, 2)], []),  # no greater load between them
        ([(40, 40), (60, 60), (90, 90)], []),
        ([(0, 0), (90, 90), (0, 0)], []),
    ],
)
def test_a_load_that_comes_back(counts: list[tuple[int, int]], worse: list[bool]) -> None:
    """It is compared with its first time, if a greater one lay between; fewer results count if it is no chance."""
    assert [each.worse for each in returns(windows(*counts))] == worse
