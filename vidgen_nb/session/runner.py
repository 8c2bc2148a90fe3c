"""Which run goes on, which one begins, and for whom: the part of a session that owns the loop and the run on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.drivers.realtime import Observer
from vidgen_nb.errors import SessionError
from vidgen_nb.machine.browser import can_wait_here, in_browser
from vidgen_nb.plaintext import one_line
from vidgen_nb.ports import Profile
from vidgen_nb.run import Run
from vidgen_nb.session.event_loop import SessionLoop
from vidgen_nb.session.harmless_log import harmless_log
from vidgen_nb.session.live.live_run import LiveRun
from vidgen_nb.session.live.restored_run import RestoredRun
from vidgen_nb.session.live.state_changes import is_stopped_for_good
from vidgen_nb.session.run_request import RunOwner, RunRequest, with_free_ids
from vidgen_nb.session.settings import Resources, SessionState
from vidgen_nb.session.validation import check_prices, prepared_scenes
from vidgen_nb.sharing.exchange import CooldownExchange

__all__ = ["Runner"]

log = harmless_log()

INTERRUPT_CHECK_INTERVAL = 0.2
"""Wall seconds until an interrupt of an awaiting cell is noticed."""


class Runner:
    """Carries out requests on the session's loop. Where nothing else is said, methods are to be called there."""

    def __init__(self, resources: Resources, state: SessionState) -> None:
        self.resources = resources
        self.state = state
        self.live: LiveRun | None = None
        """The run under way, or the last one."""
        self.is_closed = False
        self.default_request: Callable[[], RunRequest | None] = lambda: None
        """What `begin` runs when it is given no scenes and no run is open."""
        self.on_change: Callable[[SessionState], None] = lambda before: None
        """Called with the state before, after a change of it and after a request."""
        self._exchange = CooldownExchange(resources.shared, resources.backend, self._apply_shared_cooldowns)
        self._exchange.watch(state.profiles.values())
        self.loop = SessionLoop("vidgen_nb session", self._exchange.connect)
        self._attempts: dict[str, int] = {}
        """Attempts that scenes had in earlier runs."""
        self._observers: list[Observer] = []
        self._run_owner: RunOwner | None = None
        """None once somebody else has added to the run."""

    # -- looking

    @property
    def journal(self) -> Path | None:
        """The file in which the last run is written down; None: there is none."""
        live = self.live
        return live.journal.path if live is not None and live.journal is not None else None

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self.live is not None and not self.live.is_over

    @property
    def is_broken_off(self) -> bool:
        """Whether the last run broke off in a way that only a restore goes on with."""
        return self.live is not None and self.live.unrecoverable and self.live.journal is not None

    @property
    def unfinished(self) -> int:
        """Scenes of the last run that are not settled, and that `begin` can go on with."""
        live = self.live
        return live.scheduler.unsettled if live is not None and not live.unrecoverable else 0

    @property
    def waiting_scenes(self) -> list[Scene]:
        """The scenes of the last run that are queued."""
        known = list(self.live.scheduler.scenes.values()) if self.live is not None else []
        return [state.scene for state in known if state.status == "queued"]

    def current(self) -> LiveRun:
        """Return the run under way, or the last one; `SessionError` where there was none."""
        if self.live is None:
            raise SessionError("there is no run yet: start one with run(scenes)")
        return self.live

    # -- beginning

    def begin(self, asked: RunRequest) -> Future[Run]:
        """Add scenes to the run under way or to one that can go on, or begin a new one; return a future of the end."""
        self.check_is_open()
        live, request = self.live, asked
        if asked.scenes is None and not (self.is_running or self.unfinished or self.is_broken_off):
            request = self.default_request() or asked
        if request.scenes is None and live is not None and live.is_settled:
            return live.wait_for()
        if request.scenes is None and not self.unfinished:
            raise SessionError(self._why_nothing_to_do())
        journal_failed = self._journal_failed(request)
        scenes = self._as_queued(request)
        can_go_on = live is not None and not live.unrecoverable and not journal_failed
        if live is None or not can_go_on or (live.is_over and not (self.unfinished or request.in_last_run)):
            live = self._new_run()
        begins = live.is_over
        live.add(scenes, single=request.single, attempts=self._attempts)
        live.go(self.state)
        self._run_owner = RunOwner(asked, request) if begins else None
        self.on_change(self.state)
        return live.wait_for(scenes[0].id if request.single and scenes else None)

    def _as_queued(self, request: RunRequest) -> list[Scene]:
        """Return a request's scenes, which it has from now on, too: with paths and ids as they are queued."""
        if request.scenes is None:
            return []
        max_cost, profiles = self.state.settings.max_cost, self.state.profiles.values()
        request.scenes = prepared_scenes(self.resources.backend, request.scenes, max_cost, profiles)
        request.scenes = scenes = with_free_ids(request, self.live.scheduler.scenes if self.live is not None else {})
        return scenes

    def _why_nothing_to_do(self) -> str:
        if self.is_broken_off:
            return f"the run was broken off: restore({str(self.journal)!r}, …) goes on with it"
        return "there is nothing to go on with, no scene is open: give the scenes to run"

    def _journal_failed(self, request: RunRequest) -> bool:
        """Say whether the last run can't be written down any more, and new scenes begin another one.

        Raises its `JournalError` where the request is about that run.
        """
        live = self.live
        failure = live.journal_failure if live is not None else None
        if live is None or failure is None or (request.scenes is None and not live.is_over):
            return False
        if request.scenes is None or request.in_last_run or not live.is_over:
            raise failure
        if live.scheduler.unsettled:
            log.warning(
                "%s. %d scenes stay with that run, a new one begins", one_line(str(failure)), live.scheduler.unsettled
            )
        return True

    def _new_run(self) -> LiveRun:
        before, cooldowns = self.live, list[ev.CooldownImposed]()
        if before is not None:
            before.release()
            cooldowns = before.open_cooldowns(self.state.profiles)
            self._attempts.update({name: state.number for name, state in before.scheduler.scenes.items()})
        self.resources.videos.prepare()
        self.live = LiveRun.new(self.resources, self.state, self._observers, self._exchange, cooldowns=cooldowns)
        return self.live

    def adopt_restored(self, past: RestoredRun, state: SessionState) -> None:
        """Have a run that was begun elsewhere as one's own, with this state; if it was paused, it stays so."""
        self.resources.videos.prepare()
        before, state = self.state, replace(state, paused=past.scheduler.paused)
        self.live = LiveRun.restored(past, self.resources, state, self._observers, self._exchange)
        self.state = state
        self.on_change(before)

    def interrupted(self, asked: RunRequest) -> None:
        """Undo what a request began whose caller does not wait any more, and nothing else."""
        owner = self._run_owner if self._run_owner is not None and self._run_owner.asked is asked else None
        request = owner.carried_out if owner is not None else asked
        if request.single and request.scenes and self.live is not None:
            self.live.post(ev.CancelRequested(request.scenes[0].id))
        elif owner is not None:
            self.stop()

    # -- changing

    def change(self, change: Callable[[SessionState], SessionState]) -> None:
        """Change the state, from any thread; a run under way follows now, another one when it goes on."""

        def carry_out() -> None:
            before, self.state = self.state, change(self.state)
            if self.live is not None and not self.live.is_over:
                self.live.sync(self.state)
            self.on_change(before)

        if self.live is None:
            carry_out()  # nothing lives on the loop yet
        else:
            self.loop.call(carry_out)

    def post(self, event: ev.Event) -> None:
        """Hand a request to the scheduler, from any thread."""
        self.loop.call(lambda: self.current().post(event))

    def observe(self, observer: Observer) -> None:
        """Hand the events of this and later runs to a function."""
        self._observers.append(observer)
        if self.live is not None:
            self.live.observe(observer)

    def change_settings(self, **changes: Any) -> None:
        """Change settings of this and later runs, from any thread."""
        self.change(lambda state: replace(state, settings=replace(state.settings, **changes)))

    def use_profiles(self, profiles: Mapping[str, Profile]) -> None:
        """Use these profiles from now on, by name, from any thread; what runs on others goes on."""
        check_prices(self.state.settings.max_cost, profiles.values())
        self.change(lambda state: replace(state, profiles=dict(profiles)))

    def stop(self) -> None:
        """End the run once what is under way has settled; once: an observer may ask for it again and again."""
        live = self.live
        if live is None or live.scheduler.ended or (live.scheduler.stopped and live.is_over):
            return
        if not is_stopped_for_good(live.scheduler):
            live.post(ev.Stopped())

    def _apply_shared_cooldowns(self) -> None:
        """Tell the run under way what others have seen; one that is over is told when it goes on."""
        if self.live is not None and not self.live.is_over:
            self.live.apply_shared_cooldowns()

    # -- waiting, from other threads and loops

    def start(self, request: RunRequest) -> Future[Run]:
        """Carry out a request from any thread; before the first run, wait a moment for what others know."""
        if not (self._exchange.is_ready or self.loop.is_callers):
            self.loop.wait_for(self._exchange.ready)
        return self.loop.call(self.begin, request)

    def run_blocking(self, request: RunRequest) -> Run:
        """Carry out a request and wait for its end; an interrupt undoes what it began."""
        self.check_may_block()
        try:
            return self.loop.result(self.start(request))
        except KeyboardInterrupt:  # perhaps before the loop's answer: it still carries out one after the other
            self.loop.call(self.interrupted, request)
            raise

    async def run(self, request: RunRequest) -> Run:
        """Carry out a request and await its end, on any loop; a cancel undoes what it began."""
        if not self._exchange.is_ready and not self.loop.is_current():
            await self.loop.awaited(self._exchange.ready)
        end = asyncio.wrap_future(self.loop.call(self.begin, request))
        try:
            # A kernel's interrupt cancels this from a signal handler, which does not wake a loop that sleeps: where
            # all the work is on another thread, nothing else would either, and the cancel came at the run's end.
            while not end.done():
                await asyncio.wait([end], timeout=INTERRUPT_CHECK_INTERVAL)
            return end.result()
        except asyncio.CancelledError:
            end.cancel()
            with suppress(SessionError):  # closed meanwhile
                self.loop.call(self.interrupted, request)
            raise

    def check_is_open(self) -> None:
        """Raise `SessionError` where the session is closed."""
        if self.is_closed:
            raise SessionError("this session is closed: make a new one")

    def check_may_block(self) -> None:
        """Raise `SessionError` where waiting would be for oneself."""
        if can_wait_here():
            return
        if in_browser():
            raise SessionError(
                "this browser can't wait without `await`: use `await session.run(...)`, `await session.join()` for "
                "wait(), `async with` for `with`, and `await session.aclose()`"
            )
        if self.loop.is_callers:
            raise SessionError(
                "this would wait for itself: on the session's own loop use `await session.run(...)`, and leave its "
                "`async with`, or await session.aclose(), to close it"
            )

    # -- the loop's own end

    async def move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Live on the caller's loop from now on."""
        if self._exchange.is_connected:  # on the thread that is left now
            await self.loop.awaited(self._exchange.aclose)
        self.loop.adopt(loop)
        await self._exchange.ready()

    async def abandon(self) -> None:
        """Break off what is under way."""
        if self.live is not None and not self.live.is_over:
            await self.live.abandon()

    async def disconnect(self) -> None:
        """Close the connections, on the session's loop."""
        try:
            await self._exchange.aclose()
        finally:
            await self.resources.backend.aclose()
