"""The slot-time split: it adds up, and each second of each slot is counted where it belongs."""

from __future__ import annotations

import math
from dataclasses import astuple, replace

from hypothesis import given, settings
from hypothesis import strategies as st

import vidgen_nb as vg
from vidgen_nb.analysis.metrics.model import SlotSplit
from vidgen_nb.analysis.metrics.slot_time import SlotTime
from vidgen_nb.analysis.metrics.slot_time import slot_time as in_stretches
from vidgen_nb.analysis.records.builder import AttemptRecord, CooldownRecord, RunData, build
from vidgen_nb.core import events as ev

Span = tuple[float, float]
OUTCOMES = ("succeeded", "rate_limited", "permanent", None)


def attempt(profile: str, start: float, end: float | None, outcome: str | None) -> AttemptRecord:
    """Make an attempt."""
    return AttemptRecord("s", 1, profile, 0.0, start, end, outcome, None, None)


def slot_time(data: RunData, waiting: list[Span]) -> dict[str, SlotTime]:
    """Return what slots did in the whole run."""
    return {name: spent for name, (spent,) in in_stretches(data, waiting=waiting).items()}


def made(attempts: list[AttemptRecord], cooldowns: list[Span], capacity: int | None, end: float) -> RunData:
    """Make a run on one profile, a."""
    windows = [CooldownRecord("a", "a", start, stop, "429") for start, stop in cooldowns]
    attempts = sorted(attempts, key=lambda each: each.start)
    return RunData({}, [], ["a"], [], attempts, windows, [], end, {"a": capacity})


def test_a_hand_computed_run() -> None:
    """Two slots: one works all the time, the other wastes, cools, wastes again; a second profile is idle, then works.

    Of a's 20 slot seconds, 10 went into success, 4 + 2 were wasted, 4 were cooling (4 to 8, one free slot).
    Scenes wait until 6, so b's first 6 seconds are idle beside a queue.
    """
    attempts = [
        attempt("a", 0.0, 10.0, "succeeded"),
        attempt("a", 0.0, 4.0, "rate_limited"),
        attempt("b", 6.0, 10.0, "succeeded"),
        attempt("a", 8.0, 10.0, "permanent"),
    ]
    windows = [CooldownRecord("a", "a", 4.0, 8.0, "429")]
    data = RunData({}, [], ["a", "b"], [], attempts, windows, [], 12.0, {"a": 2, "b": 1})
    times = slot_time(data, [(0.0, 6.0)])
    assert times == {
        "a": SlotTime(ok=10.0, wasted=6.0, cooling=4.0, stranded=2 * 2.0),
        "b": SlotTime(ok=4.0, idle_waiting=6.0),
    }
    times["a"].add(times["b"])
    assert SlotSplit.of(times["a"]) == SlotSplit(14 / 30, 6 / 30, 4 / 30, 0.0, 6 / 30)


def test_a_simulated_run_by_hand() -> None:
    """Two of four scenes fit a window of 60 s; 429s at 10 and 40 cool it until 70; so 120 of 160 slot seconds cool."""
    run = vg.simulate(
        4, [vg.SimulatedProfile("a", vg.FixedWindow(2, per=60), vg.Constant(10), 2, retry_after=False)], mode="boost"
    )
    assert slot_time(run.data, [(0.0, 70.0)]) == {"a": SlotTime(ok=40.0, cooling=120.0, stranded=120.0)}


def test_what_runs_is_neither_ok_nor_wasted() -> None:
    """An attempt without an end runs until the run's end, and a run without a success is measured until there."""
    data = made([attempt("a", 2.0, None, None)], [], None, 8.0)
    assert slot_time(data, []) == {"a": SlotTime(running=6.0, idle_empty=2.0)}


def test_a_profile_has_slots_only_while_it_is_there() -> None:
    """A profile added late and removed early has no idle time outside; a capacity counts from when it changes."""
    base = made([attempt("b", 0.0, 20.0, "succeeded")], [], None, 20.0)
    events = [
        ev.ProfileAdded("b", 1, at=0.0),
        ev.ProfileAdded("a", 1, at=5.0),
        ev.ProfileChanged("a", 3, at=10.0),
        ev.ProfileRemoved("a", at=12.0),
    ]
    steps = build({}, events).capacity_steps
    times = slot_time(replace(base, profiles=["b", "a"], capacity_steps=steps), [(0.0, 6.0)])
    assert times["a"] == SlotTime(idle_waiting=1.0, idle_empty=4.0 + 6.0)
    assert times["b"] == SlotTime(ok=20.0)


def test_an_empty_run_has_no_shares() -> None:
    """Where no time passed, there is nothing to have a share of."""
    assert slot_time(made([], [], 2, 0.0), []) == {"a": SlotTime()}
    assert SlotSplit.of(SlotTime()) is None


def test_it_ends_with_the_last_success() -> None:
    """What failed after it is no part of the makespan; what runs is, to now."""
    tries = [attempt("a", 0.0, 4.0, "succeeded"), attempt("a", 4.0, 9.0, "permanent")]
    assert slot_time(made(tries, [(3.0, 8.0)], 1, 10.0), []) == {"a": SlotTime(ok=4.0)}
    tries.append(attempt("a", 9.0, None, None))
    assert slot_time(made(tries, [], 1, 10.0), []) == {"a": SlotTime(ok=4.0, wasted=5.0, running=1.0)}


SPANS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 6)).map(lambda s: (float(s[0]), float(s[0] + s[1]))))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9), st.sampled_from(OUTCOMES)), max_size=8),
    SPANS,
    st.lists(st.booleans(), min_size=30, max_size=30),
    st.integers(1, 4),
)
def test_second_by_second(
    attempts: list[tuple[int, int, str | None]], cooldowns: list[Span], waits: list[bool], capacity: int
) -> None:
    """On whole seconds the split is what one gets by looking at every second of every slot."""
    records = [attempt("a", float(at), float(at + n) if out else None, out) for at, n, out in attempts]
    data = made(records, cooldowns, capacity, 30.0)
    waiting = [(float(at), at + 1.0) for at, on in enumerate(waits) if on]
    until = int(max((a.end for a in records if a.outcome == "succeeded" and a.end), default=30.0))
    if any(a.end is None for a in records):
        until = 30
    seen = dict.fromkeys(SlotTime.__dataclass_fields__, 0)
    for at in range(until):
        on = [a for a in records if a.start <= at < (30.0 if a.end is None else a.end)]
        kinds = ["running" if a.end is None else "ok" if a.outcome == "succeeded" else "wasted" for a in on]
        free = max(0, capacity - len(on))
        cooling = any(start <= at < stop for start, stop in cooldowns)
        kinds += ["cooling" if cooling else "idle_waiting" if waits[at] else "idle_empty"] * free
        for kind in kinds:
            seen[kind] += 1
        seen["stranded"] += max(capacity, len(on)) if cooling and waits[at] else 0
    assert slot_time(data, waiting) == {"a": SlotTime(**{kind: float(number) for kind, number in seen.items()})}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 4), st.integers(0, 12), st.sampled_from([None, 1, 3]), st.booleans())
def test_it_sums_to_one(seed: int, profiles: int, scenes: int, capacity: int | None, slow: bool) -> None:
    """On any run the shares of each profile sum to 1, and its parts to its slots' time.

    With calls that take time there is a little more: the next attempt is submitted while a result is fetched.
    """
    given_profiles = [
        vg.SimulatedProfile(f"p{n}", vg.TokenBucket(2, per=30), vg.Exponential(9), capacity) for n in range(profiles)
    ]
    run = vg.simulate(scenes, given_profiles, seed=seed, latency=0.3 if slow else 0.0)
    makespan = run.metrics().makespan
    for spent in slot_time(run.data, [(1.0, 7.0)]).values():
        if makespan and spent.total:
            shares = SlotSplit.of(spent)
            assert shares is not None and math.isclose(math.fsum(astuple(shares)), 1.0, rel_tol=1e-12)
        if capacity and makespan:
            least = capacity * makespan
            assert spent.total >= least * (1 - 1e-9) if slow else math.isclose(spent.total, least, rel_tol=1e-9)
