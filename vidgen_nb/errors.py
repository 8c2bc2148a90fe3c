"""Every error that vidgen_nb raises, in one tree.

VidgenError
├── InputError            the user gave something wrong; nothing was sent, unless only an answer could show the error
│   │                     (also a ValueError)
│   ├── DuplicateScene    the same scene id twice
│   ├── MissingKey        a profile without an API key
│   ├── ReplayError       recorded events that do not follow from each other
│   └── FileFormatError   a malformed CSV, JSON, TOML or run file, with its line
├── JournalError          a run's journal can't be written, or somebody else writes it
├── SessionError          a session's state does not allow what was asked of it
├── OutputError           results can't be written, for example because the disk is full
├── NoUsableProfile       every profile is unusable, or comes back too late
└── BackendError          a provider call failed; carries the outcome it was classified as (`ports`)
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "DuplicateScene",
    "FileFormatError",
    "InputError",
    "JournalError",
    "MissingKey",
    "NoUsableProfile",
    "OutputError",
    "ReplayError",
    "SessionError",
    "VidgenError",
]


MAX_MESSAGE_CHARS = 4000


class VidgenError(Exception):
    """The root of all errors of this package.

    A message may quote other people's text. Its control and bidi characters never reach a terminal or a log.
    """

    def __str__(self) -> str:
        text = super().__str__()
        if not text.isprintable():
            text = "".join(
                char if char.isprintable() or char == "\n" else "\ufffd" for char in text[: MAX_MESSAGE_CHARS + 1]
            )
        return text if len(text) <= MAX_MESSAGE_CHARS else text[:MAX_MESSAGE_CHARS] + "…"

    def __reduce__(self) -> tuple[Any, ...]:
        # an exception is unpickled by a call with its message alone, but these take other arguments
        return (_restored, (type(self), self.args, self.__dict__))


class InputError(VidgenError, ValueError):
    """The user gave something wrong; the message says what, where, and what to do."""


class DuplicateScene(InputError):
    """The same scene id was given twice; `scene` is the id."""

    def __init__(self, scene: str, detail: str = "") -> None:
        super().__init__(
            f"scene id {scene!r} {detail or 'is given twice'}: ids name scenes in the queue, the chart and the "
            "output folder, so give each scene its own"
        )
        self.scene = scene


class MissingKey(InputError):
    """A profile has no API key; `profile` is its name."""

    def __init__(self, profile: str, where: str) -> None:
        super().__init__(f"profile {profile!r} has no API key: {where}")
        self.profile = profile


class FileFormatError(InputError):
    """A file could not be read; `path`, `line` and `column` (from 1, or None) say where."""

    def __init__(self, path: str, problem: str, line: int | None = None, column: int | None = None) -> None:
        self.path, self.line, self.column, self.problem = path, line, column, problem
        where = f", line {line}" if line is not None else ""
        super().__init__(self._after(path + where, column))

    def _after(self, place: str, column: int | None = None) -> str:
        if self.problem.startswith("has "):  # said of the whole line
            return f"{place} {self.problem}"
        return f"{place}{'' if column is None else f', column {column}'}: {self.problem}"

    def in_words(self) -> str:
        """Return what is wrong in which line, for somebody who has just pasted it: without a path."""
        return self._after(f"Line {self.line}") if self.line is not None else self.problem


class ReplayError(InputError):
    """Recorded events do not follow from each other; `index` (from 0) is that of the first wrong one."""

    def __init__(self, problem: str, index: int) -> None:
        super().__init__(f"event {index + 1} of this run {problem}")
        self.problem, self.index = problem, index


class JournalError(VidgenError):
    """A run's journal can't be written; `path` is the file. What it holds already is intact."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"journal {path}: {problem}")
        self.path = path


class OutputError(VidgenError):
    """Results can't be written; they stay with their providers, and `run` is the run so far."""

    def __init__(self, message: str, run: Any = None) -> None:
        super().__init__(message)
        self.run = run


class SessionError(VidgenError):
    """A session's state does not allow what was asked of it."""


class NoUsableProfile(VidgenError):
    """Every profile is unusable, or comes back later than `max_wait`; `run` is the run so far."""

    def __init__(self, message: str, run: Any = None) -> None:
        super().__init__(message)
        self.run = run


def _restored(kind: type[VidgenError], args: tuple[Any, ...], context: dict[str, Any]) -> VidgenError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(context)
    return error
