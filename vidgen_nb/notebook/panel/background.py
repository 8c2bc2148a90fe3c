"""Work that takes longer than an update of the panel may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Protocol, TypeVar

from vidgen_nb.machine.browser import in_browser, in_one_go
from vidgen_nb.notebook.panel.host import PanelHost

__all__ = ["Background", "RunInBackground"]

T = TypeVar("T")
Work = Callable[[], T] | Callable[[], Generator[Any, None, T]]
"""A function, or a generator function: that one yields wherever others may have a turn, and returns the result."""


class RunInBackground(Protocol):
    """Does the work off the session's loop, then calls `then` with its result on the loop."""

    def __call__(self, work: Work[T], then: Callable[[T], None], /) -> None:
        """Begin the work, and return at once."""


class Background:
    """Runs work on another thread, or in slices on the loop where there are none; to be called on the loop."""

    def __init__(self, host: PanelHost) -> None:
        self._host = host

    def __call__(self, work: Work[T], then: Callable[[T], None], /) -> None:
        """Do the work, then call `then` with its result on the loop; errors are shown in the panel."""
        post = self._host.post
        if in_browser():
            post(lambda: self._next_slice(_sliced(work), then))
            return
        future = asyncio.get_running_loop().run_in_executor(None, lambda: in_one_go(_sliced(work)))
        future.add_done_callback(lambda done: post(lambda: then(done.result())))

    def _next_slice(self, slices: Generator[Any, None, T], then: Callable[[T], None]) -> None:
        """Do the work up to its next `yield`; the rest when others have had their turn."""
        try:
            next(slices)
        except StopIteration as end:
            then(end.value)
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(0, lambda: self._host.post(lambda: self._next_slice(slices, then)))


def _sliced(work: Work[T]) -> Generator[Any, None, T]:
    result = work()
    if isinstance(result, Generator):
        result = yield from result
    return result
