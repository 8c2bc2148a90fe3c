"""How close `Paced` comes to `Paced` told the limits, at how many 429s; and that each group may learn its limit."""

from __future__ import annotations

import math

import pytest

from tests.benchmarks.policies import (
    MOST_AGAINST_COOLDOWN,
    ONE_BY_ONE,
    PACED_MOST,
    Against,
    Scenario,
    lower_bound,
    one_profile,
    paced_against,
    play,
    readme,
    scenarios,
)
from vidgen_nb.core.policy import Policy
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.paced import belief
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.policies.paced.prospects import Prospects
from vidgen_nb.provider import Constant, Fault, Limit, SimulatedProfile, SlidingWindow, TokenBucket
from vidgen_nb.run import Run, simulate

WITH_AND_WITHOUT = pytest.mark.parametrize("retry_after", [True, False], ids=["Retry-After", "no Retry-After"])


def against_cooldown(given: list[Scenario], retry_after: bool) -> float:
    """Return the worst makespan against `PerProfileCooldown(30)`."""

    def played(policy: type[Policy]) -> Against:
        runs = [play(each, policy(), retry_after=retry_after, mode=ONE_BY_ONE) for each in given]
        return Against(runs, [1.0] * len(runs))

    return played(Paced).worst_against(played(PerProfileCooldown))


@pytest.mark.parametrize("retry_after", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_fifth_of_the_benchmarks_scenarios(retry_after: bool) -> None:
    """1 to 20 profiles, equal ones and others; never much worse than a policy that learns nothing."""
    given = scenarios(100)[::5]
    assert paced_against(given, retry_after=retry_after, mode=ONE_BY_ONE).missed(PACED_MOST[retry_after]) == {}
    assert against_cooldown(given, retry_after) <= MOST_AGAINST_COOLDOWN


@WITH_AND_WITHOUT
def test_the_readmes_profiles_and_each_limit_alone(retry_after: bool) -> None:
    """Two groups that learn side by side, and 60 scenes on one profile."""
    for given in (readme(range(60)), one_profile()):
        assert paced_against(given, retry_after=retry_after).missed(PACED_MOST[retry_after]) == {}


@pytest.mark.long
@pytest.mark.timeout(900)
@WITH_AND_WITHOUT
def test_all_of_the_benchmarks_scenarios(retry_after: bool) -> None:
    """And with one service time for all scenes it is close to the lower bound."""
    given = scenarios(100)
    assert paced_against(given, retry_after=retry_after, mode=ONE_BY_ONE).missed(PACED_MOST[retry_after]) == {}
    assert against_cooldown(given, retry_after) <= MOST_AGAINST_COOLDOWN
    if retry_after:
        equal = scenarios(200, constant=True)
        bound = Against((play(each, Paced(), retry_after=True) for each in equal), map(lower_bound, equal))
        assert bound.median <= 1.05
        assert bound.ratios[0] >= 1 - 1e-6


# -- each group's dare

WINDOW = SlidingWindow(6, per=60)


def beside_a_noisy_group(policy: Policy, noisy: int = 4) -> Run:
    """Run on a window whose 429s tell the reset, and on others that are refused at random again and again."""
    limits: dict[str, Limit] = {"bruno": WINDOW, **{f"noisy{n}": TokenBucket(2, per=9) for n in range(noisy)}}
    profiles = [SimulatedProfile(name, limit, Constant(5)) for name, limit in limits.items()]
    faults = [Fault("rate", profile=f"noisy{n}", probability=0.4, retry_after=5) for n in range(noisy)]
    return simulate(150, profiles, mode="boost", policy=policy, seed=1, faults=faults)


def most_in_its_second_minute(run: Run) -> int:
    """Return how many submits of the window's profile were accepted in the minute after its first reset."""
    starts = [each.start for each in run.attempts if each.profile == "bruno" and each.outcome == "succeeded"]
    return sum(60 <= start < 119 for start in starts)


def test_each_group_gets_its_dare_whatever_others_spend() -> None:
    """At its first reset the window submits all six, although the others have had many surprises by then."""
    assert most_in_its_second_minute(beside_a_noisy_group(Paced())) == 6


def test_a_budget_that_groups_share_would_take_it_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault that the test above is there for, planted: no dare is worth it once the run has learned five times."""
    news, note, to_come = [0], Prospects.note_pace, Prospects.scenes_to_come

    def note_pace(self: Prospects, group: int, pace: float) -> None:
        news[0] += 1
        note(self, group, pace)

    def scenes_to_come(self: Prospects, group: int, burst: int = 0) -> float:
        return 0.0 if news[0] > 5 else to_come(self, group, burst)

    monkeypatch.setattr(Prospects, "note_pace", note_pace)
    monkeypatch.setattr(Prospects, "scenes_to_come", scenes_to_come)
    assert most_in_its_second_minute(beside_a_noisy_group(Paced())) < 6


def test_figures_are_missed_without_dares(monkeypatch: pytest.MonkeyPatch) -> None:
    """They can fail: if no 429 is worth its price, the README's window stays a slow bucket."""
    monkeypatch.setattr(belief, "PRICE", math.inf)
    missed = paced_against(readme(range(10)), retry_after=True).missed(PACED_MOST[True])
    assert missed["mean"] > 1.2


def test_what_is_spent_is_bounded_by_what_can_be_saved() -> None:
    """With more scenes the share of 429s falls, and with a few there are only a few."""
    limits: list[Limit] = [SlidingWindow(6, per=60), TokenBucket(4, per=60)]
    shares = []
    for scenes in (12, 60, 300):
        given = [Scenario(0, {"a": limit}, {"a": Constant(5)}, scenes) for limit in limits]
        shares.append(paced_against(given, retry_after=False).rejected)
    assert shares == sorted(shares, reverse=True)
    assert shares[0] <= 0.3 and shares[-1] <= 0.04
