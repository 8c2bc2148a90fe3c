"""Judges first answers, and guards the first submits to a server: until one is accepted there, one leaves at a time.

The first answers may show that the set-up is wrong, and not the scene: no such path, no such model, a web page, an
answer with no job in it, or, of an API that a user describes, with nothing at the described place. Then every further
scene would be spent, or paid, in vain: the run stops, and says what to do.
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

__all__ = ["FirstAnswers", "about_own_model", "address_advice", "address_mistake"]

_NO_SUCH_PATH: Final = frozenset({301, 302, 303, 307, 308, 404, 405, 410, 421, 426, 501})
"""What says that this is not the place, or not the way, to submit; whatever the scene is."""
log = logging.getLogger("vidgen_nb")


class FirstAnswers:
    """Remembers what has been right once: a server that accepted, a place in an answer that had a value.

    What has never been right may be a mistake of the set-up; what has, fails for a reason of its own.
    """

    def __init__(self) -> None:
        self._right: set[str] = set()
        self._mistakes: dict[str, str] = {}
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]] = WeakKeyDictionary()

    def confirm(self, *what: str) -> None:
        """Note what was right: the base_url of a server that has a job of ours, the option that names a place."""
        self._right.update(what)

    def is_confirmed(self, what: str) -> bool:
        """Return whether this has been right once."""
        return what in self._right

    def shows_mistake(self, what: str, answer: Answer) -> bool:
        """Return whether a success that lacks what it must have may be the set-up's fault: none ever had it."""
        return answer.ok and not answer.is_cut_off and what not in self._right

    @property
    def any_confirmed(self) -> bool:
        """Whether anything has been right: then some server has a job of ours."""
        return bool(self._right)

    @asynccontextmanager
    async def one_until_accepted(self, server: str) -> AsyncIterator[None]:
        """Let one submit out at a time until a server has accepted one; none after an answer that shows a mistake.

        A block that ends without an error counts as accepted.
        """
        about_to_connect()  # from here on it waits: for the first answer, for an image, for a connection
        if server in self._right:
            yield
            return
        lock = self._locks.setdefault(asyncio.get_running_loop(), {}).setdefault(server, asyncio.Lock())
        if not lock.locked():
            self._mistakes.pop(server, None)  # this may be another run
        async with lock:
            if server in self._mistakes:
                raise BackendError(Transient(f"not sent: {self._mistakes[server]}"))
            first = server not in self._right
            if first:
                try:
                    yield
                except (BackendError, InputError) as error:  # the latter: a description that does not fit the answers
                    if mistake := error.stop if isinstance(error, BackendError) else str(error):
                        self._mistakes[server] = mistake
                    raise
                self._right.add(server)
        if not first:
            yield

    def judged(
        self, failure: Failure, answer: Answer, server: str, advice: str, *, scenes_own: bool = False
    ) -> BackendError:
        """Return the error for a submit that failed; it stops the run if this is the set-up's fault.

        `advice`: what to do about a wrong address. `scenes_own`: whether path or model are the scene's own.
        """
        if server in self._right or scenes_own:
            return BackendError(failure)
        if answer.status == 501 and isinstance(failure, Transient):
            failure = Permanent(failure.reason)
        if isinstance(failure, Ambiguous) and self.shows_mistake(server, answer):
            said = redacted_line(read_error(answer.said).message, current_key.get(), 200)
            what = f"the answer is {answer.kind}, and has no job in it{f': {said}' if said else ''}"
            problem = f"HTTP {answer.status}: {what}. {advice}"
            failure = Ambiguous(f"{problem.rstrip('?')}. The job may have been accepted")
        elif isinstance(failure, Permanent) and failure.cause == "no_such_model":
            problem = f"{failure.reason}. Correct model=: the server does not know this one"
            failure = replace(failure, reason=problem)
        elif isinstance(failure, Permanent) and _is_no_such_path(answer):
            location = redacted_line(answer.header("location"), limit=200)
            place = f" It leads to {location}." if location and answer.status < 400 else ""
            problem = f"{failure.reason}. There is nothing to submit to at this address.{place} {advice}"
            failure = replace(failure, reason=problem)
        else:
            return BackendError(failure)
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
    if mistake := address_mistake(base_url, endpoint):
        return mistake
    shown = f"base_url is {base_url}"
    if not _versions(base_url):
        return f"{shown}: it has no version; add it, such as /v1, if the server's paths have one"
    return f"{shown}: is it right, and does the server serve /{endpoint} there?"


def address_mistake(base_url: str, endpoint: str) -> str:
    """Say what is certainly odd about a base_url; "" if nothing is."""
    if endpoint in httpx.URL(base_url).path.strip("/").split("/"):
        return f"base_url is {base_url}: leave out /{endpoint} and what follows it; it is added by itself"
    return f"base_url is {base_url}: the version stands there twice" if len(_versions(base_url)) > 1 else ""


def _versions(base_url: str) -> list[str]:
    parts = httpx.URL(base_url).path.strip("/").split("/")
    return [part for part in parts if part[:1] == "v" and part[1:2].isdigit()]
