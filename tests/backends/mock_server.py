"""A mocked server for backends: it answers from a list or a table, and keeps the requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

import httpx
import pytest

from vidgen_nb.core.outcomes import Failure
from vidgen_nb.ports import BackendError

__all__ = ["MockApi", "MockServer", "run_on", "run_refused_on"]

T = TypeVar("T")


class Closable(Protocol):
    """A backend."""

    async def aclose(self) -> None:
        """Close the connections."""


B = TypeVar("B", bound=Closable)


class MockServer:
    """Answers every request with the next of its answers, and keeps the requests."""

    def __init__(self, *answers: httpx.Response | BaseException) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


class MockApi:
    """Answers "METHOD URL" from a table, and keeps the requests."""

    def __init__(self, answers: dict[str, httpx.Response | list[httpx.Response]]) -> None:
        self.answers = {call: each if isinstance(each, list) else [each] for call, each in answers.items()}
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer; the last answer of a call stays."""
        self.requests.append(request)
        answers = self.answers[f"{request.method} {request.url}"]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def sent(self) -> list[tuple[str, str | None]]:
        """Return the (host, Authorization) of every request."""
        return [(each.url.host, each.headers.get("authorization")) for each in self.requests]


Answering = Callable[[httpx.Request], httpx.Response]


def run_on(make: Callable[..., B], server: Answering, work: Callable[[B], Coroutine[Any, Any, T]], **options: Any) -> T:
    """Return what a backend's call on the server gives; `make(transport=…, **options)` makes the backend."""

    async def go() -> T:
        backend = make(transport=httpx.MockTransport(server), **options)
        try:
            return await work(backend)
        finally:
            await backend.aclose()

    return asyncio.run(go())


def run_refused_on(
    make: Callable[..., B],
    server: Answering,
    work: Callable[[B], Coroutine[Any, Any, object]],
    *,
    key: str,
    **options: Any,
) -> Failure:
    """Return the failure of a backend's call on the server; its text must not contain the key."""
    with pytest.raises(BackendError) as caught:
        run_on(make, server, work, **options)
    assert key not in str(caught.value)
    return caught.value.outcome
