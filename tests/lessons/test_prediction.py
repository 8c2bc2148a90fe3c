"""A guess: how it is made, met, and kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.lessons.guesses.prediction import Prediction
from vidgen_nb.lessons.outputs import PREDICTION

TWO = [
    vg.SimulatedProfile("alice", vg.TokenBucket(4, per=60), vg.Constant(20), capacity=8),
    vg.SimulatedProfile("bruno", vg.FixedWindow(2, per=60), vg.Constant(20), capacity=8),
]


@pytest.fixture(scope="module")
def run() -> vg.Run:
    """Give a run in which bruno refuses first."""
    return vg.simulate(12, TWO, mode="boost", latency=0.5)


def test_a_script_guesses_and_meets(run: vg.Run) -> None:
    """Without a notebook the guess is an argument, and what comes of it is text."""
    first = vg.predict("Who refuses first?", ["alice", "bruno"], answer="first refusal", guess="alice")
    assert first.guess == "alice"
    assert "Your guess: alice (" in str(first)
    meeting = first.meet(run)
    assert str(meeting) == "You guessed alice; bruno refused first, at 0.5 s."
    assert (meeting.guess, meeting.truth, meeting.right) == ("alice", "bruno", False)
    assert str(meeting) in str(first)


@pytest.mark.parametrize(
    ("answer", "truth", "sentence"),
    [
        ("first refusal", "bruno", "You guessed bruno: right, bruno refused first, at 0.5 s."),
        ("first result", "alice", "You guessed bruno; alice was first, with s001 at 21.5 s."),
        ("most results", "alice", "You guessed bruno; alice made the most: 8 of 12."),
        (lambda run: run.attempts[0].profile, "alice", "You guessed bruno; it was alice."),
        (lambda run: ("bruno", "it has less"), "bruno", "You guessed bruno: right, it has less."),
        ("bruno", "bruno", "You guessed bruno: right."),
    ],
)  # fmt: skip
def test_the_truth_is_found(run: vg.Run, answer: Any, truth: str, sentence: str) -> None:
    """By a question to the run, a function of it, or as it was given."""
    meeting = vg.predict("Who?", ["alice", "bruno"], answer=answer, guess="bruno").meet(run)
    assert (meeting.truth, meeting.sentence) == (truth, sentence)
    assert meeting.right == (truth == "bruno")


@pytest.mark.parametrize(
    ("guess", "right", "said"),
    [
        (70, True, "You guessed 70 s; it was 68.2 s: close, 1.8 s too high (3 %)."),
        (50, False, "You guessed 50 s; it was 68.2 s: 18.2 s too low (27 %)."),
        (68.2, True, "You guessed 68.2 s: right, it was 68.2 s."),
    ],
)
def test_numbers_are_met_with_the_difference(guess: float, right: bool, said: str) -> None:
    """Within a tenth counts as right."""
    meeting = vg.predict("How long?", unit="s", guess=guess).reveal(68.2)
    assert (meeting.right, str(meeting)) == (right, said)


def test_metrics_answer_numbers(run: vg.Run) -> None:
    """By their names, dotted ones too; a range is a number to slide to."""
    assert vg.predict("How long?", unit="s", answer="makespan", guess=1).meet(run).truth == run.metrics().makespan
    assert vg.predict("How many?", range(30), unit="429s", answer="rate_limited", guess=3).meet(run).truth > 0
    with pytest.raises(vg.InputError, match="did you mean 'makespan'"):
        vg.predict("How long?", unit="s", answer="makespam").meet(run)


def test_free_text_is_not_judged() -> None:
    """A machine can't tell whether it is right."""
    meeting = vg.predict("Why?", guess="the window begins anew").reveal("the window", "its window begins anew at 60 s")
    assert meeting.right is None
    assert str(meeting) == "You guessed “the window begins anew”; its window begins anew at 60 s."


def test_a_guess_is_not_changed_silently() -> None:
    """After the result it is kept as late, and the one before it counts; both are said."""
    first = vg.predict("Who?", ["alice", "bruno"], guess="alice")
    first.guess = "alice"
    first.reveal("bruno")
    first.guess = "bruno"
    meeting = first.reveal("bruno")
    assert (meeting.guess, meeting.right) == ("alice", False)
    assert "Changed to bruno after the result was known" in str(meeting)
    assert "Changed to bruno after the result was known" in str(first)
    assert [each.late for each in first.guesses] == [False, False, True]


def test_no_guess_is_said() -> None:
    """Who did not guess has no result; a late guess is none."""
    first = vg.predict("Who?", ["alice", "bruno"])
    assert first.guess is None and "Not guessed yet." in str(first)
    assert str(first.reveal("bruno")) == "No guess was made; it was bruno."
    first.guess = "bruno"
    assert first.reveal("bruno").right is None


def test_what_is_kept_is_text_html_and_data() -> None:
    """All three have question, guess and meeting; somebody else's text is escaped."""
    first = vg.predict("Who <b>refuses</b>?", ["alice & co", "bruno"], guess="alice & co")
    first.reveal("bruno", "bruno <script>")
    bundle = first._repr_mimebundle_()
    for part in ("Who <b>refuses</b>?", "You guessed alice & co; bruno <script>."):
        assert part in bundle["text/plain"]
    assert "Who &lt;b&gt;refuses&lt;/b&gt;?" in bundle["text/html"]
    assert "alice &amp; co; bruno &lt;script&gt;" in bundle["text/html"] and "<script>" not in bundle["text/html"]
    data = json.loads(json.dumps(bundle[PREDICTION]))
    assert data["question"] == first.question and data["guesses"][0]["guess"] == "alice & co"
    assert data["met"] == {
        "guess": "alice & co", "truth": "bruno", "right": False,
        "sentence": "You guessed alice & co; bruno <script>.",
    }  # fmt: skip
    assert first.reveal("bruno")._repr_mimebundle_()[PREDICTION] == bundle[PREDICTION]


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"question": ""}, "needs a question"),
        ({"question": "Who?", "choices": "alice"}, "choices is a list"),
        ({"question": "Who?", "choices": ["alice"]}, "two or more, each once"),
        ({"question": "Who?", "choices": ["alice", "alice"]}, "two or more, each once"),
        ({"question": "Who?", "choices": ["alice", "bruno"], "guess": "delta"}, "one of 'alice', 'bruno', not 'delta'"),
        ({"question": "How long?", "unit": "s", "guess": "long"}, r"a number \(unit: s\), up to 1e\+15, not 'long'"),
        ({"question": "How many?", "choices": range(5), "guess": 7}, "a whole number from 0 to 4, not 7"),
        ({"question": "How many?", "choices": range(0, 20, 5), "guess": 7}, "from 0 to 15 in steps of 5, not 7"),
        ({"question": "How long?", "unit": "s", "guess": 10**400}, "up to 1e.15, not 1000"),
        ({"question": "How long?", "unit": "s", "guess": float("inf")}, "up to 1e.15, not inf"),
        ({"question": "Why?", "guess": 7}, "is a text, not 7"),
        ({"question": "How long?", "unit": 5}, "unit is a text"),
    ],
)
def test_what_is_wrong_is_said(arguments: dict[str, Any], wrong: str) -> None:
    """With the question, and what is wanted."""
    with pytest.raises(vg.InputError, match=wrong):
        vg.predict(**arguments)


def test_what_a_function_may_return(run: vg.Run) -> None:
    """True or False where yes and no are the choices; nothing, where a run has no answer."""
    moved = vg.predict("Does a scene move?", ["yes", "no"], answer=lambda run: len(run.moves) > 0, guess="yes")
    assert (moved.meet(run).right, moved.meet(run).truth) == (True, "yes")
    none = vg.predict("How long does it take?", unit="s", answer="makespan", guess=3)
    assert str(none.meet(vg.simulate(0, vg.demo_profiles()))) == "You guessed 3 s; this run has no answer to it."
    with pytest.raises(vg.InputError, match="is a number, or a run that has it, not 'soon'"):
        none.meet("soon")


def test_one_is_no_plural_and_profiles_are_their_names(run: vg.Run) -> None:
    """Refusals are called so here, too, and the runs of clients have numbers."""
    many = vg.predict("How many refusals?", unit="refusals", answer=lambda run: 1, guess=1)
    assert str(many.meet(run)) == "You guessed 1 refusal: right, it was 1 refusal."
    many = vg.predict("How many?", unit="refusals", answer="refusals", guess=9)
    assert many.meet(run).truth == run.metrics().rate_limited
    who = vg.predict("Who?", vg.demo_profiles(), guess=vg.demo_profiles()[1])
    assert who.guess == "bruno"
    found = vg.simulate_clients(3, 2, vg.demo_profiles(2))
    assert vg.predict("How many calls?", unit="calls", answer="calls", guess=9).meet(found).truth == found.calls
    with pytest.raises(vg.InputError, match="first refusal"):
        vg.predict("Who?", ["alice", "bruno"], answer="first refusal").meet(found)


def test_a_run_without_a_question_is_an_error(run: vg.Run) -> None:
    """It says how to ask; and so does nothing at all."""
    first = vg.predict("Who?", ["alice", "bruno"], guess="alice")
    with pytest.raises(vg.InputError, match="what should be asked of the run"):
        first.meet(run)
    with pytest.raises(vg.InputError, match="takes the run"):
        first.meet()
    assert first.meet("bruno").truth == "bruno"
    assert first.meeting is not None


def test_the_form_hands_over_and_follows() -> None:
    """What is chosen is the guess; what a cell sets is shown; the result closes the form."""
    from vidgen_nb.lessons.guesses.guess_form import GuessForm

    asked = Prediction("Who?", ["alice", "bruno"])
    form = asked._form = GuessForm(asked)
    choice, said = form.root.children[1], form.root.children[2]
    choice.value = "bruno"
    assert asked.guess == "bruno" and "Your guess: bruno" in said.value
    asked.guess = "alice"
    assert choice.value == "alice" and len(asked.guesses) == 2
    asked.reveal("bruno")
    assert choice.disabled and "You guessed alice; it was bruno." in said.value
    form.root.close()

    for asked, value in (
        (Prediction("Long?", unit="s"), 4.5),
        (Prediction("Many?", range(9)), 7),
        (Prediction("?"), "x"),
    ):
        form = asked._form = GuessForm(asked)
        field, _, keep = form.root.children[1].children
        field.value = value
        assert asked.guess is None  # not before the button
        keep.click()
        assert asked.guess == value
        asked.reveal(value)
        assert keep.disabled
        form.root.close()
