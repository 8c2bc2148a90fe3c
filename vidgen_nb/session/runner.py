"""How a session lives: on a loop of its own or the caller's, from its first run to its close."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.drivers.realtime import Observer
from vidgen_nb.errors import JournalError, SessionError
from vidgen_nb.plaintext import clean
from vidgen_nb.run import Run
from vidgen_nb.session.event_loop import Home
from vidgen_nb.session.live_run import LiveRun
from vidgen_nb.session.restored_run import Past
from vidgen_nb.session.settings import Settings, checked_scenes
from vidgen_nb.sharing.member import Member

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
        self._member = Member(settings.shared, settings.backend, self._take_in)
        self._member.watch(settings.profiles.values())
        self._home = Home("vidgen_nb session", self._member.join)
        self._live: LiveRun | None = None
        self._attempts: dict[str, int] = {}
        """Attempts that scenes had in earlier runs."""
        self._observers: list[Observer] = []
        self._closed = False
        self._closing = threading.Lock()
        self._closer: asyncio.Future[None] | None = None
        """The closing of a session on the caller's loop."""
        self._beginner = Started(None)
        """The call that began the run."""

    # -- looking

    @property
    def last_run(self) -> Run | None:
        """The run that is under way, or the last one; None: there was none."""
        live = self._live
        return live.run if live is not None else None

    @property
    def journal(self) -> Path | None:
        """The file in which the last run is written down; None: there is none."""
        live = self._live
        return live.journal.path if live is not None and live.journal is not None else None

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        live = self._live
        return live is not None and not live.is_over

    @property
    def is_broken_off(self) -> bool:
        """Whether the last run broke off in a way that only a restore goes on with."""
        return self._live is not None and self._live.dead and self._live.journal is not None

    @property
    def in_flight(self) -> int:
        """How many attempts are under way."""
        live = self._live
        return live.scheduler.in_flight if live is not None else 0

    @property
    def cooling(self) -> dict[str, float]:
        """Run seconds left for each profile that cools or is unusable; inf: no end is known."""
        live = self._live
        return {} if live is None or self._closed else self._home.call(live.cooling)

    @property
    def last_429_at(self) -> float | None:
        """Time of the latest 429 on any profile, in seconds of the last run; None: there was none (R19)."""
        live = self._live
        return live.scheduler.last_429_at if live is not None else None

    # -- ending

    def stop(self) -> None:
        """End the run once what is under way has settled; the rest stays queued, for `run()` to go on with."""

        def stop() -> None:
            live = self._live
            if live is not None and not (live.scheduler.ended or (live.scheduler.stopped and live.is_over)):
                live.post(ev.Stopped())

        self._home.call(stop)

    def close(self) -> None:
        """Stop, wait for what is under way, and close the connections; the session is over then."""
        if not self._closed:
            self._may_block()
        with self._closing:
            if self._closed:
                return
            end = self._home.call(self._shut)
            if end is not None:
                end.exception()  # however it ended, it has
                self._home.call(self._let_go)
            try:
                asyncio.run_coroutine_threadsafe(self._disconnect(), self._home.loop).result()
            finally:
                self._home.stop()

    def _shut(self) -> Future[Run] | None:
        """Take nothing new from now on, stop, and return the future of the end."""
        self._closed = True
        self.stop()
        return self._live.wait_for() if self._live is not None else None

    def _let_go(self) -> None:
        """Let others write the journal."""
        if self._live is not None:
            self._live.release()

    def abandon(self) -> None:
        """Break off what is under way, without waiting for it.

        Scenes that were sent are held, for they may be running at the provider; the rest stays queued. A run with a
        journal can be restored from it then, with all that the provider had accepted.
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
        if self._closer is None:
            self._closer = asyncio.ensure_future(self._shut_down())
        await asyncio.shield(self._closer)

    async def _shut_down(self) -> None:
        end = self._shut()
        if end is not None:
            await asyncio.wait([asyncio.wrap_future(end)])
            self._let_go()
        try:
            await self._disconnect()
        finally:
            self._home.stop()

    async def _disconnect(self) -> None:
        try:
            await self._member.aclose()
        finally:
            await self._settings.backend.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is not None and not self._closed:
            self.abandon()  # an error is on its way out: waiting minutes for videos would hang it
        self.close()

    async def __aenter__(self) -> Self:
        if self._live is not None and self._live.has_begun:
            raise SessionError("a session that has run already keeps its own thread: enter it before its first run")
        if self._member.is_open:  # on the thread that is left now
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._member.aclose(), self._home.loop))
        self._home.adopt(asyncio.get_running_loop())
        await self._member.ready()
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
        if scenes is None and live is not None and live.is_settled_past:
            started.end = live.wait_for()
            return
        if scenes is None and not unfinished:
            raise SessionError(
                f"the run was broken off: restore({str(self.journal)!r}, …) goes on with it"
                if self.is_broken_off
                else "there is nothing to go on with, no scene is open"
                + (" (last_run has what was done)" if live is not None else "")
                + ": give the scenes to run"
            )
        lost = self._lost(started)
        scenes = checked_scenes(self._settings.backend, scenes or ())
        if live is None or live.dead or lost or (live.is_over and not (unfinished or started.same_run)):
            live = self._new_run(live)
        started.began = live.is_over
        if started.began:
            self._beginner = started
        else:  # the run is not that one's alone any more
            self._beginner.began = False
        live.add(scenes, single=started.single, attempts=self._attempts)
        live.go()
        started.end = live.wait_for(scenes[0].id if started.single and scenes else None)

    def _lost(self, started: Started) -> JournalError | None:
        """Return why the last run can't be gone on with, for new scenes then begin another; else raise it."""
        live = self._live
        lost = live.lost if live is not None else None
        if live is None or lost is None or (started.scenes is None and not live.is_over):
            return None
        if started.scenes is None or started.same_run or not live.is_over:
            raise lost
        if live.scheduler.unsettled:
            log.warning(
                "%s. %d scenes stay with that run, a new one begins", clean(str(lost)), live.scheduler.unsettled
            )
        return lost

    def _interrupted(self, started: Started) -> None:
        """Undo what a call began whose caller does not wait any more, and nothing else."""
        if started.single and started.scenes and self._live is not None:
            self._live.post(ev.CancelRequested(started.scenes[0].id))
        elif started.began:
            self.stop()

    def _new_run(self, old: LiveRun | None) -> LiveRun:
        carried: list[ev.CooldownImposed] = []
        if old is not None:
            old.release()
            carried = old.carry_over()
            self._attempts.update({name: state.number for name, state in old.scheduler.scenes.items()})
        self._settings.folder.prepare()
        self._live = LiveRun(self._settings, carried, self._observers, self._member)
        return self._live

    def _take_over(self, past: Past) -> None:
        """Have a run that was broken off as one's own; what it was paused for stays so."""
        self._settings.folder.prepare()
        self._settings.paused = past.scheduler.paused
        self._live = LiveRun(self._settings, (), self._observers, self._member, past)

    def _take_in(self) -> None:
        """Tell the run under way what others have seen; one that is over is told when it goes on."""
        if self._live is not None and not self._live.is_over:
            self._live.take_in()

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

    def _catch_up(self) -> None:
        """Before the first run: wait a moment for what others know; on the session's own loop nobody can wait."""
        if not (self._member.is_ready or self._home.here() or self._home.is_adopted):
            loop = self._home.loop
            asyncio.run_coroutine_threadsafe(self._member.ready(), loop).result()

    async def _wait_for(self, started: Started) -> Run:
        if not self._member.is_ready and not self._home.here():
            loop = self._home.loop
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._member.ready(), loop))
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
            with suppress(SessionError):  # closed meanwhile
                self._home.call(self._interrupted, started)
            raise

    def _may_block(self) -> None:
        if self._home.here() or self._home.is_adopted:
            raise SessionError(
                "this would wait for itself: on the session's own loop use `await session.run(...)`, and leave its "
                "`async with`, or await session.aclose(), to close it"
            )
