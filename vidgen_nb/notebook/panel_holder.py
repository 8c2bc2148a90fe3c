"""The panel of a controller: made when it is first shown, brought up to date, and disabled or removed at the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from vidgen_nb.errors import SessionError
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.plaintext import error_line

if TYPE_CHECKING:
    from ipywidgets import VBox

    from vidgen_nb.notebook.panel.panel import Panel

__all__ = ["PanelHolder"]

log = logging.getLogger("vidgen_nb")


class PanelHolder:
    """Has a panel or not, and a way to the session's loop, on which alone the panel is written.

    ipywidgets is imported with the first panel, not before.
    """

    _lock: ClassVar = threading.RLock()

    def __init__(self, host: PanelHost, on_made: Callable[[], None] = lambda: None) -> None:
        self._host = host
        self._on_made = on_made
        """Called once, with the lock held, when a panel was made."""
        self.panel: Panel | None = None

    @property
    def root(self) -> VBox:
        """The panel, a widget. It is made once; shown twice, it is the same one."""
        with self._lock:
            panel, is_new = self.panel, self.panel is None
            if panel is None:
                from vidgen_nb.notebook.panel.panel import Panel

                panel = self.panel = Panel(self._host)
                self._on_made()
        session = self._host.session
        if is_new and not session.is_closed:  # without the lock, because this waits for the loop
            session.observe(lambda _: self.touch())
            self.changed()
        elif is_new:
            panel.show_closed()
        return panel.root

    def touch(self) -> None:
        """Let the panel show what has changed; to be called on the session's loop."""
        if self.panel is not None:
            self.panel.ticker.touch()

    def changed(self) -> None:
        """Let the panel show what has changed, from any thread."""
        if self.panel is not None and not self._host.session.is_closed:
            self.post(self.panel.ticker.touch)

    def post(self, function: Callable[..., Any], *args: Any) -> None:
        """Call a function on the session's loop, from any thread, without waiting for it.

        If it raises, the panel's red strip shows the error.
        """

        def carry_out() -> None:
            try:
                function(*args)
            except Exception as error:  # noqa: BLE001 - nobody awaits a callback, so its error would vanish
                self._show_error(error)

        try:
            self._host.session.runner.loop.loop.call_soon_threadsafe(carry_out)
        except (SessionError, RuntimeError):  # The loop is gone, so nobody else writes. Tabs and such still work.
            with self._lock:
                carry_out()

    def later(self, seconds: float, function: Callable[[], Any]) -> None:
        """Call a function on the session's loop after some wall seconds; to be called there."""
        self._host.session.runner.loop.loop.call_later(seconds, function)

    def _show_error(self, error: Exception) -> None:
        if self.panel is None:
            log.error("a callback failed: %s", error_line(error), exc_info=error)
        else:
            self.panel.show_error(error)

    def loop_changed(self) -> None:
        """Follow the session to another loop: the panel's timer was on the old one."""
        if self.panel is not None:
            self.panel.ticker.loop_changed()

    def show_closed(self) -> None:
        """Show that the session is closed, with all controls disabled."""
        if self.panel is not None:
            self.panel.show_closed()

    def dispose(self) -> None:
        """Remove the widgets: each page that is reloaded asks for all there are. `root` makes new ones."""
        panel, self.panel = self.panel, None
        if panel is not None:
            panel.dispose()
