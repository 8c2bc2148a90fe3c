"""R22: nothing is submitted that could make a run cost more than `max_cost`."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vidgen_nb as vg
from tests.audit import audit, takes_turns
from tests.core.harness import BOOST, World
from tests.core.test_max_billed import MODES, POLICIES
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.core.money import Price
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Permanent, RateLimited, Transient
from vidgen_nb.provider.faults import FaultKind

TWO = {"p1": Price(0.50), "p2": Price(0.30)}


@settings(deadline=None, max_examples=60)
@given(
    policy=POLICIES,
    mode=MODES,
    cap=st.sampled_from([0.3, 0.7, 1.0, 2.35, 9.0]),
    prices=st.tuples(st.sampled_from([Price(0.25), Price(per_second=0.1)]), st.sampled_from([Price(0.4), Price(0.7)])),
    seed=st.integers(0, 50),
    trouble=st.lists(st.sampled_from(["lost_answer", "overload", "job_failure", "content"]), max_size=2),
    on_ambiguous=st.sampled_from(["hold", "retry"]),
    latency=st.sampled_from([0.0, 0.4]),
)
def test_never_more_than_max_cost(
    policy: vg.Policy, mode: vg.Mode, cap: float, prices: tuple[Price, Price], seed: int, trouble: list[FaultKind],
    on_ambiguous: str, latency: float,
) -> None:  # fmt: skip
    """Whatever the policy, the mode, the prices and the faults: what is spent and in doubt stays within the cap."""
    profiles = [
        vg.SimulatedProfile("p1", vg.TokenBucket(2, per=20), vg.LogNormal(8, 0.3), capacity=3, price=prices[0]),
        vg.SimulatedProfile("p2", vg.Concurrency(2), vg.LogNormal(8, 0.3), capacity=4, price=prices[1]),
    ]
    scenes = [vg.Scene(f"s{number}", "a fox", seconds=4 + number % 3) for number in range(10)]
    run = vg.simulate(
        scenes, profiles, mode=mode, policy=policy, seed=seed, latency=latency, max_cost=cap, on_ambiguous=on_ambiguous,
        faults=[vg.Fault(kind, probability=0.3) for kind in trouble],
    )  # fmt: skip
    audit(
        run.events, mode, moves=policy.moves, turns=takes_turns(policy), on_ambiguous=on_ambiguous, max_cost=cap,
        min_cooldown=policy.min_cooldown,
    )  # fmt: skip
    assert run.cost.spent + run.cost.committed <= cap
    assert run.header["max_cost"] == cap
    if run.ended == "spending cap reached":
        assert any(scene.status == "queued" for scene in run.scenes)
        assert run.cost.spent + run.cost.committed + max(prices[0].of(scenes[2]) or 0, 700_000) / 1e6 > cap
    else:
        assert run.ended == "settled"


def test_a_cheaper_profile_goes_on_where_a_dearer_one_does_not_fit() -> None:
    """With 0.35 left only p2 may have the scene; with nothing left, the run ends once what is under way has."""
    world = World(2, scenes=4, mode=BOOST, max_cost=1.15, prices=TWO)
    assert world.submitted() == [("s1", "p1"), ("s2", "p2"), ("s3", "p2")]
    for scene in ("s1", "s2", "s3"):
        world.accept(scene)
    assert not world.scheduler.stopped, "a job that fails would make room again"
    for scene in ("s1", "s2", "s3"):
        world.finish(scene)
    assert world.scheduler.ended == "spending cap reached"
    assert (world.status("s4"), world.scheduler.spending.spent) == ("queued", 1_100_000)


def test_it_waits_for_the_profile_that_fits() -> None:
    """The cheap one cools: nothing goes to the dear one, and the run does not end meanwhile."""
    world = World(2, scenes=2, mode=BOOST, max_cost=0.8, prices={"p1": Price(0.3), "p2": Price(0.6)})
    assert world.submitted() == [("s1", "p1"), ("s2", "p1")]
    world.limit("s1", 20)
    world.fail("s2", RateLimited(20))
    assert world.submitted()[2:] == [("s1", "p2")], "0.6 fits, and beside it no other does"
    world.accept("s1")
    assert world.scheduler.ended is None and not world.scheduler.stopped
    world.feed(ev.JobFailed("s1", 2, Permanent("no")))
    assert world.submitted()[3:] == [("s2", "p2")]


def test_a_job_that_fails_gives_its_price_back() -> None:
    """Its provider is taken not to charge for it, so that the next one fits."""
    world = World(1, scenes=2, max_cost=0.5, prices={"p1": Price(0.5)})
    world.accept("s1")
    assert [scene for scene, _ in world.submitted()] == ["s1"]
    world.feed(ev.JobFailed("s1", 1, Permanent("blocked", "content")))
    assert [scene for scene, _ in world.submitted()] == ["s1", "s2"]


def test_a_provider_that_charges_for_failed_jobs() -> None:
    """`Price(failed=True)`: what failed is spent."""
    world = World(1, scenes=1, prices={"p1": Price(0.5, failed=True)})
    world.accept("s1")
    number = world.scheduler.scenes["s1"].number
    world.scheduler.handle(ev.JobFailed("s1", number, Transient("internal")), 1.0)
    spending = world.scheduler.spending
    assert (spending.spent, spending.wasted, spending.committed) == (500_000, 500_000, 0)


@pytest.mark.parametrize("later", [Price(0.2), None])
def test_what_is_under_way_keeps_its_price(later: Price | None) -> None:
    """Also whether failed jobs are charged; it changes, or the profile comes back with another."""
    world = World(1, scenes=1, prices={"p1": Price(0.5, failed=True)})
    world.accept("s1")
    world.feed(ev.PriceChanged("p1", later) if later else ev.ProfileRemoved("p1"))
    if later is None:
        world.feed(ev.ProfileAdded("p1"))
    world.feed(ev.JobFailed("s1", 1, Permanent("no")))
    assert (world.scheduler.spending.spent, world.scheduler.spending.committed) == (500_000, 0)


def test_what_is_in_doubt_stays_committed() -> None:
    """A held scene may have been charged; submitted again, it counts twice; asked about again, once."""
    world = World(1, scenes=1, max_cost=1.2, prices={"p1": Price(0.5)})
    world.fail("s1", Ambiguous("502"))
    spending = world.scheduler.spending
    assert (spending.committed, spending.in_doubt) == (500_000, 500_000)
    world.feed(ev.SubmitAgainRequested("s1"))
    world.feed(ev.SceneAdded(Scene("s1", "a fox")))
    world.feed(ev.RunStarted())
    world.sleep_until(10)
    assert spending.committed == 1_000_000
    world.fail("s1", Ambiguous("502"))
    world.feed(ev.AskedAgain(Scene("s1", "a fox"), 3, "p1", "job"))
    assert (spending.committed, spending.in_doubt) == (1_000_000, 500_000)
    world.finish("s1")
    assert (spending.spent, spending.committed, spending.wasted) == (500_000, 500_000, 0)
    assert spending.spent_by_scene == {"s1": 500_000}


def test_a_result_that_is_fetched_again_is_paid_once() -> None:
    """A job that is done and can't be fetched is held, and its price is spent; asking again costs nothing."""
    world = World(1, scenes=1, prices={"p1": Price(0.5)})
    world.accept("s1")
    world.feed(ev.Generated("s1", 1, Artifact("with_key")))
    world.feed(ev.AttemptAbandoned("s1", 1))
    world.feed(ev.AskedAgain(Scene("s1", "a fox"), 2, "p1", "job"))
    world.finish("s1")
    spending = world.scheduler.spending
    assert (spending.spent, spending.committed, spending.in_doubt, spending.wasted) == (500_000, 0, 0, 0)


@pytest.mark.parametrize("answer", ["cancelled", "unsupported", "polled"])
def test_a_cancelled_job_counts_as_spent(answer: str) -> None:
    """Its provider may charge for it; and it gave no video."""
    world = World(1, scenes=1, prices={"p1": Price(0.5)})
    world.accept("s1")
    world.feed(ev.CancelRequested("s1"))
    if answer == "polled":
        world.feed(ev.JobFailed("s1", 1, Cancelled()))
    else:
        world.feed(ev.CancelAnswered("s1", 1, answer))  # type: ignore[arg-type]
    spending = world.scheduler.spending
    assert (spending.spent, spending.wasted, spending.committed) == (500_000, 500_000, 0)


def test_what_the_provider_tells_counts() -> None:
    """A cost in the answer to the submit, or with the result, replaces the price."""
    world = World(1, scenes=1, prices={"p1": Price(0.5)})
    world.feed(ev.Accepted("s1", 1, Operation("j", cost=620_000)))
    spending = world.scheduler.spending
    assert spending.committed == 620_000
    world.scheduler.handle(ev.Generated("s1", 1, Artifact("with_key"), 600_000), 1.0)
    assert (spending.spent, spending.committed) == (600_000, 0)


def test_a_provider_that_tells_more_is_expected_to() -> None:
    """As many times the price as it told at worst; until the profile has another price."""
    world = World(1, scenes=4, max_cost=2.0, prices={"p1": Price(0.5)})
    world.feed(ev.Accepted("s1", 1, Operation("j", cost=800_000)))
    world.feed(ev.Generated("s1", 1, Artifact("with_key"), 800_000))
    spending = world.scheduler.spending
    assert (spending.spent, spending.committed) == (800_000, 800_000), "s2 is under way"
    world.feed(ev.Accepted("s2", 1, Operation("j")))
    assert world.status("s3") == "queued", "0.50 would fit, and 0.80 does not"
    world.feed(ev.PriceChanged("p1", Price(0.4)))
    assert world.status("s3") == "submitting"


def test_what_is_told_without_a_price() -> None:
    """It is US dollars; before that, nobody keeps account."""
    world = World(1, scenes=1)
    world.accept("s1")
    spending = world.scheduler.spending
    assert spending.currency == ""
    world.feed(ev.Generated("s1", 1, Artifact("with_key"), 600_000))
    assert (spending.currency, spending.unknown, spending.spent) == ("USD", 0, 600_000)


def test_a_higher_cap_goes_on() -> None:
    """Before the end at once; after it, with the next start; a lower one stops what has not left."""
    world = World(1, scenes=3, max_cost=0.5, prices={"p1": Price(0.5)})
    world.accept("s1")
    world.finish("s1")
    assert world.scheduler.ended == "spending cap reached"
    world.feed(ev.SpendingCapChanged(1.0))
    world.feed(ev.RunStarted())
    assert world.status("s2") == "submitting"
    world.feed(ev.SpendingCapChanged(0.9))
    assert world.scheduler.dispatcher.reason_to_stay("s2", 1) == "the spending cap of $0.90 leaves no room for it"
    world.feed(ev.SpendingCapChanged(None))
    assert world.scheduler.dispatcher.reason_to_stay("s2", 1) == ""


def test_a_job_of_unknown_price_is_not_submitted_under_a_cap() -> None:
    """One profile has no price: it gets nothing, and what the other can't take waits."""
    world = World(2, scenes=2, mode=BOOST, max_cost=0.5, prices={"p2": Price(0.4)})
    assert world.submitted() == [("s1", "p2")]
    world.accept("s1")
    world.finish("s1")
    assert world.scheduler.ended == "spending cap reached"


def test_prices_in_several_currencies_are_refused() -> None:
    """Their sum would mean nothing."""
    world = World(1, prices={"p1": Price(0.4)})
    with pytest.raises(vg.InputError, match="price in EUR, and the others in USD"):
        world.feed(ev.ProfileAdded("p9", price=Price(0.4, currency="EUR")))
    with pytest.raises(vg.InputError, match="price in EUR"):
        world.feed(ev.PriceChanged("p1", Price(0.4, currency="EUR")))


@pytest.mark.parametrize("cap", [0, -1, True, "3", float("inf")])
def test_a_cap_is_an_amount(cap: object) -> None:
    """Anything else is an error before anything runs; and so is a profile without a price."""
    with pytest.raises(vg.InputError, match="max_cost is an amount of money above 0"):
        vg.simulate(1, [vg.SimulatedProfile("p1", price=Price(0.4))], max_cost=cap)
    with pytest.raises(vg.InputError, match="max_cost needs the price of every profile, and 'p1' has none"):
        vg.simulate(1, [vg.SimulatedProfile("p1")], max_cost=3)


def test_what_if_keeps_the_cap_and_the_prices() -> None:
    """Simulating a run again uses those of its record, or others."""
    priced = [vg.SimulatedProfile("p1", capacity=2, price=Price(0.4))]
    run = vg.simulate(8, priced, mode="boost", max_cost=2.0)
    assert (run.ended, run.cost.spent, run.cost.forecast) == ("spending cap reached", 2.0, 1.2)
    assert list(run.what_if().events) == list(run.events)
    assert run.what_if(max_cost=None).ended == "settled"
    assert run.what_if(price=Price(0.2)).cost.spent == 1.6
    assert run.predict_finish().left == 0
