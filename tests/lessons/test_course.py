"""The course's exercises: a known solution passes, the naive answer fails, and what a task says is true."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import Any, ClassVar

import pytest

import vidgen_nb as vg
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Fetch, Poll
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.lessons.course import EXERCISES
from vidgen_nb.lessons.course.resume import states
from vidgen_nb.lessons.practice import Practice

TOLD = vg.PerProfileCooldown(honour_retry_after=True)


class OnTime(vg.Policy):
    """Holds each submit back until its account's window, which it was told, has room."""

    LIMITS: ClassVar = {"alice": (6, 20), "bruno": (4, 20)}

    def __init__(self) -> None:
        self.sent: dict[str, list[float]] = {"alice": [], "bruno": []}

    def on_429(self, group: Any, outcome: Any, now: float) -> vg.Cooldown:
        """Rest for the length of the window."""
        return vg.Cooldown("group", now + 20)

    def earliest(self, profile: str, now: float) -> float:
        """Return when the oldest of as many submits as the window admits leaves it."""
        n, per = self.LIMITS[profile]
        sent = self.sent[profile]
        return now if len(sent) < n else max(now, sent[-n] + per)

    def observe(self, event: Any, now: float) -> None:
        """Note when a submit was accepted."""
        if type(event).__name__ == "AttemptStarted":
            self.sent[event.profile].append(now)


class ByTheClock(vg.Policy):
    """Rests until the account's next window begins, which nobody told it but its documentation."""

    def on_429(self, group: Any, outcome: Any, now: float) -> vg.Cooldown:
        """Return the window's end."""
        per = {"alice": 30, "bruno": 55}[group.name]
        return vg.Cooldown("group", (now // per + 1) * per)


def one_organisation(count: int = 4, limit: vg.Limit | None = None) -> list[vg.SimulatedProfile]:
    """Return accounts below one limit, where a refused request counts."""
    above = vg.Organisation("studio", limit or vg.SlidingWindow(6, per=60, count_refusals=True))
    return [
        vg.SimulatedProfile(name, service=vg.Constant(20), capacity=3, organisation=above)
        for name in ("alice", "bruno", "chiara", "delta")[:count]
    ]


PLAN = {"waiting": "submit", "submitting": "hold", "accepted": "ask", "done": "nothing"}
FOUND = {"alice": vg.TokenBucket(4, per=60), "bruno": vg.FixedWindow(5, per=45), "chiara": None}
SOLUTIONS: dict[str, list[Any]] = {
    "next-profile": ["chiara"],
    "retry-after": [TOLD, vg.Paced(), ByTheClock],
    "global-pause": [
        {"profiles": one_organisation(), "scenes": 24},
        {"profiles": one_organisation(2), "scenes": 40},
        {"profiles": one_organisation(3, vg.SlidingWindow(6, per=30, count_refusals=True)), "scenes": 24},
    ],
    "jitter": [vg.ExponentialCooldown(10, jitter="full"), vg.ExponentialCooldown(5, jitter="decorrelated")],
    "slots": [5],
    "tail": [{"policy": TOLD}, {"policy": "Paced"}, {"policy": "Paced", "capacity": 4}],
    "retry-budget": [4],
    "inference": [FOUND, {**FOUND, "alice": vg.TokenBucket(4, per=58), "bruno": vg.FixedWindow(5, per=46)}],
    "beat-paced": [
        vg.PerProfileCooldown(20),
        OnTime,
        vg.Paced({"alice": vg.SlidingWindow(6, per=20), "bruno": vg.SlidingWindow(4, per=20)}),
    ],
    "resume": [PLAN, {state: action.upper() for state, action in PLAN.items()}],
}
NAIVE: dict[str, list[Any]] = {
    "next-profile": ["alice", "bruno", "delta"],
    "retry-after": [vg.PerProfileCooldown(), vg.PerProfileCooldown(5), vg.GlobalPause(), vg.ExponentialCooldown()],
    "global-pause": [
        {"profiles": vg.demo_profiles(), "scenes": 24},
        {"profiles": [vg.SimulatedProfile("alone", vg.TokenBucket(4, per=60))], "scenes": 12},
    ],
    "jitter": [vg.PerProfileCooldown(), TOLD, vg.ExponentialCooldown(10), vg.ExponentialCooldown(5, jitter="full")],
    "slots": [12, 6, 4, 1],
    "tail": [
        {},
        {"order": "shortest"},
        {"policy": "Paced", "order": "shortest"},
        {"policy": vg.PerProfileCooldown(5)},
        {"policy": vg.GlobalPause()},
    ],
    "retry-budget": [1, 3, 5, 10, 40],
    "inference": [{**FOUND, "bruno": vg.SlidingWindow(5, per=45)}, {**FOUND, "chiara": vg.TokenBucket(60, per=60)}],
    "beat-paced": [vg.Paced(), vg.PerProfileCooldown(), vg.PerProfileCooldown(10), TOLD],
    "resume": [
        {**PLAN, "submitting": "submit"},
        {**PLAN, "accepted": "submit"},
        {**PLAN, "submitting": "nothing"},
        {**PLAN, "done": "ask"},
        dict.fromkeys(PLAN, "hold"),
    ],
}


def held(name: str, solutions: list[Any], naive: list[Any]) -> None:
    """Hold that some answers pass, and others are tries with numbers that say what to look at next."""
    practice = vg.exercise(name)
    for answer in solutions:
        check = practice.check(answer)
        assert check.passed, str(check)
    for answer in naive:
        check = practice.check(answer)
        assert not check.passed and not check.tried.problem, str(check)
        assert "Next: " in str(check)
    assert len(practice.tries) == len(solutions) + len(naive)


@pytest.mark.parametrize("name", SOLUTIONS)
def test_a_solution_passes_and_a_naive_answer_fails(name: str) -> None:
    """What is asked can be reached, and not by what one would do without thinking."""
    held(name, SOLUTIONS[name][:1], NAIVE[name][:1])


@pytest.mark.long
@pytest.mark.parametrize("name", SOLUTIONS)
def test_other_answers(name: str) -> None:
    """Other ways to reach it pass, and what misses one goal only fails."""
    held(name, SOLUTIONS[name][1:], NAIVE[name][1:])


@pytest.mark.parametrize("name", EXERCISES)
def test_all_is_told(name: str) -> None:
    """Each has a task of at most three sentences, goals and hints in steps, and shows what an answer is."""
    practice = vg.exercise(name)
    text = str(practice)
    assert practice.exercise.name == name and len(practice.exercise.hints) >= 2
    assert practice.exercise.task.count(". ") <= 2 and len(practice.exercise.task) < 330
    assert all(part in text for part in ("Given:", "Goals:", "An answer is:", practice.exercise.task))
    assert name in SOLUTIONS or name == "limits"


def test_every_exercise_is_simulated_with_what_it_gives() -> None:
    """`ex.given` is what vg.simulate takes, and gives the run that a check measures."""
    ex = vg.exercise("retry-after")
    run = vg.simulate(**ex.given, policy=TOLD, seed=3)
    assert run.events == ex.check(TOLD).runs[3].events == ex.run(TOLD, seed=3).events


@pytest.mark.long
def test_no_fixed_wait_beats_70_seconds() -> None:
    """As its hint says, no wait suits both accounts."""
    ex = Practice(EXERCISES["retry-after"]())
    assert not any(ex.check(vg.PerProfileCooldown(wait)) for wait in (2, 8, 12.5, 15, 16.5, 20, 25, 28, 30, 50, 55, 60))


def test_the_state_that_is_told_is_the_runs() -> None:
    """The scene waits from the refusal until the place that its new profile had promised is free."""
    practice = vg.exercise("next-profile")
    run = practice.run("chiara")
    second = [each for each in run.attempts if each.outcome == "rate_limited"][1]
    following = next(each for each in run.attempts if each.scene == second.scene and each.number == second.number + 1)
    wait = following.start - second.end
    assert f"chiara at {second.end:.1f} s: generates 3 of 3, has a free place in {wait:.1f} s" in str(practice)


def test_a_wrong_profile_is_told_what_it_does_just_then() -> None:
    """And not which is right; a name in capitals, or the profile itself, is the same answer."""
    practice = vg.exercise("next-profile")
    assert "Next: alice generates 1 of 3, rests for 12.5 s more." in str(practice.check("alice"))
    assert "chiara" not in "".join(practice.check("delta").lines())
    assert practice.check(" Chiara").passed and practice.check(vg.demo_profiles()[2]).passed
    assert "one of 'alice', 'bruno', 'chiara', 'delta', not 'eve'" in practice.check("eve").tried.problem


def test_tell_three_limits_apart() -> None:
    """Whatever was dealt, four submits to each of two accounts tell all three."""
    practice = vg.exercise("limits")
    seen = set()
    for _ in range(30):
        accounts = practice.given["accounts"]
        told = {name: [accounts[name].submit(at=at) for at in (50, 50, 61, 81)] for name in "abc"}
        kinds = {
            ("accepted", "accepted", "accepted", "accepted"): "fixed window",
            ("accepted", "accepted", "429", "accepted"): "token bucket",
            ("accepted", "accepted", "429", "429"): "sliding window",
        }
        found = {name: kinds[tuple(answers)] for name, answers in told.items()}
        seen.add(tuple(found.values()))
        assert practice.check(found).passed
    assert len(seen) == 6


@pytest.mark.parametrize(
    "kinds",
    [
        ("token_bucket", "Fixed Window", "SlidingWindow"),
        (vg.TokenBucket, vg.FixedWindow, vg.SlidingWindow),
        (vg.TokenBucket(2, per=60), vg.FixedWindow(2, per=60), vg.SlidingWindow(2, per=60)),
    ],
)
def test_a_kind_has_many_names(kinds: tuple[Any, ...]) -> None:
    """As text in any spelling, as the class, or as the limit itself."""
    practice = vg.exercise("limits")
    accounts = practice.given["accounts"]
    for name in "abc":
        _ = [accounts[name].submit(at=at) for at in (50, 50, 61, 81)]
    named = dict(zip(("token bucket", "fixed window", "sliding window"), kinds, strict=True))
    assert practice.check({name: named[accounts.kinds[name]] for name in "abc"}).passed


@pytest.mark.parametrize(
    ("exercise", "answer", "said"),
    [
        ("slots", 0, "a whole number from 1 to 12"),
        ("retry-budget", 0, "a whole number from 1 to 40"),
        ("global-pause", {"profiles": vg.demo_profiles()}, 'give both: {"profiles"'),
        ("tail", {"capacity": 0}, "capacity is a whole number from 1 up, not 0"),
        ("retry-after", type("Empty", (vg.Policy,), {}), "Empty can't decide: a policy needs an on_429 method"),
        (
            "resume",
            {**PLAN, "accepted": "wait"},
            "accepted: an action is one of submit, ask, hold, nothing, not 'wait'",
        ),
    ],
)
def test_a_slip_is_told(exercise: str, answer: Any, said: str) -> None:
    """What is no answer at all is told in the words of the exercise, and not with a line of Python's own library."""
    problem = vg.exercise(exercise).check(answer).tried.problem
    assert said in problem and "line" not in problem


def test_what_to_look_at_is_about_the_wrong_account() -> None:
    """A limit that was never met has no chart to look at; one that was met can be told."""
    practice = vg.exercise("inference")
    assert 'ex.given["run"].admission_chart("bruno", limit=' in str(practice.check({**FOUND, "bruno": FOUND["alice"]}))
    assert "How many 429s did chiara answer?" in str(practice.check({**FOUND, "chiara": FOUND["alice"]}))
    assert "alice answered with 429s, so something can be told" in str(practice.check({**FOUND, "alice": None}))


def test_luck_does_not_pass() -> None:
    """Who names the kinds without an answer that shows them is right once in six times, and then it is no proof."""
    practice = vg.exercise("limits")
    kinds = dict(practice.given["accounts"].kinds)
    check = practice.check(kinds)
    assert not check.passed and "but that was luck: 6 ways to deal fit" in str(check)


def test_hidden_accounts_say_what_is_wrong() -> None:
    """Twelve submits are all there are, and an account's time does not go back; a wrong answer deals again."""
    practice = vg.exercise("limits")
    accounts = practice.given["accounts"]
    account = accounts["a"]
    account.submit(at=10)
    with pytest.raises(vg.InputError, match="time does not go back to 9 s"):
        account.submit(at=9)
    for at in range(11):
        accounts["b"].submit(at=at)
    with pytest.raises(vg.InputError, match="all 12 submits are used"):
        account.submit(at=20)
    assert "11 at" not in repr(account) and "at 10 s" in repr(account)
    wrong = {"a": "token bucket", "b": "token bucket", "c": "token bucket"}
    check = practice.check(wrong)
    assert "1 of 3 are right" in str(check) and accounts.left == 12
    problem = practice.check({"a": "leaky bucket", "b": "fixed window", "c": "sliding window"}).tried.problem
    assert "kinds are token bucket" in problem


@pytest.mark.parametrize("seed", range(3))
def test_the_plan_is_what_the_product_does(seed: int) -> None:
    """A run that was broken off is restored by the plan that passes."""
    ex = vg.exercise("resume")
    run = vg.simulate(**ex.given, seed=seed)
    at = 0.4 * (run.metrics().makespan or 0.0)
    settings: dict[str, Any] = {"mode": vg.BOOST, "policy": vg.PerProfileCooldown(), "retry": vg.RetryPolicy()}
    twin = Scheduler.replay([each for each in run.events if each.at <= at], **settings, rng=Random(seed))
    stands = states(run, at)
    twin.handle(ev.Stopped(), at)
    for state in [each for each in twin.scenes.values() if each.status == "submitting"]:
        twin.handle(ev.AttemptAbandoned(state.scene.id, state.number, sent=True, reason="killed"), at)
    restored = ev.RunRestored(
        epoch=1e9, speed=1.0, seed=0, retry=vg.RetryPolicy(), on_ambiguous="hold", max_wait=9.0, hold_unknown_jobs=True
    )
    asked = {command.scene.id for command in twin.handle(restored, at) if isinstance(command, Poll | Fetch)}
    does = {"queued": "submit", "held": "hold", "succeeded": "nothing"}
    done = {scene: "ask" if scene in asked else does[twin.scenes[scene].status] for scene in stands}
    assert done == {scene: PLAN[state] for scene, state in stands.items()}
    assert len(set(stands.values())) >= 3


def test_the_numbers_in_the_tasks() -> None:
    """What a task says of its given is so."""
    retry = vg.exercise("retry-budget")
    assert len(retry.given["arrivals"]) == retry.given["scenes"] == 280
    assert sum(100 <= at < 100.5 for at in retry.given["arrivals"]) == 41  # forty, and one that would have come anyway
    calm = [at for at in retry.given["arrivals"] if at == round(at, 1) and at % 2.5 == 0]
    run = vg.simulate(**{**retry.given, "arrivals": calm, "scenes": len(calm)})
    assert all(each.status == "succeeded" for each in run.scenes)
    assert len(run.attempts) == len(calm)  # carried easily: nobody gives up
    without = vg.simulate(**retry.given)
    assert sum(each.status == "succeeded" for each in without.scenes) < 60


@pytest.mark.long
def test_the_other_ways_do_worse() -> None:
    """Of all sizes up to 40, 4 is the smallest that recovers, and the large ones do not."""
    practice = vg.exercise("retry-budget")
    late = [size for size in (1, 2, 3, 30, 40) if "recovered: no" in str(practice.check(size))]
    assert late == [1, 2, 3, 30, 40]
    for number, size in zip(count(6), (5, 20), strict=False):
        assert f"but {size - 1} would do" in str(practice.check(size))
        assert practice.tries[-1].number == number


@pytest.mark.long
def test_what_the_hints_name_can_be_called() -> None:
    """A hint that gives an error teaches nothing."""
    ex = vg.exercise("slots")
    assert ex.run(4).metrics().makespan
    assert vg.sweep(**ex.given, grid={"capacity": range(1, 13)}, seeds=range(2), progress=False).chart()
    ex = vg.exercise("tail")
    assert ex.run({}).wait_chart() and ex.run({}).slot_time_chart()
    ex = vg.exercise("retry-budget")
    assert ex.run(10).queue_chart() and ex.run(40).queue_chart()
    run = vg.exercise("inference").given["run"]
    assert run.admission_chart("alice") and run.admission_chart("bruno", limit=vg.SlidingWindow(5, per=45))
    assert "fixed window" in str(run.estimate_limits()["bruno"])
    assert vg.simulate_clients(**vg.exercise("jitter").given, policy=vg.ExponentialCooldown(10, jitter="full"))
    check = vg.exercise("retry-after").check(vg.PerProfileCooldown(10))
    assert check.runs[0].gantt() and any(each.retry_after for each in check.runs[0].attempts)
