"""Many simulated runs as records that draw themselves; and what a run is asked that needs another beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast, overload

from vidgen_nb.analysis.experiments import compare as comparing
from vidgen_nb.analysis.experiments import sweep as sweeping
from vidgen_nb.analysis.experiments.executors import Submitter
from vidgen_nb.analysis.experiments.numbers import Metric
from vidgen_nb.analysis.experiments.what_if_trials import what_if_trials
from vidgen_nb.analysis.metrics.little import Little, little
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.simulation.overrides import checks_options
from vidgen_nb.analysis.simulation.what_if import what_if
from vidgen_nb.analysis.validation import plain_number
from vidgen_nb.core.events import Event
from vidgen_nb.core.model import Mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.provider import SimulatedProfile

if TYPE_CHECKING:
    from vidgen_nb.charts.drawing.engine import go

__all__ = ["Comparison", "Questions", "Sweep", "compare", "sweep"]


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


class Questions:
    """What can be asked of records, for `run.Run`, which has them."""

    def __init__(self, header: dict[str, Any], events: Sequence[Event]) -> None:
        raise NotImplementedError

    @property
    def data(self) -> RunData:
        """The records that charts and analysis read."""
        raise NotImplementedError

    def little(self, **options: Any) -> Little:
        """Return L and λW by window, and whether Little's law holds; options as in `analysis.metrics.little.little`."""
        return little(self.data, **options)

    def little_chart(self, **options: Any) -> go.Figure:
        """Return the queue's mean length L beside λW, window by window; options as in `charts.little.little_chart`."""
        from vidgen_nb.charts.little import little_chart

        return little_chart(self.data, **options)

    def recovery_chart(self, **options: Any) -> go.Figure:
        """Return the goodput around an outage, beside the same luck without it; as `charts.recovery.recovery_chart`."""
        from vidgen_nb.charts.recovery import recovery_chart

        return recovery_chart(self.data, **options)

    @overload
    def what_if(
        self,
        *,
        policy: Policy | str | None = None,
        mode: Mode | str | None = None,
        profiles: int | Iterable[SimulatedProfile] | None = None,
        seed: int | None = None,
        seeds: None = None,
        **changes: Any,
    ) -> Self: ...

    @overload
    def what_if(
        self,
        *,
        policy: Policy | str | None = None,
        mode: Mode | str | None = None,
        profiles: int | Iterable[SimulatedProfile] | None = None,
        seeds: int | Iterable[int],
        executor: Submitter | None = None,
        metrics: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Comparison: ...

    def what_if(
        self,
        *,
        policy: Policy | str | None = None,
        mode: Mode | str | None = None,
        profiles: int | Iterable[SimulatedProfile] | None = None,
        seed: int | None = None,
        seeds: int | Iterable[int] | None = None,
        executor: Submitter | None = None,
        metrics: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Self | Comparison:
        """Run it again in virtual time, with something changed, and return that run; with `seeds`, an interval.

        `profiles`: others, or how many of these (more are copies). `changes`: named as in a grid for `sweep`,
        such as `cooldown=10` or `capacity=4`. A simulated run knows everything; for a live one, limits are estimated,
        its scenes take as long as they did, and `header["what_if"]["assumed"]` says what was assumed.

        `seeds`: which, or how many (the run's own comes first): the run is simulated as it was and changed, with the
        same luck, and what is returned is a `Comparison` of the two, with `summary`, `in_words`, `spread` and `chart`;
        `executor` and `metrics` as in `compare`. The first pair has the recorded luck; in the others it is drawn, of a
        live run from the service times and limits that it showed.

        >>> run.what_if(cooldown=10, seeds=20).in_words()
        """
        given = {"policy": policy, "mode": mode, "profiles": plain_number(profiles), "seed": seed}
        changed = {name: each for name, each in given.items() if each is not None} | changes
        if seeds is None:
            return type(self)(*what_if(self.data, changed))
        made = what_if_trials(self.data, changed, seeds, executor=executor, metrics=metrics, kind=Comparison)
        return cast("Comparison", made)
