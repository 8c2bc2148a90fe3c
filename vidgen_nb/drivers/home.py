"""The loop that a session lives on: a thread of its own, or the caller's loop.

A user's cell that blocks the kernel does not stop a run (ui.md), and callbacks from any thread post here.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

__all__ = ["Home"]

P = ParamSpec("P")
T = TypeVar("T")


class Home:
    """One event loop. It is the only place where the state behind it may be touched."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """Live on the caller's loop; only before anything was called."""
        self._loop = loop

    @property
    def is_adopted(self) -> bool:
        """Whether it lives on a caller's loop."""
        return self._loop is not None and self._thread is None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; starts the thread when there is none yet."""
        with self._starting:
            if self._loop is None:
                self._loop = loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._live, args=(loop,), name=self._name, daemon=True)
                self._thread.start()
            return self._loop

    def here(self) -> bool:
        """Say whether the caller runs on this loop already."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function on the loop, from whichever thread, and return or raise what it did."""
        loop = self.loop
        if self.here():
            return function(*args, **kwargs)
        done: Future[T] = Future()

        def carry_out() -> None:
            try:
                done.set_result(function(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
                done.set_exception(error)

        loop.call_soon_threadsafe(carry_out)
        return done.result()

    def stop(self) -> None:
        """End the thread, where it is our own."""
        loop, thread = self._loop, self._thread
        if thread is not None and loop is not None and thread is not threading.current_thread():
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
        self._loop = self._thread = None

    @staticmethod
    def _live(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            asyncio.set_event_loop(None)
            loop.close()
