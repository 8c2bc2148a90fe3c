"""Hours without a program are narrow; times that are said stay true."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vidgen_nb.analysis.records.builder import AttemptRecord, RunData
from vidgen_nb.charts.gantt.figure import gantt
from vidgen_nb.charts.gantt.gaps import Gaps
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.charts.gantt.svg import svg

DAY = 86_400.0


def restored(off: list[tuple[float, float]]) -> RunData:
    """Return 100 s of work before a day off, and 100 s after it."""
    tries = [AttemptRecord(name, 1, "a", 0.0, at, at + 40, "succeeded", None, None)
             for name, at in (("s1", 10.0), ("s2", 60.0), ("s3", 110.0 + DAY))]  # fmt: skip
    return RunData({}, [], ["a"], [], tries, [], [], 200.0 + DAY, off=off)


def test_a_day_off_is_a_gap() -> None:
    """What came after it lies close behind, as long as it was; the hover has the true time."""
    rows = build_rows(restored([(100.0, 100.0 + DAY)]), gaps=True)
    gap = rows.of("off")[0]
    assert 6 <= gap.end - gap.start <= 12 and gap.start == 100.0 and rows.end == pytest.approx(gap.end + 100)
    last = rows.of("succeeded")[-1]
    assert last.end - last.start == pytest.approx(40) and last.start == pytest.approx(gap.end + 10)
    assert "started at 86,510.0 s" in last.lines[1] and gap.lines[0] == "no program ran, 1 d"
    assert (gap.start + gap.end) / 2 in dict(rows.ticks) and "⋯ 1 d" in dict(rows.ticks).values()
    assert "86,550 s" in dict(rows.ticks).values() and len(rows.ticks) < 12
    places = [at for at, _label in rows.ticks]
    assert places == sorted(places) and places[0] >= 0 and places[-1] <= rows.end


def test_figure_and_picture_have_its_ticks() -> None:
    """Both say how long it was, on the axis."""
    data = restored([(100.0, 100.0 + DAY)])
    assert "⋯ 1 d" in gantt(data).layout.xaxis.ticktext
    assert ">⋯ 1 d</text>" in svg(data)


def test_a_short_time_off_is_drawn_as_it_is() -> None:
    """It takes no more room than it is long."""
    data = replace(restored([]), off=[(100.0, 105.0)], end=200.0, attempts=[])
    rows = build_rows(data, gaps=True)
    assert rows.ticks == () and (rows.of("off")[0].start, rows.of("off")[0].end) == (100.0, 105.0)


def test_a_gap_keeps_its_width_while_the_run_goes_on() -> None:
    """Otherwise all that is right of it would move with every update."""
    widths = {Gaps([(100.0, 100.0 + DAY)], 200.0 + DAY + more).width for more in range(100)}
    assert len(widths) <= 2
