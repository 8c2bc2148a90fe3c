"""The picker of past runs, below the tabs: the runs in the folder of the journals, and the report of one of them.

Nothing is read before it is opened. A report is a whole page with scripts and foreign text in it: it is sent when it is
asked for, kept in no widget's state, and shown in a frame that can reach neither the notebook nor its server.
"""

from __future__ import annotations

from collections.abc import Sequence
from gzip import compress
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as w
import traitlets as t

from vidgen_nb.charts.report.naming import date_and_time
from vidgen_nb.charts.report.page import report
from vidgen_nb.dashboard.past_runs import PastRun, PastRuns
from vidgen_nb.errors import VidgenError
from vidgen_nb.notebook.panel.background import RunInBackground
from vidgen_nb.notebook.panel.control_binding import receive_while_blocked, set_if_changed
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.standing import standings_text

__all__ = ["PastRunsPicker", "PastRunsView"]


class PastRunsView(anywidget.AnyWidget):
    """The list and the frame; the page inserts all text as text.

    The page sends `{"open": index}` for a run, `{"again": true}` after a reload, and `{"close": true}`.
    """

    _esm = Path(__file__).parent / "past_runs.js"
    _css = Path(__file__).parent / "past_runs.css"
    runs: Any = t.List().tag(sync=True)
    """For each run when it began, its name, how many scenes succeeded and otherwise, and how it stands."""
    chosen = t.Int(-1).tag(sync=True)
    """The index of the run whose report is shown; -1: none."""
    note = t.Unicode().tag(sync=True)
    """What there is to say of the list."""
    trouble = t.Unicode().tag(sync=True)
    """Why there is no report of the chosen run (yet)."""

    def __init__(self) -> None:
        super().__init__()
        receive_while_blocked(self)


class PastRunsPicker:
    """Reads the list when it is opened, and a run when it is chosen, both off the session's loop."""

    def __init__(self, host: PanelHost, run_in_background: RunInBackground) -> None:
        self._host, self._run_in_background = host, run_in_background
        self.root = w.VBox(layout={"display": "none"})
        self._listed: Sequence[PastRun] = ()
        self._is_shown = False
        self._opened: PastRun | None = None

    @property
    def view(self) -> PastRunsView:
        """The widget, made when it is first needed."""
        if not self.root.children:
            view = PastRunsView()
            view.on_msg(lambda _widget, content, _buffers: self._host.post(self._on_message, content))
            self.root.children = [view]
        found: PastRunsView = self.root.children[0]
        return found

    def show(self) -> None:
        """Bring it up to date, on the session's loop."""
        options = self._host.view_options
        if options.past_runs_shown and not self._is_shown:
            self._list()
        self._is_shown = options.past_runs_shown
        set_if_changed(self.root.layout, "display", None if self._is_shown else "none")
        if self._is_shown and options.past_run is not self._opened:
            self._open(options.past_run)

    # -- the list

    def _list(self) -> None:
        self._listed, self._opened = (), None
        view = self.view
        view.runs, view.chosen, view.trouble, view.note = [], -1, "", "Reading …"
        if self._host.session.runner.resources.journals is None:
            view.note = "Runs are not recorded here."
        else:
            self._run_in_background(lambda: self._host.runs, self._show_list)

    def _show_list(self, found: PastRuns) -> None:
        self._listed = list(found)
        self.view.runs = [_row(each) for each in found]
        self.view.note = _note(found)
        self.view.chosen = self._place(self._opened)

    def _place(self, run: PastRun | None) -> int:
        paths = [each.path for each in self._listed]
        return paths.index(run.path) if run is not None and run.path in paths else -1

    # -- one run

    def _open(self, run: PastRun | None) -> None:
        self._opened = run
        self.view.chosen = self._place(run)
        self.view.trouble = "" if run is None else "Reading …"
        if run is not None:
            folder = self._host.session.runner.resources.videos.base
            self._run_in_background(lambda: _page(run, folder), lambda page: self._show_page(run, page))

    def _show_page(self, run: PastRun, page: bytes | str) -> None:
        if run is not self._opened:
            return  # another one was chosen meanwhile
        self.view.trouble = page if isinstance(page, str) else ""
        if isinstance(page, bytes):
            self.view.send({"report": run.path.stem}, buffers=[page])

    def _on_message(self, content: Any) -> None:
        options = self._host.view_options
        if "close" in content:
            options.hide_past_runs()
        elif "open" in content:
            options.show_past_runs(self._listed[content["open"]])
        elif "again" in content and self._opened is not None:
            self._open(self._opened)


def _row(run: PastRun) -> list[str]:
    total, succeeded = sum(run.scenes.values()), run.scenes.get("succeeded", 0)
    others = standings_text({name: count for name, count in run.scenes.items() if name != "succeeded"})
    return [
        date_and_time(run.started),
        one_line(run.name, 80),
        f"{succeeded:,} of {total:,}",
        others,
        one_line(run.stand, 60),
    ]


def _note(found: PastRuns) -> str:
    """Say what the list leaves out, and that it is empty."""
    parts = [] if found else ["No run is recorded here yet."]
    if found.unread:
        names = ", ".join(one_line(path.name, 40) for path in found.unread[:3])
        more = f" and {len(found.unread) - 3:,} more" if len(found.unread) > 3 else ""
        parts.append(f"Damaged, or no run: {names}{more}.")
    return " ".join(parts)


def _page(past: PastRun, videos: Path) -> bytes | str:
    """Return a run's report, compressed; or else why there is none."""
    try:
        run = past.load()
        return compress(report(run.data, run.metrics(), run.cost, videos=videos).encode("utf-8", "replace"), 5)
    except (VidgenError, OSError) as error:
        return f"This run can't be shown: {one_line(str(error), 300)}"
    except Exception as error:  # noqa: BLE001 - lines that are each as they should be, and not together
        return f"This run can't be shown, its file may be damaged ({type(error).__name__})."
