"""The red strip, and the session's log lines that no event stands for."""

from __future__ import annotations

import logging
import traceback
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import ipywidgets as w

from vidgen_nb.errors import VidgenError
from vidgen_nb.notebook.panel.control_binding import answer_anywhere, write
from vidgen_nb.notebook.panel.status import error_strip
from vidgen_nb.plaintext import block, clean

__all__ = ["Tap", "Troubles"]

KEPT = 5


class Troubles:
    """The latest errors with their text to copy, and a button that takes them away."""

    def __init__(self, dismiss: Callable[[Any], None]) -> None:
        self.texts: deque[str] = deque(maxlen=KEPT)
        self.strip = w.HTML()
        self.dismiss = w.Button(description="Dismiss", tooltip="Take the errors away")
        self.dismiss.on_click(dismiss)
        answer_anywhere(self.dismiss)
        self.root = w.VBox([self.strip, self.dismiss], layout={"display": "none"})

    def note(self, error: BaseException) -> str:
        """Take an error, and return its line for the log. What we say ourselves needs no traceback."""
        own = isinstance(error, VidgenError)
        self.add(f"{type(error).__name__}: {error}" if own else "".join(traceback.format_exception(error)))
        return clean(f"{type(error).__name__}: {error}")

    def add(self, text: str) -> None:
        """Take the text of an error, of which control characters and a great length go."""
        self.texts.append(block(text))

    def show(self) -> None:
        """Write them."""
        write(self.strip, "value", error_strip(list(self.texts)))
        write(self.root.layout, "display", "" if self.texts else "none")


class Tap:
    """Sees what the session on one loop logs.

    Where nobody has set up logging, its lines end here: the panel shows them, and the logging module's last resort
    would write each 429 in red below whichever cell began the run. `note`: is told text, traceback and level.
    """

    def __init__(self, is_here: Callable[[], bool], note: Callable[[str, str, int], None]) -> None:
        self.is_here, self.note = is_here, note
        _TAPS.taps.add(self)

    def close(self) -> None:
        """See no more."""
        _TAPS.taps.discard(self)


class _Taps(logging.Filter):
    """The one filter of the logger: no handler, for that would silence sessions without a panel."""

    def __init__(self) -> None:
        super().__init__()
        self.taps: weakref.WeakSet[Tap] = weakref.WeakSet()

    def filter(self, record: logging.LogRecord) -> bool:
        """Hand a record to the panels of the loop that it comes from."""
        mine = [tap for tap in list(self.taps) if tap.is_here()]
        if record.levelno >= logging.WARNING and record.module != "runlog":  # those come from the run's events
            trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
            for tap in mine:
                tap.note(clean(record.getMessage()), trace, record.levelno)
        return not mine or logging.getLogger("vidgen_nb").hasHandlers()


_TAPS = _Taps()
logging.getLogger("vidgen_nb").addFilter(_TAPS)
