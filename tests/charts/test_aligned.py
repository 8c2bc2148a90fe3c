"""Two Gantts over one axis."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.charts.aligned import aligned_chart
from vidgen_nb.charts.gantt.figure import TRACES, gantt
from vidgen_nb.errors import InputError


def run_on(*names: str, capacity: int = 1) -> RunData:
    """Return a run of six scenes of 10 s each."""
    profiles = [vg.SimulatedProfile(name, None, vg.Constant(10), capacity) for name in names]
    return vg.simulate(6, profiles, mode="boost").data


def trace(figure: Any, name: str) -> Any:
    """Return one trace by its name."""
    return next(figure.select_traces({"meta": name}))


def test_the_title_is_the_difference() -> None:
    """Six scenes take 60 s on one profile and 30 s on two: 30 s less, half of it."""
    figure = aligned_chart({"one": run_on("a"), "two": run_on("a", "b")})
    title = "<b>two took 30.0 s to the last success, 30.0 s (50 %) less than one with 1 min.</b>"
    assert figure.layout.title.text == title
    assert aligned_chart({"x": run_on("a"), "y": run_on("a")}).layout.title.text == (
        "<b>Both took 1 min to the last success.</b>"
    )


def test_both_have_all_bars_over_one_axis() -> None:
    """Each run's traces are those of its Gantt, the second's on the second axis; x is common and as long as both."""
    one, two = run_on("a"), run_on("a", "b")
    figure = aligned_chart({"one": one, "two": two})
    assert [each.meta for each in figure.data] == [f"{n} {name}" for n in (0, 1) for name in TRACES]
    for number, data in enumerate((one, two)):
        alone = next(gantt(data).select_traces({"meta": "succeeded"}))
        made = trace(figure, f"{number} succeeded")
        assert (made.base, made.x) == (alone.base, alone.x)
        assert (made.xaxis, made.yaxis) == ("x", "y2" if number else "y")
    assert tuple(figure.layout.xaxis.range) == (0, 60)
    upper, lower = figure.layout.yaxis.domain, figure.layout.yaxis2.domain
    assert 0 == lower[0] < lower[1] < upper[0] < upper[1] < 1
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    assert [(shape.x0, shape.yref) for shape in lines] == [(60, "y domain"), (30, "y2 domain")]
    (band,) = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert (band.x0, band.x1, band.yref) == (30, 60, "y domain")
    assert [(each.text.split("  ")[0], each.yref, each.yanchor) for each in figure.layout.annotations] == [
        ("<b>one</b> (30.0 s later)", "paper", "bottom"), ("<b>two</b>", "paper", "bottom"),
    ]  # above the bars, which end where the band does  # fmt: skip


def test_one_cursor_goes_through_both() -> None:
    """Where the pointer is, a line goes through both Gantts, wherever a bar is; it is the one axis of both."""
    figure = aligned_chart({"one": run_on("a"), "two": run_on("a", "b")})
    layout = figure.layout
    assert (layout.xaxis.showspikes, layout.xaxis.spikemode, layout.xaxis.spikesnap) == (True, "across", "cursor")
    assert layout.spikedistance == -1
    assert {each.xaxis for each in figure.data} == {"x"}


def test_a_long_name_has_fewer_totals_beside_it() -> None:
    """What stands beside a run's name does not run out of the chart at 800 pixels."""
    name = "PerProfileCooldown(seconds=10)"
    headings = [each.text for each in aligned_chart({name: run_on("a"), "b": run_on("a")}).layout.annotations]
    assert headings[0] == f"<b>{name}</b>  6 attempts, 0 of them rate limited (429); 0 moves"
    assert "of cooldown" in headings[1]


def test_lanes_are_in_one_order() -> None:
    """Lanes stand in the same order; one that a run doesn't have is empty, says so, and did not stand idle."""
    figure = aligned_chart({"one": run_on("b"), "two": run_on("a", "b")})
    upper, lower = ([text.split(" · ")[0] for text in axis.ticktext] for axis in
                    (figure.layout.yaxis, figure.layout.yaxis2))  # fmt: skip
    assert upper[1:3] == lower[1:3] == ["b", "a"]
    assert figure.layout.yaxis.ticktext[2] == "a · not in it"
    assert not trace(figure, "0 idle").x


def test_each_state_stands_in_the_legend_once(run: RunData) -> None:
    """What both runs have is named once; a state that only the second has is named, too."""
    figure = aligned_chart({"one": run_on("alice"), "two": run})
    named = [each.name for each in figure.data if each.showlegend]
    assert len(named) == len(set(named)) == 9
    assert trace(figure, "0 succeeded").showlegend
    assert not trace(figure, "1 succeeded").showlegend
    assert trace(figure, "1 failed").showlegend


def test_big_runs_are_folded_aloud(big_run: RunData) -> None:
    """Two runs with more than 10,000 attempts in all have at most about 10,000 bars, and each says so."""
    figure = aligned_chart({"one": big_run, "<two>": big_run})
    assert sum(len(each.x) for each in figure.data if each.type == "bar") <= 10_000
    title = figure.layout.title.text
    assert "one: Folded:" in title
    assert "&lt;two&gt;: Folded:" in title


def test_runs_without_success() -> None:
    """There is no makespan to compare where nothing succeeded."""
    data = run_on("a")
    none = replace(
        data,
        scenes=[replace(scene, status="failed") for scene in data.scenes],
        attempts=[replace(attempt, outcome="permanent") for attempt in data.attempts],
    )
    figure = aligned_chart({"good": data, "bad": none})
    assert "No scene succeeded in bad" in figure.layout.title.text
    assert len(figure.layout.shapes) == 1


def test_two_runs_are_needed() -> None:
    """One run, or three, are an error."""
    with pytest.raises(InputError, match="two runs"):
        aligned_chart({"one": run_on("a")})


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"policy": "GlobalPause"}, ("PerProfileCooldown", "GlobalPause")),
        ({"policy": vg.PerProfileCooldown(7)}, ("seconds=30.0", "seconds=7")),
        ({"policy": vg.EarliestFinish(vg.PerProfileCooldown(7))}, ("PerProfileCooldown", "EarliestFinish")),
        ({"mode": "normal"}, ("boost", "normal")),
        ({"profiles": 3}, ("2 profiles", "3 profiles")),
        ({"capacity": 4}, ("a: capacity 1, b: capacity 1", "a: capacity 4, b: capacity 4")),
        ({"seed": 5}, ("seed 0", "seed 5")),
        ({"faults": [vg.Fault("overload", start=1, end=2)]}, ("no faults", "1 fault")),
        ({}, ("this run", "other run")),
    ],
)
def test_runs_are_named_by_what_differs(changes: dict[str, Any], names: tuple[str, str]) -> None:
    """Without names of their own, the two say what sets them apart."""
    profiles = [vg.SimulatedProfile(name, None, vg.Constant(10), 1) for name in "ab"]
    one = vg.simulate(6, profiles, mode="boost")
    figure = one.aligned_chart(one.what_if(**changes))
    headings = [each.text for each in figure.layout.annotations if each.text.startswith("<b>")]
    assert tuple(each.split("</b>")[0].removeprefix("<b>") for each in headings) == names
