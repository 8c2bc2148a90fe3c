"""The chart of slot time: its shares, its words, its cap."""

from __future__ import annotations

from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.metrics.measure import measure
from vidgen_nb.analysis.metrics.model import SlotSplit
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.charts.drawing.palette import THEMES, ThemeName
from vidgen_nb.charts.slots import MAX_PROFILES, slot_time_chart


def shares(figure: Any) -> dict[str, list[float]]:
    """Return the parts' shares, bar by bar."""
    return {trace.meta: [round(x, 6) for x in trace.x] for trace in figure.data}


def test_the_shares_are_those_of_the_run() -> None:
    """Two of four scenes fit a window; from 10 to 70 both slots cool: 40 of 160 slot seconds succeed."""
    run = vg.simulate(
        4, [vg.SimulatedProfile("a", vg.FixedWindow(2, per=60), vg.Constant(10), 2, retry_after=False)], mode="boost"
    )
    figure = slot_time_chart(run.data)
    assert shares(figure) == {
        "ok": [25.0, 25.0],
        "wasted": [0.0, 0.0],
        "cooling": [75.0, 75.0],
        "idle_waiting": [0.0, 0.0],
        "idle_empty": [0.0, 0.0],
    }
    assert list(figure.layout.yaxis.ticktext) == ["<b>all profiles</b>", "a"]
    title = figure.layout.title.text
    assert title == "<b>25 % of all slot time went into attempts that succeeded; 75 % was cooling.</b>"


def test_its_numbers_are_those_of_the_metrics(run: RunData) -> None:
    """Shares of all and each profile, seconds in the hover; also of runs that end in failures, and open ones."""
    profiles = [vg.SimulatedProfile(f"p{k}", vg.TokenBucket(3, per=30), vg.Exponential(9)) for k in range(3)]
    last = [vg.Fault("job_content", scene="s003")]
    failing = vg.simulate(3, [vg.SimulatedProfile("p1", service=vg.Constant(10), capacity=1)], faults=last).data
    waits = vg.simulate(9, profiles, arrivals=[5.0 * k for k in range(9)], latency=0.4).data
    for data in (run, failing, waits):
        numbers = measure(data)
        assert numbers.split is not None
        splits = [numbers.split, *(row.split or SlotSplit(0, 0, 0, 0, 0) for row in numbers.profiles)]
        for trace in slot_time_chart(data).data:
            assert list(trace.x) == pytest.approx([100 * getattr(split, trace.meta) for split in splits])
    assert failing.end > (measure(failing).makespan or 0.0)


def test_every_bar_is_full(run: RunData) -> None:
    """The parts of each bar sum to 100 %, also in an open run, which has a part for running attempts."""
    figure = slot_time_chart(run)
    assert "running" in shares(figure)
    assert [round(sum(parts), 4) for parts in zip(*shares(figure).values(), strict=True)] == [100.0] * 5
    assert figure.layout.barmode == "stack"


@pytest.mark.parametrize("theme", THEMES)
def test_parts_look_like_states(run: RunData, theme: ThemeName) -> None:
    """What succeeded, was wasted, cools or idles has the colour and hatch that it has in the Gantt."""
    marks = THEMES[theme].marks
    traces = {trace.meta: trace.marker for trace in slot_time_chart(run, theme=theme).data}
    for part, state in {"ok": "succeeded", "wasted": "limited", "cooling": "cooldown", "idle_waiting": "idle"}.items():
        mark = marks[state]  # type: ignore[index]
        assert (traces[part].color, traces[part].pattern.shape) == (mark.fill, mark.pattern)


def test_many_profiles_are_capped_aloud() -> None:
    """Of 50 profiles, those 40 with the least success have a bar, and the chart says so; all count in the sum."""
    run = vg.simulate(45, [vg.SimulatedProfile(f"p{n:02}", None, vg.Constant(10), 1) for n in range(50)], mode="boost")
    figure = slot_time_chart(run.data)
    names = list(figure.layout.yaxis.ticktext)
    assert len(names) == MAX_PROFILES + 1
    assert names[-1] == "p49"
    assert "Shown: the 40 profiles with the smallest share of success, of 50." in figure.layout.title.text
    assert shares(figure)["ok"][0] == 90.0
