"""The chart of admissions: counts by hand, closed forms, groups, and limits that are not the right ones."""

from __future__ import annotations

import html
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vidgen_nb as vg
from vidgen_nb.analysis.bounds.admissions import most_admitted
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.charts.admission import admission_chart, known_limit
from vidgen_nb.errors import InputError
from vidgen_nb.provider.limits import Limit

LIMITS = (
    vg.TokenBucket(3, per=30),
    vg.FixedWindow(4, per=20),
    vg.SlidingWindow(2, per=15),
    vg.DailyQuota(9),
    vg.TokenBucket(5, per=60) & vg.FixedWindow(2, per=10),
    vg.FixedWindow(3, per=0.7) & vg.Concurrency(2),
)


def four() -> RunData:
    """Return a run by hand: accepted at 0, 0, 70, 70; two 429s at 10, one at 40."""
    profile = vg.SimulatedProfile("a", vg.FixedWindow(2, per=60), vg.Constant(10), 2, retry_after=False)
    return vg.simulate(4, [profile], mode="boost").data


def trace(figure: Any, name: str) -> Any:
    """Return one trace by its name."""
    return next(figure.select_traces({"meta": name}))


def test_counts_by_hand() -> None:
    """Two are accepted at 0 and two at 70; each 429 stands at the two accepted by then; the limit is stepped."""
    figure = admission_chart(four(), "a")
    accepted, limited, limit = (trace(figure, name) for name in ("accepted", "limited", "limit"))
    assert list(zip(accepted.x, accepted.y, strict=True)) == [(0, 0), (0, 1), (0, 2), (70, 3), (70, 4), (80, 4)]
    assert list(zip(limited.x, limited.y, strict=True)) == [(10, 2), (40, 2)]
    assert limited.hovertext[0].startswith("2 × 429 at 10.0 s")
    assert limited.marker.symbol == "triangle-up"
    assert list(zip(limit.x, limit.y, strict=True)) == [(0, 2), (60, 4), (80, 4)]
    assert limit.line.shape == "hv"
    title = figure.layout.title.text
    assert "a: 4 submits accepted, 3 refused with a 429." in title
    assert "By 70.0 s the limit admits 4: 100 % of it was used." in title


def test_a_bucket_is_a_straight_line() -> None:
    """A bucket's curve goes from n up at its rate."""
    limit = trace(admission_chart(four(), "a", limit=vg.TokenBucket(6, per=60)), "limit")
    assert list(limit.x) == [0, 80]
    assert list(limit.y) == [6, 14]
    assert limit.line.shape == "linear"


def test_a_limit_that_cannot_be_is_told() -> None:
    """Where more was accepted than a limit admits, the title says from when on."""
    title = admission_chart(four(), "a", limit=vg.TokenBucket(1, per=600)).layout.title.text
    title = title.replace("</b><br><b>", " ")
    assert "From 0.0 s on that is more than this limit admits, so its limit must be different." in title


def test_a_limit_that_is_not_known_is_told() -> None:
    """Without a limit there is no curve, and the chart says how to give one; one of running jobs has none either."""
    free = vg.simulate(3, [vg.SimulatedProfile("a", None, vg.Constant(5), 1)]).data
    figure = admission_chart(free, "a")
    assert not list(figure.select_traces({"meta": "limit"}))
    assert "pass limit= to see what that would admit" in figure.layout.title.text
    jobs = admission_chart(free, "a", limit=vg.Concurrency(1))
    assert not list(jobs.select_traces({"meta": "limit"}))
    assert "has no curve of its own" in jobs.layout.title.text


def test_a_group_counts_together() -> None:
    """Profiles that share a limit are counted together, whichever of them is asked for, and whoever it was given to."""
    limit = vg.FixedWindow(3, per=60)
    profiles = [
        vg.SimulatedProfile("a", limit, vg.Constant(10), 1, quota_group="g"),
        vg.SimulatedProfile("b", None, vg.Constant(10), 1, quota_group="g"),
        vg.SimulatedProfile("c", None, vg.Constant(10), 1),
    ]
    data = vg.simulate(12, profiles, mode="boost").data
    assert known_limit(data, "b") == limit
    assert known_limit(data, "c") is None
    count = sum(a.profile != "c" and a.outcome == "succeeded" for a in data.attempts)
    for name in ("a", "b"):
        figure = admission_chart(data, name)
        assert max(trace(figure, "accepted").y) == count
        assert "share a limit: a, b." in figure.layout.title.text


def test_submits_in_doubt_are_not_counted() -> None:
    """A submit whose answer was lost may have been accepted; the chart leaves it out and says so."""
    fault = vg.Fault("lost_answer", scene="s001")
    data = vg.simulate(2, [vg.SimulatedProfile("a", None, vg.Constant(5), 1)], faults=[fault]).data
    figure = admission_chart(data, "a")
    assert max(trace(figure, "accepted").y) == 1
    assert "Not counted: 1 submits without an answer" in figure.layout.title.text


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(LIMITS), st.lists(st.floats(0, 3), max_size=60))
def test_no_limit_admits_more_than_its_curve(limit: Limit, gaps: list[float]) -> None:
    """Whenever requests come, the model of a limit never lets more through than the closed form says."""
    state, now, admitted = limit.state(), 0.0, 0
    for gap in gaps:
        now += gap
        admitted += state.admit(now) is None
        assert admitted <= math.floor(most_admitted(limit, now) + 1e-6)


@pytest.mark.parametrize("limit", LIMITS[:4])
def test_the_curve_is_reached(limit: Limit) -> None:
    """A client that tries all the time gets exactly what the closed form says, from sliding windows at least that."""
    state, admitted = limit.state(), 0
    for tick in range(20_000):
        now = tick / 100
        while state.admit(now) is None:
            admitted += 1
        assert admitted == math.floor(most_admitted(limit, now) + 1e-6)


def test_an_unknown_profile_is_refused() -> None:
    """An unknown profile is an error that names the known ones."""
    with pytest.raises(InputError, match="'a'"):
        admission_chart(four(), "nobody")


@pytest.mark.parametrize("kind", [vg.TokenBucket, vg.FixedWindow, vg.SlidingWindow])
def test_which_limit_explains_these_429s(kind: type[vg.TokenBucket]) -> None:
    """The title names it, and says that no other kind does; no 429 came when the estimate allowed one more."""
    profile = vg.SimulatedProfile("p", kind(6, per=90), vg.Constant(8), capacity=4)
    run = vg.simulate(120, [profile], mode="boost", policy=vg.PerProfileCooldown(7))
    refused = run.estimate_limits()["p"].refused
    figure = run.admission_chart("p", limit="estimated")
    said = {"TokenBucket": "token bucket", "FixedWindow": "fixed window", "SlidingWindow": "sliding window"}
    title = figure.layout.title.text.replace("</b><br><b>", " ")
    assert f"p: a {said[kind.__name__]}, 6 per 90 s, explains all 120 acceptances and {refused} 429s" in title
    assert "no other kind does" in title
    allowed, limited = trace(figure, "limit"), trace(figure, "limited")
    for at, level in zip(limited.x, limited.y, strict=True):
        assert max(y for x, y in zip(allowed.x, allowed.y, strict=True) if x <= at) == level


def test_an_estimate_that_cant_be_given() -> None:
    """The title says why, and no curve is drawn."""
    run = vg.simulate(9, [vg.SimulatedProfile("p", None, vg.Constant(8))], mode="boost")
    figure = run.admission_chart("p", limit="estimated")
    title = html.unescape(figure.layout.title.text).replace("</b><br><b>", " ")
    assert "can't tell which limit explains its 429s: no 429 over the rate; 9 submits were accepted." in title
    assert not list(figure.select_traces({"meta": "limit"}))
