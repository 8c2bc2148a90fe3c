"""What a replay's page is sent agrees with records, timeline and metrics."""

from __future__ import annotations

import json
import math
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import vidgen_nb as vg
from tests.charts.random_runs import random_runs
from vidgen_nb.analysis.limits.gauges import LimitGauges
from vidgen_nb.core import events as ev
from vidgen_nb.errors import InputError
from vidgen_nb.replay.columns import replay_columns
from vidgen_nb.replay.gauges import gauge_tracks, told_limits
from vidgen_nb.replay.part import MAX_ATTEMPTS
from vidgen_nb.replay.waiting import waits
from vidgen_nb.run import Run


def test_wrong_options_are_input_errors() -> None:
    """Each says what it should be."""
    run = vg.simulate(1, vg.demo_profiles(1))
    for options, why in (
        ({"title": 3}, "title is a text"),
        ({"speed": "fast"}, "speed is a number of run seconds"),
        ({"speed": float("nan")}, "speed is a number of run seconds"),
        ({"limits": {"alcie": vg.TokenBucket(3, per=60)}}, "did you mean 'alice'"),
    ):
        with pytest.raises(InputError, match=why):
            run.replay(**options)


def test_a_limit_without_a_gauge_is_told_in_words() -> None:
    """Jobs at once do not fill up again by themselves."""
    accounts = [vg.SimulatedProfile("a", vg.Concurrency(2), vg.Constant(9), capacity=4)]
    (lane,) = replay_columns(vg.simulate(6, accounts, mode="boost").data)["lanes"]
    assert lane["gauge"]["level"] == [] and [words[2] for words in lane["gauge"]["words"]] == ["2 at once"]


def demo(scenes: int = 24, **options: Any) -> Run:
    """Simulate the demo's accounts."""
    return vg.simulate(scenes, vg.demo_profiles(), mode="boost", seed=7, **options)


def counts(columns: dict[str, Any]) -> dict[str, int]:
    """Return how many moments there are of each kind."""
    return {name: columns["moments"]["kind"].count(index) for index, name in enumerate(columns["kinds"])}


def test_moments_are_those_of_the_records(tmp_path: Path) -> None:
    """Of any run: a moment for each 429, move, failure and end of a cooldown, at its time."""
    for run in islice(random_runs(tmp_path), 16):
        columns = replay_columns(run.data)
        found = counts(columns)
        ends = [each.outcome for each in run.attempts]
        unstarted = [e for e in run.events if isinstance(e, ev.SceneSettled) and e.outcome is None]
        failed = sum(each.status != "cancelled" for each in unstarted)
        assert found["429"] == ends.count("rate_limited") == run.metrics().rate_limited
        assert found["move"] == len(run.moves) == len(columns["moves"]["to"])
        kinds = ("transient", "permanent", "unusable", "ambiguous")
        cancelled = sum(
            isinstance(e, ev.SceneSettled) and e.status == "cancelled" and getattr(e.outcome, "kind", "") in kinds
            for e in run.events
        )
        assert found["failure"] == sum(ends.count(kind) for kind in kinds) + failed - cancelled
        assert found["cooldown"] == sum(isinstance(each, ev.CooldownEnded) for each in run.events)
        assert columns["moments"]["at"] == sorted(columns["moments"]["at"])
        json.dumps(columns, allow_nan=False)


def test_a_429_stands_at_its_attempt() -> None:
    """Its moment has the time and the attempt of the record."""
    run = demo()
    columns = replay_columns(run.data)
    moments, scale = columns["moments"], columns["scale"]
    rows = zip(moments["at"], moments["kind"], moments["attempt"], strict=True)
    found = [(at / scale, attempt) for at, kind, attempt in rows if columns["kinds"][kind] == "429"]
    recorded = [(each.end or 0.0, index) for index, each in enumerate(run.attempts) if each.outcome == "rate_limited"]
    assert [attempt for _, attempt in sorted(found)] == [attempt for _, attempt in sorted(recorded)]
    assert [at for at, _ in sorted(found)] == pytest.approx([at for at, _ in sorted(recorded)], abs=0.001)


def test_waits_stand_in_the_queues_order() -> None:
    """Singles first, then those that were sent back, in their original order, then those that never ran."""
    profile = vg.SimulatedProfile("a", vg.TokenBucket(3, per=60), vg.Constant(5), capacity=4)
    single = ev.SceneAdded(vg.Scene("solo", "now"), single=True)
    run = vg.simulate(8, [profile], mode="boost", requests=[(1.0, single)], latency=0.1)
    at = 2.0
    waiting = [each.scene for each in waits(run.data) if each.start <= at and (each.end is None or each.end > at)]
    assert waiting == ["solo", "s004", "s005", "s006", "s007", "s008"]
    pinned = demo(10, policy=vg.GlobalPause())
    assert "waits for alice" in {each.note for each in waits(pinned.data)}


def test_gauges_are_those_of_the_live_chart() -> None:
    """At any time between answers, the line between two levels is the level that the gauge has then."""
    run = demo()
    told = told_limits(run.header)
    assert told.keys() == {"alice", "bruno", "chiara", "delta"}
    tracks = gauge_tracks(run.data, told, 0.0, run.data.end)
    for at in (5.0, 12.5, 29.9, 31.0, 55.5):
        gauges = LimitGauges(told)
        for event in run.events:
            if event.at <= at:
                gauges.observe(event)
        for name, track in tracks.items():
            last = max(index for index, time in enumerate(track.times) if time <= at)
            (t0, t1), (y0, y1) = track.times[last : last + 2], track.levels[last : last + 2]
            level = y0 + (y1 - y0) * (at - t0) / (t1 - t0)
            wanted = gauges.of(name, at).level
            assert wanted is not None
            assert level == pytest.approx(wanted, abs=0.12), (name, at)
    given = replay_columns(Run({}, run.events).data, limits={"delta": vg.TokenBucket(30, per=60)})
    assert given["lanes"][3]["gauge"]["words"] == [[0, 30, "30, then 1 every 2 s", "as the provider's limit is known"]]
    learned = gauge_tracks(run.data, {}, 0.0, run.data.end)["alice"]
    assert learned.times and learned.words[-1][2] == "about 2, then 1 every 30 s"


def test_a_part_of_a_run() -> None:
    """It has what overlaps it, at the times of the run; too long a run names the part that fits."""
    run = demo()
    part = replay_columns(run.data, after=20, until=40.0)
    scale = part["scale"]
    assert (part["start"], part["end"]) == (20 * scale, 40 * scale)
    inside = [each for each in run.attempts if each.start <= 40 and (each.end is None or each.end >= 20)]
    assert len(part["attempts"]["start"]) == len(inside)
    assert all(20 * scale <= at <= 40 * scale for at in part["moments"]["at"])
    with pytest.raises(vg.InputError, match="leave nothing: this run lasts from 0 to 87"):
        replay_columns(run.data, after=90)
    with pytest.raises(vg.InputError, match="until is a finite number of seconds"):
        replay_columns(run.data, until=-1)
    with pytest.raises(vg.InputError, match="replay has no argument 'untill'; did you mean 'until'"):
        run.replay(untill=3)
    with pytest.raises(vg.InputError, match="limits are limits by name"):
        replay_columns(run.data, limits={"alice": 3})  # type: ignore[dict-item]


@pytest.mark.long
def test_too_long_a_run_says_what_fits() -> None:
    """10,000 attempts are shown; of more, the error names a part that fits, and that part can be shown."""
    run = demo(7400)
    assert len(run.attempts) > MAX_ATTEMPTS
    with pytest.raises(
        vg.InputError, match=r"at most 10,000 attempts, and this run has 10,\d+: .* replay\(until=(\d+)\)"
    ) as told:
        replay_columns(run.data)
    until = int(str(told.value).rpartition("until=")[2].rstrip(")"))
    assert len(replay_columns(run.data, until=until)["attempts"]["start"]) == pytest.approx(MAX_ATTEMPTS, rel=0.001)


def test_odd_runs() -> None:
    """No events, no attempts, one scene, a run that goes on, hours off, more accounts than lanes."""
    assert replay_columns(Run({}, []).data)["lanes"] == []
    empty = Run({}, [ev.ProfileAdded("a", at=0.0), ev.SceneAdded(vg.Scene("s1", "x"), at=0.0), ev.RunStarted(at=0.0)])
    columns = replay_columns(empty.data)
    assert columns["waits"]["end"] == [None] and columns["attempts"]["start"] == []
    begun = Run({}, [*empty.events, ev.AttemptStarted("s1", 1, "a", "next in turn", at=0.0)])
    assert replay_columns(begun.data)["attempts"]["end"] == [None]
    whole = demo()
    first = list(whole.events[:60])
    off = 7200.0
    restored = ev.RunRestored(0.0, 1.0, 0, vg.RetryPolicy(), "hold", 3600.0, at=first[-1].at + off)
    later = Run(whole.header, [*first, restored])
    columns = replay_columns(later.data)
    assert len(columns["gaps"]) == 1 and columns["gap"] / columns["scale"] < 10
    assert "taken up again after 2 h without a program" in columns["texts"][columns["moments"]["text"][-1]]
    assert columns["speed"] < 10  # as if these hours were a moment


def test_what_is_sent_is_small() -> None:
    """A run of 1,000 attempts as a page is below 300 kB."""
    from vidgen_nb.replay.file import replay_page

    run = demo(700)
    assert 1000 <= len(run.attempts) < 1100
    assert len(replay_page(replay_columns(run.data))) < 300_000
    assert math.isfinite(replay_columns(run.data)["height"])
