"""Brings what a session logs to its panel.

Most lines of the log come from the run's events, which the panel reads itself; the warnings and errors that have no
event are handed to it here.
"""

from __future__ import annotations

import logging
import traceback
import weakref
from collections.abc import Callable

from vidgen_nb.plaintext import one_line

__all__ = ["LogListener"]


class LogListener:
    """Hears what is logged on one session's loop, until it is closed.

    If nobody has set up logging, these lines go no further: the panel shows them, and the logging module's last resort
    would print each 429 in red below whichever cell started the run.
    """

    def __init__(self, is_on_loop: Callable[[], bool], on_warning: Callable[[str, str, int], None]) -> None:
        """`on_warning` is called with text, traceback and level of a warning or error that has no event."""
        self.is_on_loop, self.on_warning = is_on_loop, on_warning
        _LOG_FILTER.listeners.add(self)

    def close(self) -> None:
        """Hear no more."""
        _LOG_FILTER.listeners.discard(self)


class _LogFilter(logging.Filter):
    """The logger's one filter. A handler in its place would silence sessions without a panel."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners: weakref.WeakSet[LogListener] = weakref.WeakSet()

    def filter(self, record: logging.LogRecord) -> bool:
        """Hand a record to the panels of the loop that logged it."""
        listeners = [listener for listener in list(self.listeners) if listener.is_on_loop()]
        if record.levelno >= logging.WARNING and record.module != "runlog":  # that one logs the run's events
            trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
            for listener in listeners:
                listener.on_warning(one_line(record.getMessage()), trace, record.levelno)
        return not listeners or logging.getLogger("vidgen_nb").hasHandlers()


_LOG_FILTER = _LogFilter()
logging.getLogger("vidgen_nb").addFilter(_LOG_FILTER)
