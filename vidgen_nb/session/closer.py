"""How a session ends: on its own thread, or on the caller's loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future

from vidgen_nb.errors import SessionError
from vidgen_nb.machine.browser import can_wait_here, in_browser, wait_here
from vidgen_nb.run import Run
from vidgen_nb.session.runner import INTERRUPT_CHECK_INTERVAL, Runner
from vidgen_nb.wording.numbers import count

__all__ = ["Closer"]

log = logging.getLogger("vidgen_nb")


class Closer:
    """Stops the run, waits for what is under way, and closes the connections; once."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._closing: asyncio.Future[None] | None = None
        """Of a session on the caller's loop."""
        self._is_done = False
        """Whether `close` has been carried out."""
        self._is_interrupted = False
        """Whether an interrupt was answered with what is waited for: the next one breaks that off."""

    def close(self) -> None:
        """Stop, wait for what is under way, and close the connections; the session can't be used after that.

        An interrupt (Ctrl-C) meanwhile is answered with what is waited for; the next one breaks that off.
        """
        runner = self._runner
        if runner.loop.is_left_behind:  # a forked child, say, which leaves its parent's run alone
            return
        if not runner.is_closed:
            runner.check_may_block()
        if can_wait_here():
            wait_here(self.aclose())
            return
        with self._lock:
            if self._is_done or self._closing is not None:
                return
            try:
                self._wait_for_end()
            finally:
                self._is_done = True
                try:
                    runner.loop.wait_for(runner.disconnect)
                finally:
                    runner.loop.stop()

    def _wait_for_end(self) -> None:
        """Stop for good and wait; raises `KeyboardInterrupt` at the end, if there was one meanwhile."""
        runner, interrupt, is_stopped = self._runner, None, False
        end: Future[Run] | None = None
        while True:
            try:
                if not is_stopped:
                    end = runner.loop.call(self._stop_for_good)
                    is_stopped = True
                if end is not None:
                    end.exception()  # however it ended, it has
                    runner.loop.call(self._release_journal)
                break
            except KeyboardInterrupt as error:
                if self._is_interrupted:
                    runner.loop.wait_for(runner.abandon)
                    raise
                interrupt = error
                self._note_interrupt()
        if interrupt is not None:
            raise interrupt

    def before_leaving(self, kind: type[BaseException] | None) -> bool:
        """Say whether to break off what is under way, since a `with` block is left with an exception of this kind.

        An interrupt means `stop()`: what is under way is paid for, and finishes. A second one breaks it off. With any
        other error on its way out, waiting minutes for videos would hang it.
        """
        if kind is None or self._is_done or self._closing is not None:
            return False
        if issubclass(kind, KeyboardInterrupt | asyncio.CancelledError):
            self._note_interrupt()
            return False
        return True

    def _note_interrupt(self) -> None:
        """Say what is waited for after an interrupt, and that the next one breaks it off."""
        self._is_interrupted = True
        live = self._runner.live
        if live is not None and not live.is_over:
            log.warning(
                "interrupted: nothing new is submitted; waiting for %s. Interrupt again (Ctrl-C) to leave "
                "them unfinished",
                count(live.scheduler.in_flight, "running scene"),
            )

    async def aclose(self) -> None:
        """As `close`, for a session on the caller's loop."""
        if not in_browser() and not self._runner.loop.is_adopted:
            await asyncio.to_thread(self.close)
            return
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close_on_callers_loop())
        await asyncio.shield(self._closing)

    async def leave(self) -> None:
        """As `aclose`, at the end of `async with`: there a cancel is an interrupt, and `close` says what follows."""
        closing, cancelled = asyncio.ensure_future(self.aclose()), None
        while not closing.done():
            try:
                await asyncio.wait([closing], timeout=INTERRUPT_CHECK_INTERVAL)
            except asyncio.CancelledError as error:
                cancelled = error
                if self._is_interrupted:
                    await self._runner.abandon()
                else:
                    self._note_interrupt()
        closing.result()
        if cancelled is not None:
            raise cancelled

    async def _close_on_callers_loop(self) -> None:
        end = self._stop_for_good()
        if end is not None:
            ended = asyncio.wrap_future(end)
            await asyncio.wait([ended])
            if not ended.cancelled():
                ended.exception()  # however it ended, it has
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
        if self._runner.is_running and not self._runner.loop.is_left_behind:
            self._runner.loop.wait_for(self._runner.abandon)

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
