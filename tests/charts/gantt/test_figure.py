"""The plotly figure: its traces, what they hold, and that foreign text is inert in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.charts.drawing.palette import STATES
from vidgen_nb.charts.gantt.figure import TRACES, gantt, html
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.errors import InputError


def trace(figure: Any, name: str) -> Any:
    """Return one trace by its name."""
    return next(figure.select_traces({"meta": name}))


def test_the_traces_are_always_the_same(run: RunData) -> None:
    """An empty run, a full one and one with a selection have the same traces, which a live chart can rely on."""
    empty = RunData({}, [], ["a"], [], [], [], [], 0.0)
    for data, options in ((run, {}), (run, {"scene": run.scenes[0].id}), (run, {"queue": False}), (empty, {})):
        assert tuple(one.meta for one in gantt(data, **options).data) == TRACES


def test_one_trace_per_state_holds_its_bars(run: RunData) -> None:
    """Each state's trace draws its rows as horizontal bars on a linear axis of seconds."""
    figure, rows = gantt(run), build_rows(run)
    for state in STATES:
        bars, made = rows.of(state), trace(figure, state)
        if state == "download":  # a thick line: as bars, they would double the cost of drawing
            assert made.type == "scatter" and len(made.x) == 3 * len(bars)
            continue
        assert (made.type, made.orientation) == ("bar", "h")
        assert list(made.y) == [bar.y for bar in bars]
        assert list(made.base) == [bar.start for bar in bars]
        if state != "limited":
            assert list(made.x) == [bar.end - bar.start for bar in bars]
    assert figure.layout.xaxis.type == "linear"
    assert tuple(figure.layout.xaxis.range) == (0, run.end)
    assert figure.layout.xaxis.ticksuffix == " s"


def test_limited_attempts_can_be_seen(run: RunData) -> None:
    """A 429 that took no time is at least 3 px wide on a page of 800 px, inside the axis, and has its ▲."""
    late = replace(run.attempts[-1], start=run.end, end=run.end, outcome="rate_limited")
    figure = gantt(replace(run, attempts=[*run.attempts[:-1], late]))
    bars, glyphs = trace(figure, "limited"), trace(figure, "limited glyph")
    assert all(length >= run.end * 3 / 600 for length in bars.x)
    assert all(start + length <= run.end * (1 + 1e-9) for start, length in zip(bars.base, bars.x, strict=True))
    assert list(glyphs.y) == list(bars.y)
    assert glyphs.marker.symbol == "triangle-up"
    assert trace(figure, "failed glyph").marker.symbol == "x"
    assert set(trace(figure, "held glyph").text) == {"<b>?</b>"}


def test_a_running_bar_is_open_at_its_right(run: RunData) -> None:
    """The outline of a running bar leaves its right edge open; a held one is closed and dashed."""
    figure = gantt(run)
    running, held = trace(figure, "running outline"), trace(figure, "held outline")
    end, start = running.x[0], running.x[1]
    assert list(running.x[:5]) == [end, start, start, end, None]
    assert end == run.end
    assert held.x[0] == held.x[4]
    assert held.line.dash == "4px,3px"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_time_in_which_no_program_ran_is_a_band_across_all_lanes(run: RunData, theme: str) -> None:
    """Its hover says for how long; the title says so too. A run that was never restored has no such band.

    An hour is cut short, so what follows lies close behind.
    """
    figure = gantt(replace(run, off=[(10.0, 3730.0), (3800.0, 3807.0)], end=4000.0), theme=theme)
    band, (bottom, top) = trace(figure, "off"), figure.layout.yaxis.range
    assert (list(band.base), list(band.x)) == ([10.0, 96.0], [16.0, 7.0])
    assert (set(band.y), set(band.width), top) == ({bottom / 2}, {bottom}, 0)
    assert band.hovertext[0] == "no program ran, 1 h 2 min<br>from 10.0 s to 3,730.0 s"
    assert band.showlegend and band.name == "no program ran"
    assert "no program ran for 1 h 2 min" in figure.layout.title.text.replace("<br>", " ")
    assert not trace(gantt(run), "off").showlegend and "no program" not in gantt(run).layout.title.text


def test_moves_are_one_trace_with_gaps(run: RunData) -> None:
    """Moves are separated by None, and only the head of each has a ◆."""
    moves = trace(gantt(run), "move")
    assert len(moves.x) == 3 * len(run.moves)
    assert set(moves.x[2::3]) == {None}
    assert set(moves.marker.size[0::3]) == {0}
    assert set(moves.marker.size[1::3]) == {8}
    assert list(moves.x[1::3]) == [move.at for move in run.moves]


def test_a_selected_scene_stands_out(run: RunData) -> None:
    """Bars and glyphs of others are drawn at 20 %, and the scene's path has its own trace."""
    scene = run.moves[0].scene
    figure = gantt(run, scene=scene)
    assert set(trace(figure, "succeeded").marker.opacity) == {0.2}
    assert max(trace(figure, "limited").marker.opacity) == 1.0
    assert len(trace(figure, "path").x) == 3
    assert trace(figure, "move").opacity == 0.2


def test_each_state_stands_in_the_legend_once(run: RunData) -> None:
    """The legend names each state that occurs, and moves; a click on one hides all its traces."""
    waited = next(a for a in run.attempts if a.outcome == "succeeded")
    fetched = [a for a in run.attempts if a.outcome == "succeeded"][1]
    there = [replace(a, accepted=a.start, began=a.end) if a is waited else a for a in run.attempts]
    there = [replace(a, generated=a.start + 1) if a is fetched else a for a in there]
    refused = [replace(run.cooldowns[0], unusable=True), *run.cooldowns[1:]]
    restored = replace(run, off=[(20.0, 40.0)], attempts=there, cooldowns=refused)
    for options in ({}, {"scene": run.scenes[0].id}):
        figure = gantt(restored, **options)  # type: ignore[arg-type]
        named = [one.name for one in figure.data if one.showlegend and one.legendgroup in STATES]
        assert len(named) == len(set(named)) == len(STATES)
    for state in ("running", "held", "failed", "limited"):
        parts = [one for one in gantt(run).data if one.meta.split()[0] == state]
        assert {one.legendgroup for one in parts} == {state}


def test_now_is_a_shape(run: RunData) -> None:
    """The now-line is a shape (an annotation would be slow), and absent when the run is over."""
    figure = gantt(run, now=run.end + 3)
    assert figure.layout.shapes[0].x0 == run.end + 3
    assert not figure.layout.annotations
    assert not gantt(run).layout.shapes


def test_caps_are_said_in_the_figure(run: RunData) -> None:
    """The title sums the run up, and says how many moves are not shown."""
    title = gantt(run, moves="last 1").layout.title.text
    assert title.startswith("24 scenes on 4 profiles in 1 min 47 s so far: 19 succeeded")
    assert "Moves shown: the last 1, of 6." in title


def test_foreign_text_is_escaped_everywhere(run: RunData) -> None:
    """No prompt, id, profile or reason reaches plotly as markup or TeX."""
    bad = "<b onclick=x>$x$&amp;</b>\u202e"
    attempts = [replace(a, profile=bad if a.profile == "alice" else a.profile, reason=bad) for a in run.attempts]
    data = replace(
        run,
        profiles=[bad, *run.profiles[1:]],
        attempts=attempts,
        scenes=[replace(scene, prompt=bad) for scene in run.scenes],
        cooldowns=[replace(window, reason=bad, group=bad) for window in run.cooldowns],
    )
    figure = gantt(data)
    text = figure.to_json()
    assert "onclick" in text
    assert "$x$" not in text
    assert "\u202e" not in text
    for one in figure.data:
        assert not any("<b onclick" in line for line in one.hovertext or ())
    assert not any("<b onclick" in label for label in figure.layout.yaxis.ticktext)


def test_the_page_is_self_contained(run: RunData) -> None:
    """The HTML file holds plotly.js itself, in the theme's colours, and its title is escaped."""
    page = html(gantt(run, theme="dark"), title="<Run>")
    assert "<script src=" not in page
    assert "<link" not in page.split("<script", maxsplit=1)[0]
    assert "background: #16181D" in page
    assert "<title>&lt;Run&gt;</title>" in page
    assert len(page) > 1_000_000


def test_wrong_arguments_are_refused(run: RunData) -> None:
    """An unknown theme or scene is an error."""
    with pytest.raises(InputError, match="theme"):
        gantt(run, theme="blue")
    with pytest.raises(InputError, match="nobody"):
        gantt(run, scene="nobody")
