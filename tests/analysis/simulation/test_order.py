"""Who is next: scenes that come over time are served by length if that is asked for, against a queue by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

import pytest
from scipy import integrate, stats

import vidgen_nb as vg
from tests.analysis.simulation.queue_by_hand import waits_by_hand
from tests.audit import audit
from vidgen_nb.analysis.forecast.snapshot import snapshot
from vidgen_nb.analysis.simulation.what_if import mode_of
from vidgen_nb.core import events as ev
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.policies.paced.told_weights import LeavingScenes
from vidgen_nb.provider.service import uniform
from vidgen_nb.recording.runfile import event_line
from vidgen_nb.replay.waiting import waits

ORDERS = ("given", "shortest", "longest")
SERVICE = vg.LogNormal(10, 0.8)
BUSY: dict[str, Any] = {"mode": "boost", "arrivals": vg.Poisson(0.25)}
LIMITED = [vg.SimulatedProfile(name, vg.TokenBucket(3, per=40), SERVICE, capacity=2) for name in "ab"]


def added(run: vg.Run) -> list[ev.SceneAdded]:
    """Return how scenes joined."""
    return [event for event in run.events if isinstance(event, ev.SceneAdded)]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("slots", [1, 3])
def test_each_wait_is_that_of_a_queue_by_hand(order: Any, slots: int) -> None:
    """Scene by scene; scenes come in the given order, whatever the order in which they are served."""
    account = [vg.SimulatedProfile("a", None, SERVICE, capacity=slots)]
    run = vg.simulate(120, account, order=order, mode="boost", arrivals=vg.Poisson(0.07 * slots), seed=3)
    come = [event.at for event in added(run)]
    assert [event.scene.id for event in added(run)] == [f"s{k:03}" for k in range(1, 121)]
    work = [SERVICE.seconds(uniform(3, "service", event.scene.id)) for event in added(run)]
    start = {each.scene: each.start for each in run.attempts}
    waited = [start[event.scene.id] - event.at for event in added(run)]
    assert waited == pytest.approx(waits_by_hand(order, slots, come, work), abs=1e-6)
    assert sum(each > 1 for each in waited) > 40


@pytest.mark.parametrize("order", ["shortest", "longest"])
def test_what_is_there_at_the_start_is_sorted(order: Any) -> None:
    """Without arrivals, or with all at 0, nobody needs a rank: it is the run of scenes given in that order."""
    scenes = [vg.Scene(f"s{k}", "x") for k in range(30)]
    lengths = {scene.id: uniform(5, "service", scene.id) for scene in scenes}
    ordered = sorted(scenes, key=lambda scene: lengths[scene.id], reverse=order == "longest")
    run = vg.simulate(scenes, LIMITED, order=order, seed=5)
    assert run.events == vg.simulate(ordered, LIMITED, seed=5).events
    assert run.events == vg.simulate(scenes, LIMITED, order=order, seed=5, arrivals=vg.Bursts(30, 10)).events
    assert all(event.rank is None for event in added(run)) and b"rank" not in b"".join(map(event_line, run.events))


@pytest.mark.parametrize("order", ["shortest", "longest"])
def test_limits_faults_and_hands(order: Any, tmp_path: Path) -> None:
    """The rules hold, a file has the ranks, a replay the same decisions, and what-if the same run."""
    asked = [(15.0, ev.SceneAdded(vg.Scene("by hand", "x"))), (15.0, ev.SceneAdded(vg.Scene("single", "x"), True))]
    faults = [vg.Fault("overload", probability=0.1)]
    run = vg.simulate(60, LIMITED, order=order, requests=asked, faults=faults, seed=2, **BUSY)
    assert sum(isinstance(event, ev.SceneRequeued) for event in run.events) > 20
    policy, mode = vg.PerProfileCooldown(), mode_of(run.header)
    audit(run.events, mode)
    assert {event.scene.id for event in added(run) if event.rank is None} == {"single"}
    assert Scheduler.replay(run.events, policy=policy, mode=mode, rng=Random(2)).events == run.events
    for again in (run, vg.load_run(run.save(tmp_path / "run.jsonl"))):
        assert again.events == run.events == again.what_if().events
        assert again.header == run.header and again.what_if().header["order"] == order
    given = vg.simulate(60, LIMITED, requests=asked, faults=faults, seed=2, **BUSY)
    assert run.what_if(order="given").events == given.events
    assert given.what_if(order=order).events == run.events


def test_with_another_seed() -> None:
    """Scenes come at other times then, and have other lengths: they are ranked again."""
    run, other = (vg.simulate(60, LIMITED, order="shortest", seed=seed, **BUSY) for seed in (2, 8))
    assert run.what_if(seed=8).events == other.events


def test_a_batch_in_order_with_another_seed() -> None:
    """What is shortest is another scene then."""
    run = vg.simulate(20, LIMITED, order="shortest", seed=1)
    assert run.what_if(seed=9).events == vg.simulate(20, LIMITED, order="shortest", seed=9).events
    assert (run.what_if().events, run.what_if().header["run"]) == (run.events, run.header["run"])
    later = [(30.0, ev.SceneAdded(vg.Scene("late", "x")))]  # there were no ranks, and there are none
    run = vg.simulate(20, LIMITED, order="shortest", seed=1, requests=later)
    assert run.what_if().events == run.events


def test_ranks_by_hand() -> None:
    """A request may give a rank, also below the numbers 1, 2, … of those that have none; what-if keeps it."""
    one = [vg.SimulatedProfile("a", None, vg.Constant(10), capacity=1)]
    asked = [(5.0, ev.SceneAdded(vg.Scene(name, "x"), rank=rank)) for name, rank in (("x", 2.5), ("y", -1.0))]
    run = vg.simulate(4, one, requests=asked, mode="boost")
    assert [each.scene for each in run.attempts] == ["s001", "y", "s002", "x", "s003", "s004"]
    assert run.what_if().events == run.events
    with pytest.raises(vg.InputError, match="rank of scene 'z' is a number"):
        vg.simulate(4, one, requests=[(5.0, ev.SceneAdded(vg.Scene("z", "x"), rank=math.nan))])


def test_known_luck_is_what_counts() -> None:
    """Of a recorded live run the length of each scene is known, and the shortest is next."""
    account = [vg.SimulatedProfile("a", None, SERVICE, capacity=1)]
    given = vg.simulate(30, account, seed=1, mode="boost", arrivals=vg.Poisson(0.2))
    header = {name: each for name, each in given.header.items() if name not in ("backend", "seed", "order")}
    run = vg.Run(header, given.events).what_if(order="shortest")
    work = [each.end - each.start for each in run.attempts if each.end is not None]
    come = {event.scene.id: event.at for event in added(run)}
    sooner = [(a, b) for a, b in zip(run.attempts, run.attempts[1:], strict=False) if come[b.scene] < a.start]
    assert len(sooner) > 15
    length = dict(zip((each.scene for each in run.attempts), work, strict=True))
    assert all(length[a.scene] <= length[b.scene] for a, b in sooner)


def test_where_the_queue_is_shown_or_gone_on_from() -> None:
    """The replay's list, and what a forecast takes to be next, are in the queue's order."""
    one = [vg.SimulatedProfile("a", None, SERVICE, capacity=1)]
    run = vg.simulate(12, one, order="shortest", mode="boost", arrivals=[0.1 * k for k in range(12)])
    started = [each.scene for each in run.attempts]
    assert started != sorted(started)
    assert [wait.scene for wait in waits(run.data)][-10:] == started[-10:]
    part = [event for event in run.events if event.at < 2.0]
    assert [scene.id for scene in snapshot(vg.Run(run.header, part).data).waiting] == started[1:]


def test_what_paced_takes_to_be_next() -> None:
    """Limits that count what scenes weigh need the next one: it is the one that starts, also after refusals."""
    scenes = [vg.Scene(f"s{k:03}", "x", number=k) for k in range(60)]
    single: list[tuple[float, ev.Event]] = [
        (at, ev.SceneAdded(vg.Scene(f"now{at}", "x", number=at), single=True)) for at in (90, 100, 110)
    ]
    run = vg.simulate(scenes, LIMITED, order="longest", requests=single, seed=2, **BUSY)
    seen, number = LeavingScenes(), {event.scene.id: event.scene.params["number"] for event in added(run)}
    for event in run.events:
        if isinstance(event, ev.AttemptStarted):
            assert seen.next["number"] == number[event.scene]
        seen.observe(event)
    assert len(run.attempts) > 63 + 10


def mean_wait(order: str, rate: float) -> float:
    """Return the mean wait of an M/G/1 queue without preemption (Cobham 1954, Phipps 1956; Pollaczek–Khinchine).

    A scene waits λE[S²]/2, the rest of the one under way, over 1 - ρ; if lengths decide, over the square of what the
    scenes that go before it leave: 1 - λE[S; S goes before its own].
    """
    sigma = math.sqrt(math.log(1 + SERVICE.cv**2))
    log = stats.lognorm(sigma, scale=SERVICE.mean / math.exp(sigma**2 / 2))
    rest, load = rate * log.moment(2) / 2, rate * log.mean()
    if order == "given":
        return float(rest / (1 - load))

    def wait(u: float) -> float:
        below = load * stats.norm.cdf(stats.norm.ppf(u) - sigma)  # the log-normal's share of work in short scenes
        return float(rest / (1 - (below if order == "shortest" else load - below)) ** 2)

    return float(integrate.quad(wait, 0, 1)[0])


def check_theory(orders: Sequence[Any], scenes: int, seeds: range, rate: float, most: float) -> None:
    """The formula lies in each order's interval, which is no wider than that share of it."""
    account = [vg.SimulatedProfile("a", None, SERVICE, capacity=1)]
    found: dict[str, list[float]] = {order: [] for order in orders}
    for order in orders:
        for seed in seeds:
            run = vg.simulate(scenes, account, order=order, mode="boost", arrivals=vg.Poisson(rate), seed=seed)
            waited = [each.start - each.queued for each in run.attempts]
            found[order].append(fmean(waited))
    for order, each in found.items():
        half = float(stats.t.ppf(0.975, len(each) - 1)) * float(stats.tstd(each)) / math.sqrt(len(each))
        assert abs(fmean(each) - mean_wait(order, rate)) < half < most * mean_wait(order, rate), order


def test_theory() -> None:
    """Shortest first waits less than first come, first served, by as much as the formula says."""
    assert mean_wait("shortest", 0.07) < 0.7 * mean_wait("given", 0.07) < 0.5 * mean_wait("longest", 0.07)
    check_theory(["shortest"], 500, range(10), 0.07, most=0.25)


@pytest.mark.long
def test_theory_closely() -> None:
    """The same at a higher load, with long runs."""
    check_theory(ORDERS, 5_000, range(10), 0.07, most=0.12)
