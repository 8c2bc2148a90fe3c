"""Limits of what scenes weigh, such as tokens a minute: found where their parameter is named."""

from __future__ import annotations

from random import Random

import pytest

from tests.analysis.limits.shared_accounts import KINDS
from vidgen_nb.analysis.limits.estimate import LimitEstimate, estimate_limits
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.core.model import Mode, Scene
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import ExponentialCooldown, GlobalPause, PerProfileCooldown
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import Constant, Fault, FixedWindow, LogNormal, SimulatedProfile, SlidingWindow, TokenBucket
from vidgen_nb.run import Run, simulate


class Weighed:
    """A run of scenes of 200 to 1500 tokens under a limit of tokens."""

    def __init__(self, seed: int, *, scenes: int = 100, faults: tuple[Fault, ...] = ()) -> None:
        rng = Random(seed)
        self.n, self.per = rng.choice([2000, 4000, 5000, 12_000]), rng.choice([7.5, 20.0, 47.0, 60.0, 150.0])
        self.kind = rng.choice(KINDS)
        limit = self.kind(self.n, per=self.per, weight="tokens") if not faults else None
        policies = [PerProfileCooldown(rng.choice([5, 10, 30])), PerProfileCooldown(30, honour_retry_after=True),
                    GlobalPause(30), ExponentialCooldown(), Paced()]  # fmt: skip
        service = rng.choice([LogNormal(20, 0.4), Constant(20)])
        profile = SimulatedProfile("p", limit, service, retry_after=rng.random() < 0.5)
        given = [Scene(f"s{k:03}", "a fox", tokens=rng.randrange(200, 1500)) for k in range(scenes)]
        self.run: Run = simulate(
            given, [profile], mode=Mode("boost", None, 12), policy=rng.choice(policies), seed=seed, faults=list(faults),
            latency=rng.choice([0.0, 0.1, 0.5]),
        )  # fmt: skip

    def estimate(self, *, live: bool = False) -> LimitEstimate:
        """Return the estimate; `live`: as if its answers had come on a real clock."""
        header = {**self.run.header, "backend": {"name": "openai_videos"}} if live else self.run.header
        return estimate_limits(build(header, list(self.run.events)), weight="tokens")["p"]


@pytest.mark.long
@pytest.mark.parametrize("live", [False, True])
def test_the_truth_is_in_every_interval(live: bool) -> None:
    """Where the scenes' parameter is named, most runs that met their limit get its tokens a second."""
    met = given = 0
    for seed in range(40 if live else 20):
        case = Weighed(seed)
        found = case.estimate(live=live)
        met += found.refused > 0
        if found.rate is not None:
            given += 1
            assert case.n / case.per in found.rate, (seed, str(found))
            assert isinstance(found.limit, TokenBucket | FixedWindow | SlidingWindow) and found.limit.weight == "tokens"
    assert met >= (30 if live else 15) and given >= (0.4 if live else 0.6) * met


def test_what_people_set_is_named() -> None:
    """Among the limits that explain everything, the roundest is named: 12,000 tokens a minute."""
    profile = SimulatedProfile("p", SlidingWindow(12_000, per=60, weight="tokens"), Constant(5))
    scenes = [Scene(f"s{k:03}", "a fox", tokens=300 + 97 * (k % 11)) for k in range(120)]
    run = simulate(scenes, [profile], mode="boost", policy=PerProfileCooldown(7))
    found = run.estimate_limits(weight="tokens")["p"]
    assert found.limit == SlidingWindow(12_000, per=60, weight="tokens"), str(found)
    assert run.estimate_limits()["p"].rate is None, "in requests nothing explains it"


@pytest.mark.parametrize("per", [2.5, 150.0])
def test_a_length_may_be_any_number(per: float) -> None:
    """No list of lengths that people set is assumed: size and length are in their intervals, whatever they are."""
    scenes = [Scene(f"s{k:03}", "a fox", tokens=300 + 97 * (k % 11)) for k in range(80)]
    for kind in KINDS:
        profile = SimulatedProfile("p", kind(3000, per=per, weight="tokens"), Constant(per / 9))
        run = simulate(scenes, [profile], mode="boost", policy=PerProfileCooldown(max(per / 4, 1)))
        found = run.estimate_limits(weight="tokens")["p"]
        assert found.rate is not None and 3000 / per in found.rate, str(found)
        assert found.rate.high < 1.4 * found.rate.low, str(found)
        assert found.per is not None and per in found.per, str(found)


@pytest.mark.parametrize("what", ["an unseen client", "a limit of requests", "refusals that count"])
def test_what_else_uses_a_limit_is_no_limit_of_this_size(what: str) -> None:
    """Calls at regular times leave a few lengths that are not refuted, and none that explains all: it says so."""
    scenes = [Scene(f"s{k:03}", "a fox", tokens=(100, 200, 350, 500)[k * 7 % 4]) for k in range(120)]
    limit = FixedWindow(4000, per=10, weight="tokens", count_refusals=what == "refusals that count")
    names, group = ("pq", "g") if what == "an unseen client" else ("p", None)
    account = limit & TokenBucket(13, per=10) if what == "a limit of requests" else limit
    for seed in range(3):
        service = LogNormal(2.5, 0.4)
        profiles = [SimulatedProfile(each, account, service, retry_after=False, quota_group=group) for each in names]
        policy = PerProfileCooldown(2.5)
        run = simulate(scenes, profiles, mode="boost", policy=policy, seed=seed, told_groups=False)
        found = run.estimate_limits(weight="tokens")["p"]
        assert found.refused > 10 and found.rate is None, str(found)
        assert "no single limit of tokens explains every answer" in str(found), str(found)


def test_429s_at_random_are_no_limit_of_tokens() -> None:
    """No limit explains them, and it says so."""
    for seed in range(20):
        found = Weighed(seed, faults=(Fault("rate", probability=0.1),)).estimate()
        assert found.rate is None and found.reason, str(found)


def test_a_parameter_that_no_scene_has() -> None:
    """A misspelt one is an error that names those there are."""
    run = Weighed(1, scenes=20).run
    with pytest.raises(InputError, match=r"no scene has a parameter 'token'.*tokens"):
        run.estimate_limits(weight="token")
