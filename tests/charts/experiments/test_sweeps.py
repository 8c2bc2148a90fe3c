"""The curves of a sweep."""

from __future__ import annotations

from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.charts.experiments.sweeps import SweepPoint, sweep_chart
from vidgen_nb.errors import InputError

POINTS = [
    (30, 120.0, 110.0, 130.0, 100.0, "wait"),
    (10, 150.0, 140.0, 165.0, 100.0, "wait"),
    SweepPoint(10, 200.0, 190.0, 210.0, 100.0, "<i>pause</i>"),
    SweepPoint(30, 180.0, 170.0, 190.0, 100.0, "<i>pause</i>"),
]


def named(figure: Any, meta: str) -> list[Any]:
    """Return the traces of a kind."""
    return list(figure.select_traces({"meta": meta}))


def test_each_label_is_a_curve_with_its_band() -> None:
    """Points are sorted by x; the band goes along the upper ends and back along the lower ones."""
    figure = sweep_chart(POINTS, x="cooldown (s)")
    wait, pause = named(figure, "mean")
    assert (list(wait.x), list(wait.y)) == ([10, 30], [150, 120])
    assert (list(wait.error_y.array), list(wait.error_y.arrayminus)) == ([15, 10], [10, 10])
    band = named(figure, "band")[0]
    assert list(zip(band.x, band.y, strict=True)) == [(10, 165), (30, 130), (30, 110), (10, 140)]
    assert pause.name == "&lt;i&gt;pause&lt;/i&gt;"
    assert (wait.line.dash, wait.marker.symbol) != (pause.line.dash, pause.marker.symbol)
    assert figure.layout.xaxis.title.text == "cooldown (s)"
    title = "Least makespan: 120 s [110, 130] of wait at cooldown = 30 s, 1.20 × the lower bound."
    assert figure.layout.title.text.replace("<b>", "").replace("</b>", "").replace("<br>", " ") == title


def test_a_common_bound_is_drawn_once() -> None:
    """Curves with one bound share its line; with different ones each has its own, in its colour."""
    (bound,) = named(sweep_chart(POINTS), "bound")
    assert (list(bound.x), list(bound.y), bound.name) == ([10, 30], [100, 100], "lower bound")
    points = [POINTS[0], (30, 180.0, 170.0, 190.0, 90.0, "pause"), (40, 180.0, 170.0, 190.0, None, "none known")]
    figure = sweep_chart(points)
    assert [each.name for each in named(figure, "bound")] == ["lower bound: wait", "lower bound: pause"]
    assert [each.line.color for each in named(figure, "bound")] == [
        each.line.color for each in named(figure, "mean")[:2]
    ]


def test_the_best_may_be_the_most() -> None:
    """Where more is better, the title names the largest mean."""
    title = sweep_chart(POINTS, y="goodput (1/min)", best="most").layout.title.text
    assert title.startswith("<b>Most goodput (1/min): 200 [190, 210] of &lt;i&gt;pause&lt;/i&gt; at x = 10")


def test_a_logarithmic_axis_has_the_values_as_ticks() -> None:
    """Ticks stand where something was swept, and not closer than their numbers are wide."""
    points = [(x, 1.0, 1.0, 1.0) for x in (1, 2, 5, 10, 100, 101)]
    axis = sweep_chart(points, log_x=True).layout.xaxis
    assert axis.type == "log"
    assert list(axis.tickvals) == [1, 2, 5, 10, 100]
    with pytest.raises(InputError, match="logarithmic"):
        sweep_chart([(0, 1.0, 1.0, 1.0)], log_x=True)


def test_no_points_and_one() -> None:
    """An empty sweep says so, and one point is drawn with its bound."""
    assert "no points" in sweep_chart([]).layout.title.text
    assert len(sweep_chart([], log_x=True).data) == 0
    (bound,) = named(sweep_chart(POINTS[:1]), "bound")
    assert bound.mode == "lines+markers"


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ((1, 2.0), "point 1 is"),
        ((1, 2.0, 3.0, 4.0), "low ≤ mean ≤ high"),
        ((1, float("nan"), 1.0, 2.0), "mean is a finite number"),
        (("1", 1.0, 1.0, 2.0), "x is a finite number"),
        ((1, 1.0, 1.0, 2.0, None, 3), "its label"),
        (7, "point 1 is"),
    ],
)
def test_what_is_no_point_is_refused(point: Any, said: str) -> None:
    """An invalid point is an error that says which and why."""
    with pytest.raises(InputError, match=said):
        sweep_chart([point])


def test_two_points_at_one_place_are_refused() -> None:
    """A label has one point at each x."""
    with pytest.raises(InputError, match="two points"):
        sweep_chart([POINTS[0], POINTS[0]])


def test_a_sweep_of_one_run_each() -> None:
    """One seed gives no interval: the means are drawn without one, and the title has none."""
    found = vg.sweep(4, [vg.SimulatedProfile("p1")], grid={"cooldown": [5, 10]}, seeds=[1], progress=False)
    figure = sweep_chart(found)
    (means,) = [trace for trace in figure.data if trace.meta == "mean"]
    assert list(means.y) == [trial.makespan for trial in found] and list(means.error_y.array) == [0, 0]
    assert "[" not in figure.layout.title.text and not any("interval" in text for text in means.hovertext)


PROFILES = [
    vg.SimulatedProfile("p1", vg.TokenBucket(2, per=60), vg.Constant(10)),
    vg.SimulatedProfile("p2", None, vg.LogNormal(10, 0.3)),
]


def swept(**grid: list[Any]) -> Any:
    """Return a small sweep."""
    return vg.sweep(6, PROFILES, grid=grid, seeds=range(3), progress=False, mode="boost")


@pytest.mark.parametrize(
    ("grid", "names"),
    [
        ({"capacity": [1, 2, None]}, ["1", "2", "None"]),
        ({"capacity": [None, 2, 1]}, ["None", "2", "1"]),
        ({"mode": ["normal", "boost"]}, ["normal", "boost"]),
        ({"honour_retry_after": [True, False]}, ["True", "False"]),
        ({"policy": ["Paced", vg.PerProfileCooldown(5)]}, ["Paced", "PerProfileCooldown(seconds=5)"]),
    ],
)
def test_what_is_no_number_is_a_category(grid: dict[str, list[Any]], names: list[str]) -> None:
    """The values stand in the order given, numbers among them, and the title names one of them."""
    found = swept(**grid)
    figure = sweep_chart(found)
    axis = figure.layout.xaxis
    assert axis.type == "category" and list(axis.categoryarray) == list(axis.tickvals) == names
    (means,) = named(figure, "mean")
    assert list(means.x) == names and list(means.y) == [each.mean for each in found.summary()]
    assert all(f": {name}<br>" in text for name, text in zip(names, means.hovertext, strict=True))
    assert list(named(figure, "band")[0].x) == names + names[::-1]
    assert any(f"= {name}" in figure.layout.title.text.replace("<br>", " ") for name in names)


def test_categories_of_several_curves() -> None:
    """Long names are shortened below the axis only; a comparison is drawn by policy, with a curve for each mode."""
    policies = {"a" * 60: "GlobalPause", "<b>": "PerProfileCooldown"}
    found = vg.compare(4, PROFILES, policies=policies, modes=["normal", "boost"], seeds=[1], progress=False)
    figure = sweep_chart(found)
    assert [trace.name for trace in named(figure, "mean")] == ["mode=normal", "mode=boost"]
    assert list(figure.layout.xaxis.categoryarray) == ["a" * 60, "&lt;b&gt;"]
    assert "…" in figure.layout.xaxis.ticktext[0] and len(figure.layout.xaxis.ticktext[0]) < 40
    with pytest.raises(InputError, match="a logarithmic axis takes positive numbers, and the sweep's first axis has"):
        sweep_chart(found, log_x=True)


def test_another_column_is_drawn() -> None:
    """`metric` picks it; its title says what it is, and for what is better when larger the most is the best."""
    found = swept(cooldown=[5, 30])
    for metric, title in (
        ("attempts", "attempts"),
        ("rate_limited", "rate limited"),
        ("lower_bound", "lower bound (s)"),
    ):
        figure = sweep_chart(found, metric=metric)
        assert list(named(figure, "mean")[0].y) == [each.mean for each in found.summary(metric)]
        assert figure.layout.yaxis.title.text == title and not named(figure, "bound")
        assert figure.layout.title.text.replace("<br>", "").count(f"<b>Least {title.removesuffix(' (s)')}: ") == 1
    title = sweep_chart(found, metric="efficiency").layout.title.text
    assert title.startswith("<b>cooldown = 5 and 30 s can&#x27;t be told apart") and "<b>Most efficiency: " in title
    assert sweep_chart(found, metric="efficiency", best="least", y="quality").layout.yaxis.title.text == "quality"


@pytest.mark.parametrize(
    ("points", "options", "said"),
    [
        ("sweep", {"metric": "speed"}, "no metric 'speed': choose one of makespan, succeeded, "),
        (POINTS, {"metric": "attempts"}, "metric chooses a column of a sweep, and these are points"),
        (vg.simulate(1, PROFILES), {}, "sweep_chart draws a sweep, or a list of points, not <Run"),
        (3, {}, "sweep_chart draws a sweep, or a list of points, not 3"),
        (POINTS, {"best": "worst"}, "best is 'least' or 'most', not 'worst'"),
    ],
)
def test_what_is_no_sweep_is_refused(points: Any, options: dict[str, Any], said: str) -> None:
    """It says what there is to draw, and to choose from."""
    with pytest.raises(InputError, match=said):
        sweep_chart(swept(cooldown=[5]) if points == "sweep" else points, **options)


def test_the_best_is_named_before_it_is_referred_to() -> None:
    """A unit stands behind its number; what can't be told apart "from it" comes after the best."""
    grid: dict[str, list[Any]] = {"cooldown": [5, 10], "mode": ["normal", "boost"]}
    found = vg.sweep(12, vg.demo_profiles(), grid=grid, seeds=range(4), progress=False)
    title = found.chart().layout.title.text.replace("</b><br><b>", " ")
    assert title.startswith("<b>Least makespan: 36.71 s [22.96, 50.46] of mode=normal at cooldown = 5 s, 1.43 ×")
    assert (
        "bound. cooldown = 5 and 10 s with mode=normal; 5 and 10 s with mode=boost can&#x27;t be told apart from it"
        in title
    )


def test_a_rate_has_its_unit_behind_the_number() -> None:
    """Not behind its name, as an axis has it."""
    found = vg.sweep(1, PROFILES, grid={"scenes": [1, 4]}, mode="boost", seeds=3, progress=False)
    figure = found.chart("goodput")
    assert figure.layout.yaxis.title.text == "goodput (per s)"
    assert "<b>Goodput: " in figure.layout.title.text and " per s at scenes = 1," in figure.layout.title.text
