"""A run under way: one scheduler, its driver, and those who wait for it. It lives on the session's loop."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.core.state import UNSETTLED
from vidgen_nb.drivers.realtime import Observer, RealtimeDriver
from vidgen_nb.errors import DuplicateScene, JournalError, SessionError
from vidgen_nb.plaintext import error_line
from vidgen_nb.ports import Profile
from vidgen_nb.recording.runlog import RunLog
from vidgen_nb.run import Run
from vidgen_nb.session.live import end_errors
from vidgen_nb.session.live.cooldown_report import CooldownReport
from vidgen_nb.session.live.restored_run import RestoredRun
from vidgen_nb.session.live.run_parts import RunParts, new_run
from vidgen_nb.session.live.state_changes import changes_to
from vidgen_nb.session.live.waiters import Waiters
from vidgen_nb.session.settings import Resources, SessionState
from vidgen_nb.sharing.exchange import CooldownExchange
from vidgen_nb.wording.standing import standing

__all__ = ["LiveRun"]

log = logging.getLogger("vidgen_nb")


class LiveRun:
    """One run, from its first scene to its end; after a stop it can go on. `new` and `restored` make one."""

    def __init__(
        self, parts: RunParts, resources: Resources, observers: Sequence[Observer], exchange: CooldownExchange
    ) -> None:
        self.scheduler = scheduler = parts.scheduler
        self.run, self.journal = parts.run, parts.journal
        self.unrecoverable = False
        """It broke off in a way that left the scheduler unfit to go on."""
        self._resources = resources
        self._clock, self._profiles = parts.clock, parts.profiles
        self._exchange = exchange
        self._max_wait = 0.0
        """As the session's settings had it last, for messages."""
        self._waiters = Waiters(self.run)
        own: list[Observer] = [RunLog(self.run.events), self._tell_waiters, CooldownReport(scheduler, self._clock)]
        begun = {(name, state.number) for name, state in scheduler.scenes.items() if state.profile is not None}
        self._driver = RealtimeDriver(
            scheduler,
            resources.backend,
            self._profiles,
            self._clock,
            resources.videos.sinks(begun),
            [*own, exchange.observer(self._clock), *observers],
            self.journal,
        )
        self._task: asyncio.Task[None] | None = None
        self._task_began = self._is_wound_up = False
        self._error: BaseException | None = None
        self._at_exit = partial(end_errors.warn_of_open_run, scheduler, self.journal, os.getpid())
        """Called when the interpreter ends, unless the run ends before."""

    @classmethod
    def new(
        cls,
        resources: Resources,
        state: SessionState,
        observers: Sequence[Observer],
        exchange: CooldownExchange,
        *,
        cooldowns: Sequence[ev.CooldownImposed],
    ) -> LiveRun:
        """Return a run that begins. `cooldowns`: those of the run before that are not over."""
        live = cls(new_run(resources, state.settings), resources, observers, exchange)
        with live._released_on_error():
            live.sync(state)
            live._driver.post(*cooldowns)
        return live

    @classmethod
    def restored(
        cls, past: RestoredRun, resources: Resources, state: SessionState, observers: Sequence[Observer],
        exchange: CooldownExchange,
    ) -> LiveRun:  # fmt: skip
        """Return a run that was begun elsewhere and is to go on here."""
        live = cls(past.parts(state.profiles), resources, observers, exchange)
        with live._released_on_error():
            for event in past.handover(state.profiles, state.settings, resources.backend):
                live.post(event)
            live.sync(state)
        return live

    @contextmanager
    def _released_on_error(self) -> Iterator[None]:
        """Let go of the journal where the run can't be made."""
        try:
            yield
        except BaseException:
            self.release()
            raise

    # -- looking

    @property
    def journal_failure(self) -> JournalError | None:
        """Why nothing more of this run can be written down; None: it can, or need not be."""
        return self.journal.failure if self.journal is not None and not self.unrecoverable else None

    @property
    def has_begun(self) -> bool:
        """Whether anything of it was ever under way here."""
        return self._task is not None

    @property
    def is_settled(self) -> bool:
        """Whether it has nothing left to do."""
        return not (self.unrecoverable or self.scheduler.unsettled)

    @property
    def is_over(self) -> bool:
        """Whether nothing is under way."""
        return self._task is None or self._is_wound_up or self._task.done()

    @property
    def now(self) -> float:
        """Run seconds since its start."""
        return self._clock.now()

    def cooling(self) -> dict[str, float]:
        """Return the run seconds left for each profile that cools or is unusable."""
        return self.scheduler.cooling(self._clock.now())

    def running_on(self, profile: str) -> int:
        """Return how many attempts are under way on a profile."""
        states = self.scheduler.scenes.values()
        return sum(state.profile is not None and state.profile.name == profile for state in states)

    def open_cooldowns(self, profiles: Mapping[str, Profile]) -> list[ev.CooldownImposed]:
        """Return the cooldowns of these profiles that are not over, with times counted from now, for the next run.

        What stood against a profile that has been replaced since, by one with another key, is forgotten.
        """
        kept = {name for name, profile in profiles.items() if self._profiles.get(name) is profile}
        return self.scheduler.roster.windows(self._clock.now(), kept)

    # -- asking

    def post(self, event: ev.Event) -> None:
        """Hand a request to the scheduler."""
        self._driver.post(event)

    def profile(self, name: str) -> Profile | None:
        """Return the run's profile of that name, also if it was removed meanwhile."""
        return self._profiles.get(name)

    def observe(self, observer: Observer) -> None:
        """Hand new events to a function as well."""
        self._driver.observe(observer)

    def sync(self, state: SessionState) -> None:
        """Bring the run in line with the session's state."""
        self._max_wait = state.settings.max_wait
        if state.settings.speed != self._clock.speed:
            self._clock.set_speed(state.settings.speed)
        for event in changes_to(state, self.scheduler, self._profiles):
            if isinstance(event, ev.ProfileAdded):
                self._profiles[event.profile] = state.profiles[event.profile]
            self.post(event)
        self._exchange.watch(state.profiles.values())

    def apply_shared_cooldowns(self) -> None:
        """Impose the cooldowns that others have seen on the same accounts."""
        for profile, left, cooldown in self._exchange.pending():
            until = self._clock.now() + left * self._clock.speed
            self.post(ev.CooldownImposed(profile.name, until, cooldown.reason, unusable=cooldown.unusable))

    def add(self, scenes: Sequence[Scene], *, single: bool, attempts: Mapping[str, int]) -> None:
        """Queue scenes, all of them or none. `attempts`: how many each scene had in earlier runs."""
        for scene in scenes:
            state = self.scheduler.scenes.get(scene.id)
            if state is not None and state.status in UNSETTLED:
                raise DuplicateScene(
                    scene.id, f"is already {standing(state.status)} in this run; run() goes on with what waits"
                )
        self._driver.post(*(ev.SceneAdded(scene, single, attempts.get(scene.id, 0)) for scene in scenes))

    def go(self, state: SessionState) -> None:
        """Begin, or go on after a stop or an end."""
        if self.journal is not None:
            self.journal.on_stored = partial(_call_on, asyncio.get_running_loop(), self._driver.release_stored)
            self.journal.hold()
            if not self.has_begun:
                self.journal.keep_left_lines(self._driver.notes_leaving)
        self.sync(state)
        self.apply_shared_cooldowns()
        if self.is_over or self.scheduler.stopped or self.scheduler.ended:
            self.post(ev.RunStarted())
        if self.scheduler.paused:
            log.warning("the session is paused: unpause() begins to submit")
        if self.is_over:
            self._error = None
            self._task_began = self._is_wound_up = False
            atexit.register(self._at_exit)
            self._task = asyncio.get_running_loop().create_task(self._drive(), name="vidgen_nb run")

    def wait_for(self, scene: str | None = None) -> Future[Run]:
        """Return a future that is done when the scene has settled, or when the run has ended."""
        return self._waiters.done(self._error) if self.is_over else self._waiters.add(scene)

    # -- ending

    def release(self) -> None:
        """Let go of the journal's file, once all is written."""
        if self.journal is not None:
            self.journal.release()
            if self._error is None:
                self._error = self.journal.error

    async def abandon(self) -> None:
        """Break everything off; what the provider has accepted stays there."""
        self._leave_journal()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task_began:  # cancelled before its first step
                self._error = end_errors.broken_off(self.journal)
                self._wind_up()

    def _leave_journal(self) -> None:
        """Leave it as if the program had been killed: only a restore goes on with the run."""
        if self.journal is not None and not self.unrecoverable:
            self._driver.withhold("broken off", "broken off")
            self.release()
            self._driver.detach_journal()
            self.unrecoverable = True

    async def _drive(self) -> None:
        self._task_began = True
        try:
            await self._driver.run()
            if self.scheduler.ended == ev.EndReason.NO_USABLE_PROFILE:
                self._error = end_errors.no_usable_profile(self.run, self.scheduler, self._clock.now(), self._max_wait)
            elif self.scheduler.ended == ev.EndReason.RESULTS_UNWRITABLE:
                self._error = end_errors.results_unwritable(self.run, self.scheduler, self._resources.videos.path)
        except asyncio.CancelledError:
            self._error = end_errors.broken_off(self.journal)
            raise
        except BaseException as bug:  # noqa: BLE001 - it is raised where the run is waited for
            self._error = bug
        finally:
            self._wind_up()

    def _wind_up(self) -> None:
        """Bring the run to an end in the records, and tell those who wait."""
        try:
            if not self.scheduler.ended:
                self._break_off()
            self.release()
            atexit.unregister(self._at_exit)
            if self._error is not None:
                log.error(
                    "the run broke off: %s", error_line(self._error), exc_info=None if self._waiters else self._error
                )
        finally:  # in this order: who waited for it finds it over
            self._is_wound_up = True
            end_errors.call_on_end(self._resources.on_end, self.run)
            self._waiters.end(self._error)

    def _break_off(self) -> None:
        """End a run that did not end by itself, so that it can go on later."""
        try:
            if self.journal is not None:
                self._leave_journal()
                if self._error is not None and not isinstance(self._error, SessionError):
                    self._error.add_note(f"restore({str(self.journal.path)!r}, …) goes on with the run")
            self._driver.abandon(f"broken off: {type(self._error).__name__}")
        except BaseException:  # whatever it is, who waits for the run must be told of its end
            self.unrecoverable = True
            log.exception("what was under way can't be accounted for; the next run is a new one")

    def _tell_waiters(self, events: Sequence[ev.Event]) -> None:
        """Tell those who wait for a single scene (an observer); where the run ends with it, `_wind_up` does."""
        if (scenes := self._waiters.scenes) and not self.scheduler.ended:
            settled = (each.scene for each in events if isinstance(each, ev.Fetched | ev.SceneSettled))
            self._waiters.settle(scenes.intersection(settled))


def _call_on(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    """Call a function on a loop, from any thread, unless the loop has ended."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(function)
