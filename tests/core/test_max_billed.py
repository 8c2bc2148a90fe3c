"""`max_billed`: at most this many submits are, or may have been, accepted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vidgen_nb as vg
from tests.audit import audit, takes_turns
from tests.core.harness import BOOST, World
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Operation
from vidgen_nb.core.outcomes import Ambiguous, Permanent, RateLimited
from vidgen_nb.provider.faults import FaultKind

POLICIES = st.sampled_from(
    [vg.PerProfileCooldown(5), vg.GlobalPause(5), vg.ExponentialCooldown(2), vg.Paced(), vg.EarliestFinish()]
)
MODES = st.sampled_from([vg.NORMAL, vg.BOOST, vg.Mode("two", max_submitting=2)])


def billed(events: list[ev.Event]) -> int:
    """Count submits that were accepted or are in doubt."""
    doubtful = sum(isinstance(e, ev.CallFailed) and isinstance(e.outcome, Ambiguous) for e in events)
    return doubtful + sum(isinstance(e, ev.Accepted) for e in events)


@settings(deadline=None, max_examples=40)
@given(
    policy=POLICIES,
    mode=MODES,
    limit=st.integers(1, 12),
    seed=st.integers(0, 50),
    trouble=st.lists(st.sampled_from(["lost_answer", "overload", "job_failure", "content"]), max_size=2),
    on_ambiguous=st.sampled_from(["hold", "retry"]),
    latency=st.sampled_from([0.0, 0.4]),
)
def test_never_more_than_max_billed(
    policy: vg.Policy, mode: vg.Mode, limit: int, seed: int, trouble: list[FaultKind], on_ambiguous: str, latency: float
) -> None:
    """Under every policy and mode, with rate limits, lost answers and failed jobs; unless all scenes settle first."""
    profiles = [
        vg.SimulatedProfile("p1", vg.TokenBucket(2, per=20), vg.LogNormal(8, 0.3), capacity=3),
        vg.SimulatedProfile("p2", vg.Concurrency(2), vg.LogNormal(8, 0.3), capacity=4),
    ]
    faults = [vg.Fault(kind, probability=0.3) for kind in trouble]
    run = vg.simulate(
        10, profiles, mode=mode, policy=policy, seed=seed, faults=faults, max_billed=limit, latency=latency,
        on_ambiguous=on_ambiguous,
    )  # fmt: skip
    events = list(run.events)
    assert billed(events) <= limit
    assert run.header["max_billed"] == limit
    if run.ended == "max_billed":
        assert billed(events) == limit
        assert any(scene.status == "queued" for scene in run.scenes)
    else:
        assert run.ended == "settled"
    audit(
        events, mode, moves=policy.moves, turns=takes_turns(policy), on_ambiguous=on_ambiguous, max_billed=limit,
        min_cooldown=policy.min_cooldown,
    )  # fmt: skip


def test_submits_under_way_are_counted() -> None:
    """Boost mode sends no more at once than may be accepted; a refused submit makes room for another."""
    world = World(2, scenes=6, mode=BOOST, max_billed=2)
    assert [command.scene.id for command in world.open] == ["s1", "s2"]
    world.feed(ev.CallFailed("s1", 1, "submit", RateLimited()))
    assert [command.scene.id for command in world.open] == ["s1", "s2", "s1"]
    world.feed(ev.CallFailed("s2", 1, "submit", Permanent("no")))
    assert [command.scene.id for command in world.open][3:] == ["s3"]


def test_a_doubtful_submit_counts() -> None:
    """A submit that may have been accepted may be billed."""
    world = World(2, scenes=2, max_billed=1)
    world.feed(ev.CallFailed("s1", 1, "submit", Ambiguous("502")))
    assert [type(e) for e in world.scheduler.events[-2:]] == [ev.BillingLimitReached, ev.RunEnded]
    assert world.scheduler.ended == "max_billed"
    assert world.status("s2") == "queued"


def test_what_is_under_way_goes_on_and_a_higher_limit_too() -> None:
    """The run ends when running attempts have settled; a higher limit continues it before that or at the next start."""
    world = World(1, scenes=3, mode=BOOST, max_billed=1)
    world.feed(ev.Accepted("s1", 1, Operation("j1")))
    assert world.scheduler.stopped and world.scheduler.ended is None
    world.feed(ev.BillingLimitChanged(2))
    assert not world.scheduler.stopped
    world.feed(ev.Accepted("s2", 1, Operation("j2")))
    assert world.scheduler.stopped
    for scene in ("s1", "s2"):
        world.feed(ev.CancelRequested(scene))
        world.feed(ev.CancelAnswered(scene, 1, "cancelled"))
    assert world.scheduler.ended == "max_billed"
    world.feed(ev.RunStarted())
    assert world.scheduler.ended == "max_billed", "started again below the limit, it ends at once"
    world.feed(ev.BillingLimitChanged(None))
    world.feed(ev.RunStarted())
    assert world.status("s3") == "submitting"


def test_a_limit_that_nothing_waits_for_ends_nothing() -> None:
    """With the last scene accepted the run ends as settled."""
    run = vg.simulate(3, [vg.SimulatedProfile("p1")], max_billed=3)
    assert run.ended == "settled"
    assert not any(isinstance(event, ev.BillingLimitReached) for event in run.events)


def test_a_stop_by_hand_is_no_limit() -> None:
    """If the user stopped it after the limit did, a higher limit does not continue it."""
    world = World(1, scenes=2, max_billed=1)
    world.feed(ev.Accepted("s1", 1, Operation("j1")))
    world.feed(ev.Stopped())
    world.feed(ev.BillingLimitChanged(5))
    assert world.scheduler.stopped


def test_what_if_keeps_the_limit_and_may_change_it() -> None:
    """Simulating a run again uses the limit of its header."""
    run = vg.simulate(8, [vg.SimulatedProfile("p1", capacity=2)], mode="boost", max_billed=5)
    assert run.ended == "max_billed"
    assert list(run.what_if().events) == list(run.events)
    assert run.what_if(policy=vg.GlobalPause()).ended == "max_billed"
    assert run.what_if(max_billed=None).ended == "settled"
    assert run.predict_finish().left == 0


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "3"])
def test_a_limit_is_a_count(limit: object) -> None:
    """Anything else is an error before anything runs."""
    with pytest.raises(vg.InputError, match="max_billed is a whole number of submits from 1 up"):
        vg.simulate(1, [vg.SimulatedProfile("p1")], max_billed=limit)
    world = World(1)
    with pytest.raises(vg.InputError, match="max_billed"):
        world.feed(ev.BillingLimitChanged(limit))  # type: ignore[arg-type]
