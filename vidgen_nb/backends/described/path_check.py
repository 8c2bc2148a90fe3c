"""Checks a description against the first answers: whether values are where its JSON paths say.

If a path has never led to a value, the description is wrong. Then `InputError` stops the run, since every further
scene would be paid in vain.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakKeyDictionary

from vidgen_nb.backends.described.json_paths import JsonPath, outline, value_at
from vidgen_nb.backends.wire.error_body import tells_error
from vidgen_nb.backends.wire.http import Answer, redacted_line
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, Secret

__all__ = ["PathCheck", "missing_value"]

_ERROR_PATHS: Final = ("error", "errors", "detail")
_HINTS: Final = {"result": "; if it may be missing, give a function, such as lambda answer: answer.get('video')"}


class PathCheck:
    """Remembers which paths have led to a value. `error`: the path of an error in an answer."""

    def __init__(self, error: JsonPath) -> None:
        self._error_path = error
        self._confirmed: set[str] = set()
        self._description_error: InputError | None = None
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def confirm(self, option: str) -> None:
        """Note that this option's path has led to a value."""
        self._confirmed.add(option)

    @asynccontextmanager
    async def one_until_confirmed(self) -> AsyncIterator[None]:
        """Let one submit out at a time until the path of the job's id is confirmed: each may have to be paid."""
        if "job" not in self._confirmed:
            lock = self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
            if not lock.locked():
                self._description_error = None  # this may be another run
            async with lock:
                if self._description_error is not None:
                    raise BackendError(Transient(f"not sent: {self._description_error}"))
                if "job" not in self._confirmed:
                    yield
                    return
        yield

    def check(self, option: str, path: JsonPath, answer: Answer, key: Secret, job: str = "") -> None:
        """Raise `InputError` for an answer that has no value at a path that has never led to one.

        An answer that contains an error says nothing about the path. `job`: the id of the accepted job.
        """
        if option in self._confirmed or not answer.ok or not isinstance(answer.data, dict):
            return
        if not any(tells_error(value_at(answer.data, each)) for each in (self._error_path, *_ERROR_PATHS)):
            accepted = f"accepted as {redacted_line(job, key, 80)!r}, but " if job else ""
            problem = accepted + missing_value(option, path, answer, key)
            self._description_error = InputError(f"{problem}. Correct {option}={_HINTS.get(option, '')}")
            raise self._description_error


def missing_value(option: str, path: JsonPath, answer: Answer, key: Secret) -> str:
    """Say that an answer has no usable value at a path, and what it has."""
    where = "the place its function reads" if callable(path) else repr(path)
    problem = f"the answer has no usable {option} at {where}; {outline(answer.data, path)}"
    return redacted_line(f"HTTP {answer.status}: {problem}", key)
