"""The log of `vidgen_nb`, which can't hurt a run: a handler that raises is not in the way of what is paid for.

A handler may be anybody's, on this logger or above it: one that posts to a server, writes to a full disk, or prints to
a terminal that is gone.
"""

from __future__ import annotations

import logging
import threading

__all__ = ["HarmlessLogger", "harmless_log"]


class HarmlessLogger(logging.Logger):
    """A logger whose calls never raise."""

    def handle(self, record: logging.LogRecord) -> None:
        """Hand a record to the handlers; what one raises is dropped, and so is what it exits with."""
        try:
            super().handle(record)
        except Exception:  # noqa: BLE001, S110 - there is no place left to tell it
            pass
        except BaseException:
            if threading.current_thread() is threading.main_thread():  # a Ctrl-C of the user's, perhaps
                raise


def harmless_log() -> logging.Logger:
    """Return the logger `vidgen_nb`, which is harmless from now on."""
    log = logging.getLogger("vidgen_nb")
    if type(log) is logging.Logger:  # somebody may have put a class of their own there
        log.__class__ = HarmlessLogger
    return log
