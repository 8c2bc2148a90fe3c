"""Series that forget their past: thinned steps are still right where it matters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.analysis.records.bounded_series import BoundedSteps, thin
from vidgen_nb.analysis.records.timeline import value_at

STEPS = st.lists(st.tuples(st.integers(1, 400), st.integers(0, 20)), min_size=1).map(
    lambda found: sorted({float(at): value for at, value in found}.items())
)


@given(STEPS, st.integers(1, 60))
def test_thinned_steps_keep_peaks_and_what_holds_after_each_column(steps: list[tuple[float, int]], width: int) -> None:
    """At most two steps for each column; its highest value is among them, and at its end the true one holds."""
    kept = thin(steps, float(width))
    columns = {at // width for at, _value in steps}
    assert kept[-1] == steps[-1]
    assert [at for at, _value in kept] == sorted({at for at, _value in kept})
    for column in columns - {steps[-1][0] // width}:
        inside = [value for at, value in steps if at // width == column]
        drawn = [value for at, value in kept if at // width == column]
        assert len(drawn) <= 2
        assert max(drawn) == max(inside)
        assert drawn[-1] == inside[-1]
        end = (column + 1) * width - 1e-9
        assert value_at([(at, float(value)) for at, value in kept], end) == inside[-1]


def test_one_who_waits_is_not_shown_as_thirteen() -> None:
    """A peak of 13 that was over in an instant, long before few more steps, doesn't hold until the next of them."""
    steps = BoundedSteps(40)
    for at in range(20):
        steps.set(at / 10, 12 + at % 2)
    steps.set(2.0, 1)
    for at in range(1, 60):
        steps.set(60.0 * at, 1 + at % 2)
    found = [(at, float(value)) for at, value in steps.after(0.0)]
    assert len(found) <= 41
    assert max(value for _at, value in found) == 13
    off = sum(value_at(found, at) > 2 for at in range(3, 3600))
    assert off <= 3600 / 10, "the peak lasts longer than a column is wide"
    assert value_at(found, 3600.0) == 2


@given(STEPS)
def test_bounded_steps_end_as_they_were_set(steps: list[tuple[float, int]]) -> None:
    """However few steps are kept, the newest half is exact."""
    bounded = BoundedSteps(8)
    for at, value in steps:
        bounded.set(at, value)
    known = [(at, float(value)) for at, value in bounded.after(0.0)]
    assert len(known) <= 9
    for at, value in steps[-4:]:
        assert value_at(known, at) == value
