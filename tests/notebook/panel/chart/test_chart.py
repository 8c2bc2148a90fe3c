"""The chart with its lanes: the same before a run and during it, and what a hand does in it."""

from __future__ import annotations

from typing import Any

from tests.notebook.panel.conftest import Desk
from vidgen_nb.charts.gantt.lanes import Fit, make_lanes
from vidgen_nb.notebook.panel.chart.live_gantt import LANES_PIXELS
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import TokenBucket


def places(desk: Desk) -> list[tuple[str, int, int]]:
    """Return name, top and height of each label."""
    return [(lane["name"], lane["top"], lane["height"]) for lane in desk.panel.chart.lanes.lanes]


def do(desk: Desk, content: dict[str, Any]) -> None:
    """Do something on the page."""
    desk.panel.chart.lanes._handle_custom_msg(content, [])
    desk.settle()


def test_nothing_moves_when_run_is_pressed(desk: Desk) -> None:
    """The lanes are there before the first run, as high as later, and their labels lie beside them."""
    chart = desk.panel.chart
    before, height = places(desk), chart.gantt.figure._layout["height"]
    assert [name for name, _top, _height in before] == ["p1", "p2"]
    desk.ctl.mode = "boost"
    desk.ctl.run_blocking(["a", "b", "c", "d", "e", "f"])
    desk.settle()
    assert places(desk) == before and chart.gantt.figure._layout["height"] == height == chart.lanes.height
    for lane, (_name, top, tall) in zip(chart.gantt.rows.lanes, before, strict=True):
        assert (top - 6, tall) == (round(lane.top), round(lane.bottom - lane.top))


def test_four_accounts_of_four_slots_fit_the_screen() -> None:
    """Their lanes take what they are given; with many accounts lanes get thinner, down to a line of text each."""
    from vidgen_nb.analysis.records.live_data import RecentData

    data = RecentData({}, (), [], [], [], [], [], 60.0)
    four = {f"p{k}": 4 for k in range(4)}
    lanes = make_lanes(data, [], tuple(four), 0.0, Fit(LANES_PIXELS, four))
    assert LANES_PIXELS - 8 <= lanes[-1].bottom <= LANES_PIXELS + 2 and lanes[0].row > 15
    many = {f"p{k}": None for k in range(40)}
    lanes = make_lanes(data, [], tuple(many), 0.0, Fit(LANES_PIXELS, many))
    assert {lane.bottom - lane.top for lane in lanes} == {24}
    (lane,) = make_lanes(data, [], ("p1",), 0.0, Fit(LANES_PIXELS, {"p1": 1}))
    assert lane.bottom == 40 and lane.row == 18


def test_a_lane_is_switched_off_and_on(desk: Desk) -> None:
    """The profile leaves the rotation and keeps its lane; the last one in use can't leave."""
    do(desk, {"use": "p1", "on": False})
    assert desk.ctl.in_use == ["p2"]
    first, last = desk.panel.chart.lanes.lanes
    assert (first["name"], first["on"], first["state"]) == ("p1", False, "off")
    assert last["fixed"] and not first["fixed"]
    do(desk, {"use": "p1", "on": True})
    assert sorted(desk.ctl.in_use) == ["p1", "p2"]


def test_a_click_on_a_bar_selects_its_scene_and_escape_clears_it(desk: Desk) -> None:
    """Everywhere: the chart, the table, a cell; a second click clears it, too."""
    desk.ctl.run_blocking(["a", "b", "c"])
    desk.settle()
    figure = desk.panel.chart.gantt.figure
    trace = next(each for each in figure._data if each["meta"] == "succeeded 0")
    place = trace["customdata"][1]
    figure._handle_custom_msg({"select": place}, [])
    desk.settle()
    scene = desk.ctl.selected
    assert scene is not None and desk.ctl.last_run is not None
    assert desk.ctl.last_run.attempts[place].scene == scene == desk.panel.chart.gantt.scene
    desk.panel.tabs.open("Attempts")
    desk.settle()
    assert desk.panel.tabs.attempts.chosen == scene
    figure._handle_custom_msg({"select": place}, [])
    desk.settle()
    assert desk.ctl.selected is None
    figure._handle_custom_msg({"select": place}, [])
    desk.settle()
    do(desk, {"select": None})
    assert desk.ctl.selected is None and desk.panel.chart.gantt.scene is None
    do(desk, {"select": None})  # nor does another Escape do anything
    assert desk.ctl.selected is None
    figure._handle_custom_msg({"select": 10_000}, [])  # of a run that is no longer shown
    desk.settle()
    assert desk.ctl.selected is None


def test_names_in_bars_follow_the_width_of_the_page(desk: Desk) -> None:
    """A bar that is too narrow for its scene's id has none."""
    desk.ctl.run_blocking(["a", "b", "c"])
    desk.settle()

    def named() -> set[str]:
        texts = [trace.get("text", "") for trace in desk.panel.chart.gantt.figure._data if "text" in trace]
        return {name for each in texts for name in (each if isinstance(each, list) else [each])} - {"", "<b>?</b>"}

    do(desk, {"width": 12_000})
    assert named() == {"s001", "s002", "s003"}
    do(desk, {"width": 60})
    assert named() == set()


def test_limits_given_to_a_policy_are_shown(desk: Desk) -> None:
    """In the lane of each account, before anything runs; one that nobody told is not known yet."""
    desk.ctl.policy = Paced({"p1": TokenBucket(2, per=60)})
    desk.settle()
    desk.settle()
    first, second = desk.panel.chart.lanes.lanes
    assert (first["limit"], first["share"], first["size"]) == ("2, then 1 every 30 s", 1.0, 2)
    assert (second["limit"], second["share"]) == ("no limit met yet", None)
    desk.ctl.mode = "boost"
    desk.ctl.run_blocking(["a", "b", "c"])
    desk.settle()
    first, _second = desk.panel.chart.lanes.lanes
    assert first["share"] < 1
    desk.ctl.policy = Paced({"p1": TokenBucket(200, per=6000)})
    desk.settle()
    desk.settle()
    first, _second = desk.panel.chart.lanes.lanes
    assert first["size"] == 200 and 0.98 < first["share"] < 1  # what ran before counts
