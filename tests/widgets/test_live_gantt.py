"""The live chart: what it sends, what a new page gets, and who moves the axis."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from tests.benchmarks.live_gantt import stream
from vidgen_nb.analysis.recent import Recent, RecentData
from vidgen_nb.charts.gantt import TRACES, traces
from vidgen_nb.charts.palette import theme_of
from vidgen_nb.charts.rows import build_rows
from vidgen_nb.widgets.live_gantt import LiveGantt


def run(attempts: int, limit: int = 500) -> RecentData:
    """Return a run under way."""
    recent = Recent(limit)
    for events in islice(stream(), attempts):
        recent(events)
    return recent.data()


def sent(chart: LiveGantt, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return a list that the chart's messages will come into."""
    messages: list[dict[str, Any]] = []

    def note(style: dict[str, Any], layout: dict[str, Any], indexes: list[int]) -> None:
        messages.append({"style": style, "layout": layout, "traces": indexes})

    monkeypatch.setattr(chart.figure, "_send_update_msg", note)
    return messages


def test_the_figure_shows_the_bars_of_the_static_chart() -> None:
    """After some updates, the arrays are those of the same traces drawn at once."""
    chart = LiveGantt()
    for attempts in (5, 60, 200, 210):
        data = run(attempts)
        chart.update(data, data.end)
    wanted = traces(build_rows(data, now=data.end), theme_of("light"))
    assert [trace["meta"] for trace in chart.figure._data] == list(TRACES)
    for trace, want in zip(chart.figure._data, wanted, strict=True):
        assert len(trace["x"]) == len(want["x"])
        assert trace.get("hovertext") == want.get("hovertext")
        assert list(trace["y"]) == list(want["y"])


def test_a_new_page_gets_what_is_shown_now() -> None:
    """The whole state has the traces and layout of the last update, not those of the construction."""
    chart = LiveGantt()
    data = run(80)
    chart.update(data, data.end)
    state = chart.figure.get_state()
    done = state["_widget_data"][TRACES.index("done")]
    assert len(done["x"]) == sum(attempt.outcome == "succeeded" for attempt in data.attempts)
    assert "scenes" in state["_widget_layout"]["title"]["text"]
    assert chart.figure.get_state("_config") == {
        "_config": {"responsive": True, "showSendToCloud": False, "displaylogo": False}
    }


def test_an_update_sends_only_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same again sends no array of a bar; a later time only what grows."""
    chart = LiveGantt()
    data = run(80)
    chart.update(data, data.end)
    messages = sent(chart, monkeypatch)
    chart.update(data, data.end + 0.5)
    (message,) = messages
    names = [TRACES[index] for index in message["traces"]]
    assert "done" not in names and "limited" not in names and "running" in names
    assert "xaxis.range" not in message["layout"] and "xaxis.autorange" not in message["layout"]


def test_a_zoom_by_hand_ends_following() -> None:
    """A range from the page stops it, a double click (autorange) goes on, and so does `follow`."""
    chart = LiveGantt()
    data = run(80)
    chart.update(data, data.end)
    assert chart.follow
    chart.figure.plotly_relayout({"xaxis.range[0]": 3.0, "xaxis.range[1]": 9.0})
    assert not chart.follow
    chart.update(data, data.end + 1)
    assert chart.figure._layout["xaxis"]["autorange"] is False
    assert chart.figure._layout["xaxis"]["range"] == [3.0, 9.0]
    chart.figure.plotly_relayout({"xaxis.autorange": True})
    assert chart.follow
    chart.follow = False
    chart.follow = True
    assert chart.figure._layout["xaxis"]["autorange"] is True


def test_a_selected_scene_dims_the_others_and_an_unknown_one_is_said() -> None:
    """Also when its attempts have left the window."""
    chart = LiveGantt("dark")
    data = run(80)
    chart.update(data, data.end)
    chart.select(data.scenes[3].id)
    opacity = chart.figure._data[TRACES.index("done")]["marker"]["opacity"]
    assert sorted(set(opacity)) == [0.2, 1.0]
    chart.select("no such scene")
    assert "has no attempt here" in chart.figure._layout["title"]["text"]
    chart.select(None)
    chart.moves = "none"
    assert list(chart.figure._data[TRACES.index("move")]["x"]) == []


def test_a_long_run_says_what_is_not_drawn() -> None:
    """The window is bounded, and the title says so."""
    chart = LiveGantt(window=60.0)
    data = run(400, limit=100)
    chart.update(data, data.end)
    title = chart.figure._layout["title"]["text"]
    assert f"Showing the latest 100 of {data.started:,} attempts; run.gantt() shows all." in title
    assert chart.figure._layout["xaxis"]["autorangeoptions"]["minallowed"] == round(data.end - 60, 3)
