"""How a session lives: on a loop of its own or the caller's, from its first run to its close."""

from __future__ import annotations

import asyncio
import atexit
import logging
import weakref
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.drivers.home import Home
from vidgen_nb.drivers.realtime import Observer
from vidgen_nb.errors import SessionError
from vidgen_nb.live import LiveRun
from vidgen_nb.run import Run
from vidgen_nb.settings import Settings

__all__ = ["Lifecycle", "Started"]

log = logging.getLogger("vidgen_nb")

LOOK_UP = 0.2
"""Wall seconds until an interrupt of an awaiting cell is noticed."""


@dataclass
class Started:
    """One call that runs scenes."""

    scenes: list[Scene] | None
    single: bool = False
    same_run: bool = False
    """Go on with the last run, although all of it is settled."""
    began: bool = False
    """Whether nothing was under way before."""
    end: Future[Run] = field(default_factory=Future)


class Lifecycle:
    """What a `Session` is underneath: who may touch what, on which loop, and how it ends."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._home = Home("vidgen_nb session")
        self._live: LiveRun | None = None
        self._attempts: dict[str, int] = {}
        """Attempts that scenes had in earlier runs."""
        self._observers: list[Observer] = []
        self._closed = False
        self._watched = False
        """Whether the interpreter's end is watched for."""

    # -- ending

    def stop(self) -> None:
        """End the run once what is under way has settled; the rest stays queued, for `run()` to go on with."""

        def stop() -> None:
            if self._live is not None and not self._live.scheduler.ended:
                self._live.post(ev.Stopped())

        self._home.call(stop)

    def close(self) -> None:
        """Stop, wait for what is under way, and close the connections; the session is over then."""
        if self._closed:
            return
        self._may_block()
        live = self._live
        if live is not None and not live.is_over:
            self.stop()
            self._home.call(live.wait_for).exception()  # however it ended, it has
        self._closed = True
        asyncio.run_coroutine_threadsafe(self._settings.backend.aclose(), self._home.loop).result()
        self._home.stop()

    def abandon(self) -> None:
        """Break off what is under way, without waiting for it.

        Scenes that were sent are held, for they may be running at the provider; the rest stays queued.
        """
        self._may_block()
        live = self._live
        if live is not None and not live.is_over:
            asyncio.run_coroutine_threadsafe(live.abandon(), self._home.loop).result()

    async def aclose(self) -> None:
        """As `close`, for a session on the caller's loop."""
        if not self._home.is_adopted:
            await asyncio.to_thread(self.close)
            return
        live = self._live
        if live is not None and not live.is_over:
            self.stop()
            await asyncio.wait([asyncio.wrap_future(live.wait_for())])
        self._closed = True
        await self._settings.backend.aclose()
        self._home.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is not None and not self._closed:
            self.abandon()  # an error is on its way out: waiting minutes for videos would hang it
        self.close()

    async def __aenter__(self) -> Self:
        if self._live is not None:
            raise SessionError("a session that has run already keeps its own thread: enter it before its first run")
        self._home.adopt(asyncio.get_running_loop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        live = self._live
        if kind is not None and live is not None and not live.is_over:
            await live.abandon()
        await self.aclose()

    # -- inside, on the session's loop

    def _begin(self, started: Started) -> None:
        """Add scenes to the run under way or to one that can be gone on with, or begin a new one."""
        if self._closed:
            raise SessionError("this session is closed: make a new one")
        live, scenes = self._live, started.scenes
        unfinished = live is not None and not live.dead and live.scheduler.unsettled > 0
        if scenes is None and not unfinished:
            raise SessionError("there is nothing to go on with: give the scenes to run")
        if live is None or live.dead or (live.is_over and not (unfinished or started.same_run)):
            live = self._new_run(live)
        if not self._watched:
            self._watched = True
            atexit.register(_say_what_is_left, weakref.ref(self))
        started.began = live.is_over
        live.add(scenes or [], single=started.single, attempts=self._attempts)
        live.go()
        started.end = live.wait_for(scenes[0].id if started.single and scenes else None)

    def _interrupted(self, started: Started) -> None:
        """Undo what a call began whose caller does not wait any more, and nothing else."""
        if started.began:
            self.stop()
        elif started.single and started.scenes and self._live is not None:
            self._live.post(ev.CancelRequested(started.scenes[0].id))

    def _new_run(self, old: LiveRun | None) -> LiveRun:
        carried: list[ev.CooldownImposed] = []
        if old is not None:
            carried = [each for each in old.carry_over() if each.profile in self._settings.profiles]
            self._attempts.update({name: state.number for name, state in old.scheduler.scenes.items()})
        self._settings.folder.prepare()
        self._live = LiveRun(self._settings, carried, self._observers)
        return self._live

    def _current(self) -> LiveRun:
        if self._live is None:
            raise SessionError("there is no run yet: start one with run(scenes)")
        return self._live

    def _post(self, event: ev.Event) -> None:
        self._home.call(lambda: self._current().post(event))

    def _change(self, **settings: Any) -> None:
        """Change settings; a run that is under way takes them over now, others when they go on."""

        def change() -> None:
            for name, value in settings.items():
                setattr(self._settings, name, value)
            if self._live is not None and not self._live.is_over:
                self._live.sync()

        if self._live is None:
            change()  # nothing lives on the loop yet
        else:
            self._home.call(change)

    # -- waiting

    async def _wait_for(self, started: Started) -> Run:
        self._home.call(self._begin, started)
        end = asyncio.wrap_future(started.end)
        try:
            # A kernel's interrupt cancels this from a signal handler, which does not wake a loop that sleeps: where
            # all the work is on another thread, nothing else would either, and the cancel came at the run's end.
            while not end.done():
                await asyncio.wait([end], timeout=LOOK_UP)
            return end.result()
        except asyncio.CancelledError:
            end.cancel()
            self._home.call(self._interrupted, started)
            raise

    def _may_block(self) -> None:
        if self._home.here() or self._home.is_adopted:
            raise SessionError(
                "this would wait for itself: on the session's own loop use `await session.run(...)`, and leave its "
                "`async with`, or await session.aclose(), to close it"
            )


def _say_what_is_left(session: weakref.ref[Lifecycle]) -> None:
    """Warn, at the interpreter's end, of a run that nobody waited for."""
    found = session()
    live = found._live if found is not None else None  # noqa: SLF001 - its own module
    if live is not None and not live.is_over:
        log.warning(
            "the program ends with %d scenes under way and %d more to do; wait() for them, or use `with Session(...)`",
            live.scheduler.in_flight,
            live.scheduler.unsettled - live.scheduler.in_flight,
        )
