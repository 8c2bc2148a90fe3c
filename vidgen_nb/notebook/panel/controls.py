"""The panel's controls: for each its widget, label, tooltip, the value it shows, and when it is unavailable."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import ipywidgets as w

from vidgen_nb.errors import InputError
from vidgen_nb.notebook.panel.control_binding import BoundControls
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.notebook.panel.option_controls import OptionControls, labelled, labelled_on_release
from vidgen_nb.notebook.panel.run_controls import RunControls
from vidgen_nb.plaintext import one_line

__all__ = ["NO_VIDEO", "Controls"]

NO_VIDEO = ("choose a scene", "")  # of None a page would show nothing
NOT_RECORDED = "runs are not recorded here"
VIEW = ("follow_now", "show_moves", "selected", "previous", "next")


class Controls(BoundControls):
    """All controls of a panel."""

    def __init__(self, host: PanelHost, export: Callable[[], None]) -> None:
        super().__init__(host)
        self.run = RunControls(self, host)
        self.options = OptionControls(self, host)
        self.add_later(partial(self._add_export, export), "export")
        self.add_later(self._add_past_runs, "past_runs")
        self.add_later(self._add_view, *VIEW)
        self._add_video()

    def update_choices(self) -> None:
        """Bring what widgets offer, and what Run will do, up to date."""
        self.options.update_choices()
        self.run.update()

    def _add_export(self, export: Callable[[], None]) -> None:
        tip = "Write the run as a report, SVG, CSV and JSON lines"
        self.add_button("export", w.Button(description="Export"), tip, export, self._while_nothing_recorded)

    def _add_past_runs(self) -> None:
        view, resources = self._host.view_options, self._host.session.runner.resources

        def turn() -> None:
            (view.hide_past_runs if view.past_runs_shown else view.show_past_runs)()

        self.add_button(
            "past_runs", w.Button(description="Past runs…"), "The runs that are recorded, each with its report", turn,
            lambda: NOT_RECORDED if resources.journals is None else "",
            words=lambda: "Hide past runs" if view.past_runs_shown else "Past runs…",
        )  # fmt: skip

    def _add_view(self) -> None:
        """What the chart shows."""
        view = self._host.view_options
        follow = w.Checkbox(description="Follow now", indent=False)
        self.add_value("follow_now", follow, "Keep the current time in view", of=view)
        moves = labelled(w.Dropdown, "Show moves", options=["none", "selected", "last 20"])
        self.add_value("show_moves", moves, "Which moves between accounts to draw", of=view)
        selected = labelled_on_release(w.Combobox, "Highlight scene", placeholder="its id", ensure_option=False)
        tip, unavailable = "Highlight one scene's path over the accounts; empty: none", self._while_nothing_recorded
        self.add_value("selected", selected, tip, unavailable, read=lambda: view.selected or "", apply=self._select)
        for name, label, step in (("previous", "Previous scene", -1), ("next", "Next scene", 1)):
            widget, call = w.Button(description=label), partial(view.step_selected, step)
            self.add_button(name, widget, f"Highlight the {label.lower()}", call, unavailable)

    def _select(self, text: str) -> None:
        live, wanted = self._host.session.runner.live, text.strip()
        if wanted and live is not None and wanted not in live.scheduler.scenes:
            raise InputError(f"No scene of this run is called {one_line(wanted, 40)}")
        self._host.view_options.selected = wanted or None

    def _add_video(self) -> None:
        video, tip = labelled(w.Dropdown, "Video of scene", options=[NO_VIDEO]), "Play the finished video of a scene"
        self.add_value("video", video, tip, self._while_no_video, of=self._host.view_options, read=self._video)

    def _while_nothing_recorded(self) -> str:
        return "" if self._host.session.last_run is not None else "nothing has run yet"

    def _while_no_video(self) -> str:
        return "" if len(self["video"].options) > 1 else "no video is finished yet"

    def _video(self) -> str:
        return self._host.view_options.video or "" if len(self["video"].options) > 1 else ""
