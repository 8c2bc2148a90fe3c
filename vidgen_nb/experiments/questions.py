"""What a recorded run is asked that needs another run beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, overload

from vidgen_nb.analysis.experiments.executors import Submitter
from vidgen_nb.analysis.metrics.little import Little, little
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.simulation.what_if import what_if
from vidgen_nb.analysis.validation import plain_number
from vidgen_nb.core.events import Event
from vidgen_nb.core.model import Mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.experiments.results import Comparison
from vidgen_nb.experiments.what_if_trials import again, one_more_trials, what_if_trials
from vidgen_nb.provider import SimulatedProfile

if TYPE_CHECKING:
    from vidgen_nb.charts.drawing.engine import go

__all__ = ["Questions"]


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

    def recovery_chart(self, *, seeds: int | Iterable[int] | None = None, **options: Any) -> go.Figure:
        """Return the goodput around an outage, beside the same luck without it; as `charts.recovery.recovery_chart`.

        One run is one draw: an outage may even shorten it. `seeds`, of a simulated run: which, or how many (its own
        comes first); the title then says how such runs recover, and what the outage costs on average. Raises
        `InputError` for the seeds of a live run: nobody knows what would have been.

        >>> run.recovery_chart(seeds=20)
        """
        from vidgen_nb.charts.recovery import recovery_chart

        if seeds is None:
            return recovery_chart(self.data, **options)
        if (self.data.header.get("backend") or {}).get("name") != "simulated":
            raise InputError("seeds repeats a simulated run, and this one is live: leave seeds= out")
        if options.get("control") is not None:
            raise InputError("each seed has a control of its own: give seeds= or control=, not both")
        asked = {name: each for name, each in options.items() if name in ("trouble", "window")}
        return recovery_chart(self.data, over=again(self.data, seeds, metrics=asked), **options)

    def load_chart(self, **options: Any) -> go.Figure:
        """Return the goodput over the load that was offered, up and down; options as in `charts.load.load_chart`."""
        from vidgen_nb.charts.load import load_chart

        return load_chart(self.data, **options)

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
        return what_if_trials(self.data, changed, seeds, executor=executor, metrics=metrics)

    def one_more(
        self,
        what: str | None = None,
        *,
        seeds: int | Iterable[int] = 10,
        executor: Submitter | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> Comparison:
        """Run it again with one more of each thing that bounds it, and return what each brings, with intervals.

        `what`: `submit` (each limit, and the mode, admits one more), `slot` (a profile runs one more job at once),
        `profile` (one more of each kind), or None for all of them. `seeds`, `executor`, `metrics`: as in `what_if`. The
        result's `ranking_chart` has what brings most on top; `spread_chart(paired=True)` has every run. Raises
        `InputError` for anything else, and if nothing bounds the run.

        >>> run.one_more(seeds=20).ranking_chart()
        """
        return one_more_trials(self.data, what, seeds, executor=executor, metrics=metrics)
