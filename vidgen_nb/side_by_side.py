"""Cases side by side: the same luck, one axis, one cursor; where they part, and their difference over several seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from vidgen_nb.analysis.experiments.cases import seeds_from
from vidgen_nb.analysis.experiments.executors import Submitter, run_cases
from vidgen_nb.analysis.experiments.numbers import Metric, metric_name
from vidgen_nb.analysis.experiments.paired import PairedDifference, found_in_words, paired_difference
from vidgen_nb.analysis.experiments.parting import Parting, parted_words, parting_of
from vidgen_nb.analysis.simulation.overrides import as_scenes, checks_options
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.validation import as_profiles, whole
from vidgen_nb.core.model import Mode, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.experiments.results import Comparison
from vidgen_nb.experiments.versus_cases import versus_cases
from vidgen_nb.plaintext import html_line
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.registry import as_policy
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.provider.demo_profiles import demo_profiles
from vidgen_nb.run import Run

if TYPE_CHECKING:
    from vidgen_nb.charts.drawing.engine import go

__all__ = ["Versus", "versus"]


class Versus:
    """Cases with the same luck: their runs with one seed, drawn, and their difference over several; shows itself.

    The first case is the one that the others are compared with.
    """

    def __init__(
        self, runs: Mapping[str, Run], seed: int, comparison: Comparison, metric: Metric, confidence: float
    ) -> None:
        self.runs = dict(runs)
        """A run of each case, by its name: those that are drawn."""
        self.seed = seed
        """Their seed."""
        self.comparison = comparison
        """All runs with all seeds, as `compare` returns them: `chart`, `summary` and more, for every number."""
        self.metric = metric
        """The number that is compared; another one may be set at any time."""
        self.confidence = confidence
        """Of the interval."""

    @property
    def differences(self) -> list[PairedDifference]:
        """How each further case differs from the first, seed by seed."""
        first, *others = self.comparison.cases
        return [
            paired_difference(self.comparison, case, first, self.metric, confidence=self.confidence) for case in others
        ]

    @property
    def difference(self) -> PairedDifference:
        """How the second case differs from the first: `mean`, `interval`, and `agree` of `seeds`."""
        return self.differences[0]

    @property
    def parted_at(self) -> Parting | None:
        """Where the runs that are drawn part: `at` (run seconds), `scene`, and what each `did`; None: nowhere.

        Of more than two, where the first one to part from the first case does.
        """
        first, *others = self.runs.items()
        each = [parting_of({name: run.data for name, run in (first, other)}) for other in others]
        return min((found for found in each if found is not None), key=lambda found: found.at, default=None)

    @property
    def sentence(self) -> str:
        """What was found over all seeds, a sentence for each case but the first."""
        return found_in_words(self.comparison, self.differences)

    def chart(self, **options: Any) -> go.Figure:
        """Return the Gantts over one axis, with one cursor; options as in `charts.experiments.versus.versus_chart`."""
        from vidgen_nb.charts.experiments.versus import versus_chart

        runs = {name: run.data for name, run in self.runs.items()}
        return versus_chart(runs, self.sentence, self._note, self.parted_at, **options)

    @property
    def _note(self) -> str:
        """What is drawn, and what the intervals are of."""
        seeds = len({trial.seed for trial in self.comparison})
        if seeds < 2:
            return f"Seed {self.seed} for each."
        intervals = f"{100 * self.confidence:g} % interval{'s' if len(self.runs) > 2 else ''}"
        return f"Drawn: seed {self.seed}, the same luck for each. {intervals} over {seeds:,} seeds, paired."

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Return the chart, with what was found as text beside it."""
        shown: dict[str, Any] = self.chart()._repr_mimebundle_(include, exclude)
        return shown | {"text/plain": repr(self)}

    def _repr_html_(self) -> str:
        """Return what was found, for where no chart can be drawn."""
        parted = html_line(parted_words(self.parted_at), 2000)
        return f"<p><b>{html_line(self.sentence, 2000)}</b></p><p>{parted} {escape(self._note)}</p>"

    def __repr__(self) -> str:
        return f"{self.sentence}\n{parted_words(self.parted_at)}"


@checks_options
def versus(
    *cases: Any,
    scenes: Any = 24,
    profiles: Iterable[SimulatedProfile] | None = None,
    mode: Mode | str = "boost",
    policy: Policy | str | None = None,
    seeds: int | Iterable[int] = 10,
    seed: int | None = None,
    metric: Metric = "makespan",
    confidence: float = 0.95,
    executor: Submitter | None = None,
    progress: bool = False,
    metrics: Mapping[str, Any] | None = None,
    **options: Any,
) -> Versus:
    """Simulate two cases, or more, with the same luck, and return both: drawn one above the other, and compared.

    `cases`: each a policy or its name, a mode or its name, a list of profiles, or a dict of what is changed, named as
    in a grid for `sweep`: `{"cooldown": 10}`. One dict alone gives them names of your own. `scenes`, `mode`, `policy`,
    `options`: of all cases, as in `simulate`; `profiles`: default: the demo's four. `seeds`: how many, or which; `seed`
    is the one that is drawn, and of so many the first (0). `metric`, `confidence`, `metrics`, `executor`: as in
    `compare` and `Trials.summary`. Raises `InputError` for what can't be simulated, and for fewer than two cases.

    >>> found = versus(PerProfileCooldown(), GlobalPause())
    >>> found.sentence, found.difference.interval, found.parted_at
    """
    provided = demo_profiles() if profiles is None else as_profiles(profiles)
    chosen = as_policy(policy) if policy is not None else PerProfileCooldown()
    base = Simulation(as_scenes(scenes), provided, as_mode(mode), chosen, **options)
    made = versus_cases(cases, base, metrics)
    metric_name(metric)
    first = None if seed is None else whole("seed", seed)
    all_seeds = seeds_from(seeds, first or 0)
    drawn = all_seeds[0] if first is None else first
    found = run_cases(made, all_seeds, executor, progress=progress, into=partial(Comparison, made))
    runs = {case.name: Run(*case.simulation.with_seed(drawn).run()) for case in made}
    shown = Versus(runs, drawn, found, metric, confidence)
    _ = shown.differences  # says what is wrong with metric and confidence
    return shown
