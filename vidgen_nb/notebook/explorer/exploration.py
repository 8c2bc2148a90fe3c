"""A setting that is changed, the run that it gives, and the setting before; nothing of how it is shown."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from vidgen_nb.analysis.experiments.cases import seeds_from
from vidgen_nb.analysis.experiments.executors import Submitter
from vidgen_nb.analysis.validation import yes_or_no
from vidgen_nb.errors import InputError
from vidgen_nb.experiments.results import Comparison
from vidgen_nb.notebook.explorer.changes import changed
from vidgen_nb.notebook.explorer.comparing import cases_of, compared
from vidgen_nb.notebook.explorer.state import ExplorerState, Fixed
from vidgen_nb.plaintext import error_line
from vidgen_nb.run import Run

__all__ = ["Exploration"]


class Exploration:
    """A setting with its run, and the setting before."""

    def __init__(self, state: ExplorerState, fixed: Fixed | None = None) -> None:
        self.fixed = fixed or Fixed()
        """What no control changes: scenes of one's own, and further options of `simulate`."""
        self.given = state
        """What it began with, or what a cell set last: its limits and policies of one's own can be chosen again."""
        self._keeps_previous = False
        self.comparison: Comparison | None = None
        """The last one that was made."""
        self._state, self._run = state, Run(*state.simulation(self.fixed).run())
        self._previous: tuple[ExplorerState, Run] | None = None
        self._gesture: object = None
        self.lock = threading.RLock()
        """A page's message may come on another thread than a cell's call."""

    # -- the state

    @property
    def state(self) -> ExplorerState:
        """The setting; set it to another one, or to its text. What can't be simulated is an `InputError`, no change."""
        return self._state

    @state.setter
    def state(self, state: ExplorerState | str) -> None:
        found = state if isinstance(state, ExplorerState) else ExplorerState.read(state)
        with self.lock:
            self._accept(found, object())
            self.given = found
            self._show()

    @property
    def state_text(self) -> str:
        """The setting as a text like a link, to be pasted: `ex.state = "vidgen-nb?scenes=40&…"`."""
        return str(self._state)

    def go_back(self) -> None:
        """Swap the setting before and the present one, which becomes the ghost. Nothing happens if there is none."""
        with self.lock:
            if self._previous is None:
                return
            self._previous, (self._state, self._run) = (self._state, self._run), self._previous
            self._gesture = object()
            if [each.name for each in self.given.profiles] != [each.name for each in self._state.profiles]:
                self.given = self._state
            self._show()

    def set(self, **changes: Any) -> None:
        """Change a part of the setting: a field of `ExplorerState`, or a name as `run.what_if` takes it.

        >>> ex.set(scenes=40, cooldown=10, capacity=5)
        """
        self.state = self._state.changed(self.fixed, **changes)

    @property
    def run(self) -> Run:
        """The run of the present setting."""
        return self._run

    @property
    def previous(self) -> ExplorerState | None:
        """The setting before, whose run is the ghost; None: nothing was changed yet."""
        return None if self._previous is None else self._previous[0]

    @property
    def previous_run(self) -> Run | None:
        """The run of the setting before."""
        return None if self._previous is None else self._previous[1]

    @property
    def keeps_previous(self) -> bool:
        """Whether the setting before stays what it is, whatever is changed."""
        return self._keeps_previous

    @keeps_previous.setter
    def keeps_previous(self, keeps: bool) -> None:
        self._keeps_previous = yes_or_no("keeps_previous", keeps)
        self._show()

    def _accept(self, state: ExplorerState, gesture: object) -> None:
        """Simulate a setting, and have it; changes of one gesture, such as moving a slider, have one ghost."""
        if state == self._state:
            return
        run = Run(*state.simulation(self.fixed).run())
        if self._previous is None or (gesture != self._gesture and not self._keeps_previous):
            self._previous = self._state, self._run
        self._state, self._run, self._gesture = state, run, gesture

    def change(self, values: Mapping[str, Any], gesture: object = None) -> dict[str, str]:
        """Set controls by their ids, and return what is wrong with which; whatever is right is done.

        `gesture`: changes with the same one have the same setting before. An id is a name such as `scenes`, or of an
        account with its place: `n@0` (`form.form_of` has all of them).
        """
        errors: dict[str, str] = {}
        with self.lock:
            state = self._state
            for control, value in values.items():
                try:
                    candidate = changed(state, control, value, self.given)
                    candidate.simulation(self.fixed)
                    state = candidate
                except InputError as error:
                    errors[control] = str(error)
            try:
                self._accept(state, object() if gesture is None else gesture)
            except Exception as error:  # noqa: BLE001 - it can't be run to its end, or a policy of the user's own fails
                errors |= dict.fromkeys(values, error_line(error))
        return errors

    # -- many seeds

    def compare(
        self,
        seeds: int | Iterable[int] = 20,
        *,
        against: ExplorerState | str | None = None,
        executor: Submitter | None = None,
        progress: bool = False,
    ) -> Comparison:
        """Simulate the setting before and the present one with many seeds, and return them compared, seed by seed.

        `seeds`: how many, from the setting's own on, or which. `against`: another setting than the one before. The rest
        is as in `vg.compare`; so is the result, which draws itself. Raises `InputError` if there is no setting before.

        >>> ex.compare(seeds=20).chart()
        """
        with self.lock:
            cases, chosen = self.cases(seeds, against)
        self.comparison = compared(cases, chosen, executor, progress=progress)
        return self.comparison

    def cases(self, seeds: int | Iterable[int], against: ExplorerState | str | None = None) -> tuple[Any, list[int]]:
        """Return what a comparison simulates, and with which seeds."""
        other = ExplorerState.read(against) if isinstance(against, str) else against or self.previous
        if other is None:
            raise InputError("there is no setting before this one: change something first, or say against=…")
        return cases_of(other, self._state, self.fixed), seeds_from(seeds, self._state.seed)

    def _show(self) -> None:
        """Show what a cell has changed (`explorer.Explorer` does)."""
