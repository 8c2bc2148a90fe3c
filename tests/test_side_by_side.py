"""Two cases with the same luck: one figure, one sentence, and where they part."""

from __future__ import annotations

from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.errors import InputError
from vidgen_nb.side_by_side import Versus

PAIR = [vg.SimulatedProfile(name, None, vg.Constant(10), 1) for name in "ab"]


@pytest.fixture(scope="module")
def demo() -> Versus:
    """Give the headline: per-profile cooldown against a global pause, on the demo's four accounts."""
    found: Versus = vg.versus(vg.PerProfileCooldown(), vg.GlobalPause())
    return found


def test_the_headline(demo: Versus) -> None:
    """On the demo's accounts, moving on beats pausing by 41 s [31, 51], with every one of 10 seeds."""
    assert demo.sentence == (
        "With PerProfileCooldown the scenes are done 41 s sooner [31, 51] than with GlobalPause, in 10 of 10 seeds."
    )
    found = demo.difference
    assert (found.first, found.case) == ("PerProfileCooldown", "GlobalPause")
    assert (found.agree, found.seeds, found.told_apart) == (10, 10, True)
    compared = vg.compare(
        24, vg.demo_profiles(), policies=["PerProfileCooldown", "GlobalPause"], modes="boost", seeds=range(10),
        progress=False,
    )  # fmt: skip
    (_, same) = compared.summary()
    assert found.mean == same.difference
    assert found.interval == (same.difference_low, same.difference_high)


def test_the_luck_is_the_same(demo: Versus) -> None:
    """The runs that are drawn are those of the seed among all; a scene takes equally long on one profile in both."""
    assert list(demo.runs) == ["PerProfileCooldown", "GlobalPause"] and demo.seed == 0
    for name, run in demo.runs.items():
        assert run.metrics().makespan == demo.comparison.numbers()[name][0]
    times = [
        {(each.scene, each.profile): each.end - each.start for each in run.attempts
         if each.end is not None and each.outcome == "succeeded"}
        for run in demo.runs.values()
    ]  # fmt: skip
    both = times[0].keys() & times[1].keys()
    assert len(both) > 5
    assert all(times[0][key] == pytest.approx(times[1][key]) for key in both)


def test_where_they_part(demo: Versus) -> None:
    """The first 429 is where: one rests its profile, the other everything."""
    parted = demo.parted_at
    assert parted is not None
    at, scene, did = parted
    assert (at, scene) == (parted.at, parted.scene) == (0.0, "s009")
    assert did == {
        "PerProfileCooldown": "alice rests until 30.0 s (429 rate)",
        "GlobalPause": "alice, bruno, chiara and delta rest until 30.0 s (429 rate)",
    }


def test_it_shows_itself(demo: Versus, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a notebook it is the figure, whose title is the sentence; as text the sentence, and where they part."""
    import plotly.io

    monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")  # as in a notebook
    shown = demo._repr_mimebundle_()
    assert demo.chart().layout.title.text in shown["application/vnd.plotly.v1+json"]["layout"]["title"]["text"]
    assert shown["text/plain"] == repr(demo) == f"{demo.sentence}\n{demo.parted_at}"
    title = demo.chart().layout.title.text.replace("<br>", " ").replace("</b> <b>", " ")
    assert demo.sentence in title and "They part at 0.0 s, over s009." in title
    assert demo.sentence in demo._repr_html_()


def test_any_number_can_be_compared(demo: Versus) -> None:
    """Every metric of `compare`, at any time; each sentence says which."""
    other = Versus(demo.runs, demo.seed, demo.comparison, "wait.p95", 0.95)
    assert other.sentence.startswith("wait.p95: 16 s less [7, 25] with PerProfileCooldown than with GlobalPause, in")
    other.metric = "rate_limited"
    assert other.sentence.startswith("rate limited: 1.1 more [0.3, 1.9] with PerProfileCooldown")
    with pytest.raises(InputError, match="no metric 'speed'"):
        vg.versus("normal", "boost", scenes=2, seeds=1, metric="speed")


@pytest.mark.parametrize(
    ("cases", "names"),
    [
        (("GlobalPause", vg.PerProfileCooldown(5)), ["GlobalPause", "PerProfileCooldown"]),
        ((vg.GlobalPause(5), vg.GlobalPause()), ["GlobalPause(seconds=5)", "GlobalPause()"]),
        (("normal", vg.Mode("mine", max_submitting=2)), ["normal", "mine"]),
        ((PAIR, PAIR[:1]), ["2 profiles", "1 profile"]),
        ((PAIR[:1], PAIR[1]), ["a", "b"]),
        (({"cooldown": 5}, {"cooldown": 9, "latency": 1}), ["cooldown=5", "cooldown=9, latency=1"]),
        (({}, {"capacity": 4}, {"profiles": 3}), ["as given", "capacity=4", "profiles=3"]),
        (({"calm": "GlobalPause", "quick": {"cooldown": 1}},), ["calm", "quick"]),
    ],
)
def test_a_case_is_what_compare_and_sweep_take(cases: Any, names: list[str]) -> None:
    """A policy, a mode, profiles, a dict of changes; named by what sets them apart, or as the user says."""
    found = vg.versus(*cases, scenes=4, profiles=PAIR, seeds=2)
    assert list(found.runs) == names == found.comparison.cases
    assert len(found.differences) == len(names) - 1
    assert [each.case for each in found.differences] == names[1:]


def test_ties_and_single_seeds() -> None:
    """Where nothing differs the sentence says so, and claims no interval for one seed."""
    same = vg.versus("PerProfileCooldown", "GlobalPause", profiles=PAIR, scenes=4, seeds=3)
    assert same.sentence == (
        "With PerProfileCooldown and with GlobalPause the scenes are done at the same time, with each of 3 seeds."
    )
    assert same.parted_at is None and "They decide the same" in same.chart().layout.title.text
    one = vg.versus(PAIR[:1], PAIR, scenes=4, seeds=1, seed=5)
    assert one.sentence == (
        "With 1 profile the scenes are done 20.0 s later than with 2 profiles, with the one seed that was compared; "
        "give more seeds for an interval."
    )
    assert one.seed == 5 and one.difference.interval is None and one.difference.told_apart is None


def test_cases_that_cannot_be_told_apart() -> None:
    """A small difference is not sold as one: the sentence says so, and how many seeds would show it."""
    found = vg.versus({"cooldown": 10}, {"cooldown": 11})
    assert found.difference.told_apart is False
    assert found.sentence.startswith("cooldown=10 and cooldown=11 can't be told apart: with cooldown=10 the scenes are")
    assert found.sentence.endswith("seeds would show it.")


def test_failures_in_one_case() -> None:
    """A makespan of fewer scenes is not sold as one of all; where there is none, there is none to compare."""
    some = vg.versus({"good": {}, "bad": {"faults": [vg.Fault("content", scene="s003")]}}, profiles=PAIR, seeds=2)
    assert some.sentence == (
        "Not every scene succeeded: 24 of 24 with good, 23 of 24 with bad, on average. "
        "good and bad have no makespan to compare: with every seed, one of them left more scenes undone."
    )
    none = vg.versus({"good": {}, "bad": {"faults": [vg.Fault("content")]}}, profiles=PAIR, scenes=4, seeds=2)
    assert none.sentence.startswith("Not every scene succeeded: 4 of 4 with good, 0 of 4 with bad")
    assert none.difference.mean is None and none.difference.interval is None
    assert "4 of 4 with good, 0 of 4 with bad" in none.chart().layout.title.text.replace("<br>", " ").replace(
        "</b> <b>", " "
    )


def test_no_praise_for_what_was_left_over() -> None:
    """Makespans are compared with the seeds in which both left over as many scenes; the others are counted."""
    hurt = {"faults": [vg.Fault("content", probability=0.1)]}
    some = vg.versus({"quick": hurt, "whole": {"latency": 1.0}}, profiles=PAIR, scenes=12, seeds=8)
    made = some.comparison.numbers("succeeded")
    even = [seed for seed in range(8) if made["quick"][seed] == made["whole"][seed] == 12]
    assert 2 <= len(even) < 8
    found, numbers = some.difference, some.comparison.numbers("makespan", against="quick")["whole"]
    assert (found.seeds, found.uneven, found.asked) == (len(even), 8 - len(even), 8)
    assert found.mean == pytest.approx(sum(numbers[seed] for seed in even) / len(even))
    left = f"{found.uneven} seeds left out: one case left more scenes undone"
    assert some.sentence.startswith("Not every scene succeeded: ")
    assert "sooner" in some.sentence and some.sentence.endswith(f"in {len(even)} of {len(even)} seeds ({left}).")


def test_more_scenes_are_no_failure() -> None:
    """Cases may have different numbers of scenes: their makespans are compared if all of them succeed."""
    found = vg.versus({"scenes": 4}, {"scenes": 8}, profiles=PAIR, seeds=2)
    assert (
        found.sentence
        == "With scenes=4 the scenes are done 20.0 s sooner [20.0, 20.0] than with scenes=8, in 2 of 2 seeds."
    )


@pytest.mark.parametrize(
    ("cases", "options", "says"),
    [
        ((), {}, "two cases or more"),
        (("normal",), {}, "two cases or more"),
        (("normal", "normal"), {}, "two cases are both normal"),
        (("normal", "fast"), {}, "'fast' is none of them"),
        (("normal", 3), {}, "3 is none of them"),
        ((vg.GlobalPause, "boost"), {}, "is none of them"),
        (({"seed": 1}, {"seed": 2}), {}, "no seed of its own"),
        (({"cooldwn": 1}, {}), {}, "'cooldwn' can't be varied"),
        (("normal", "boost"), {"seeds": 0}, "seeds is how many"),
        (("normal", "boost"), {"seeds": [1, 1]}, "different whole numbers"),
        (("normal", "boost"), {"seed": 1.5}, "seed is a whole number"),
        (("normal", "boost"), {"sceens": 1}, "no argument 'sceens'; did you mean 'scenes'"),
        (("normal", "boost"), {"confidence": 95}, "between 0 and 1"),
    ],
)
def test_wrong_input(cases: Any, options: dict[str, Any], says: str) -> None:
    """What can't be compared is said in words."""
    few: dict[str, Any] = {"scenes": 2, "profiles": PAIR, "seeds": 1}
    with pytest.raises(InputError, match=says):
        vg.versus(*cases, **few | options)


def test_recorded_runs_are_sent_elsewhere() -> None:
    """Two recorded runs have no seeds: the error names the chart for them."""
    run = vg.simulate(2, PAIR)
    with pytest.raises(InputError, match=r"one.aligned_chart\(other\)"):
        vg.versus(run, run)
