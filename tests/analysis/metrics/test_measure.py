"""Numbers of a run, computed by hand, and by slow counting on random runs."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.metrics.slow_split import slow_split
from tests.analysis.records.test_builder import RandomRun
from vidgen_nb.analysis.metrics.measure import Metrics, SlotSplit, measure, union
from vidgen_nb.analysis.metrics.quantiles import Spread
from vidgen_nb.analysis.metrics.slot_time import SlotTime, slot_time
from vidgen_nb.analysis.metrics.trails import trail
from vidgen_nb.analysis.records.builder import AttemptRecord, RunData, build
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.core.outcomes import Permanent, RateLimited
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import Concurrency, Constant, Fault, FixedWindow, SimulatedProfile, TokenBucket
from vidgen_nb.run import simulate


def attempt(scene: str, profile: str, start: float, end: float | None, outcome: str | None) -> AttemptRecord:
    """Return an attempt that did not wait; its number does not matter here."""
    return AttemptRecord(scene, 1, profile, start, start, end, outcome, None, None)


def events(*given: tuple[float, ev.Event]) -> list[ev.Event]:
    """Return events with their times."""
    for at, event in given:
        event.at = at  # type: ignore[misc]
    return [event for _, event in given]


def by_hand() -> list[ev.Event]:
    """Three scenes, two profiles with a slot each, 20 s.

    a  s1✕ 0-2 | cools 2-12           | s3 ok 12-20
    b  free 0-2 | s1 ok 2-8 | s2 ok 8-14 | free 14-20
    Q  s2 waits 0-8, s3 waits 0-12: 2 until 8, 1 until 12, then 0
    """
    accepted = Operation("job")
    return events(
        (0, ev.ProfileAdded("a", 1)), (0, ev.ProfileAdded("b", 1)),
        *((0, ev.SceneAdded(Scene(name, "x"))) for name in ("s1", "s2", "s3")),
        (0, ev.RunStarted()),
        (0, ev.AttemptStarted("s1", 1, "a", "")),
        (2, ev.CallFailed("s1", 1, "submit", RateLimited())),
        (2, ev.CooldownStarted("a", False, "a", ("a",), 12.0, "429", "s1")),
        (2, ev.SceneRequeued("s1", 1, "a", RateLimited(), "")),
        (2, ev.AttemptStarted("s1", 2, "b", "")),
        (2, ev.Accepted("s1", 2, accepted)),
        (8, ev.Generated("s1", 2, Artifact("inline"))), (8, ev.Fetched("s1", 2)),
        (8, ev.AttemptStarted("s2", 1, "b", "")), (8, ev.Accepted("s2", 1, accepted)),
        (12, ev.CooldownEnded("a", False, ("a",))),
        (12, ev.AttemptStarted("s3", 1, "a", "")), (12, ev.Accepted("s3", 1, accepted)),
        (14, ev.Generated("s2", 1, Artifact("inline"))), (14, ev.Fetched("s2", 1)),
        (20, ev.Generated("s3", 1, Artifact("inline"))), (20, ev.Fetched("s3", 1)),
        (20, ev.RunEnded(ev.EndReason.SETTLED)),
    )  # fmt: skip


def test_a_run_by_hand() -> None:
    """Every number of the table, worked out on paper from the picture above."""
    found = measure(build({}, by_hand()))
    assert (found.scenes, found.attempts, found.rate_limited, found.moves) == ({"succeeded": 3}, 4, 1, 1)
    assert (found.length, found.makespan, found.first_result) == (20, 20, 8)
    assert found.flow is not None and found.wait is not None and found.queued is not None
    assert dict(found.flow.values) == {"s1": 8, "s2": 14, "s3": 20}
    assert (found.flow.p50, found.flow.max, found.flow.mean) == (14, 20, 14)
    assert found.flow.p95 == pytest.approx(14 + 0.9 * 6)  # 95 % of the way over two gaps: 0.9 of the second
    assert dict(found.wait.values) == {"s1": 8 - 6, "s2": 14 - 6, "s3": 20 - 8}
    assert dict(found.queued.values) == {"s1": 0, "s2": 8, "s3": 12}
    # of 2 · 20 slot-seconds: ok 6 + 6 + 8, wasted 2, cooling 10, free and nobody waits 6, free beside a queue 2
    assert found.split == SlotSplit(20 / 40, 2 / 40, 10 / 40, 6 / 40, 2 / 40)
    assert [row.split for row in found.profiles] == [
        SlotSplit(8 / 20, 2 / 20, 10 / 20, 0, 0),
        SlotSplit(12 / 20, 0, 0, 6 / 20, 2 / 20),
    ]
    assert [(row.scenes, row.attempts, row.rate_limited) for row in found.profiles] == [(1, 2, 1), (2, 2, 0)]
    assert [(row.cooldown, row.cooldown_duty, row.stranded) for row in found.profiles] == [(10, 0.5, 10), (0, 0, 0)]
    assert (found.utilisation, found.cooldown_duty, found.stranded) == (0.5, 0.25, 10)
    assert (found.amplification, found.wasted_share, found.rate_429) == (4 / 3, 1 / 4, 1 / 4)
    assert (found.goodput, found.early_wakes, found.move_matrix) == (3 / 20, 0, {("a", "b"): 1})
    # L = (2·8 + 1·4)/20 = 1; λ = 3/20; W_q = (8 + 12)/3
    assert (found.queue_length, found.arrival_rate, found.queue_time) == (1, 3 / 20, 20 / 3)
    # tenths of 2 s: λW is 3/2 · 20/3 in the first and 0 later, L is 2 four times and 1 twice
    assert found.little_residual == pytest.approx((8 + 2 + 2 + 2 + 1 + 1) / 10)
    assert found.fairness == pytest.approx((2 + 4) ** 2 / (2 * (2**2 + 4**2)))  # 1 and 2 scenes, due half each
    assert (found.bound, found.lower_bound, found.efficiency, found.over_wait, found.recovery) == (None,) * 5


def test_what_is_assumed_of_a_live_run() -> None:
    """With limits given: the bound and the wait beyond the reset; ideal shares as given or as the limits have them."""
    data = build({}, by_hand())
    profiles = [
        SimulatedProfile("a", FixedWindow(1, per=5), Constant(8), capacity=1),
        SimulatedProfile("b", service=Constant(6), capacity=1),
    ]
    found = measure(data, profiles=profiles)
    # by T both slots do ⌊T/8⌋ + ⌊T/6⌋ scenes: 1 at 6, 2 at 8, 3 at 12
    assert found.lower_bound == pytest.approx(12)
    assert found.efficiency == pytest.approx(12 / 20)
    # a limit that would have admitted at 2 has no reset; one whose window is used up until 9 does
    assert found.over_wait is None
    # fair: by 20 s a has admissions for 5 and time for 20/8, b time for 20/6
    a, b = 20 / 8, 20 / 6
    x, y = 1 / (a / (a + b)), 2 / (b / (a + b))
    assert found.fairness == pytest.approx((x + y) ** 2 / (2 * (x * x + y * y)))
    assert measure(data, ideal={"a": 1, "b": 2}).fairness == pytest.approx(1)
    with pytest.raises(InputError, match="profiles does not describe 'b'"):
        measure(data, profiles=profiles[:1])
    for ideal in ({"a": 1}, {"a": -1, "b": 2}, {"a": 0, "b": 0}):
        with pytest.raises(InputError, match="a share of 0 or more"):
            measure(data, ideal=ideal)


@pytest.mark.parametrize(("policy", "over"), [
    (PerProfileCooldown(30), {0: 10, 30: 20}),  # 0-30: reset at 20; the probe at 30 is in the window until 40: 30-60
    (PerProfileCooldown(12), {0: 12 - 20, 12: 24 - 20, 24: 36 - 40, 36: 48 - 40}),  # its probes at 12 and 36 get a 429
    (PerProfileCooldown(5, honour_retry_after=True), {0: 0, 20: 0}),
])  # fmt: skip
def test_over_wait_and_early_wakes(policy: PerProfileCooldown, over: dict[float, float]) -> None:
    """Of a window of 20 s with one admission each: cooldowns end too late, too early, or at the reset."""
    run = simulate(3, [SimulatedProfile("p", FixedWindow(1, per=20), Constant(1))], mode="boost", policy=policy)
    found = run.metrics()
    assert found.over_wait is not None
    assert {start: value for (_, start), value in found.over_wait.values.items()} == pytest.approx(over)
    assert found.early_wakes == (2 / 4 if policy.seconds == 12 else 0)


def test_faults_and_concurrency_tell_no_reset() -> None:
    """A 429 made up by a fault, or for too many at once, says nothing of when the limit resets."""
    profile = SimulatedProfile("p", TokenBucket(9, per=9) & Concurrency(2), Constant(10))
    run = simulate(5, [profile], mode="boost", faults=[Fault("rate", nth=1)], policy=PerProfileCooldown(4))
    found = run.metrics()
    assert found.rate_limited > 1 and found.over_wait is None


def test_a_quota_group_wakes_once() -> None:
    """Its cooldown is one, whichever of its profiles goes first after it."""
    team = [SimulatedProfile(f"p{k}", FixedWindow(1, per=20), Constant(1), quota_group="team") for k in (1, 2)]
    found = simulate(3, team, mode="boost", policy=PerProfileCooldown(12)).metrics()
    assert found.early_wakes == 2 / 4  # as above, for one profile
    assert found.over_wait is not None and len(found.over_wait.values) == 4


def test_slots_follow_capacity_and_presence() -> None:
    """A profile that comes at 10 and goes at 30 has slots for 20 s; another capacity counts from when it holds."""
    data = build({}, events(
        (0, ev.ProfileAdded("a", 2)), (0, ev.SceneAdded(Scene("s1", "x"))), (0, ev.RunStarted()),
        (0, ev.AttemptStarted("s1", 1, "a", "")),
        (10, ev.ProfileAdded("b", 3)),
        (20, ev.ProfileChanged("a", 0)),  # its attempt goes on, and holds a slot
        (30, ev.ProfileRemoved("b")),
        (40, ev.Fetched("s1", 1)),
    ))  # fmt: skip
    a, b = (slots for (slots,) in slot_time(data).values())
    assert a == SlotTime(ok=40, idle_empty=20)
    assert b == SlotTime(idle_empty=3 * 20)


def test_scenes_without_success_and_an_attempt_under_way() -> None:
    """What runs is neither ok nor wasted; a scene cancelled in the queue waited until then."""
    data = build({}, events(
        (0, ev.ProfileAdded("a", 1)), *((0, ev.SceneAdded(Scene(name, "x"))) for name in ("s1", "s2", "s3")),
        (0, ev.RunStarted()), (0, ev.AttemptStarted("s1", 1, "a", "")),
        (4, ev.SceneSettled("s2", 0, None, "cancelled", "by the user")),
        (10, ev.Accepted("s1", 1, Operation("job"))),
    ))  # fmt: skip
    found = measure(data)
    assert found.split == SlotSplit(0, 0, 0, 0, 0, running=1)
    assert found.queued is not None and dict(found.queued.values) == {"s1": 0, "s2": 4, "s3": 10}
    assert (found.queue_length, found.flow, found.makespan, found.wasted_share) == (1.4, None, None, None)


def test_a_scene_run_again_by_hand_waits_from_then() -> None:
    """Its time between the failure and the second try is nobody's wait."""
    data = build({}, events(
        (0, ev.ProfileAdded("a", 1)), (0, ev.SceneAdded(Scene("s1", "x"))), (0, ev.RunStarted()),
        (0, ev.AttemptStarted("s1", 1, "a", "")),
        (2, ev.SceneSettled("s1", 1, "a", "failed", "no", Permanent("no"))),
        (50, ev.SceneAdded(Scene("s1", "x"))), (53, ev.AttemptStarted("s1", 2, "a", "")), (60, ev.Fetched("s1", 2)),
    ))  # fmt: skip
    found = measure(data)
    assert found.flow is not None and found.wait is not None
    assert (found.flow.max, found.wait.max, found.queue_length) == (10, 3, 3 / 60)


def test_text_html_and_tables() -> None:
    """A notebook shows the numbers and a row for each profile; names are escaped; tables have all of it."""
    run = simulate(30, [
        SimulatedProfile("<p1>", TokenBucket(2, per=20), Constant(5), capacity=2), SimulatedProfile("p2"),
    ], policy=PerProfileCooldown(10))  # fmt: skip
    found = run.metrics()
    text, html = repr(found), found._repr_html_()
    assert "lower bound" in text and "30 succeeded" in text and "\n<p1>" in text
    assert "<p1>" not in html and "&lt;p1&gt;" in html
    assert list(found.to_frame()["profile"]) == ["<p1>", "p2"]
    assert found.to_frame("scenes").set_index("scene")["flow"].max() == found.makespan
    assert found.to_frame("moves").to_numpy().sum() == len(run.moves) > 0
    with pytest.raises(InputError, match="choose one of profiles, scenes, moves"):
        found.to_frame("videos")
    assert repr(measure(build({}, []))) and measure(build({}, []))._repr_html_()


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_run_adds_up(data: st.DataObject) -> None:
    """On random runs: the split sums to 1, agrees with a slow count of each moment, and Little's law holds."""
    world = RandomRun(data).run(60)
    records = build({}, list(world.scheduler.events))
    found = measure(records)
    slow = slow_split(records)
    for row, time in zip(found.profiles, slow.values(), strict=True):
        assert (row.split is None) == (time.total == 0)
        if row.split is not None:
            assert sum(astuple(row.split)) == pytest.approx(1)
            assert astuple(row.split) == pytest.approx(tuple(x / time.total for x in astuple(time)[:8]))
        assert row.stranded == pytest.approx(time.stranded)
    if found.split is not None:
        assert sum(astuple(found.split)) == pytest.approx(1)
    assert found.queue_length is None or found.queue_length == pytest.approx(
        (found.arrival_rate or 0.0) * (found.queue_time or 0.0)
    )
    end = max(records.end, 100.0)
    edges = sorted({0.0, *data.draw(st.lists(st.floats(0, 100), max_size=4)), end})
    for (whole,), parts in zip(
        slot_time(records, [0.0, end]).values(), slot_time(records, edges).values(), strict=True
    ):
        joined = SlotTime()
        for part in parts:
            joined.add(part)
        assert astuple(joined) == pytest.approx(astuple(whole))


@pytest.mark.parametrize(
    ("spans", "end", "capacity", "share"),
    [
        ([(0, 10), (10, 20)], 20.0, None, 1.0),  # one after the other: one slot
        ([(0, 10), (10, 15)], 15.0, 4, 0.25),
        ([(0, 10), (5, 15)], 20.0, None, 20 / 30),  # two at once
        ([(0, 10), (5, None)], 20.0, None, 0.25),  # one that runs still holds its slot
        ([(0, 10)], 20.0, 2, 0.5),  # of its 10 s; what comes after the last success is no part of the makespan
        ([(5, 5)], 20.0, None, 0.0),
        ([], 0.0, 3, 0.0),
    ],
)
def test_utilisation(spans: list[tuple[float, float | None]], end: float, capacity: int | None, share: float) -> None:
    """Of the profile's slots; without a capacity, of the most attempts that it had at once."""
    attempts = [attempt("s", "a", start, stop, "succeeded" if stop is not None else None) for start, stop in spans]
    data = RunData({}, [], ["a"], [], attempts, [], [], end, {"a": capacity})
    assert measure(data).profiles[0].utilisation == share


def test_an_empty_run() -> None:
    """Nothing succeeded: no makespan, and no division by zero."""
    assert measure(build({}, [])) == Metrics({}, 0, 0, 0, None, [])
    nothing = SimulatedProfile("p")
    assert simulate(0, [nothing]).metrics().lower_bound == 0.0


def test_union_counts_overlaps_once() -> None:
    """Windows may touch, overlap, contain each other, and come in any order."""
    assert union([]) == 0.0
    assert union([(5, 9), (0, 2), (1, 3), (3, 4), (6, 7)]) == 8.0


def test_trails() -> None:
    """A mark for each outcome that a reader looks for, a word for the others."""
    tries = [
        ("A", "rate_limited"), ("B", "transient"), ("C", "ambiguous"), ("A", "cancelled"), ("B", "succeeded"),
        ("C", None),
    ]  # fmt: skip
    assert trail(attempt("s", name, 0.0, 1.0, outcome) for name, outcome in tries) == (
        "A✕429→B✕transient→C?→A✕cancelled→B✓→C…"
    )


def test_a_spread_prints_what_counts() -> None:
    """Three digits with the unit; the fields have all of them."""
    found = Spread.of({"a": 0.0, "b": 61.9380292651, "c": 2.0 / 3})
    assert repr(found) == "<Spread: p50 0.667 s, p95 55.8 s, max 61.9 s, mean 20.9 s>"
    assert found is not None and found.max == 61.9380292651
