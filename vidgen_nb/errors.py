"""Every error that vidgen_nb raises, in one tree.

VidgenError
├── InputError            something given to us is wrong; nothing was sent, unless only an answer could show it (also
│   │                     a ValueError)
│   ├── DuplicateScene    the same scene id twice
│   ├── MissingKey        a profile without an API key
│   ├── ReplayError       recorded events that do not follow from each other
│   └── FileFormatError   a malformed CSV, JSON, TOML or run file, with its line
├── JournalError          a run's journal can't be written, or somebody else writes it
├── SessionError          asked of a session in a state that does not allow it
├── OutputError          results can't be written, such as on a full disk
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


LONGEST = 4000
"""Characters of a message that are shown."""


class VidgenError(Exception):
    """The root of all errors of this package.

    A message may quote somebody else's text. In a terminal or a log no control or bidi character of it arrives.
    """

    def __str__(self) -> str:
        text = super().__str__()
        if not text.isprintable():
            text = "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text[: LONGEST + 1])
        return text if len(text) <= LONGEST else text[:LONGEST] + "…"

    def __reduce__(self) -> tuple[Any, ...]:
        # an exception is unpickled by a call with its message alone, which is not what these take
        return (_restored, (type(self), self.args, self.__dict__))


class InputError(VidgenError, ValueError):
    """Something given to us is wrong; the message says what, where, and what to do."""


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
        place = (
            path + (f", line {line}" if line is not None else "") + (f", column {column}" if column is not None else "")
        )
        super().__init__(f"{place}: {problem}")
        self.path, self.line, self.column = path, line, column


class ReplayError(InputError):
    """Recorded events do not follow from each other; `index` (from 0) is that of the first one that does not."""

    def __init__(self, problem: str, index: int) -> None:
        super().__init__(f"event {index + 1} of this run {problem}")
        self.problem, self.index = problem, index


class JournalError(VidgenError):
    """A run's journal can't be written; `path` is the file. What stands in it already is whole."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"journal {path}: {problem}")
        self.path = path


class OutputError(VidgenError):
    """Results can't be written; they stay with their providers, and `run` is what was done until then."""

    def __init__(self, message: str, run: Any = None) -> None:
        super().__init__(message)
        self.run = run


class SessionError(VidgenError):
    """A session was asked for something that its state does not allow."""


class NoUsableProfile(VidgenError):
    """Every profile is unusable, or comes back later than `max_wait`; `run` is what was done until then."""

    def __init__(self, message: str, run: Any = None) -> None:
        super().__init__(message)
        self.run = run


def _restored(kind: type[VidgenError], args: tuple[Any, ...], context: dict[str, Any]) -> VidgenError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(context)
    return error
