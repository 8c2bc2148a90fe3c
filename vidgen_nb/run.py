"""A run: what was recorded, and the questions that it answers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgen_nb.analysis.bounds.lower_bound import LowerBound, bound
from vidgen_nb.analysis.costs import RunCost, recorded_cost
from vidgen_nb.analysis.forecast.predict import predict_finish
from vidgen_nb.analysis.forecast.prediction import Prediction
from vidgen_nb.analysis.limits.estimate import Estimates, estimate_limits
from vidgen_nb.analysis.metrics.measure import Metrics, measure
from vidgen_nb.analysis.metrics.results import status_counts
from vidgen_nb.analysis.metrics.trails import run_html, trail
from vidgen_nb.analysis.records.builder import AttemptRecord, CooldownRecord, MoveRecord, RunData, SceneRecord, build
from vidgen_nb.analysis.records.fast_dataclass import collector_paused
from vidgen_nb.analysis.records.run_state import end_reason
from vidgen_nb.analysis.records.tables import records_frame
from vidgen_nb.analysis.simulation.arrivals import Arrivals, arrival_times
from vidgen_nb.analysis.simulation.overrides import as_scenes, check_names, checks_options
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.validation import as_profiles, checks_arguments, data_of, listed, plain_number, seconds, whole
from vidgen_nb.analysis.what_differs import what_differs
from vidgen_nb.core.events import Event
from vidgen_nb.core.model import Mode, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.experiments.questions import Questions
from vidgen_nb.exports.exports import Exports
from vidgen_nb.plaintext import one_line
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.registry import as_policy
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.recording.runfile import read_run, write_run
from vidgen_nb.replay.of_run import Replays
from vidgen_nb.wording.standing import standings_text

if TYPE_CHECKING:
    import pandas as pd

    from vidgen_nb.charts.drawing.engine import go

__all__ = ["Run", "load_run", "lower_bound", "simulate"]


class Run(Replays, Questions, Exports):
    """Everything that happened from the start to the last settled scene.

    While the run goes on, this is a live view. Records are frozen dataclasses, times are seconds of the run
    (`analysis.records.model` explains each field).
    """

    def __init__(self, header: dict[str, Any], events: Sequence[Event]) -> None:
        self.header = header
        """Mode, policy, retry, speed, seed, backend and start of the run; no keys."""
        self.events = events
        """The events, in order (`core.events`)."""
        self._data: RunData | None = None

    @property
    def data(self) -> RunData:
        """The records that charts and analysis read."""
        if self._data is None or len(self._data.events) != len(self.events):
            self._data = build(self.header, self.events[: len(self.events)])
        return self._data

    @property
    def scenes(self) -> list[SceneRecord]:
        """The scenes, in the order in which they were added."""
        return self.data.scenes

    @property
    def attempts(self) -> list[AttemptRecord]:
        """The attempts, in the order in which they started."""
        return self.data.attempts

    @property
    def cooldowns(self) -> list[CooldownRecord]:
        """The cooldown windows, a record per profile and window."""
        return self.data.cooldowns

    @property
    def moves(self) -> list[MoveRecord]:
        """Consecutive attempts of a scene on different profiles."""
        return self.data.moves

    @property
    def ended(self) -> str | None:
        """Why it ended, such as `settled`, `stopped` or `no usable profile`; None while it goes on."""
        return end_reason(self.events)

    def metrics(self, **options: Any) -> Metrics:
        """Return the run's numbers; options as in `analysis.metrics.measure.measure`.

        `after` and `until` measure a window of it: `metrics(after=600)` leaves out how it began.
        A simulated run knows its limits and service times. For a live one, `profiles=[SimulatedProfile(...), ...]` says
        what to assume, for the lower bound and what follows from it.
        """
        with collector_paused():
            return measure(self.data, **options)

    def trail(self, scene: str) -> str:
        """Return a scene's path over the profiles, such as `A✕429→B✓`; marks as in `analysis.metrics.trails.trail`.

        Raises `InputError` for an unknown scene.
        """
        if all(record.id != scene for record in self.scenes):
            raise InputError(f"no scene has the id {scene!r} in this run")
        return trail(attempt for attempt in self.attempts if attempt.scene == scene)

    def gantt(self, **options: Any) -> go.Figure:
        """Return the Gantt as a plotly figure; options as in `charts.gantt.figure.gantt`."""
        from vidgen_nb.charts.gantt.figure import gantt

        return gantt(self.data, **options)

    def svg(self, **options: Any) -> str:
        """Return the Gantt as plain SVG, without plotly or a browser; options as in `charts.gantt.svg.svg`."""
        from vidgen_nb.charts.gantt.svg import svg

        return svg(self.data, **options)

    def html(self, **options: Any) -> str:
        """Return the Gantt as a complete HTML page that works without a network; options as in `gantt`."""
        from vidgen_nb.charts.gantt.figure import html

        return html(self.gantt(**options), f"Run {self.header.get('run', '')}")

    def report(self, path: str | os.PathLike[str] | None = None, **options: Any) -> Path:
        """Write a report as one HTML page, to send to somebody; options as in `charts.report.page.write_report`."""
        from vidgen_nb.charts.report.page import write_report

        return write_report(self.data, self.metrics(), self.cost, path, **options)

    def slot_time_chart(self, **options: Any) -> go.Figure:
        """Return what the profiles' slots did, as stacked shares; options as in `charts.slots.slot_time_chart`."""
        from vidgen_nb.charts.slots import slot_time_chart

        return slot_time_chart(self.data, **options)

    def attempts_chart(self, **options: Any) -> go.Figure:
        """Return what became of each profile's attempts; options as in `charts.attempts.attempts_chart`."""
        from vidgen_nb.charts.attempts import attempts_chart

        return attempts_chart(self.data, **options)

    def share_chart(self, **options: Any) -> go.Figure:
        """Return what each profile made beside what it could make; options as in `charts.shares.share_chart`."""
        from vidgen_nb.charts.shares import share_chart

        return share_chart(self.data, **options)

    def queue_chart(self, **options: Any) -> go.Figure:
        """Return the queue's length and the goodput over time; options as in `charts.flow.queue_chart`."""
        from vidgen_nb.charts.flow import queue_chart

        return queue_chart(self.data, **options)

    def wait_chart(
        self, beside: Run | Mapping[str, Run] | None = None, *, name: str = "this run", **options: Any
    ) -> go.Figure:
        """Return the share of scenes by how long they waited, of this run and of another, or of several by name.

        Options as in `charts.waits.wait_chart`. Raises `InputError` for two runs of one name, or for anything else.
        """
        from vidgen_nb.charts.waits import wait_chart

        others: Mapping[str, Any] = (beside or {}) if isinstance(beside, Mapping | None) else {"other run": beside}
        if name in others:
            raise InputError(f"two runs are named {name!r}: give this one another with name=")
        return wait_chart({name: self.data, **others}, **options)

    def move_chart(self, **options: Any) -> go.Figure:
        """Return how often scenes moved from which profile to which; options as in `charts.moves.move_chart`."""
        from vidgen_nb.charts.moves import move_chart

        return move_chart(self.data, **options)

    def admission_chart(self, profile: str, **options: Any) -> go.Figure:
        """Return a profile's accepted submits and 429s beside what its limit admits.

        Options as in `charts.admission.admission_chart`, above all `limit` if the run doesn't know it.
        """
        from vidgen_nb.charts.admission import admission_chart

        return admission_chart(self.data, profile, **options)

    def aligned_chart(self, other: Run, *, names: tuple[str, str] | None = None, **options: Any) -> go.Figure:
        """Return this run's Gantt above another's, over one axis; options as in `charts.aligned.aligned_chart`.

        `names`: of this run and the other; default: what sets them apart, such as their policies.
        """
        from vidgen_nb.charts.aligned import aligned_chart

        both = self.data, data_of("aligned_chart: the other", other)
        apart = what_differs(*both) or ("this run", "other run")
        called = listed("names", apart if names is None else names, "two texts")
        if len(called) != 2:
            raise InputError(f"names are two texts, of this run and of the other, not {names!r}")
        return aligned_chart(dict(zip(called, both, strict=True)), **options)

    def to_frame(self, table: str = "attempts") -> pd.DataFrame:
        """Return `scenes`, `attempts`, `cooldowns` or `moves` as a pandas DataFrame (needs pandas)."""
        return records_frame(self.data, table)

    @property
    def cost(self) -> RunCost:
        """What the run has spent and committed, in all and per profile, and what the scenes that wait will cost."""
        return recorded_cost(self.data)

    def estimate_limits(self, *, weight: str | None = None) -> Estimates:
        """Return what the attempts reveal about each profile's limit: kind, rate, burst with intervals, or why not.

        `weight`: the limit counts this parameter of the scenes, such as "tokens"; default: it counts requests. Refusals
        are taken to be free. Where they count (`count_refusals`), what is found is what this client got.
        """
        return estimate_limits(self.data, weight=weight)

    @checks_arguments()
    def predict_finish(
        self, *, now: float | None = None, policy: Policy | None = None, runs: int | None = None, seed: int = 0
    ) -> Prediction:
        """Predict when all scenes are settled; options as in `analysis.forecast.predict.predict_finish`."""
        at = None if now is None else seconds("now", now)
        chosen = None if policy is None else as_policy(policy)
        many = None if runs is None else whole("runs", runs)
        return predict_finish(self.data, now=at, policy=chosen, runs=many, seed=seed)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the run as JSON lines and return the path; `load_run` reads it back."""
        with collector_paused():
            return write_run(path, self.header, list(self.events))

    def _repr_html_(self) -> str:
        """Return a row of numbers, and the trails of the scenes that needed more than one attempt."""
        return run_html(self.data, self.metrics())

    def __repr__(self) -> str:
        counts = standings_text(status_counts(self.data)) or "no scenes"
        return f"<Run {one_line(str(self.header.get('run', '')), 80)}: {counts}; {self.ended or 'not ended'}>"


def load_run(path: str | os.PathLike[str]) -> Run:
    """Read a run that `Run.save` wrote; `FileFormatError` with the line for any other file."""
    with collector_paused():
        return Run(*read_run(path))


@checks_options
def simulate(
    scenes: Any,
    profiles: Iterable[SimulatedProfile],
    *,
    mode: Mode | str = "normal",
    policy: Policy | str | None = None,
    seed: int = 0,
    **options: Any,
) -> Run:
    """Run scenes in virtual time, on the scheduler that live runs use, and return the run.

    `scenes`: how many, or whatever `load_scenes` takes. `seed`: of service times, faults and back-off. `options`: the
    other fields of `analysis.simulation.simulate.Simulation`, such as `faults`, `arrivals`, `latency` and `until`. The
    same arguments give the same events. Raises `InputError` for what can't be simulated.

    >>> run = simulate(10, [SimulatedProfile("p1", TokenBucket(4, per=60)), SimulatedProfile("p2")], mode="boost")
    """
    given, provided = as_scenes(scenes), as_profiles(profiles)
    chosen = as_policy(policy) if policy is not None else PerProfileCooldown()
    simulation = Simulation(given, provided, as_mode(mode), chosen, seed=seed, **options)
    check_names([simulation])
    return Run(*simulation.run())


@checks_arguments()
def lower_bound(
    scenes: Any,
    profiles: Iterable[SimulatedProfile],
    *,
    cooldowns: Mapping[str, float] | None = None,
    seed: int | str | None = 0,
    arrivals: Arrivals | Sequence[float] | None = None,
) -> LowerBound:
    """Return the earliest time by which any policy and mode could finish the scenes (`analysis.bounds.lower_bound`).

    `scenes`: how many, or whatever `load_scenes` takes. `cooldowns`: until when a profile is closed at the start, in
    run seconds. `seed`: of the service times, as in `simulate`; None: a bound for any seed. `arrivals`: when each scene
    is added; None: at 0. For a live API, limits and services are assumptions, and so is the bound. Raises
    `InputError` for arguments that make no sense.

    >>> lower_bound(10, [SimulatedProfile("p1", TokenBucket(4, per=60)), SimulatedProfile("p2")]).seconds
    """
    ids = [scene.id for scene in as_scenes(scenes)]
    luck = plain_number(seed) if isinstance(plain_number(seed), int) else 0
    releases = None if arrivals is None else arrival_times(arrivals, len(ids), luck)
    return bound(ids, as_profiles(profiles), seed=plain_number(seed), cooldowns=cooldowns, releases=releases)
