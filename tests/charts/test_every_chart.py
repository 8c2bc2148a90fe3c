"""What holds for every chart: themes, runs with nothing or one attempt in them, foreign text, Run's methods."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import plotly.io
import pytest

import vidgen_nb as vg
from tests.charts.every import CHARTS
from tests.charts.foreign import hostile
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.charts.drawing.palette import THEMES, ThemeName
from vidgen_nb.charts.gantt.figure import gantt
from vidgen_nb.charts.waits import wait_chart
from vidgen_nb.errors import InputError
from vidgen_nb.run import Run


def simulated() -> Run:
    """Return a small run with 429s and moves."""
    limit = vg.TokenBucket(2, per=60)
    profiles = [vg.SimulatedProfile(name, limit, vg.Exponential(9), 2) for name in ("a", "b")]
    return vg.simulate(12, profiles, mode="boost", seed=4)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", CHARTS)
def test_themes(run: RunData, name: str, theme: ThemeName) -> None:
    """Ground and text are the theme's, the title a finding in bold, and the page can't upload the chart."""
    figure = CHARTS[name](run, theme)
    assert (figure.layout.paper_bgcolor, figure.layout.font.color) == (THEMES[theme].ground, THEMES[theme].text)
    assert figure.layout.title.text.startswith("<b>")
    assert "sendChartToCloud" in figure.layout.modebar.remove
    assert figure.layout.height > 0
    with pytest.raises(InputError, match="theme"):
        CHARTS[name](run, "sepia")


@pytest.mark.parametrize(("template", "theme"), [("plotly_dark", "dark"), ("plotly", "light"), (None, "light")])
def test_figures_follow_plotlys_template(
    run: RunData, template: str | None, theme: ThemeName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has set plotly's default template to a dark one gets dark figures, without saying so each time."""
    monkeypatch.setattr(plotly.io.templates, "default", template)
    for figure in (Run({}, run.events).gantt(), wait_chart(run), gantt(run)):
        assert figure.layout.paper_bgcolor == THEMES[theme].ground


@pytest.mark.parametrize("name", CHARTS)
def test_almost_nothing(name: str) -> None:
    """A run without scenes, one not begun, and one of a single attempt are drawn, too."""
    profiles = [vg.SimulatedProfile("a", None, vg.Constant(5)), vg.SimulatedProfile("b")]
    none = vg.simulate(0, profiles).data
    bare = RunData({}, [], ["a", "b"], [], [], [], [], 0.0)
    one = vg.simulate(1, profiles).data
    for data in (none, bare, one):
        figure = CHARTS[name](data, "light")
        assert isinstance(figure, go.Figure)
        assert figure.layout.title.text
        figure.to_json()


@pytest.mark.parametrize("name", CHARTS)
def test_foreign_text_is_escaped(run: RunData, name: str) -> None:
    """No id, prompt, profile or reason reaches plotly as markup, TeX or with invisible characters."""
    data = hostile(run)
    bad = "<u>$x$</u>\u202e"
    names = {profile: f"{bad}{profile}" for profile in data.profiles}
    data = replace(
        data,
        profiles=list(names.values()),
        attempts=[replace(each, profile=names[each.profile]) for each in data.attempts],
        cooldowns=[replace(each, profile=names[each.profile]) for each in data.cooldowns],
        moves=[
            replace(each, from_profile=names[each.from_profile], to_profile=names[each.to_profile])
            for each in data.moves
        ],
    )
    for text in strings(CHARTS[name](data, "light").to_plotly_json()):
        for part in ("<u", "<img", "<script", "<a ", "$x$", "\u202e"):
            assert part not in text, text


def strings(value: Any) -> list[str]:
    """Return all texts in a figure."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [text for part in parts for text in strings(part)]


def test_a_run_draws_them() -> None:
    """Each chart is one call on a run, with the chart's options."""
    run, other = simulated(), simulated()
    figures = [
        run.slot_time_chart(theme="dark"),
        run.queue_chart(window=10, theme="dark"),
        run.wait_chart({"other": other}, name="mine", theme="dark"),
        run.move_chart(theme="dark"),
        run.admission_chart("a", theme="dark"),
        run.aligned_chart(other, names=("x", "y"), theme="dark"),
    ]
    assert {figure.layout.paper_bgcolor for figure in figures} == {THEMES["dark"].ground}
    assert [trace.name for trace in figures[2].data] == ["mine", "other"]
    with pytest.raises(InputError, match="two runs are named"):
        run.wait_chart({"this run": other})
