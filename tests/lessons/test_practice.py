"""An exercise of a teacher's own: tries, hints, and answers of somebody who is still learning to program."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.lessons.outputs import TRIES
from vidgen_nb.lessons.practice import Practice

ALONE = [vg.SimulatedProfile("alice", vg.TokenBucket(2, per=60), vg.Constant(10))]
GIVEN = {"scenes": 4, "profiles": ALONE, "mode": "boost"}


def own(**changes: Any) -> Practice:
    """Begin an exercise: four scenes need 70 s at least, when the bucket has its fourth token and the job is done."""
    settings = {
        "name": "two-tokens",
        "task": "Finish 4 scenes in less than 72 s. At most 3 submits may be refused.",
        "given": GIVEN,
        "goals": ["makespan below 72", "refusals at most 3"],
        "hints": ["What does a refusal say?", "honour_retry_after=True"],
        "seeds": range(2),
    }
    return vg.exercise(vg.Exercise(**(settings | changes)))


class Raises(vg.Policy):
    """Divides by zero."""

    def on_429(self, group: Any, outcome: Any, now: float) -> vg.Cooldown:
        """Fail."""
        return vg.Cooldown("group", now + 1 / (now - now))


class Exits(vg.Policy):
    """Leaves the program."""

    def on_429(self, group: Any, outcome: Any, now: float) -> vg.Cooldown:
        """Exit."""
        sys.exit(3)


class Misspelt(vg.Policy):
    """Has a word wrong in what it returns."""

    def on_429(self, group: Any, outcome: Any, now: float) -> vg.Cooldown:
        """Return a cooldown of a scope that there is not."""
        return vg.Cooldown("grp", now)  # type: ignore[arg-type]


class Nothing(vg.Policy):
    """Forgot to return."""

    def on_429(self, group: Any, outcome: Any, now: float) -> Any:
        """Return nothing."""


class Wrong(vg.Policy):
    """Has too few parameters."""

    def on_429(self, outcome: Any) -> Any:  # type: ignore[override]
        """Never called."""


class AMomentLater(vg.Policy):
    """Says that a submit may leave in a moment, whenever it is asked."""

    def on_429(self, group: Any, outcome: Any, now: float) -> vg.Cooldown:
        """Rest."""
        return vg.Cooldown("group", now + 30)

    def earliest(self, profile: str, now: float) -> float:
        """Never now."""
        return now + 1e-9


class Never(AMomentLater):
    """Submits nothing."""

    def earliest(self, profile: str, now: float) -> float:
        """Return no time at all."""
        return float("inf")


class Interrupted(vg.Policy):
    """Is stopped by hand."""

    def on_429(self, group: Any, outcome: Any, now: float) -> vg.Cooldown:
        """As if somebody had pressed ■."""
        raise KeyboardInterrupt


def test_tries_make_a_table() -> None:
    """Each has its answer, a number for each goal, the hints so far, and the result; in text, HTML and data."""
    ex = own()
    first = ex.check(vg.PerProfileCooldown(45))
    assert not first and not ex.passed
    assert "makespan: mean 100.0 s over 2 seeds (asked: below 72 s) ✗" in str(first)
    assert str(ex.hint()) == "Hint 1 of 2: What does a refusal say?"
    second = ex.check(vg.PerProfileCooldown(honour_retry_after=True))
    assert second and ex.passed
    assert ex.tries.rows() == [
        ["#", "answer", "makespan", "refusals", "hints", "result"],
        ["1", "PerProfileCooldown(seconds=45)", "100.0 s ✗", "3 ✓", "0", "not yet"],
        ["2", "PerProfileCooldown(honour_retry_after=True)", "70.0 s ✓", "3 ✓", "1", "passed"],
    ]
    for text in (str(ex.tries), str(second), str(ex), second._repr_mimebundle_()["text/html"]):
        assert "100.0 s ✗" in text and "PerProfileCooldown(seconds=45)" in text
    data = json.loads(json.dumps(second._repr_mimebundle_()[TRIES]))
    assert (data["exercise"], data["passed"], data["hints"]) == ("two-tokens", True, 1)
    assert data["tries"][0]["goals"][0] == {
        "goal": "makespan", "measured": "100.0 s", "passed": False,
        "text": "makespan: mean 100.0 s over 2 seeds (asked: below 72 s)",
    }  # fmt: skip


def test_two_goals_about_one_number_have_one_column() -> None:
    """With both marks."""
    ex = own(goals=["makespan below 72", "makespan below 60 with every seed"])
    ex.check(vg.PerProfileCooldown(honour_retry_after=True))
    assert ex.tries.rows()[1][2] == "70.0 s ✓, 70.0 s ✗"


def test_hints_come_in_steps_and_end() -> None:
    """The last one stays; an exercise without any says so."""
    ex = own()
    assert [str(ex.hint()) for _ in range(3)] == [
        "Hint 1 of 2: What does a refusal say?",
        "Hint 2 of 2: honour_retry_after=True",
        "That was the last hint: honour_retry_after=True",
    ]
    assert ex.hints_given == 2
    assert "no hints" in str(own(hints=[]).hint())


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Raises, "ZeroDivisionError: float division by zero (in on_429, line "),
        (Nothing(), "Nothing.on_429 returned None: a policy returns a Cooldown(...)"),
        (Wrong(), "takes 2 positional arguments but 4 were given"),
        (AMomentLater(), "this run does not come to an end: after 20,000 steps"),
        (42, "the answer is a policy, such as vg.PerProfileCooldown(10), or a class of your own"),
        ("PerProfileCoolDown", "unknown policy 'PerProfileCoolDown'"),
        (vg.Policy(), "needs an on_429 method of its own"),
        (vg.Run, "the answer is a policy"),
        pytest.param(10**5000, "not <int without a repr>", id="5,000 digits"),
        (Exits(), "SystemExit: 3 (in on_429, line "),
        (Misspelt(), "not 'grp' (in on_429, line "),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(answer: Any, problem: str) -> None:
    """It is a try, in the table with the others, and nothing is raised."""
    ex = own()
    check = ex.check(answer)
    assert problem in check.tried.problem
    assert check.tried.problem in str(check) and not check and ex.tries.rows()[1][-1] == "error"
    assert ex.check(vg.PerProfileCooldown(honour_retry_after=True)).tried.number == 2


def test_the_line_is_quoted() -> None:
    """The student's, not one of this package."""
    problem = own().check(Raises()).tried.problem
    assert 'return vg.Cooldown("group", now + 1 / (now - now))' in problem


def test_scenes_that_are_left_are_a_goal_missed() -> None:
    """Whatever the exercise asks for: nothing done is not fast."""
    check = own(goals=["refusals at most 2"]).check(Never())
    assert "scenes: 4 of 4 are not done with seed 0 (asked: all) ✗" in str(check)
    assert not check.passed
    assert "makespan: none with seed 0 ✗" in str(own().check(Never())), "two of four scenes are not a quick run"


def test_what_is_given_stays_as_it_is() -> None:
    """Whatever a student does with it; and whatever a teacher does with the list that it was made of."""
    mine = list(ALONE)
    ex = own(given={**GIVEN, "profiles": mine})
    mine.clear()
    ex.given["profiles"][0] = vg.SimulatedProfile("alice")  # without a limit
    assert not ex.check(vg.PerProfileCooldown(300)).passed and ex.given["profiles"] == ALONE


def test_whole_numbers() -> None:
    """5.0 is one; 5.5 is an answer only where it is not asked for whole ones."""
    ex = own(answer="number", sets="scenes", goals=["makespan at most 10"], most=4, whole=True)
    assert ex.check(2.0)
    assert "a whole number from 0 to 4, not 2.5" in ex.check(2.5).tried.problem


def test_an_interrupted_try_is_in_the_table() -> None:
    """And the interrupt goes on, as it must."""
    ex = own()
    with pytest.raises(KeyboardInterrupt):
        ex.check(Interrupted())
    assert ex.tries[0].problem.startswith("interrupted")


def test_other_kinds_of_answers() -> None:
    """Settings, numbers, choices, runs, and anything that a function measures."""
    settings = own(answer="settings", may_change=["policy", "scenes"], goals=["makespan below 72"])
    assert settings.check({"scenes": 2}) and not settings.check({"scenes": 6})
    assert "'mode' can't be changed in this exercise" in settings.check({"mode": "normal"}).tried.problem
    assert "at most 500 scenes" in settings.check({"scenes": 501}).tried.problem
    number = own(answer="number", sets="scenes", goals=["makespan at most 10"], most=4)
    assert number.check(2) and not number.check(3)
    assert "a number from 0 to 4, not 5" in number.check(5).tried.problem
    truth = own(answer="number", goals=[], truth=lambda run: run.metrics().makespan, within=0.1)
    assert truth.check(75) and not truth.check(95)
    choice = own(answer="choice", choices=["alice", "bruno"], goals=[], truth="alice")
    assert choice.check("alice") and not choice.check("bruno")
    assert "one of 'alice', 'bruno'" in choice.check("delta").tried.problem
    run = own(answer="run", given={}, goals=[lambda run: len(run.scenes) == 3])
    assert run.check(vg.simulate(3, ALONE)) and not run.check(vg.simulate(4, ALONE))
    assert "a Run" in run.check(3).tried.problem
    anything = own(answer="any", given={}, measure=lambda answer, seed: {"sum": sum(answer)}, goals=["sum at most 3"])
    assert anything.check([1, 2]) and not anything.check([1, 2, 3])
    assert "TypeError" in anything.check(5).tried.problem


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"name": ""}, "name is a text"),
        ({"task": None}, "task is a text"),
        ({"goals": []}, "it has no goal"),
        ({"goals": ["be quick"]}, "can't read the goal 'be quick'"),
        ({"goals": ["makespam below 7"]}, "which no run has; did you mean 'makespan'"),
        ({"goals": ["beats Pacer on makespan"]}, "'Pacer' is no policy"),
        ({"goals": [vg.Run]}, "a goal is a text such as"),
        ({"given": {"profiles": ALONE, "scene": 4}}, "'scene', which vg.simulate does not take; did you mean 'scenes'"),
        ({"given": {"scenes": 4, "profiles": ["alice"]}}, "profiles are SimulatedProfile"),
        ({"given": 4}, "given is a dict"),
        ({"answer": "policies"}, "answer is one of policy"),
        ({"answer": "settings"}, "give may_change="),
        ({"answer": "choice"}, "two or more choices="),
        ({"answer": "any"}, "needs measure="),
        ({"answer": "number", "least": 3, "most": 2}, "between least and most"),
        ({"seeds": []}, "seeds are 1 to 50 whole numbers"),
        ({"seeds": [1, 1]}, "each once"),
    ],
)
def test_what_is_wrong_with_an_exercise_is_said(changes: dict[str, Any], wrong: str) -> None:
    """When it is defined, not when a class of thirty tries it."""
    with pytest.raises(vg.InputError, match=wrong):
        own(**changes)


def test_unknown_names_are_errors() -> None:
    """With the one that was meant."""
    with pytest.raises(vg.InputError, match="did you mean 'retry-after'"):
        vg.exercise("retry_after")
    with pytest.raises(vg.InputError, match="takes the name of one"):
        vg.exercise(2)  # type: ignore[arg-type]
    with pytest.raises(vg.InputError, match="next-profile, limits, retry-after"):
        vg.exercise()


def test_somebody_elses_text_is_escaped() -> None:
    """In the task, the answer, and the table."""
    ex = own(task="Be <b>quick</b>.", title="<i>two</i>", goals=[lambda run: (False, "<u>slow</u>")])
    html = ex._repr_mimebundle_()["text/html"] + ex.check("<s>").tried.problem
    html = ex._repr_mimebundle_()["text/html"] + ex.check(vg.Paced())._repr_mimebundle_()["text/html"]
    assert not any(tag in html for tag in ("<b>quick", "<i>two", "<u>slow", "<s>"))
    assert "&lt;u&gt;slow" in html


def test_the_same_tries_give_the_same_numbers() -> None:
    """All that is random comes from the exercise's seeds."""
    both = [vg.exercise("jitter").check(vg.ExponentialCooldown(10, jitter="full")) for _ in range(2)]
    assert both[0].tried.verdicts == both[1].tried.verdicts


def test_goals_of_clients_are_about_all_of_them() -> None:
    """Any number that clients have together, by the name that one run's has; another name is a try with a message."""
    given = {"clients": 3, "scenes": 2, "profiles": ALONE}
    check = own(given=given, goals=["wait.p95 at least 0", "succeeded at least 6"]).check(vg.PerProfileCooldown())
    assert check.passed, str(check)
    problem = own(given=given, goals=["efficiency at least 0"]).check(vg.PerProfileCooldown()).tried.problem
    assert "efficiency" in problem and "makespan" in problem
