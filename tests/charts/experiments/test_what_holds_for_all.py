"""What holds for every chart of many runs: themes, foreign names, one run, one case, and what is no experiment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import pytest

import vidgen_nb as vg
from tests.charts.test_every_chart import strings
from vidgen_nb.charts.drawing.palette import THEMES, ThemeName
from vidgen_nb.charts.experiments.comparisons import comparison_chart
from vidgen_nb.charts.experiments.rankings import ranking_chart
from vidgen_nb.charts.experiments.spreads import spread_chart
from vidgen_nb.charts.experiments.sweeps import sweep_chart
from vidgen_nb.charts.experiments.tables import table_chart
from vidgen_nb.errors import InputError

PROFILES = [vg.SimulatedProfile("p1", vg.TokenBucket(4, per=60), vg.LogNormal(20, 0.5))]
BAD = "<u>$x$</u>\u202e"
CHARTS: dict[str, Callable[..., go.Figure]] = {
    "comparison": comparison_chart,
    "ranking": ranking_chart,
    "spread": spread_chart,
    "spread of differences": lambda trials, **options: spread_chart(trials, paired=True, **options),
    "sweep": sweep_chart,
    "table": lambda trials, **options: table_chart(trials, ["makespan", "wait.p95"], **options),
}


def compared(seeds: int = 3) -> Any:
    """Return three policies, with names that are markup."""
    policies: dict[str, Any] = {f"{BAD}{name}": vg.PerProfileCooldown(name) for name in (30, 31, 90)}
    return vg.compare(8, PROFILES, policies=policies, modes="boost", seeds=range(seeds), progress=False)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", CHARTS)
def test_themes_and_foreign_names(name: str, theme: ThemeName) -> None:
    """Ground and text are the theme's, the title is a finding, and no name reaches plotly as markup."""
    figure = CHARTS[name](compared(), theme=theme)
    assert (figure.layout.paper_bgcolor, figure.layout.font.color) == (THEMES[theme].ground, THEMES[theme].text)
    assert figure.layout.title.text.startswith("<b>")
    for text in strings(figure.to_plotly_json()):
        assert all(part not in text for part in ("<u", "$x$", "\u202e")), text
    with pytest.raises(InputError, match="theme"):
        CHARTS[name](compared(1), theme="sepia")


@pytest.mark.parametrize("name", CHARTS)
def test_one_seed_has_no_interval(name: str) -> None:
    """It is drawn all the same, and nothing is said to be told apart."""
    title = CHARTS[name](compared(1)).layout.title.text
    assert "inf" not in title and "nan" not in title
    assert "seeds show it" not in title


@pytest.mark.parametrize("name", CHARTS)
def test_what_is_no_experiment(name: str) -> None:
    """A run, or a number, is refused with what would do."""
    with pytest.raises(InputError, match=r"draws .*(compare|sweep).* not "):
        CHARTS[name](vg.simulate(1, PROFILES))


def test_what_can_not_be_drawn() -> None:
    """One case has no differences; a metric that no run has; a table of nothing; a setting that does not exist."""
    alone = vg.compare(2, PROFILES, seeds=[1], progress=False)
    with pytest.raises(InputError, match="only one case"):
        alone.spread_chart(paired=True)
    with pytest.raises(InputError, match="nothing is compared"):
        alone.ranking_chart()
    with pytest.raises(InputError, match=r"no run has the number recovery\.seconds"):
        alone.spread_chart("recovery.seconds")
    with pytest.raises(InputError, match="metrics are a list of them"):
        alone.table_chart("makespan")
    swept = vg.sweep(2, PROFILES, grid={"cooldown": [5, 9], "mode": ["normal", "boost"]}, seeds=[1], progress=False)
    with pytest.raises(InputError, match="no case has mode='fast'"):
        swept.chart(against={"mode": "fast"})
    with pytest.raises(InputError, match="against is a setting beside 'cooldown'"):
        swept.chart(against={"cooldown": 5})
    with pytest.raises(InputError, match="against names a setting of a sweep"):
        sweep_chart([(1, 1.0, 1.0, 1.0)], against={"mode": "normal"})


@pytest.mark.parametrize(
    ("values", "logarithmic"),
    [
        ([2, 10, 30, 90], True),
        ([1, 2, 4, 8], True),
        ([10, 20, 30, 40], False),
        ([5, 10], False),
        ([0, 1, 10, 100], False),
        ([10, 20, 40, 60, 79], False),
        ([1, 10, 20, 30, 40], False),
    ],
)
def test_an_axis_is_as_its_values_were_chosen(values: list[float], logarithmic: bool) -> None:
    """Logarithmic where neighbours have one ratio rather than one distance, over a wide range; unless said."""
    points = [(x, 1.0, 1.0, 1.0) for x in values]
    assert (sweep_chart(points).layout.xaxis.type == "log") is logarithmic
    assert sweep_chart(points, log_x=False).layout.xaxis.type == "linear"


def test_a_column_s_name_has_room_below_it() -> None:
    """In lines between words, those of a class too, and the figure is as much higher; never turned or cut off."""
    policies = ["GlobalPause", "PerProfileCooldown", "ExponentialCooldown"]
    wide = vg.compare(1, PROFILES, policies=policies, modes=["normal", "boost"], seeds=1, progress=False)
    plain = wide.where(policy="GlobalPause").table_chart(["makespan"])
    figure = wide.table_chart(["makespan"])
    names = list(figure.layout.xaxis.ticktext)
    assert names[:3] == ["GlobalPause", "PerProfile<br>Cooldown", "Exponential<br>Cooldown"]
    assert figure.layout.xaxis.tickangle == 0
    assert figure.layout.margin.b - plain.layout.margin.b == 15
    long = vg.sweep(1, PROFILES, grid={"policy": [vg.PerProfileCooldown(k) for k in range(9)]}, seeds=1, progress=False)
    figure = long.table_chart(["makespan"])
    assert all(len(line) <= 12 for name in figure.layout.xaxis.ticktext for line in name.split("<br>"))
    assert figure.layout.height - figure.layout.margin.t - figure.layout.margin.b == 44


def test_one_run_is_no_spread_and_estimates_are_said() -> None:
    """One run has no middle 80 %; of a live run, limits and services were estimated, and every chart says so."""
    alone = vg.compare(1, PROFILES, seeds=1, progress=False)
    assert "in one run; give more seeds for a spread." in alone.spread_chart().layout.title.text.replace("<br>", " ")
    several = compared()
    for assumed in ([], ["p1: no limit"]):
        several.assumed = assumed
        for chart in (comparison_chart, ranking_chart, spread_chart, CHARTS["table"]):
            said = chart(several).layout.title.text.replace("<br>", " ")
            assert ("Limits and service times of a live run are estimates" in said) is bool(assumed)
