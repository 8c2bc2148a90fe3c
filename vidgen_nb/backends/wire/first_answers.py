"""Guards the first submits to a server: until one is accepted there, one leaves at a time.

The first answers may show that the set-up is wrong, and not the scene: no such path, no such model, a web page, or an
answer with no job in it. Then every further scene would be spent, or paid, in vain: the run stops, and says what to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final
from weakref import WeakKeyDictionary

import httpx

from vidgen_nb.backends.wire.answer import Answer
from vidgen_nb.backends.wire.reading.error_body import read_error
from vidgen_nb.backends.wire.redaction import current_key
from vidgen_nb.backends.wire.transport_errors import redacted_line
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import Ambiguous, Failure, Permanent, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, about_to_connect

__all__ = ["FirstAnswers", "about_own_model", "address_advice"]

_NO_SUCH_PATH: Final = frozenset({301, 302, 303, 307, 308, 404, 405, 410, 421, 426, 501})
"""What says that this is not the place, or not the way, to submit; whatever the scene is."""
log = logging.getLogger("vidgen_nb")


class FirstAnswers:
    """Remembers which servers have accepted a submit, and what the first answers of the others say of the set-up."""

    def __init__(self) -> None:
        self._accepted: set[str] = set()
        self._trouble: dict[str, str] = {}
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]] = WeakKeyDictionary()

    def accepted(self, server: str) -> None:
        """Note that a server has a job of ours: its base_url is right."""
        self._accepted.add(server)

    def has_accepted(self, server: str) -> bool:
        """Return whether a server has a job of ours."""
        return server in self._accepted

    @asynccontextmanager
    async def one_until_accepted(self, server: str) -> AsyncIterator[None]:
        """Let one submit out at a time until a server has accepted one; none after an answer that shows a mistake.

        A block that ends without an error counts as accepted.
        """
        about_to_connect()  # from here on it waits: for the first answer, for an image, for a connection
        if server in self._accepted:
            yield
            return
        lock = self._locks.setdefault(asyncio.get_running_loop(), {}).setdefault(server, asyncio.Lock())
        if not lock.locked():
            self._trouble.pop(server, None)  # this may be another run
        async with lock:
            if server in self._trouble:
                raise BackendError(Transient(f"not sent: {self._trouble[server]}"))
            first = server not in self._accepted
            if first:
                try:
                    yield
                except InputError as error:  # a description that does not fit the answers
                    self._trouble[server] = str(error)
                    raise
                self._accepted.add(server)
        if not first:
            yield

    def judged(
        self, failure: Failure, answer: Answer, server: str, advice: str, *, scenes_own: bool = False
    ) -> BackendError:
        """Return the error for a submit that failed; it stops the run if this is the set-up's fault.

        `advice`: what to do about a wrong address. `scenes_own`: whether path or model are the scene's own.
        """
        if server in self._accepted or scenes_own:
            return BackendError(failure)
        if answer.status == 501 and isinstance(failure, Transient):
            failure = Permanent(failure.reason)
        if isinstance(failure, Ambiguous) and answer.ok and not answer.is_cut_off:
            said = redacted_line(read_error(answer.said).message, current_key.get(), 120)
            has = f"{answer.kind}, and has no job in it{f' ({said})' if said else ''}"
            problem = f"HTTP {answer.status}: the answer is {has}. {advice}"
            failure = Ambiguous(f"{problem.rstrip('?')}. The job may have been accepted")
        elif isinstance(failure, Permanent) and failure.cause == "no_such_model":
            problem = f"{failure.reason}. The server does not know this model: correct model="
            failure = replace(failure, reason=problem)
        elif isinstance(failure, Permanent) and _is_no_such_path(answer):
            location = redacted_line(answer.header("location"), limit=200)
            place = f" It leads to {location}." if location and answer.status < 400 else ""
            problem = f"{failure.reason}. There is nothing to submit to at this address.{place} {advice}"
            failure = replace(failure, reason=problem)
        else:
            return BackendError(failure)
        self._trouble[server] = problem
        log.error("the run stops: %s", problem)
        return BackendError(failure, stop=problem)


def about_own_model(failure: Failure, answer: Answer, scene: Scene) -> bool:
    """Return whether a refusal may be about a model that the scene itself names, so that others may do."""
    refused = isinstance(failure, Permanent) and failure.cause == "no_such_model"
    return "model" in scene.params and (refused or answer.status == 404)


def _is_no_such_path(answer: Answer) -> bool:
    """Return whether a refusal is about the address: by its status, unless it names a parameter; or a page with 400."""
    about_address = answer.status in _NO_SUCH_PATH and not read_error(answer.said).field
    return about_address or (answer.status == 400 and answer.kind == "an HTML page")


def address_advice(base_url: str, endpoint: str) -> str:
    """Say what looks wrong with a base_url. `endpoint`: the last part of its paths, such as `videos`."""
    path = httpx.URL(base_url).path.strip("/").split("/")
    versions = [part for part in path if part[:1] == "v" and part[1:2].isdigit()]
    shown = f"base_url is {base_url}"
    if endpoint in path:
        return f"{shown}: leave out /{endpoint} and what follows it; it is added by itself"
    if len(versions) > 1:
        return f"{shown}: the version stands there twice"
    if not versions:
        return f"{shown}: it has no version; add it, such as /v1, if the server's paths have one"
    return f"{shown}: is it right, and does the server serve /{endpoint} there?"
