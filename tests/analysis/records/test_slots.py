"""Slots: each attempt takes the first one of its profile that is free."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.analysis.records.builder import AttemptRecord
from vidgen_nb.analysis.records.slots import most_at_once, pack_slots


def attempt(start: float, end: float) -> AttemptRecord:
    """Return an attempt on one profile."""
    return AttemptRecord("s", 1, "a", start, start, end, "succeeded", None, None)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), max_size=60))
def test_packing_uses_the_first_free_slot(spans: list[tuple[int, int]]) -> None:
    """A slot is never used twice at once, and no slot is opened while a lower one is free."""
    attempts = [attempt(float(start), float(start + length)) for start, length in sorted(spans)]
    slots = pack_slots(attempts)
    for at, (one, slot) in enumerate(zip(attempts, slots, strict=True)):
        taken = {s for a, s in zip(attempts[:at], slots[:at], strict=True) if a.end is not None and a.end > one.start}
        assert slot == min(set(range(len(attempts) + 1)) - taken)
    lasting = [each for each in attempts if each.end is not None and each.end > each.start]
    starts, ends = [each.start for each in lasting], sorted(each.end or 0.0 for each in lasting)
    assert most_at_once(starts, ends) == max(pack_slots(lasting), default=-1) + 1
