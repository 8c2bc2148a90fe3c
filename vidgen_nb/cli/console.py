"""Consoles, error lines and log lines. What comes from outside is printed as text, never as markup."""

from __future__ import annotations

import logging
import sys

from rich.console import Console
from rich.highlighter import NullHighlighter
from rich.logging import RichHandler
from rich.text import Text

from vidgen_nb.plaintext import one_line

__all__ = ["LogOnConsole", "make_console", "print_error"]

MIN_PIPE_WIDTH = 160
"""Columns when the output is a pipe or a file, so that its lines are not broken."""
MAX_ERROR_CHARS = 4000


def make_console(*, stderr: bool = False) -> Console:
    """Return a console for the terminal, or a wide one for a pipe or a file."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=max(console.width, MIN_PIPE_WIDTH))


def print_error(error: Exception) -> None:
    """Print an error as one line on stderr."""
    text = Text.assemble(("error: ", "bold red"), one_line(str(error), MAX_ERROR_CHARS))
    Console(stderr=True).print(text, soft_wrap=True)


class LogOnConsole:
    """A context in which the log lines of vidgen_nb are shown above the console's progress bar."""

    def __init__(self, console: Console) -> None:
        self._log = logging.getLogger("vidgen_nb")
        self._handler: logging.Handler = logging.StreamHandler(sys.stderr)
        if console.is_terminal:  # so that the bar stays below; in a pipe, rich would pad lines and break them
            self._handler = RichHandler(
                console=console,
                show_time=False,
                show_path=False,
                show_level=False,
                markup=False,
                highlighter=NullHighlighter(),
            )
        self._handler.setFormatter(logging.Formatter("%(message)s"))

    def __enter__(self) -> None:
        self._level, self._propagate = self._log.level, self._log.propagate
        self._log.addHandler(self._handler)
        self._log.setLevel(logging.INFO)
        self._log.propagate = False

    def __exit__(self, *_: object) -> None:
        self._log.removeHandler(self._handler)
        self._log.setLevel(self._level)
        self._log.propagate = self._propagate
