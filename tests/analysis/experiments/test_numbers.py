"""Any number of a run can be compared: by name, by dotted name, by a function."""

from __future__ import annotations

import pickle
from random import Random
from statistics import mean
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.experiments.cases import Case, Trial
from vidgen_nb.analysis.experiments.numbers import unit_of
from vidgen_nb.analysis.experiments.trials import Trials
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.errors import InputError

PROFILES = [
    vg.SimulatedProfile("p1", vg.TokenBucket(4, per=60), vg.LogNormal(20, 0.5), capacity=2),
    vg.SimulatedProfile("p2", vg.TokenBucket(2, per=60), vg.LogNormal(30, 0.5), capacity=2),
]
SEEDS = range(5)
NINETY: Any = lambda metrics: metrics.wait.quantile(0.9)  # noqa: E731 - as one writes it in a cell
POSITIVE: Any = lambda metrics: metrics.makespan > 0  # noqa: E731
METRICS: dict[str, Any] = {
    "wait.p95": lambda run: run.metrics().wait.p95,
    "wait.p99": lambda run: run.metrics().wait.quantile(0.99),
    "flow.mean": lambda run: mean(each.end - each.queued for each in run.scenes),
    "goodput": lambda run: run.metrics().goodput,
    "fairness": lambda run: run.metrics().fairness,
    "amplification": lambda run: len(run.attempts) / len(run.scenes),
    "split.ok": lambda run: run.metrics().split.ok,
    "profiles.p2.utilisation": lambda run: run.metrics().profiles[1].utilisation,
    "scenes.succeeded": lambda run: 25,
    "scenes.failed": lambda run: 0,
    "bound.seconds": lambda run: run.metrics().lower_bound,
}


@pytest.fixture(scope="module")
def compared() -> Trials:
    """Two policies with the same luck."""
    policies = ["GlobalPause", "PerProfileCooldown"]
    return vg.compare(25, PROFILES, policies=policies, modes="boost", seeds=SEEDS, progress=False)


@pytest.mark.parametrize("metric", METRICS)
def test_dotted_names(compared: Trials, metric: str) -> None:
    """The numbers are those of each run by itself; their differences are paired."""
    stop, move = (
        [METRICS[metric](vg.simulate(25, PROFILES, policy=name, mode="boost", seed=seed)) for seed in SEEDS]
        for name in ("GlobalPause", "PerProfileCooldown")
    )
    first, second = compared.summary(metric)
    assert first.mean == pytest.approx(mean(stop)) and second.mean == pytest.approx(mean(move))
    assert second.difference == pytest.approx(mean(b - a for a, b in zip(stop, move, strict=True)))


def test_functions(compared: Trials) -> None:
    """A function gets the metrics; what it returns is compared, a missing number is left out."""
    by_name = compared.summary("wait.p90")
    assert [each.mean for each in compared.summary(NINETY)] == [each.mean for each in by_name]
    assert [each.trials for each in compared.summary(lambda metrics: None)] == [0, 0]
    assert [each.mean for each in compared.summary(POSITIVE)] == [1, 1]
    assert compared.summary("over_wait.mean")[0].metric == "over_wait.mean"
    with pytest.raises(InputError, match="is no number, but a str"):
        compared.summary(lambda metrics: "fast")


@pytest.mark.parametrize(("metric", "says"), [
    ("wait", "is no number, but a Spread: say which one, such as wait.p50"),
    ("wait.p100", "no metric 'wait.p100'"),
    ("splt.ok", "did you mean 'split'"),
    ("profiles.p3.utilisation", "no metric"),
    ("", "no metric"),
    (3, "no metric 3"),
    ("scenes", "is no number"),
])  # fmt: skip
def test_what_is_no_metric(compared: Trials, metric: Any, says: str) -> None:
    """It says what is wrong and what to give instead."""
    with pytest.raises(InputError, match=says):
        compared.summary(metric)


def test_options_of_the_metrics() -> None:
    """Runs are measured as asked; a wrong option is an error before anything runs."""
    made = vg.compare(5, PROFILES, seeds=[1], progress=False, metrics={"ideal": {"p1": 1, "p2": 3}})
    expected = vg.simulate(5, PROFILES, seed=1).metrics(ideal={"p1": 1, "p2": 3}).fairness
    assert made.summary("fairness")[0].mean == expected
    swept = vg.sweep(
        5, PROFILES, grid={"cooldown": [5]}, seeds=[1], progress=False, metrics={"ideal": {"p1": 1, "p2": 3}}
    )
    assert swept.summary("fairness")[0].mean is not None
    wrong: Any
    for wrong in ({"idael": {}}, ["after"]):
        with pytest.raises(InputError, match="metrics"):
            vg.compare(5, PROFILES, seeds=[1], progress=False, metrics=wrong)


def test_memory(compared: Trials) -> None:
    """What is kept of a run does not say which scene had which value: a run of 2,000 scenes takes less than 100 kB."""
    (trial,) = vg.compare(2000, PROFILES[:1], seeds=[0], progress=False, latency=0)
    assert len(pickle.dumps(trial)) < 100_000
    assert trial.metrics is not None and trial.metrics.wait is not None and len(trial.metrics.wait.ordered) == 2000


def made_up(values: dict[str, list[float]]) -> Trials:
    """Return trials with these makespans."""
    cases = [Case(name, (("x", name),), Simulation([], [vg.SimulatedProfile("p")])) for name in values]
    trials = [
        Trial(name, (("x", name),), seed, value, 1, 1, 0, 0, 0, None, None)
        for name, numbers in values.items()
        for seed, value in enumerate(numbers)
    ]
    return Trials(cases, trials, len(trials))


def test_units() -> None:
    """Seconds and rates have one; shares and counts have none."""
    units = {name: unit_of(name) for name in ("wait.p95", "recovery.lost", "goodput", "arrival_rate", "split.ok")}
    assert units == {
        "wait.p95": " s",
        "recovery.lost": " s",
        "goodput": " per s",
        "arrival_rate": " per s",
        "split.ok": "",
    }


def test_in_words() -> None:
    """Told apart or not, by how much, and how many seeds it takes; never a difference that is none."""
    noise = [0.0, 8, -6, 3, -5]
    made = made_up({
        "a": [100.0] * 5, "far": [200 + each for each in noise], "near": [102 + each for each in noise],
        "same": [100.0] * 5,
    })  # fmt: skip
    far, near, same = made.in_words().splitlines()
    assert far == "far: makespan +100 s [+92.81, +107.2] against a, as 5 seeds show; 2 would be enough."
    assert near.startswith("near can't be told apart from a: makespan +2 s [-5.187, +9.187]; if it is so, ")
    assert same == "same and a have the same makespan with every seed."
    needed = made.summary()[2].seeds_needed
    assert needed is not None and f"{needed} seeds would show it" in near
    assert "one seed has no interval" in made_up({"a": [1.0], "b": [2.0]}).in_words()
    assert made_up({"a": [1.0]}).in_words() == "a: makespan 1 s, the mean of 1 run."
    assert made_up({"a": [1.0, 3.0]}).in_words() == "a: makespan 2 s [-10.71, 14.71], the mean of 2 runs."
    assert made_up({"a": [1.0], "b": [2.0]}).in_words("cost").startswith("No run has the number cost: no price is")


def test_the_best_is_among_those_not_told_apart_from_the_best() -> None:
    """Of 8 settings in 300 experiments: at most 5 % leave one of the best three out, and few keep a bad one."""
    rng = Random(2)
    missed = kept = 0
    for _ in range(300):
        luck = [rng.gauss(0, 10) for _ in range(8)]
        made = made_up({
            f"x{k}": [mean_ + each + rng.gauss(0, 3) for each in luck]
            for k, mean_ in enumerate([100, 100, 100, 104, 108, 112, 116, 120])
        })  # fmt: skip
        found = made.against_best()
        good = {each.case for each in found if not each.told_apart}
        missed += "x0" not in good
        kept += bool(good & {"x6", "x7"})
    assert missed / 300 <= 0.05
    assert kept / 300 <= 0.05


def test_more_may_be_better() -> None:
    """Of goodput the most is the best, of anything else the least, unless told otherwise."""
    made = made_up({"a": [1.0, 2.0], "b": [5.0, 6.5]})
    assert [each.difference == 0 for each in made.against_best()] == [True, False]
    assert [each.difference == 0 for each in made.against_best(most=True)] == [False, True]
    run = vg.compare(9, PROFILES, policies=["GlobalPause", "PerProfileCooldown"], seeds=range(3), progress=False)
    best = max(run.summary("goodput"), key=lambda each: each.mean or 0)
    assert next(each for each in run.against_best("goodput") if each.difference == 0).case == best.case
