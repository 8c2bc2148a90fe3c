"""Independent clients of one provider: AWS's jitter comes out right, and each client is as it would be alone."""

from __future__ import annotations

from heapq import heappop, heappush
from random import Random
from statistics import fmean

import pytest

import vidgen_nb as vg
from tests.audit import audit
from vidgen_nb.analysis.experiments.student_t import mean_interval
from vidgen_nb.clients import ClientRuns
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import NORMAL
from vidgen_nb.policies.cooldowns import Jitter
from vidgen_nb.provider import Provider

ONE_A_SECOND = vg.SimulatedProfile("api", vg.TokenBucket(1, per=1), vg.Constant(0.01))


def contenders(count: int, jitter: Jitter, seed: int = 1) -> ClientRuns:
    """Return so many clients that all want one call at once, of a provider that admits one a second."""
    policy = vg.ExponentialCooldown(1, cap=60, jitter=jitter)
    return vg.simulate_clients(count, 1, [ONE_A_SECOND], policy=policy, seed=seed)


class Drawn:
    """An arrival process."""

    def times(self, count: int, seed: int) -> list[float]:
        """Return random times."""
        rng = Random(seed)
        return sorted(rng.uniform(0.0, 100.0) for _ in range(count))


def aws(count: int, rng: Random, cap: float = 60.0) -> int:
    """Return the calls of clients with full jitter, in a model of its own: each waits uniform(0, min(cap, 2^k))."""
    due: list[tuple[float, int, int]] = [(0.0, client, 0) for client in range(count)]
    token_at, calls = 0.0, 0
    while due:
        now, client, failures = heappop(due)
        calls += 1
        if now >= token_at:
            token_at = max(now, token_at) + 1.0
        else:
            heappush(due, (now + rng.uniform(0.0, min(cap, 2.0**failures)), client, failures + 1))
    return calls


def test_without_jitter_calls_grow_as_the_square() -> None:
    """All come back together and one gets in: N + (N - 1) + … calls; with jitter they spread and need far fewer."""
    for count in (5, 10, 20, 40):
        assert contenders(count, "none").calls == count * (count + 1) // 2
    full = {count: fmean(contenders(count, "full", seed).calls for seed in range(10)) for count in (20, 40, 80)}
    decorrelated = fmean(contenders(40, "decorrelated", seed).calls for seed in range(10))
    assert full[40] < 0.4 * 820
    assert full[80] / full[40] < 3
    assert full[40] / full[20] < 3
    assert decorrelated == pytest.approx(full[40], rel=0.35)
    jittered, plain = contenders(40, "full").makespan, contenders(40, "none").makespan
    assert jittered is not None
    assert plain is not None
    assert jittered < plain


@pytest.mark.long
def test_full_jitter_against_a_model_of_its_own() -> None:
    """The mean number of calls is that of a plain event list with the formula of AWS, within a 99.9 % interval."""
    ours = [contenders(40, "full", seed).calls for seed in range(30)]
    theirs = fmean(aws(40, Random(seed)) for seed in range(1000))
    _, low, high = mean_interval([float(each) for each in ours], 0.999)
    assert low < theirs < high
    assert high / low < 1.2


def test_each_client_has_luck_of_its_own() -> None:
    """Same seed, same runs; another seed, others; two clients never wait equally long."""
    first, again, other = contenders(8, "full", 3), contenders(8, "full", 3), contenders(8, "full", 4)
    assert [run.events for run in first] == [run.events for run in again]
    assert first.calls != other.calls or first.makespan != other.makespan
    waits = [run.cooldowns[0].end for run in first if run.cooldowns]
    assert len(set(waits)) == len(waits) == 7


def test_one_client_is_a_run_of_its_own() -> None:
    """A client alone does exactly what `simulate` does, and the rules hold for each of several."""
    profiles = [
        vg.SimulatedProfile("p1", vg.TokenBucket(2, per=60), vg.LogNormal(22, 0.25), capacity=3),
        vg.SimulatedProfile("p2", vg.SlidingWindow(4, per=50), vg.Exponential(18), capacity=3),
    ]
    scenes = [vg.Scene(f"s{k}", "a fox") for k in range(12)]
    alone = vg.simulate([vg.Scene(f"c001-s{k}", "a fox") for k in range(12)], profiles, seed=7)
    assert vg.simulate_clients(1, scenes, profiles, seed=7)[0].events == alone.events
    several = vg.simulate_clients(5, scenes, profiles, seed=7, latency=0.3)
    for run in several:
        audit(run.events, NORMAL)
        assert run.ended == "settled"
    assert several.statuses == {"succeeded": 60}
    assert several.calls == sum(len(run.attempts) for run in several)
    assert several.successes[-1] == several.makespan == max(run.metrics().makespan or 0.0 for run in several)
    assert sum(several.goodput(30.0)) * 30 == pytest.approx(60)
    assert several.goodput(1e6) == [60 / 1e6]
    with pytest.raises(vg.InputError, match="window is a finite number of seconds, above 0"):
        several.goodput(0)


def test_all_share_one_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """Admissions of all clients together follow the limit's curve, and the provider's time never goes back."""
    times: list[float] = []
    submit = Provider.submit

    def noted(self: Provider, profile: str, scene: str, now: float, *rest: object) -> object:
        times.append(now)
        return submit(self, profile, scene, now, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Provider, "submit", noted)
    profiles = [vg.SimulatedProfile("api", vg.TokenBucket(5, per=60), vg.Exponential(20))]
    told, jittered = vg.PerProfileCooldown(honour_retry_after=True), vg.ExponentialCooldown(2, jitter="full")
    policies: list[vg.Policy | str] = [told, jittered, "Paced"]
    found = vg.simulate_clients(9, 6, profiles, policy=policies * 3, mode="boost", latency=0.2, seed=2)
    assert times == sorted(times)
    assert len(times) == found.calls
    accepted = sorted(event.at for run in found for event in run.events if isinstance(event, ev.Accepted))
    assert len(accepted) == 54
    assert all(number <= 5 + at * 5 / 60 + 1e-6 for number, at in enumerate(accepted, 1))
    assert [run.header["policy"]["name"] for run in found[:3]] == ["PerProfileCooldown", "ExponentialCooldown", "Paced"]


def test_a_jittered_policy_sets_its_own_minimum() -> None:
    """At a base of 1 s the doubling minimum would be the whole range of the jitter; wrapped in another policy, too."""
    jittered = vg.ExponentialCooldown(1, jitter="full")
    assert (jittered.min_cooldown, vg.ExponentialCooldown(1).min_cooldown) == (0.0, 1.0)
    assert vg.EarliestFinish(jittered).min_cooldown == 0.0
    profile = vg.SimulatedProfile("p1", vg.TokenBucket(1, per=20), vg.Constant(1))
    run = vg.simulate(30, [profile], mode="boost", policy=jittered, seed=1)
    lengths = [each.end - each.start for each in run.cooldowns]
    assert min(lengths) < 0.5
    audit(run.events, vg.BOOST, min_cooldown=0.0)
    with pytest.raises(AssertionError, match="R7"):
        audit(run.events, vg.BOOST)


def test_arrivals_and_policies_for_each() -> None:
    """One list of times is for all clients, a list of lists gives each its own; a wrong number is an error."""
    both = vg.simulate_clients(2, 2, [ONE_A_SECOND], arrivals=[0.0, 9.0])
    assert [[each.queued for each in run.scenes] for run in both] == [[0.0, 9.0], [0.0, 9.0]]
    each = vg.simulate_clients(2, 1, [ONE_A_SECOND], arrivals=[[3.0], [5.0]])
    assert [run.scenes[0].queued for run in each] == [3.0, 5.0]
    drawn = vg.simulate_clients(3, 5, [ONE_A_SECOND], arrivals=Drawn(), seed=4)
    times = [tuple(scene.queued for scene in run.scenes) for run in drawn]
    assert len(set(times)) == 3
    again = vg.simulate_clients(3, 5, [ONE_A_SECOND], arrivals=Drawn(), seed=4)
    assert [run.events for run in again] == [run.events for run in drawn]
    with pytest.raises(vg.InputError, match="policy has 1 values for 2 clients"):
        vg.simulate_clients(2, 1, [ONE_A_SECOND], policy=["Paced"])
    with pytest.raises(vg.InputError, match="clients is how many, 1 or more, not 0"):
        vg.simulate_clients(0, 1, [ONE_A_SECOND])
    with pytest.raises(vg.InputError, match="simulate_clients has no argument 'polcy'; did you mean 'policy'"):
        vg.simulate_clients(2, 1, [ONE_A_SECOND], polcy="Paced")


def test_what_is_shown() -> None:
    """The repr has scenes, time, calls and refusals; a client's run says that others were there."""
    found = contenders(3, "none")
    assert repr(found) == "<3 clients: 3 succeeded in 3.0 s; 6 calls, 3 of them refused with a 429>"
    assert found._repr_html_() == f"<p>{repr(found)[1:-1]}</p>"
    assert found[0].what_if().header["what_if"]["assumed"] == ["the provider's other 2 clients are not there"]
    assert contenders(1, "none")[0].what_if().header["what_if"]["assumed"] == []
