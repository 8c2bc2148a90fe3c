"""The chart of queue and goodput: both series by hand, cooldowns behind, outages, thinning."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vidgen_nb as vg
from vidgen_nb.analysis.records.builder import CooldownRecord, RunData
from vidgen_nb.charts.drawing.curves import MAX_POINTS
from vidgen_nb.charts.flow import goodput_steps, queue_chart
from vidgen_nb.errors import InputError


def four() -> RunData:
    """Return a run by hand: 429s at 10 and 40 cool its profile until 70; ends are 10, 10, 80, 80."""
    profile = vg.SimulatedProfile("a", vg.FixedWindow(2, per=60), vg.Constant(10), 2, retry_after=False)
    return vg.simulate(4, [profile], mode="boost").data


def trace(figure: Any, name: str) -> Any:
    """Return one trace by its name."""
    return next(figure.select_traces({"meta": name}))


def test_time_in_which_no_program_ran_is_marked_and_left_out() -> None:
    """Rates and shares are those of the other time, and so is the length of the goodput's window."""
    data = four()
    later = replace(
        data,
        end=3680.0,
        off=[(80.0, 3680.0)],
        cooldowns=[*data.cooldowns, CooldownRecord("a", "a", 75.0, 3700.0, "seen elsewhere")],
    )
    title, shapes = queue_chart(later).layout.title.text.replace("<br>", " "), queue_chart(later).layout.shapes
    assert [(shape.x0, shape.x1, shape.label.text) for shape in shapes] == [(80.0, 3680.0, "no program ran")]
    assert "No program ran for 1 h" in title and "4 succeeded in 1 min 20 s, 3 a minute" in title
    window = re.search(r"successes in the last [\d.]+ s", queue_chart(data).layout.title.text)
    assert window is not None and window[0] in title
    assert "cooling for 81 % of the time" in title  # 10 to 70, and 75 to 80


def test_queue_and_goodput_by_hand() -> None:
    """Two wait until 70; two successes at 10 and two at 80 count for 20 s each, as 6 a minute."""
    figure = queue_chart(four(), window=20)
    queue, flow = trace(figure, "queue"), trace(figure, "goodput")
    assert list(zip(queue.x, queue.y, strict=True)) == [(0, 2), (70, 0), (80, 0)]
    assert list(zip(flow.x, flow.y, strict=True)) == [(0, 0), (10, 6), (30, 0), (80, 6), (80, 6)]
    assert (queue.xaxis, flow.xaxis) == ("x", "x")
    assert (queue.yaxis, flow.yaxis) == ("y", "y2")
    assert figure.layout.xaxis.type == "linear"
    title = figure.layout.title.text
    assert "Up to 2 scenes waited (at the start); 4 succeeded in 1 min 20 s, 3 a minute." in title
    assert "successes in the last 20 s" in title


def test_cooldowns_are_a_thin_strip() -> None:
    """Between the rows: how many profiles cool, from when to when; the legend says what the strip is."""
    figure = queue_chart(four())
    strip = trace(figure, "cooling")
    assert list(strip.x) in ([0, 10, 40, 70, 80], [0, 10, 70, 80])
    assert [z for z, x in zip(strip.z[0], strip.x, strict=False) if 10 <= x < 70] in ([1], [1, 1])
    assert strip.z[0][0] == strip.z[0][-1] == 0
    low, high = figure.layout.yaxis3.domain
    assert figure.layout.yaxis2.domain[1] < low < high < figure.layout.yaxis.domain[0] and high - low < 0.04
    assert trace(figure, "swatch").showlegend
    assert "cooling for 75 % of the time, up to 1 of 1." in figure.layout.title.text


@settings(deadline=None)
@given(st.lists(st.integers(0, 50)), st.integers(1, 20))
def test_goodput_is_what_the_definition_says(ends: list[int], window: int) -> None:
    """At every moment the steps give the number of ends in (t - window, t]."""
    steps = goodput_steps([float(end) for end in ends], float(window), 50.0)
    for moment in range(51):
        now = [number for at, number in steps if at <= moment][-1]
        assert now == sum(moment - window < end <= moment for end in ends)


def test_outages_are_marked() -> None:
    """An outage is a dashed frame through both rows, with its name."""
    (shape,) = queue_chart(four(), outages=[(20, 30)]).layout.shapes
    assert (shape.x0, shape.x1, shape.y0, shape.y1, shape.yref) == (20, 30, 0, 1, "paper")
    assert shape.line.dash == "dash"
    assert shape.label.text == "outage"


def test_long_runs_are_thinned_aloud(big_run: RunData) -> None:
    """No curve has more points than the screen pixels, no peak is lost, and the chart says so."""
    figure = queue_chart(big_run)
    queue = trace(figure, "queue")
    assert len(queue.x) <= MAX_POINTS + 1
    assert len(trace(figure, "cooling").x) <= MAX_POINTS + 1
    assert "Thinned: of each" in figure.layout.title.text
    peak = max(queue.y)
    assert f"Up to {peak:,.0f} scenes waited" in figure.layout.title.text


def test_what_is_wrong_is_refused() -> None:
    """An invalid window or outage is an error."""
    with pytest.raises(InputError, match="window"):
        queue_chart(four(), window=0)
    with pytest.raises(InputError, match="start first"):
        queue_chart(four(), outages=[(30, 20)])
