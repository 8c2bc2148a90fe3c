"""Cooldowns from events: windows that overlap are one time, however they begin and end."""

from __future__ import annotations

import pytest

from vidgen_nb.analysis.records.builder import build
from vidgen_nb.analysis.records.cooldowns import CoolingClock
from vidgen_nb.analysis.records.timeline import cooling_spans, seconds_of
from vidgen_nb.core import events as ev


def cools(at: float, until: float, *profiles: str, alone: bool = False) -> ev.Event:
    """Return the start of a cooldown of the group, or of one profile alone."""
    return ev.CooldownStarted(profiles[0] if alone else "g", alone, profiles[0], profiles, until, "429", at=at)


EVENTS: list[ev.Event] = [
    ev.ProfileAdded("a", None, "g", at=0.0),
    cools(10.0, 40.0, "a"),
    cools(20.0, 30.0, "a", alone=True),  # within the group's
    ev.ProfileAdded("b", None, "g", at=25.0),  # comes into it
    ev.CooldownEnded("a", True, ("a",), at=30.0),
    cools(35.0, 60.0, "a", alone=True),  # beyond the group's
    ev.CooldownEnded("g", False, ("a", "b"), at=41.0),  # late: it was over at 40
    ev.ProfileRemoved("a", at=50.0),
]


@pytest.mark.parametrize(("now", "a", "b"), [
    (5.0, 0.0, 0.0), (15.0, 5.0, 0.0), (30.0, 20.0, 5.0), (38.0, 28.0, 13.0), (45.0, 35.0, 15.0), (90.0, 40.0, 15.0),
])  # fmt: skip
def test_the_clock_counts_what_windows_share_once(now: float, a: float, b: float) -> None:
    """By hand: a cools from 10 to 50, b from 25 to 40; at any time the clock says how much of that is over."""
    clock = CoolingClock()
    for event in EVENTS:
        if event.at <= now:
            clock.take(event)
    assert (clock.seconds("a", now), clock.seconds("b", now)) == (a, b)


def test_the_clock_agrees_with_the_records() -> None:
    """Over the whole run both say the same."""
    clock = CoolingClock()
    for event in EVENTS:
        clock.take(event)
    spans = cooling_spans(build({}, EVENTS), 90.0)
    assert {name: clock.seconds(name, 90.0) for name in "ab"} == {
        name: seconds_of(each) for name, each in spans.items()
    }
