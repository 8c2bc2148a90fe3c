"""A run: what was recorded, and what can be asked of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from html import escape
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgen_nb.analysis.bounds.lower_bound import LowerBound, bound
from vidgen_nb.analysis.forecast.predict import Prediction, predict_finish
from vidgen_nb.analysis.limits.estimate import Estimates, estimate_limits
from vidgen_nb.analysis.metrics.measure import Metrics, measure, trail
from vidgen_nb.analysis.records.builder import AttemptRecord, CooldownRecord, MoveRecord, RunData, SceneRecord, build
from vidgen_nb.analysis.records.fast_dataclass import collector_paused
from vidgen_nb.analysis.records.run_state import end_reason
from vidgen_nb.analysis.simulation.overrides import as_scenes, check_names, checks_options
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.simulation.what_if import what_if
from vidgen_nb.analysis.validation import as_profiles, checks_arguments, data_of, listed, plain_number, seconds, whole
from vidgen_nb.core.events import Event
from vidgen_nb.core.model import Mode, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import clean, markup
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.registry import as_policy
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.recording.runfile import read_run, write_run

if TYPE_CHECKING:
    import pandas as pd

    from vidgen_nb.charts.drawing.engine import go

__all__ = ["Run", "load_run", "lower_bound", "simulate"]

TABLES = {"scenes": SceneRecord, "attempts": AttemptRecord, "cooldowns": CooldownRecord, "moves": MoveRecord}

MAX_TRAILS = 12
"""Trails in a notebook's view of a run."""


class Run:
    """Everything that happened from the start to the last settled scene.

    While it goes on this is a live view: ask again, and there is more. Records are frozen dataclasses, times are
    seconds of the run (`analysis.records` says what each field means).
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
        """The cooldown windows, one for each profile that cooled."""
        return self.data.cooldowns

    @property
    def moves(self) -> list[MoveRecord]:
        """Consecutive attempts of a scene on different profiles."""
        return self.data.moves

    @property
    def ended(self) -> str | None:
        """Why it ended (`settled`, `stopped`, `no usable profile`), or None while it goes on."""
        return end_reason(self.events)

    def metrics(self, **options: Any) -> Metrics:
        """Return the run's numbers; options as in `analysis.metrics.measure`.

        A simulated run knows its limits and service times; of a live one `profiles=[SimulatedProfile(...), ...]` says
        what they are assumed to be, for the lower bound and what follows from it.
        """
        with collector_paused():
            return measure(self.data, **options)

    def trail(self, scene: str) -> str:
        """Return a scene's way over the profiles, such as `A✕429→B✓`; marks as in `metrics.trail`.

        Raises `InputError` for an unknown scene.
        """
        if all(record.id != scene for record in self.scenes):
            raise InputError(f"no scene has the id {scene!r} in this run")
        return trail(attempt for attempt in self.attempts if attempt.scene == scene)

    def gantt(self, **options: Any) -> go.Figure:
        """Return the Gantt as a plotly figure; options as in `charts.gantt.gantt`."""
        from vidgen_nb.charts.gantt.figure import gantt

        return gantt(self.data, **options)

    def svg(self, **options: Any) -> str:
        """Return the Gantt as a plain SVG, for which no browser and no plotly is needed; as in `charts.svg.svg`."""
        from vidgen_nb.charts.gantt.svg import svg

        return svg(self.data, **options)

    def html(self, **options: Any) -> str:
        """Return the Gantt as a whole HTML page that works without a network; options as in `gantt`."""
        from vidgen_nb.charts.gantt.figure import html

        return html(self.gantt(**options), f"Run {self.header.get('run', '')}")

    def slot_time_chart(self, **options: Any) -> go.Figure:
        """Return what the profiles' slots did, as stacked shares; options as in `charts.slots.slot_time_chart`."""
        from vidgen_nb.charts.slots import slot_time_chart

        return slot_time_chart(self.data, **options)

    def queue_chart(self, **options: Any) -> go.Figure:
        """Return the queue's length and the goodput over time; options as in `charts.flow.queue_chart`."""
        from vidgen_nb.charts.flow import queue_chart

        return queue_chart(self.data, **options)

    def wait_chart(
        self, beside: Run | Mapping[str, Run] | None = None, *, name: str = "this run", **options: Any
    ) -> go.Figure:
        """Return the share of scenes over how long they waited, of this run and of another, or of several by name.

        Options as in `charts.waits.wait_chart`. Raises `InputError` for two runs of one name, and for what is no run.
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

        Options as in `charts.admission.admission_chart`: `limit` above all, where the run doesn't know it.
        """
        from vidgen_nb.charts.admission import admission_chart

        return admission_chart(self.data, profile, **options)

    def aligned_chart(
        self, other: Run, *, names: tuple[str, str] = ("this run", "other run"), **options: Any
    ) -> go.Figure:
        """Return this run's Gantt above another's, over one axis; options as in `charts.aligned.aligned_chart`."""
        from vidgen_nb.charts.aligned import aligned_chart

        both = self.data, data_of("aligned_chart: the other", other)
        called = listed("names", names, "two texts")
        if len(called) != 2:
            raise InputError(f"names are two texts, of this run and of the other, not {names!r}")
        return aligned_chart(dict(zip(called, both, strict=True)), **options)

    def to_frame(self, table: str = "attempts") -> pd.DataFrame:
        """Return `scenes`, `attempts`, `cooldowns` or `moves` as a pandas DataFrame (needs pandas)."""
        if table not in TABLES:
            raise InputError(f"no table {table!r}: choose one of {', '.join(TABLES)}")
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("to_frame needs pandas: pip install pandas") from error
        columns = [column.name for column in fields(TABLES[table])]
        return pd.DataFrame(map(attrgetter(*columns), getattr(self, table)), columns=columns)

    def what_if(
        self,
        *,
        policy: Policy | str | None = None,
        mode: Mode | str | None = None,
        profiles: int | Iterable[SimulatedProfile] | None = None,
        seed: int | None = None,
        **changes: Any,
    ) -> Run:
        """Run it once more in virtual time, with something changed, and return that run.

        `profiles`: others, or how many of these (copies beyond). `changes`: as the names of a grid in `sweep`, such as
        `cooldown=10` or `capacity=4`. Of a simulated run all is known; of a live one limits are estimated and service
        times drawn from its own: `header["what_if"]["assumed"]` says what was taken for granted.
        """
        given = {"policy": policy, "mode": mode, "profiles": plain_number(profiles), "seed": seed}
        return Run(*what_if(self.data, {name: each for name, each in given.items() if each is not None} | changes))

    def estimate_limits(self) -> Estimates:
        """Return what the attempts say of each profile's limit: kind, rate, burst, with intervals, or why not."""
        return estimate_limits(self.data)

    @checks_arguments()
    def predict_finish(
        self, *, now: float | None = None, policy: Policy | None = None, runs: int | None = None, seed: int = 0
    ) -> Prediction:
        """Predict when all is settled, with an interval; options as in `analysis.predict.predict_finish`."""
        at = None if now is None else seconds("now", now)
        chosen = None if policy is None else as_policy(policy)
        many = None if runs is None else whole("runs", runs)
        return predict_finish(self.data, now=at, policy=chosen, runs=many, seed=seed)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the run as JSON lines and return the path; `load_run` reads it back."""
        return write_run(path, self.header, list(self.events))

    def _repr_html_(self) -> str:
        """Return a row of figures, and the trails of the scenes that needed more than one attempt."""
        numbers = self.metrics()
        took = "–" if numbers.makespan is None else f"{numbers.makespan:,.1f} s"
        figures = {"scenes": len(self.scenes), **numbers.scenes, "attempts": numbers.attempts}
        figures |= {"429s": numbers.rate_limited, "moves": numbers.moves}
        shown = {**{name: f"{count:,}" for name, count in figures.items()}, "makespan": took}
        head = "".join(f"<th>{escape(name)}</th>" for name in shown)
        row = "".join(f"<td>{text}</td>" for text in shown.values())
        tried: dict[str, list[AttemptRecord]] = {scene.id: [] for scene in self.scenes}
        for attempt in self.attempts:
            tried[attempt.scene].append(attempt)
        again = [(scene, attempts) for scene, attempts in tried.items() if len(attempts) > 1]
        lines = "".join(f"<li>{markup(scene, 120)}: {markup(trail(each))}</li>" for scene, each in again[:MAX_TRAILS])
        more = f"<li>… and {len(again) - MAX_TRAILS:,} more</li>" if len(again) > MAX_TRAILS else ""
        return f"<table><tr>{head}</tr><tr>{row}</tr></table><ul>{lines}{more}</ul>"

    def __repr__(self) -> str:
        statuses = Counter(scene.status for scene in self.scenes)
        counts = ", ".join(f"{count} {status}" for status, count in statuses.items()) or "no scenes"
        return f"<Run {clean(str(self.header.get('run', '')), 80)}: {counts}; {self.ended or 'under way'}>"


def load_run(path: str | os.PathLike[str]) -> Run:
    """Read a run that `Run.save` wrote; `FileFormatError` with the line for a file that is none."""
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
    other fields of `analysis.simulation.Simulation`, such as `faults`, `arrivals`, `latency` and `until`. The same
    arguments give the same events. Raises `InputError` for what can't be simulated.

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
    arrivals: Sequence[float] | None = None,
) -> LowerBound:
    """Return how soon scenes can be done at best, whatever the policy and mode (`analysis.bounds`).

    `scenes`: how many, or whatever `load_scenes` takes. `cooldowns`: until when a profile is closed at the start, in
    run seconds. `seed`: of the service times, as in `simulate`; None: a bound for any seed. `arrivals`: when each scene
    is added; None: at 0. On a live API limits and services are assumptions, and so is the bound. Raises `InputError`
    for what makes no sense.

    >>> lower_bound(10, [SimulatedProfile("p1", TokenBucket(4, per=60)), SimulatedProfile("p2")]).seconds
    """
    ids = [scene.id for scene in as_scenes(scenes)]
    times = None if arrivals is None else listed("arrivals", arrivals, "run seconds, one for each scene")
    releases = None if times is None else [seconds("an arrival", at) for at in times]
    return bound(ids, as_profiles(profiles), seed=plain_number(seed), cooldowns=cooldowns, releases=releases)
