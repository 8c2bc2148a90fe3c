"""Experiments of many simulated runs, as records that draw themselves: `compare` and `sweep`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from vidgen_nb.analysis.experiments import compare as comparing
from vidgen_nb.analysis.experiments import sweep as sweeping
from vidgen_nb.analysis.experiments.executors import Submitter
from vidgen_nb.analysis.experiments.numbers import Metric
from vidgen_nb.analysis.simulation.overrides import checks_options
from vidgen_nb.core.model import Mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.provider import SimulatedProfile

if TYPE_CHECKING:
    from vidgen_nb.charts.drawing.engine import go

__all__ = ["Comparison", "Sweep", "compare", "sweep"]


class Comparison(comparing.Comparison):
    """The results of policies and modes, compared seed by seed; the first case is the baseline."""

    def chart(self, metric: Metric = "makespan", **options: Any) -> go.Figure:
        """Return the cases' means and paired differences, with intervals; as `charts.comparisons.comparison_chart`."""
        from vidgen_nb.charts.comparisons import comparison_chart

        return comparison_chart(self, metric, **options)


class Sweep(sweeping.Sweep):
    """The results of all combinations of a grid's values; the first one is the baseline."""

    def chart(self, metric: Metric = "makespan", **options: Any) -> go.Figure:
        """Return the means over the first axis, with intervals and the bound; as `charts.sweeps.sweep_chart`."""
        from vidgen_nb.charts.sweeps import sweep_chart

        return sweep_chart(self, metric=metric, **options)


@checks_options
def compare(
    scenes: Any,
    profiles: Iterable[SimulatedProfile],
    *,
    policies: Sequence[Policy | str] | Mapping[str, Policy | str] | None = None,
    modes: Mode | str | Sequence[Mode | str] = "normal",
    seeds: Iterable[int] = range(20),
    executor: Submitter | None = None,
    progress: bool = True,
    metrics: Mapping[str, Any] | None = None,
    **options: Any,
) -> Comparison:
    """Simulate every policy in every mode with every seed, and return the records.

    `scenes`, `profiles`, `options`: as in `simulate`. `policies`: instances or names, or a dict that gives them names
    of your own. With the k-th seed, every case has the same luck. `executor`: where to run them, any of
    concurrent.futures or a dask.distributed Client; None: here. `metrics`: options of `run.metrics`, such as
    `{"after": 600}` for the steady state. The result has `summary(metric)`, `in_words(metric)` and `chart(metric)` for
    every number of `run.metrics()`. An interrupt returns the runs that had finished, with `.partial` true; an error
    carries them as its attribute `finished`. Raises `InputError` for what can't be simulated.

    >>> compare(20, [SimulatedProfile("p1")], policies=["GlobalPause", "PerProfileCooldown"]).chart("wait.p95")
    """
    found = comparing.compare(
        scenes, profiles, policies=policies, modes=modes, seeds=seeds, executor=executor, progress=progress,
        metrics=metrics, kind=Comparison, **options,
    )  # fmt: skip
    return cast("Comparison", found)


@checks_options
def sweep(
    scenes: Any,
    profiles: Iterable[SimulatedProfile],
    *,
    grid: Mapping[str, Iterable[Any]],
    make: Callable[..., Mapping[str, Any]] | None = None,
    mode: Mode | str = "normal",
    policy: Policy | str | None = None,
    seeds: Iterable[int] = range(20),
    executor: Submitter | None = None,
    progress: bool = True,
    metrics: Mapping[str, Any] | None = None,
    **options: Any,
) -> Sweep:
    """Simulate every combination of the grid's values with every seed, and return the records.

    `grid`: values by name: a setting of the policy (`cooldown` means its seconds), `policy`, `mode`, `scenes` (how
    many), `profiles` (how many: copies beyond the given ones), a field of every profile such as `capacity` or `limit`,
    or another field of a simulation such as `latency` or `arrivals`. `make`: for anything else, a function that is
    called with the values by name and returns what to change: `make=lambda rate: {"limit": TokenBucket(rate, per=60)}`.
    The rest is as in `compare`. Raises `InputError` for what can't be varied or simulated.

    >>> sweep(20, [SimulatedProfile("p1")], grid={"cooldown": [5, 10, 30]}, seeds=range(3)).chart()
    """
    found = sweeping.sweep(
        scenes, profiles, grid=grid, make=make, mode=mode, policy=policy, seeds=seeds, executor=executor,
        progress=progress, metrics=metrics, kind=Sweep, **options,
    )  # fmt: skip
    return cast("Sweep", found)
