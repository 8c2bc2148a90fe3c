"""Work that takes longer than an update of the panel may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.session.event_loop import HAS_THREADS

__all__ = ["Background", "RunInBackground"]

T = TypeVar("T")


class RunInBackground(Protocol):
    """Does the work off the session's loop, then calls `then` with its result on the loop."""

    def __call__(self, work: Callable[[], T], then: Callable[[T], None], /) -> None:
        """Begin the work, and return at once."""


class Background:
    """Runs work on another thread if there are threads, and on the loop otherwise; to be called on the loop."""

    def __init__(self, host: PanelHost) -> None:
        self._host = host

    def __call__(self, work: Callable[[], T], then: Callable[[T], None], /) -> None:
        """Do the work, then call `then` with its result on the loop; errors are shown in the panel."""
        post = self._host.post
        if not HAS_THREADS:
            post(lambda: then(work()))
            return
        future = asyncio.get_running_loop().run_in_executor(None, work)
        future.add_done_callback(lambda done: post(lambda: then(done.result())))
