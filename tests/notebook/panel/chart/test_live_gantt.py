"""The live chart: what it sends, what a new page gets, and who moves the axis."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from tests.benchmarks.live_gantt import stream
from vidgen_nb.analysis.records.live_window import Recent, RecentData
from vidgen_nb.charts.drawing.palette import theme_of
from vidgen_nb.charts.drawing.traces import LIVE_TRACES, traces
from vidgen_nb.charts.gantt.lanes import Fit
from vidgen_nb.charts.gantt.merged import MAX_MERGED_BARS
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import RetryPolicy, Scene
from vidgen_nb.notebook.panel.chart.live_gantt import LANES_PIXELS, LiveGantt


def run(attempts: int, limit: int = 500) -> RecentData:
    """Return a run that is running."""
    recent = Recent(limit)
    for events in islice(stream(), attempts):
        recent(events)
    return recent.data()


def sent(chart: LiveGantt, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return a list that will get the chart's messages."""
    messages: list[dict[str, Any]] = []

    def note(style: dict[str, Any], layout: dict[str, Any], indexes: list[int]) -> None:
        messages.append({"style": style, "layout": layout, "traces": indexes})

    monkeypatch.setattr(chart.figure, "_send_update_msg", note)
    return messages


def leaves(chart: LiveGantt, name: str) -> dict[str, list[Any]]:
    """Return the arrays of bars that a trace of the static chart has, whichever live traces hold them."""
    found: dict[str, list[Any]] = {"base": [], "x": [], "y": [], "hovertext": []}
    for trace in chart.figure._data:
        if trace["meta"] == name or (name == "succeeded" and trace["meta"].startswith("succeeded ")):
            for key, values in found.items():
                values += trace.get(key, [])
    order = sorted(range(len(found["x"])), key=lambda at: (found["base"][at], found["y"][at]))
    return {key: [values[at] for at in order] for key, values in found.items()}


def test_the_figure_shows_the_bars_of_the_static_chart() -> None:
    """After some updates, the arrays are those of the same traces drawn at once."""
    chart, recent = LiveGantt(), Recent(100)
    for turn, events in enumerate(islice(stream(), 260)):
        recent(events)
        if turn % 7 == 0:
            chart.update(recent.data(), events[-1].at)
    data = recent.data()
    chart.update(data, data.end)
    assert [trace["meta"] for trace in chart.figure._data] == list(LIVE_TRACES)
    for want in traces(build_rows(data, now=data.end, fit=Fit(LANES_PIXELS)), theme_of("light")):
        if want["type"] == "bar":
            found = leaves(chart, want["meta"])
            order = sorted(range(len(want["x"])), key=lambda at: (want["base"][at], want["y"][at]))
            for key in ("base", "x"):
                assert found[key] == pytest.approx([want[key][at] for at in order], abs=0.001)
            for key in ("y", "hovertext"):
                assert found[key] == [want[key][at] for at in order]
        else:
            live = next(trace for trace in chart.figure._data if trace["meta"] == want["meta"])
            assert live.get("hovertext") == want.get("hovertext")
            assert list(live["y"]) == list(want["y"])


def test_time_in_which_no_program_ran_is_a_band(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes with the restore, across all lanes, and stays as it is when the run goes on."""
    chart, recent = LiveGantt(theme="dark"), Recent(100)
    turns = list(islice(stream(), 40))
    for events in turns[:20]:
        recent(events)
    last = turns[19][-1].at
    chart.update(recent.data(), last)
    messages = sent(chart, monkeypatch)
    restored = ev.RunRestored(0.0, 1.0, 0, RetryPolicy(), "hold", 3600.0, off_since=last, at=last + 3720)
    recent((restored,))
    chart.update(recent.data(), restored.at)
    assert leaves(chart, "off")["hovertext"] == [
        f"no program ran, 1 h 2 min<br>from {last:,.1f} s to {last + 3720:,.1f} s"
    ]
    assert LIVE_TRACES.index("off") in messages[-1]["traces"]
    for events in turns[20:]:
        recent([replace(event, at=event.at + 3720) for event in events])
    chart.update(recent.data(), turns[-1][-1].at + 3720)
    chart.update(recent.data(), turns[-1][-1].at + 3721)
    assert LIVE_TRACES.index("off") not in messages[-1]["traces"]
    assert chart.rows.end < 100 and any("1 h 2 min" in label for _at, label in chart.rows.ticks)


def test_a_new_page_gets_what_is_shown_now() -> None:
    """The full state has the traces and layout of the last update, not those of the constructor."""
    chart = LiveGantt()
    data = run(80)
    chart.update(data, data.end)
    state = chart.figure.get_state()
    done = [trace for trace in state["_widget_data"] if trace["meta"].startswith("succeeded ")]
    assert sum(len(trace["x"]) for trace in done) == sum(attempt.outcome == "succeeded" for attempt in data.attempts)
    assert sum(trace["showlegend"] for trace in done) == 1
    assert state["_widget_layout"]["height"] == chart.figure._layout["height"] > 300
    assert chart.figure.get_state("_config") == {
        "_config": {"responsive": True, "showSendToCloud": False, "displaylogo": False}
    }


def test_an_update_sends_only_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same data sends no array of bars again; a later time sends only what has grown."""
    chart = LiveGantt()
    data = run(80)
    chart.update(data, data.end)
    messages = sent(chart, monkeypatch)
    chart.update(data, data.end + 0.5)
    (message,) = messages
    names = [LIVE_TRACES[index] for index in message["traces"]]
    assert not any(name.startswith("succeeded") for name in names) and "limited" not in names and "running" in names
    assert "xaxis.range" not in message["layout"] and "xaxis.autorange" not in message["layout"]


def test_a_page_that_has_begun_to_show_it_gets_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates that arrived while it loaded plotly.js were lost."""
    shown: list[bool] = []
    chart = LiveGantt(on_shown=lambda: shown.append(True))
    data = run(80)
    chart.update(data, data.end)
    messages = sent(chart, monkeypatch)
    chart.figure._handle_custom_msg({"rendered": True}, [])
    assert shown == [True] and messages == []
    chart.resend()
    (message,) = messages
    assert message["traces"] == list(range(len(LIVE_TRACES)))
    assert message["style"]["x"] == [list(trace["x"]) for trace in chart.figure._data]


def test_a_zoom_by_hand_ends_following() -> None:
    """A range from the page turns it off, a double click (autorange) on; setting `follow` is not reported back."""
    told: list[bool] = []
    chart = LiveGantt(on_follow=told.append)
    data = run(80)
    chart.update(data, data.end)
    assert chart.follow
    chart.figure.plotly_relayout({"xaxis.range[0]": 3.0, "xaxis.range[1]": 9.0})
    assert not chart.follow
    assert told == [False]
    chart.figure.plotly_relayout({"xaxis.range[0]": 4.0, "xaxis.range[1]": 9.0})
    assert told == [False]
    chart.update(data, data.end + 1)
    assert chart.figure._layout["xaxis"]["autorange"] is False
    assert chart.figure._layout["xaxis"]["range"] == [4.0, 9.0]
    chart.figure.plotly_relayout({"xaxis.autorange": True})
    assert chart.follow
    assert told == [False, True]
    chart.follow = False
    chart.follow = True
    assert told == [False, True]  # nobody's hand
    assert chart.figure._layout["xaxis"]["autorange"] is True


def test_a_selected_scene_dims_the_others_and_an_unknown_one_is_said() -> None:
    """Even if its attempts have left the window."""
    chart = LiveGantt("dark")
    data = run(80)
    chart.update(data, data.end)
    chart.select(data.scenes[3].id)
    parts = [trace for trace in chart.figure._data if trace["meta"].startswith("succeeded ")]
    opacities = [trace["marker"]["opacity"] for trace in parts if trace["x"]]
    assert {value for each in opacities for value in (each if isinstance(each, list) else [each])} == {0.2, 1.0}
    chart.select("no such scene")
    assert "has no attempt here" in chart.note
    chart.select(None)
    chart.moves = "none"
    assert list(chart.figure._data[LIVE_TRACES.index("move")]["x"]) == []


def test_a_long_run_says_what_is_not_drawn() -> None:
    """The window is bounded, and the chart says so."""
    chart = LiveGantt(window=60.0)
    data = run(400, limit=100)
    chart.update(data, data.end)
    assert f"The latest 100 of {data.started:,} attempts; older ones are merged (zoom out);" in chart.note
    assert "the report shows all (⋯, Export)." in chart.note
    assert chart.figure._layout["xaxis"]["autorangeoptions"]["minallowed"] == round(data.end - 60, 3)
    merged = [trace for trace in chart.figure._data if trace["meta"].startswith("merged ")]
    assert 50 < sum(len(trace["x"]) for trace in merged) <= MAX_MERGED_BARS
    assert not any(trace["showlegend"] for trace in merged)
    for trace in merged:
        ends = [start + length for start, length in zip(trace["base"], trace["x"], strict=True)]
        assert all(end <= data.since + 0.01 for end in ends)
    assert chart.figure._data[LIVE_TRACES.index("merged succeeded")]["hovertext"][0].startswith("p0: ")


def test_many_profiles_have_few_lanes() -> None:
    """Those that were active last, in a fixed order; a lane stays while its profile has something to show."""
    recent, chart = Recent(60), LiveGantt()
    recent([ev.ProfileAdded(f"p{number:03}", at=0.0) for number in range(200)])
    recent([ev.RunStarted(at=0.0)])
    before: list[str] = []
    for turn in range(400):
        name, at = f"s{turn}", turn + 1.0
        recent([ev.SceneAdded(Scene(name, "p"), at=at), ev.AttemptStarted(name, 1, f"p{turn % 200:03}", "", at=at)])
        recent([ev.Fetched(name, 1, None, at=at + 0.5)])
        if turn % 20 == 19:
            data = recent.data()
            chart.update(data, data.end)
            lanes = [lane.profile for lane in chart.rows.lanes]
            assert len(lanes) == 40 and lanes == sorted(lanes)
            active = {attempt.profile for attempt in data.attempts}
            assert active & set(before) <= set(lanes)
            before = lanes
    assert "Lanes: the 40 of 200 accounts that were active last." in chart.note
    assert chart.figure._layout["xaxis"]["side"] == "top"  # they scroll, and below it would be out of sight
