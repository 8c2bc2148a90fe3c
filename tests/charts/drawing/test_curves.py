"""What charts of lines share."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.charts.drawing.curves import MAX_POINTS, line_style, next_round_number, stair, thin_rising
from vidgen_nb.charts.drawing.palette import THEMES


def test_lines_are_told_apart_without_colour() -> None:
    """Twenty-five lines differ in colour or dash, and neighbours in both and in their symbols."""
    for theme in THEMES.values():
        looks = [line_style(theme, number) for number in range(25)]
        assert len({(each.colour, each.dash) for each in looks}) == 25
        for one, other in pairwise(looks[:5]):
            assert one.colour != other.colour and one.dash != other.dash and one.symbol != other.symbol


@given(st.floats(1e-6, 1e6))
def test_round_numbers(value: float) -> None:
    """The round number is no less than the value, less than twice and a bit of it, and begins with 1, 2, 3 or 5."""
    found = next_round_number(value)
    assert value <= found <= 2.01 * value
    assert f"{found:.6e}"[:8] in ("1.000000", "2.000000", "3.000000", "5.000000")


@given(st.lists(st.floats(0, 100), min_size=1, max_size=5000))
def test_thinning_keeps_what_is_last(times: list[float]) -> None:
    """A thinned curve that rises keeps its first and last step, and is never off by more than a column in time."""
    steps = [(at, float(number)) for number, at in enumerate(sorted(times))]
    kept, said = thin_rising(steps, 100.0)
    assert kept[0] == steps[0] and kept[-1] == steps[-1]
    assert bool(said) == (len(steps) > MAX_POINTS)
    assert len(kept) <= MAX_POINTS + 2


def test_thinning_long_curves() -> None:
    """Of 30,000 steps about 2,000 are left, each the last of its column."""
    steps = [(at / 300, float(at)) for at in range(30_001)]
    kept, said = thin_rising(steps, 100.0)
    assert said == f"Thinned: 30,001 steps drawn as {len(kept):,}, the last in every 0.05 s."
    assert len(kept) <= MAX_POINTS + 2
    for at, value in kept:
        assert (at, value) in ((at, round(at * 300)), (0.0, 0.0))


def test_stairs_go_on_to_the_end() -> None:
    """The last step goes on to the end of the axis; no steps are no line."""
    assert stair([(0.0, 1.0), (2.0, 3.0)], 5.0) == ([0.0, 2.0, 5.0], [1.0, 3.0, 3.0])
    assert stair([(5.0, 1.0)], 5.0) == ([5.0], [1.0])
    assert stair([], 5.0) == ([], [])
