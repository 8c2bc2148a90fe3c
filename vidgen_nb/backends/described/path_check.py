"""What the first answers of a described API tell of its description: whether things stand where it says.

Where none ever did, it is the description that is wrong. Then `InputError` stops the run: more would be paid in vain.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakKeyDictionary

from vidgen_nb.backends.described.json_paths import JsonPath, outline, value_at
from vidgen_nb.backends.wire.http import Answer, redacted_line
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, Secret

__all__ = ["PathCheck", "missing_value"]

_ERROR_PATHS: Final = ("error", "errors", "detail")
_HINTS: Final = {"result": "; where it may be missing, give a function, such as lambda answer: answer.get('video')"}


class PathCheck:
    """Keeps account of the places that an answer had something at; `error`: where answers tell of errors."""

    def __init__(self, error: JsonPath) -> None:
        self._error_path = error
        self._found: set[str] = set()
        self._description_error: InputError | None = None
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def confirm(self, option: str) -> None:
        """Note that there was something at a place."""
        self._found.add(option)

    @asynccontextmanager
    async def one_until_confirmed(self) -> AsyncIterator[None]:
        """Let one submit at a time out until it is known where the job's id stands: each may be paid for."""
        if "job" not in self._found:
            lock = self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
            if not lock.locked():
                self._description_error = None  # this may be another run
            async with lock:
                if self._description_error is not None:
                    raise BackendError(Transient(f"not sent: {self._description_error}"))
                if "job" not in self._found:
                    yield
                    return
        yield

    def check(self, option: str, place: JsonPath, answer: Answer, key: Secret, job: str = "") -> None:
        """Raise `InputError` for an answer that has nothing at a place, where none ever had.

        An answer that tells of an error says nothing about the place. `job`: the one that it accepted.
        """
        if option in self._found or not answer.ok or not isinstance(answer.data, dict):
            return
        if not any(value_at(answer.data, each) for each in (self._error_path, *_ERROR_PATHS)):
            accepted = f"accepted as {redacted_line(job, key, 80)!r}, but " if job else ""
            what = accepted + missing_value(option, place, answer, key)
            self._description_error = InputError(f"{what}. Correct {option}={_HINTS.get(option, '')}")
            raise self._description_error


def missing_value(option: str, place: JsonPath, answer: Answer, key: Secret) -> str:
    """Say that an answer has nothing usable where the description says, and what it has."""
    where = "what its function looks for" if callable(place) else repr(place)
    what = f"the answer has no usable {option} at {where}; {outline(answer.data, place)}"
    return redacted_line(f"HTTP {answer.status}: {what}", key)
