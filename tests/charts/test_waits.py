"""The chart of waits: the distribution by hand, several runs, those who did not succeed."""

from __future__ import annotations

from dataclasses import replace

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.metrics.results import flow_and_wait
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.charts.drawing.curves import MAX_POINTS
from vidgen_nb.charts.waits import wait_chart
from vidgen_nb.core import events as ev
from vidgen_nb.errors import InputError


def five(capacity: int = 1) -> RunData:
    """Return a run of five scenes of 10 s each."""
    return vg.simulate(5, [vg.SimulatedProfile("a", None, vg.Constant(10), capacity)], mode="boost").data


def waits(data: RunData) -> list[float]:
    """Return the waits of the scenes that succeeded, sorted."""
    _flow, wait = flow_and_wait(data)
    return [] if wait is None else list(wait.ordered)


def test_waits_by_hand() -> None:
    """One after the other, the five wait 0 to 40 s; each step of the curve is a fifth."""
    assert waits(five()) == [0, 10, 20, 30, 40]
    curve = wait_chart(five()).data[0]
    assert list(zip(curve.x, curve.y, strict=True))[:6] == [(0, 0), (0, 20), (10, 40), (20, 60), (30, 80), (40, 100)]
    assert curve.y[-1] == 100
    assert curve.line.shape == "hv"


def test_lost_attempts_count_as_waiting() -> None:
    """A scene that got a 429 waits until the attempt that succeeds: 70 s for the two that the window shut out."""
    profile = vg.SimulatedProfile("a", vg.FixedWindow(2, per=60), vg.Constant(10), 2, retry_after=False)
    assert waits(vg.simulate(4, [profile], mode="boost").data) == [0, 0, 70, 70]


def test_a_failed_second_run_is_not_hidden() -> None:
    """A scene that succeeded, and failed when it was run again, has no wait; the chart says what became of it."""
    run = vg.simulate(
        3, [vg.SimulatedProfile("a", None, vg.Constant(10), 1)], mode="boost",
        requests=[(40.0, ev.SceneAdded(vg.Scene("s001", "again"))), (45.0, ev.CancelRequested("s001"))],
    )  # fmt: skip
    assert run.metrics().scenes == {"cancelled": 1, "succeeded": 2}
    title = " ".join(wait_chart(run.data).layout.title.text.replace("<br>", " ").split())
    assert "Not in it: 1 scenes of this run that did not succeed; 1 of them had succeeded earlier" in title


def test_runs_are_compared() -> None:
    """Each run has a curve of its own colour and dash, all end on the same axis, and the title names each median."""
    figure = wait_chart({"one slot": five(), "<b>two</b>": five(2)})
    one, two = figure.data
    assert (one.line.color, one.line.dash) != (two.line.color, two.line.dash)
    assert one.x[-1] == two.x[-1]
    assert two.name == "&lt;b&gt;two&lt;/b&gt;"
    title = figure.layout.title.text.replace("</b><br><b>", " ")
    assert "one slot: median wait 20.0 s, 95 % of the scenes at most 38.0 s, the longest 40.0 s" in title
    assert figure.layout.showlegend


def test_who_did_not_succeed_is_told() -> None:
    """Scenes without a success have no wait, and the chart says how many they are."""
    data = five()
    failed = [replace(scene, status="failed") for scene in data.scenes[:2]]
    figure = wait_chart(replace(data, scenes=[*failed, *data.scenes[2:]]))
    assert "Not in it: 2 scenes of this run that did not succeed." in figure.layout.title.text
    assert "median wait 30.0 s" in figure.layout.title.text.lower()


def test_long_curves_are_thinned_aloud(big_run: RunData) -> None:
    """A curve of 12,000 scenes has no more points than a screen pixels, and still ends at 100 %."""
    figure = wait_chart(big_run)
    assert len(figure.data[0].x) <= MAX_POINTS + 3
    assert figure.data[0].y[-1] == 100
    assert "Thinned:" in figure.layout.title.text


def test_no_runs_are_refused() -> None:
    """An empty mapping is an error."""
    with pytest.raises(InputError, match="empty"):
        wait_chart({})
