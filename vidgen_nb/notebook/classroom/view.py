"""The teacher's view as a cell has it: everybody's lanes, and a line of numbers above them."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from vidgen_nb.emulator import Emulator
from vidgen_nb.errors import SessionError
from vidgen_nb.notebook.classroom.sources import Reading, Source, source_of
from vidgen_nb.notebook.panel.chart.saved_picture import HIDE_BESIDE_PANEL, picture_html
from vidgen_nb.notebook.panel.ticker import UPDATE_INTERVAL_SECONDS, Ticker
from vidgen_nb.notebook.rerun_cells import register_controller
from vidgen_nb.plaintext import error_line
from vidgen_nb.run import Run
from vidgen_nb.wording.standing import standings_text

if TYPE_CHECKING:
    from vidgen_nb.notebook.classroom.page import ClassPage

__all__ = ["ClassView", "watch"]

log = logging.getLogger("vidgen_nb")


class ClassView:
    """What everybody does at an emulator, drawn live where it is shown; `run` is all of it so far, for questions."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._reading = source.read()
        self._ticker: Ticker | None = None
        self._picture_id = f"vidgen_nb-{uuid4().hex}"
        self._pictured = False
        """Whether the picture shows how it ended."""

    @property
    def run(self) -> Run:
        """All that the emulator has seen so far, as a run: each account is a profile, each scene `account/scene`.

        A scene has succeeded once its job is done. Cooldowns are the clients' own, so there are none.
        """
        reading = self._source.read()
        return Run(reading.header, list(reading.events))

    @cached_property
    def page(self) -> ClassPage:
        """The widgets that show it."""
        from vidgen_nb.notebook.classroom.page import ClassPage  # ipywidgets is loaded once it is needed

        return ClassPage(self._post, self.update)

    def update(self) -> None:
        """Show it as it is now; where a notebook shows it, this happens by itself."""
        self._reading = reading = self._source.read()
        if "page" in self.__dict__:
            self.page.show(reading)
        if reading.now is None and not self._pictured:
            self._pictured = True
            self._update_picture(reading)

    # -- when it is written

    def _begin(self) -> None:
        """Write it twice a second from now on, on the loop of the cell that shows it."""
        if self._ticker is not None:
            return
        with suppress(RuntimeError):  # no loop: nobody looks
            loop = asyncio.get_running_loop()
            self._ticker = Ticker(
                lambda seconds, call: self._later(loop, seconds, call), [self.update], self._next, self._failed
            )
            self._ticker.touch()

    def _later(self, loop: asyncio.AbstractEventLoop, seconds: float, call: Callable[[], Any]) -> None:
        if loop.is_closed():
            raise SessionError("the kernel's loop has ended")
        loop.call_later(seconds, call)

    def _next(self) -> float | None:
        return UPDATE_INTERVAL_SECONDS if self._reading.now is not None and self._ticker is not None else None

    def _failed(self, error: Exception) -> None:
        log.warning("the view of the class could not be brought up to date: %s", error_line(error))

    def _post(self, call: Callable[[], Any]) -> None:
        """Carry something out for the page, which may have asked on another thread."""
        call()

    def orphaned(self) -> None:
        """Its cell was run again, and no variable refers to it: stop."""
        self._ticker = None
        if "page" in self.__dict__:
            self.page.dispose()

    # -- showing

    def _ipython_display_(self) -> None:
        """Show it, and in a second output, hidden beside it, the picture that stays in the saved notebook."""
        from IPython.display import display

        register_controller(self)
        self.page.show(self._reading)
        self._begin()
        show: Any = display  # it is untyped
        view = {"version_major": 2, "version_minor": 0, "model_id": self.page.root.model_id}
        show({"application/vnd.jupyter.widget-view+json": view, "text/plain": repr(self)}, raw=True)
        show(self._picture(self._reading), raw=True, display_id=self._picture_id)

    def _picture(self, reading: Reading) -> dict[str, str]:
        picture = picture_html(Run(reading.header, list(reading.events)), "light")
        return {"text/html": HIDE_BESIDE_PANEL + picture, "text/plain": ""}

    def _update_picture(self, reading: Reading) -> None:
        if self._ticker is not None:
            from IPython.display import update_display

            update: Any = update_display  # it is untyped
            update(self._picture(reading), raw=True, display_id=self._picture_id)

    def __repr__(self) -> str:
        run = self.run
        counts = standings_text([scene.status for scene in run.scenes]) or "nothing submitted yet"
        return f"<Class of {len(run.data.profiles):,}: {counts}>"


def watch(what: Emulator | str | os.PathLike[str]) -> ClassView:
    """Return a live view of everybody at an emulator, such as a class: a lane for each account.

    `what`: an emulator of this program, or the file that `vidgen-nb emulator --class` writes. As a cell's last value it
    shows itself, twice a second, for as long as the emulator serves; a cell that blocks the kernel holds it up, one
    that awaits does not. It only looks, and needs no key. Raises `InputError` for anything else, and `FileFormatError`
    for a file that is no run's.

    >>> view = watch(emulator)
    >>> view.run.metrics().profiles
    """
    return ClassView(source_of(what))
