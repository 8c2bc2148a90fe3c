"""Output streams that can't end a run: a pipe whose reader has gone, a closed one, a full disk, a lost terminal.

What is printed is for people. Where it can't be written it is dropped, and the run goes on.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

__all__ = ["HarmlessStream", "harmless_output"]

GONE_ERRNOS = (errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO)
"""Errors after which nothing more can ever be written there."""


class HarmlessStream:
    """A text stream whose writes never raise; everything else is that of the stream it stands for."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or drop what can't be written."""
        if self._stream is not None:
            try:
                self._stream.write(text)
            except UnicodeError:  # the stream's encoding lacks a character
                encoding = getattr(self._stream, "encoding", None) or "ascii"
                with self._harmless():
                    self._stream.write(text.encode(encoding, "replace").decode(encoding))
            except (OSError, ValueError) as error:
                self._failed(error)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write each of the lines."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write what is buffered, if possible."""
        if self._stream is not None:
            with self._harmless():
                self._stream.flush()

    def isatty(self) -> bool:
        """Say whether it is a terminal that is still there."""
        try:
            return self._stream is not None and self._stream.isatty()
        except (OSError, ValueError):
            return False

    def close_quietly(self) -> None:
        """Give up what can't be written, so that the interpreter's own last flush does not complain either."""
        self.flush()
        try:
            if self._stream is not None:
                self._stream.flush()
        except (OSError, ValueError):
            self._redirect()

    @contextmanager
    def _harmless(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        """Stop writing to what is gone; a full disk may have room again later."""
        if isinstance(error, OSError) and error.errno in GONE_ERRNOS:
            self._redirect()

    def _redirect(self) -> None:
        """Let the file descriptor lead nowhere, and with it what is still buffered."""
        with suppress(OSError, ValueError):
            number = self._stream.fileno() if self._stream is not None else -1
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def harmless_output() -> Iterator[None]:
    """A context in which nothing that is printed can raise; also where a standard stream was closed from the start.

    A closed one is opened to lead nowhere: else the next file, such as a journal, would get its number.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
    before = sys.stdout, sys.stderr
    streams = HarmlessStream(sys.stdout), HarmlessStream(sys.stderr)
    sys.stdout, sys.stderr = streams
    try:
        yield
    finally:
        for stream in streams:
            stream.close_quietly()
        sys.stdout, sys.stderr = before
