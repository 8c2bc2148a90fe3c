"""How a session ends: on its own thread, or on the caller's loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

from vidgen_nb.errors import SessionError
from vidgen_nb.run import Run
from vidgen_nb.session.runner import Runner

__all__ = ["Closer"]


class Closer:
    """Stops the run, waits for what is under way, and closes the connections; once."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._closing: asyncio.Future[None] | None = None
        """Of a session on the caller's loop."""

    def close(self) -> None:
        """Stop, wait for what is under way, and close the connections; the session can't be used after that."""
        runner = self._runner
        if not runner.is_closed:
            runner.check_may_block()
        with self._lock:
            if runner.is_closed:
                return
            end = runner.loop.call(self._stop_for_good)
            if end is not None:
                end.exception()  # however it ended, it has
                runner.loop.call(self._release_journal)
            try:
                asyncio.run_coroutine_threadsafe(runner.disconnect(), runner.loop.loop).result()
            finally:
                runner.loop.stop()

    async def aclose(self) -> None:
        """As `close`, for a session on the caller's loop."""
        if not self._runner.loop.is_adopted:
            await asyncio.to_thread(self.close)
            return
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close_on_callers_loop())
        await asyncio.shield(self._closing)

    async def _close_on_callers_loop(self) -> None:
        end = self._stop_for_good()
        if end is not None:
            await asyncio.wait([asyncio.wrap_future(end)])
            self._release_journal()
        try:
            await self._runner.disconnect()
        finally:
            self._runner.loop.stop()

    def abandon(self) -> None:
        """Break off what is under way, without waiting for it.

        Scenes that were sent are held, because they may be running at the provider; the rest stays queued. A run with a
        journal can be restored from it, with all that the provider had accepted.
        """
        self._runner.check_may_block()
        if self._runner.is_running:
            asyncio.run_coroutine_threadsafe(self._runner.abandon(), self._runner.loop.loop).result()

    async def move_to_callers_loop(self) -> None:
        """Let the session live on the running loop; `SessionError` if it has run already."""
        runner = self._runner
        if runner.live is not None and runner.live.has_begun:
            raise SessionError("a session that has run already keeps its own thread: enter it before its first run")
        await runner.move_to(asyncio.get_running_loop())

    def _stop_for_good(self) -> Future[Run] | None:
        """Take no more requests, stop, and return the future of the end; None: there was no run."""
        self._runner.is_closed = True
        self._runner.stop()
        return self._runner.live.wait_for() if self._runner.live is not None else None

    def _release_journal(self) -> None:
        """Let others write the journal."""
        if self._runner.live is not None:
            self._runner.live.release()
