"""Comparisons: one record per case and seed, paired by seed, the same wherever they are run."""

from __future__ import annotations

import math
import sys
import warnings
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import fields
from multiprocessing import get_context
from statistics import mean
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.experiments import executors
from vidgen_nb.analysis.experiments.cases import Case, Trial, run_trials
from vidgen_nb.analysis.experiments.numbers import NUMBERS
from vidgen_nb.analysis.experiments.trials import Trials
from vidgen_nb.core.model import Mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.experiments.compare import compare
from vidgen_nb.experiments.results import Comparison
from vidgen_nb.experiments.sweep import sweep
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.provider import Fault, LogNormal, SimulatedProfile, TokenBucket
from vidgen_nb.run import simulate

PROFILES = [
    SimulatedProfile("p1", TokenBucket(4, per=60), LogNormal(20, 0.5)),
    SimulatedProfile("p2", TokenBucket(2, per=60), LogNormal(30, 0.5)),
]


def test_records_are_those_of_the_runs() -> None:
    """Each record has the numbers of a run with that policy, mode and seed, in the order of cases and seeds."""
    found = vg.compare(
        12, PROFILES, policies=["GlobalPause", PerProfileCooldown(10)], modes=["normal", "boost"], seeds=range(3),
        progress=False,
    )  # fmt: skip
    assert isinstance(found, Comparison)
    assert found.cases == [
        "GlobalPause, normal", "PerProfileCooldown, normal", "GlobalPause, boost", "PerProfileCooldown, boost",
    ]  # fmt: skip
    assert [(trial.case, trial.seed) for trial in found] == [(name, seed) for name in found.cases for seed in range(3)]
    trial = found[5]
    run = simulate(12, PROFILES, policy=PerProfileCooldown(10), seed=2)
    metrics = run.metrics()
    assert dict(trial.values) == {"policy": "PerProfileCooldown", "mode": "normal"}
    assert (trial.seed, trial.makespan, trial.attempts) == (2, metrics.makespan, metrics.attempts)
    assert (trial.rate_limited, trial.moves, trial.succeeded) == (metrics.rate_limited, metrics.moves, 12)
    assert trial.wasted == sum(each.outcome != "succeeded" for each in run.attempts) > 0
    assert not found.partial and len(found) == 12 and repr(found) == "<Comparison: 4 cases, 12 runs>"


def test_every_number_is_a_field() -> None:
    """The table of numbers and the record's fields name the same."""
    assert [each.name for each in fields(Trial)] == ["case", "values", "seed", *NUMBERS, "metrics"]


def test_the_summary_is_paired() -> None:
    """Means with intervals; differences seed by seed, whose interval is narrower than that of the means."""
    found = compare(
        24, PROFILES, policies={"stop": GlobalPause(30), "move": "PerProfileCooldown"}, seeds=range(8), progress=False
    )
    stop, move = found.summary()
    makespans = {name: [trial.makespan or 0.0 for trial in found if trial.case == name] for name in found.cases}
    assert stop.mean == pytest.approx(mean(makespans["stop"]))
    assert (stop.difference, stop.difference_low, stop.difference_high) == (0.0, 0.0, 0.0)
    assert move.difference == pytest.approx(mean(makespans["move"]) - mean(makespans["stop"]))
    assert move.low is not None and move.high is not None and move.mean is not None
    assert move.low < move.mean < move.high and move.trials == 8
    assert move.difference_high is not None and move.difference is not None and move.difference_high < 0
    (_, attempts) = found.summary("attempts", confidence=0.5, baseline="move")
    assert attempts.difference == 0.0 and attempts.mean == mean(t.attempts for t in found if t.case == "move")
    for options, says in (({"metric": "speed"}, "no metric 'speed'"), ({"baseline": "x"}, "no case 'x'"),
                          ({"confidence": 95}, "between 0 and 1")):  # fmt: skip
        with pytest.raises(InputError, match=says):
            found.summary(**options)


def test_where_nothing_succeeded() -> None:
    """Runs without a makespan are left out, and counted; one that is left alone has no bounds."""
    dead = compare(3, PROFILES, seeds=[1], progress=False, faults=[Fault("content")])
    (case,) = dead.summary()
    assert (case.trials, case.mean, case.low, case.difference) == (0, None, None, None)
    assert "–" in dead._repr_html_()
    (alone,) = compare(3, PROFILES, seeds=[1], progress=False).summary()
    assert (alone.low, alone.high) == (-math.inf, math.inf)


def test_frames() -> None:
    """A column for each field, and one for each thing that sets the cases apart."""
    found = compare(4, PROFILES, policies=["GlobalPause", "PerProfileCooldown"], seeds=range(2), progress=False)
    frame = found.to_frame()
    assert list(frame.columns) == ["case", "policy", "mode", "seed", *NUMBERS]
    assert list(frame["policy"]) == ["GlobalPause"] * 2 + ["PerProfileCooldown"] * 2
    assert list(frame["makespan"]) == [trial.makespan for trial in found]
    summary = found.to_frame("summary", metric="attempts")
    assert list(summary["metric"]) == ["attempts"] * 2 and "difference_low" in summary.columns
    with pytest.raises(InputError, match="no table 'cases'"):
        found.to_frame("cases")


def test_names_of_policies() -> None:
    """A class's name; of several of one class, the settings that are not defaults; or what the user says."""
    two = compare(1, PROFILES, policies=[PerProfileCooldown(), PerProfileCooldown(5)], seeds=[0], progress=False)
    assert two.cases == ["PerProfileCooldown()", "PerProfileCooldown(seconds=5.0)"] or two.cases == [
        "PerProfileCooldown()", "PerProfileCooldown(seconds=5)",
    ]  # fmt: skip
    with pytest.raises(InputError, match="two policies are both"):
        compare(1, PROFILES, policies=["GlobalPause", GlobalPause(30.0)], seeds=[0], progress=False)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seeds": []}, "seeds is how many, or different whole numbers"),
        ({"seeds": [1, 1]}, "seeds is how many, or different whole numbers"),
        ({"seeds": 0}, "seeds is how many, 1 or more, or which"),
        ({"seeds": ["a"]}, "seeds is how many, or different whole numbers"),
        ({"seeds": [1.5]}, "seeds is how many, or different whole numbers"),
        ({"seeds": [True]}, "seeds is how many, or different whole numbers"),
        ({"seeds": [[1]]}, "seeds is how many, or different whole numbers"),
        ({"policies": []}, "policies is empty"),
        ({"modes": []}, "modes are one or more"),
        ({"modes": ["boost", "boost"]}, "different names"),
        ({"executor": object()}, "executor is one of concurrent.futures"),
    ],
)
def test_bad_input(options: dict[str, Any], says: str) -> None:
    """It says what is wrong and what to give instead."""
    with pytest.raises(InputError, match=says):
        compare(1, PROFILES, progress=False, **options)
    with pytest.raises(InputError, match="SimulatedProfile"):
        compare(1, ["p1"], progress=False)  # type: ignore[list-item]


def grid(executor: executors.Submitter | None) -> Trials:
    """Return the same small sweep, run wherever."""
    cooldowns = {"cooldown": [5, 30], "profiles": [1, 3]}
    boost = Mode("boost", None, 8)
    return sweep(10, PROFILES, grid=cooldowns, mode=boost, seeds=range(7), executor=executor, progress=False)


def test_the_same_in_threads_and_processes() -> None:
    """In this process, in threads and in processes of their own the records are equal, and in one order."""
    here = grid(None)
    with ThreadPoolExecutor(2) as threads, ProcessPoolExecutor(2, get_context("spawn")) as processes:
        assert grid(threads).trials == here.trials
        assert grid(processes).trials == here.trials


@pytest.mark.long
def test_the_same_on_a_dask_cluster() -> None:
    """On a dask cluster with worker processes the records are equal, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        distributed = pytest.importorskip("distributed")
        with (
            distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as some,
            distributed.Client(some) as client,
        ):
            here = grid(None).trials
            assert grid(client).trials == here
            with client.get_executor() as executor:  # one of concurrent.futures, with futures of that kind
                assert grid(executor).trials == here


class ShutDown(ThreadPoolExecutor):
    """An executor that does two tasks at once, and is then shut down."""

    tasks = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it, except the third."""
        self.tasks += 1
        if self.tasks == 3:
            self.shutdown()
        future = super().submit(fn, *args, **kwargs)
        future.exception()
        return future


def test_an_executor_that_is_shut_down() -> None:
    """The error says so, and has what had finished before."""
    with ThreadPoolExecutor(1) as gone:
        pass
    with pytest.raises(InputError, match=r"the executor takes no work \(cannot schedule new .*leave executor= out"):
        compare(2, PROFILES, seeds=range(3), executor=gone, progress=False)
    with ShutDown(1) as half, pytest.raises(InputError, match="takes no work") as failed:
        compare(2, PROFILES, seeds=range(20), executor=half, progress=False)
    assert len(failed.value.finished) == 2 * executors.RUNS_PER_TASK  # type: ignore[attr-defined]


def test_an_executor_that_is_shut_down_meanwhile() -> None:
    """What it had not begun is cancelled: the error says so, and has what had finished."""
    done: Future[Any] = Future()

    class Cancelled(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            if not done.done():
                done.set_result(fn(*args, **kwargs))
                return done
            future: Future[Any] = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with Cancelled(1) as executor, pytest.raises(InputError, match="was shut down") as failed:
        compare(2, PROFILES, seeds=range(20), executor=executor, progress=False)
    assert len(failed.value.finished) == executors.RUNS_PER_TASK  # type: ignore[attr-defined]


class Interrupting(ThreadPoolExecutor):
    """An executor in whose third task the user interrupts."""

    tasks = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it at once, except the third."""
        self.tasks += 1
        future: Future[Any] = Future()
        if self.tasks < 3:
            future.set_result(fn(*args, **kwargs))
        elif self.tasks == 3:
            future.set_exception(KeyboardInterrupt())
        return future


def test_an_interrupt_keeps_what_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """What had finished is returned, marked as partial, here and on an executor; what waits is cancelled."""
    runs = 0

    def interrupted(case: Case, seeds: list[int]) -> list[Trial]:
        nonlocal runs
        runs += 1
        if runs == 4:
            raise KeyboardInterrupt
        return run_trials(case, seeds)

    monkeypatch.setattr(executors, "run_trials", interrupted)
    found = compare(2, PROFILES, policies=["GlobalPause", "PerProfileCooldown"], seeds=range(10), progress=False)
    assert found.partial and [trial.seed for trial in found] == [0, 1, 2]
    assert repr(found) == "<Comparison: 2 cases, 3 runs of 20, broken off>"
    assert "Broken off: 3 of 20 runs" in found._repr_html_()
    assert found.summary()[1].mean is None
    monkeypatch.setattr(executors, "run_trials", run_trials)
    with Interrupting(1) as executor:
        elsewhere = compare(2, PROFILES, seeds=range(20), executor=executor, progress=False)
    assert elsewhere.partial and len(elsewhere) == 2 * executors.RUNS_PER_TASK


def test_a_failure_elsewhere_is_raised() -> None:
    """An error in a run comes out as it is, with a note of the case and the seed, and with what had finished."""

    class Broken(Policy):
        """Decides nothing."""

        def on_429(self, *_: Any) -> Any:
            """Fail."""
            raise ZeroDivisionError

    policies = {"well": PerProfileCooldown(), "broken": Broken()}
    with ThreadPoolExecutor(1) as threads:
        for executor in (None, threads):
            with pytest.raises(ZeroDivisionError) as failed:
                compare(9, PROFILES, policies=policies, modes="boost", seeds=[1, 2], executor=executor, progress=False)
            finished = "<Comparison: 2 cases, 2 runs of 4, broken off>"
            assert failed.value.__notes__ == [
                "in the run of case 'broken' with seed 1",
                f"this error's `finished` (in a notebook: sys.last_value.finished) is {finished}",
            ]
            assert [(each.case, each.seed) for each in failed.value.finished] == [("well", 1), ("well", 2)]  # type: ignore[attr-defined]


def test_what_cant_be_sent() -> None:
    """A fault with a lambda runs here and in threads; for processes the error says what to do."""
    options: dict[str, Any] = {"faults": [Fault("content", prompt=lambda text: True)], "progress": False}
    assert len(compare(1, PROFILES, seeds=[1], **options)) == 1
    with ThreadPoolExecutor(1) as threads:
        assert len(compare(1, PROFILES, seeds=[1], executor=threads, **options)) == 1
    with ProcessPoolExecutor(1, get_context("spawn")) as processes, pytest.raises(InputError, match="without lambda"):
        compare(1, PROFILES, seeds=[1], executor=processes, **options)


def test_what_a_process_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class of a notebook's cell can be sent, but processes may not know it: the error says what to do."""

    class Mine(PerProfileCooldown):
        """A policy of one's own."""

    Mine.__module__, Mine.__qualname__ = "__main__", "Mine"
    monkeypatch.setattr(sys.modules["__main__"], "Mine", Mine, raising=False)
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as processes,
        pytest.raises(InputError, match="move it to a mod"),
    ):
        compare(1, PROFILES, policies=[Mine()], seeds=[1], executor=processes, progress=False)


def test_a_bar_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """It counts runs, on stderr; without progress there is none."""
    compare(2, PROFILES, seeds=range(3))
    shown = capsys.readouterr()
    assert shown.out == "" and "3/3" in shown.err
    compare(2, PROFILES, seeds=range(3), progress=False)
    assert capsys.readouterr().err == ""


def test_html() -> None:
    """A row for each case, with what is given as a name escaped."""
    found = compare(3, PROFILES, policies={"<b>": "GlobalPause"}, seeds=range(2), progress=False)
    assert "<td>&lt;b&gt;</td>" in found._repr_html_() and "±" in found._repr_html_()
