"""What the first answers of a described API tell of its description: whether things stand where it says.

Where none ever did, it is the description that is wrong. Then `InputError` stops the run: more would be paid in vain.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakKeyDictionary

from vidgen_nb.backends.described.json_paths import Place, found_at, has
from vidgen_nb.backends.wire.http import Answer, clean
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, Secret

__all__ = ["FirstAnswers", "nothing_at"]

_ERRORS: Final = ("error", "errors", "detail")
_HINTS: Final = {"result": "; where it may be missing, give a function, such as lambda answer: answer.get('video')"}


class FirstAnswers:
    """Keeps account of the places that an answer had something at; `error`: where answers tell of errors."""

    def __init__(self, error: Place) -> None:
        self._error = error
        self._found: set[str] = set()
        self._wrong: InputError | None = None
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def found(self, option: str) -> None:
        """Note that there was something at a place."""
        self._found.add(option)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Let one submit at a time out until it is known where the job's id stands: each may be paid for."""
        if "job" not in self._found:
            lock = self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
            if not lock.locked():
                self._wrong = None  # this may be another run
            async with lock:
                if self._wrong is not None:
                    raise BackendError(Transient(f"not sent: {self._wrong}"))
                if "job" not in self._found:
                    yield
                    return
        yield

    def check(self, option: str, place: Place, answer: Answer, key: Secret, job: str = "") -> None:
        """Raise `InputError` for an answer that has nothing at a place, where none ever had.

        An answer that tells of an error says nothing about the place. `job`: the one that it accepted.
        """
        if option in self._found or not answer.ok or not isinstance(answer.data, dict):
            return
        if not any(found_at(answer.data, each) for each in (self._error, *_ERRORS)):
            accepted = f"accepted as {clean(job, key, 80)!r}, but " if job else ""
            what = accepted + nothing_at(option, place, answer, key)
            self._wrong = InputError(f"{what}. Correct {option}={_HINTS.get(option, '')}")
            raise self._wrong


def nothing_at(option: str, place: Place, answer: Answer, key: Secret) -> str:
    """Say that an answer has nothing usable where the description says, and what it has."""
    where = "what its function looks for" if callable(place) else repr(place)
    what = f"the answer has no usable {option} at {where}; {has(answer.data, place)}"
    return clean(f"HTTP {answer.status}: {what}", key)
