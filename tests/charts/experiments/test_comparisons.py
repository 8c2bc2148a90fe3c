"""The chart of a comparison: dots with intervals, and paired differences beside them."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import pytest

import vidgen_nb as vg
from vidgen_nb.charts.drawing.palette import PAGE, THEMES, ThemeName
from vidgen_nb.errors import InputError

PROFILES = [
    vg.SimulatedProfile("p1", vg.TokenBucket(4, per=60), vg.LogNormal(20, 0.5)),
    vg.SimulatedProfile("p2", vg.TokenBucket(2, per=60), vg.LogNormal(30, 0.5)),
]
POLICIES: dict[str, Any] = {
    "cooldown": vg.PerProfileCooldown(30), "almost": vg.PerProfileCooldown(30.001), "stop": "GlobalPause",
}  # fmt: skip


@pytest.fixture(scope="module")
def compared() -> Any:
    """Three policies, two of which are almost the same."""
    return vg.compare(24, PROFILES, policies=POLICIES, modes="boost", seeds=range(6), progress=False)


def trace(figure: go.Figure, meta: str) -> Any:
    """Return the trace of that name."""
    return next(each for each in figure.data if each.meta == meta)


@pytest.mark.parametrize("metric", ["makespan", "wait.p95", "goodput"])
def test_dots_and_whiskers_are_the_summary(compared: Any, metric: str) -> None:
    """Means and paired differences with their intervals, a row for each case, the first on top."""
    figure = compared.chart(metric)
    means, differences = trace(figure, "mean"), trace(figure, "difference")
    found = compared.summary(metric)
    assert list(means.x) == [each.mean for each in found]
    assert list(differences.x) == [each.difference for each in found]
    for each, x, less, more in zip(
        found, differences.x, differences.error_x.arrayminus, differences.error_x.array, strict=True
    ):
        assert (x - less, x + more) == (pytest.approx(each.difference_low), pytest.approx(each.difference_high))
    for each, x, less, more in zip(found, means.x, means.error_x.arrayminus, means.error_x.array, strict=True):
        assert (x - less, x + more) == (pytest.approx(each.low), pytest.approx(each.high))
    assert list(means.y) == [0, -1, -2]
    assert list(figure.layout.yaxis.ticktext) == ["cooldown", "almost", "stop"]


def test_filled_dots_are_told_apart(compared: Any) -> None:
    """The title says the same, and how many seeds it takes."""
    figure = compared.chart()
    ground = PAGE.ground
    hollow = [colour == ground for colour in trace(figure, "difference").marker.color]
    assert hollow == [not each.told_apart for each in compared.summary()]
    assert hollow[0] and not hollow[2]
    plain = figure.layout.title.text.replace("<b>", "").replace("</b>", "").replace("<br>", " ")
    assert "stop: makespan +" in plain and "seeds show" in plain
    assert figure.layout.xaxis.title.text == "makespan (s)"


@pytest.mark.parametrize("theme", THEMES)
def test_themes_and_foreign_names(theme: ThemeName) -> None:
    """Names are text, in both themes; a case without a number has no dot."""
    bad = "<u>$x$</u>"
    made = vg.compare(
        3, PROFILES, policies={bad: "PerProfileCooldown", "b": "GlobalPause"}, seeds=[1, 2], progress=False
    )
    figure = made.chart(theme=theme)
    assert figure.layout.paper_bgcolor == THEMES[theme].ground
    assert "<u" not in figure.to_json().replace("\\u003c", "<") and "$x$" not in figure.to_json()
    dead = vg.compare(3, PROFILES, seeds=[1], progress=False, faults=[vg.Fault("content")])
    assert not dead.chart().data[0].x
    assert vg.comparison_chart(made, theme=theme).to_json() == figure.to_json()


def test_wrong_arguments(compared: Any) -> None:
    """It says what it draws, and what it does not know."""
    with pytest.raises(InputError, match="draws what compare or sweep returned"):
        vg.comparison_chart([1, 2])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no case 'x'"):
        compared.chart(baseline="x")
    with pytest.raises(InputError, match="theme"):
        compared.chart(theme="sepia")


def test_a_sweep_draws_itself() -> None:
    """Its title names the settings that can't be told apart from the best, which are filled; all others are worse."""
    swept = vg.sweep(30, PROFILES, grid={"cooldown": [5, 10, 120, 240]}, mode="boost", seeds=range(6), progress=False)
    figure = swept.chart()
    means = next(each for each in figure.data if each.meta == "mean")
    paired = {dict(each.values)["cooldown"]: each for each in swept.against_best()}
    ground = PAGE.ground
    for x, colour in zip(means.x, means.marker.color, strict=True):
        assert (colour == ground) == bool(paired[x].told_apart)
    good = [x for x, each in paired.items() if not each.told_apart]
    text = figure.layout.title.text
    assert 120 not in good and 240 not in good
    if len(good) > 1:
        assert f"cooldown = {good[0]} and {good[1]} s can&#x27;t be told apart" in text
    else:
        assert "All other settings are worse" in text
    flat = vg.sweep(9, PROFILES[:1], grid={"latency": [0, 0.001, 0.002]}, seeds=range(3), progress=False)
    assert "can&#x27;t be told apart" in flat.chart("attempts").layout.title.text
