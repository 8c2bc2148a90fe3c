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
from vidgen_nb.plaintext import clean
from vidgen_nb.widgets.bound import answer_anywhere, write
from vidgen_nb.widgets.status import error_strip

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
        self.texts.append(f"{type(error).__name__}: {error}" if own else "".join(traceback.format_exception(error)))
        return clean(f"{type(error).__name__}: {error}")

    def show(self) -> None:
        """Write them."""
        write(self.strip, "value", error_strip(list(self.texts)))
        write(self.root.layout, "display", "" if self.texts else "none")


class Tap(logging.Filter):
    """Sees what the session on one loop logs.

    Where nobody has set up logging, its lines end here: the panel shows them, and the logging module's last resort
    would write each 429 in red below whichever cell began the run. No handler, for it would silence other sessions.
    """

    def __init__(self, is_here: Callable[[], bool], note: Callable[[str, int], None]) -> None:
        super().__init__()
        self._is_here, self._note = weakref.WeakMethod(is_here), weakref.WeakMethod(note)
        logging.getLogger("vidgen_nb").addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Take a record of this session."""
        is_here, note = self._is_here(), self._note()
        if is_here is None or note is None or not is_here():  # other sessions log on other loops
            return True
        if record.levelno >= logging.WARNING and record.module != "runlog":  # those come from the run's events
            note(clean(record.getMessage()), record.levelno)
        return logging.getLogger("vidgen_nb").hasHandlers()

    def close(self) -> None:
        """See no more."""
        logging.getLogger("vidgen_nb").removeFilter(self)
