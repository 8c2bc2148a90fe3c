"""The loop that a session lives on: a thread of its own, or the caller's loop; in a browser, the page's.

So a cell that blocks the kernel does not stop a run, and callbacks from any thread post here.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from vidgen_nb.errors import SessionError
from vidgen_nb.machine.browser import can_wait_here, in_browser, wait_here

__all__ = ["SessionLoop"]

log = logging.getLogger("vidgen_nb")

P = ParamSpec("P")
T = TypeVar("T")


class SessionLoop:
    """One event loop: the only place where the state that lives on it may be touched."""

    def __init__(self, name: str, on_start: Callable[[], object] = lambda: None) -> None:
        self._name = name
        self._on_start = on_start
        """Called on the loop before anything else."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._adopted = self._ended = False
        self._process = os.getpid()
        """The process that the loop runs in."""
        self._lock = threading.Lock()

    def adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """Live on the caller's loop from now on; a thread that was started before ends."""
        self.stop()
        self._loop, self._adopted, self._ended = loop, True, False
        loop.call_soon(self._on_start)

    @property
    def is_left_behind(self) -> bool:
        """Whether nothing answers any more: in a forked child, and where the interpreter has ended its threads."""
        return self._thread is not None and (self._process != os.getpid() or sys.is_finalizing())

    @property
    def is_adopted(self) -> bool:
        """Whether this is the caller's loop."""
        return self._adopted

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; starts the thread when there is none yet. `SessionError` after the end."""
        self._check_process()
        with self._lock:
            return self._ensure_loop()

    def _check_process(self) -> None:
        """Raise `SessionError` where a call would wait for ever, perhaps for the lock."""
        if self.is_left_behind:
            why = "the program ends" if sys.is_finalizing() else "this is a forked child: make a new one"
            raise SessionError(f"the {self._name}'s thread does not run here, since {why}")

    def _ensure_loop(self) -> asyncio.AbstractEventLoop:
        if self._ended:
            raise SessionError(f"the {self._name} is closed: make a new one")
        if self._loop is None and in_browser():
            self._loop, self._adopted = asyncio.get_running_loop(), True
            self._loop.call_soon(self._on_start)
        if self._loop is None:
            self._process = os.getpid()
            self._loop = loop = asyncio.new_event_loop()
            loop.call_soon(self._on_start)
            self._thread = threading.Thread(target=self._run_forever, args=(loop,), name=self._name, daemon=True)
            self._thread.start()
        return self._loop

    def is_current(self) -> bool:
        """Say whether the caller is on this loop already."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function on the loop, from whichever thread, and return or raise what it did.

        Raises `SessionError` after the end.
        """
        if in_browser():
            self._ensure_loop()
        if self.is_current():
            return function(*args, **kwargs)
        self._check_process()
        done: Future[T] = Future()

        def carry_out() -> None:
            try:
                done.set_result(function(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
                done.set_exception(error)

        with self._lock:  # so that it is carried out before the loop ends
            self._ensure_loop().call_soon_threadsafe(carry_out)
        return done.result()

    @property
    def is_callers(self) -> bool:
        """Whether the caller shares it, so that a call that waits for it would wait for itself."""
        return self.is_current() or self._adopted or in_browser()

    def wait_for(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Carry out a coroutine function on the loop, from another thread, and return or raise what it did.

        In a browser that can wait, the caller may be on the loop.
        """
        loop = self.loop
        if can_wait_here():
            return wait_here(work())
        return asyncio.run_coroutine_threadsafe(work(), loop).result()

    async def awaited(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """As `wait_for`, to be awaited, on whichever loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), self.loop))

    @staticmethod
    def result(future: Future[T], timeout: float | None = None) -> T:
        """Wait for a future that is completed on the loop, as `Future.result`; also in a browser that can wait."""
        if can_wait_here():
            return wait_here(asyncio.wait_for(asyncio.wrap_future(future), timeout))
        return future.result(timeout)

    def stop(self) -> None:
        """End the loop, and its thread if that is ours; what was handed over before is still carried out."""
        with self._lock:
            self._ended = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
            if thread is not None and loop is not None:
                loop.call_soon_threadsafe(loop.stop)
        if thread is not None:
            thread.join()

    @staticmethod
    def _run_forever(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            while True:
                try:
                    loop.run_forever()
                    return
                except BaseException:  # asyncio lets SystemExit and KeyboardInterrupt of any callback end the loop
                    log.exception("something on the session's loop tried to end it; the session continues")
        finally:
            asyncio.set_event_loop(None)
            loop.close()
