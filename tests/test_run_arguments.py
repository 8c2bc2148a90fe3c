"""Wrong arguments of what is asked of a run: an `InputError` that says what, where and what to do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

import vidgen_nb as vg
from vidgen_nb.charts.waits import wait_chart
from vidgen_nb.errors import InputError

PROFILES = [
    vg.SimulatedProfile("p1", vg.TokenBucket(2, per=60), vg.Constant(10), capacity=2),
    vg.SimulatedProfile("p2", None, vg.LogNormal(10, 0.3), capacity=1),
]
RUN = vg.simulate(8, PROFILES, mode="boost")
OTHER = vg.simulate(8, PROFILES)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"cooldowns": 30}, "cooldowns is a dict of run seconds by profile, .* not 30"),
        ({"cooldowns": {"p1": None}}, "cooldowns says until when 'p1' is closed, in run seconds from 0 on, not None"),
        ({"arrivals": 3}, "arrivals are run seconds, one for each scene, in a list, not 3"),
        ({"arrivals": ["a", 1]}, "an arrival is a finite number of seconds, 0 or more, not 'a'"),
        ({"seeds": 3}, "lower_bound has no argument 'seeds'; did you mean 'seed'"),
        ({"profiles": 3}, "profiles are SimulatedProfile"),
    ],
)
def test_what_has_no_bound(options: dict[str, Any], says: str) -> None:
    """Of `lower_bound`."""
    given: dict[str, Any] = {"profiles": PROFILES} | options
    with pytest.raises(InputError, match=says):
        vg.lower_bound(2, **given)


def test_bounds_of_numpy() -> None:
    """Numbers of numpy are numbers, and what can be gone through once is a list."""
    plain = vg.lower_bound(3, PROFILES, arrivals=[0, 5, 10], cooldowns={"p1": 30}, seed=1)
    times: Any = iter(np.arange(0, 15, 5))
    options: Any = {"cooldowns": {"p1": np.int64(30)}, "seed": np.int64(1)}
    assert vg.lower_bound(3, PROFILES, arrivals=times, **options) == plain


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"trouble": 5}, "trouble are start and end in run seconds"),
        ({"trouble": (5,)}, r"trouble is \(start, end\) in run seconds, start first, not \(5,\)"),
        ({"trouble": (9, 5)}, "trouble is"),
        ({"trouble": ("a", "b")}, "trouble is"),
        ({"window": "x"}, "window is a finite number of seconds, above 0, not 'x'"),
        ({"window": -1}, "window is a finite number"),
        ({"window": 0}, "window is a finite number"),
        ({"profiles": [3]}, "profiles are SimulatedProfile.*, not 3"),
        ({"profiles": 3}, "profiles are SimulatedProfile.*, not 3"),
        ({"ideal": 3}, "ideal gives each of p1, p2 a share of 0 or more, not 3"),
        ({"ideal": {"p1": "x", "p2": 1}}, "ideal gives each"),
        ({"foo": 1}, r"metrics has no argument 'foo' \(known: profiles, seed"),
        ({"windows": 1}, "metrics has no argument 'windows'; did you mean 'window'"),
    ],
)
def test_what_can_not_be_measured(options: dict[str, Any], says: str) -> None:
    """Of `Run.metrics`."""
    with pytest.raises(InputError, match=says):
        RUN.metrics(**options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"now": "x"}, "now is a finite number of seconds, 0 or more, not 'x'"),
        ({"now": math.nan}, "now is a finite number"),
        ({"policy": 3}, "unknown policy 3"),
        ({"runs": "x"}, "runs is a whole number, not 'x'"),
        ({"when": 3}, r"predict_finish has no argument 'when' \(known: now, policy"),
    ],
)
def test_what_can_not_be_predicted(options: dict[str, Any], says: str) -> None:
    """Of `Run.predict_finish`."""
    with pytest.raises(InputError, match=says):
        RUN.predict_finish(**options)


@pytest.mark.parametrize(
    ("chart", "args", "options", "says"),
    [
        ("wait_chart", ({"a": 3},), {}, "wait_chart: 'a' is a Run, .* not 3"),
        ("wait_chart", (3,), {}, "wait_chart: 'other run' is a Run, .* not 3"),
        ("wait_chart", (), {"name": 3}, "a name in a chart is a text, not 3"),
        ("admission_chart", ("p1",), {"limit": 4}, "limit is a limit such as TokenBucket.*, not 4"),
        ("admission_chart", (3,), {}, "no profile 3 in this run"),
        ("aligned_chart", (3,), {}, "aligned_chart: the other is a Run, .* not 3"),
        ("aligned_chart", (OTHER,), {"names": ("a",)}, r"names are two texts, .* not \('a',\)"),
        ("aligned_chart", (OTHER,), {"names": 3}, "names are two texts, in a list, not 3"),
        ("aligned_chart", (OTHER,), {"names": "ab"}, "names are two texts"),
        ("aligned_chart", (OTHER,), {"names": ("a", "a")}, "each by its own name; it was given 1"),
        ("queue_chart", (), {"window": "x"}, "window is a finite number of seconds, above 0, not 'x'"),
        ("queue_chart", (), {"outages": 5}, "outages are .*pairs, in a list, not 5"),
        ("queue_chart", (), {"outages": [5]}, "an outage is .*, not 5"),
        ("queue_chart", (), {"outages": [("a", "b")]}, "an outage is .*, not"),
    ],
)
def test_what_can_not_be_drawn(chart: str, args: Any, options: dict[str, Any], says: str) -> None:
    """Of the charts of a run."""
    with pytest.raises(InputError, match=says):
        getattr(RUN, chart)(*args, **options)


def test_a_run_beside_another() -> None:
    """One run alone is taken, as well as several by name; so it is by the function behind it."""
    figure = RUN.wait_chart(OTHER)
    assert isinstance(figure, go.Figure) and figure == RUN.wait_chart({"other run": OTHER})
    assert wait_chart(RUN) == wait_chart(RUN.data) == RUN.wait_chart()  # type: ignore[arg-type]
