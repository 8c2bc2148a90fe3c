"""A run under way: one scheduler, its driver, and those who wait for it. Lives on the session's loop."""

from __future__ import annotations

import asyncio
import atexit
import logging
import math
from collections.abc import Callable, Container, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path

from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.core.state import UNSETTLED
from vidgen_nb.drivers.realtime import Observer, RealtimeDriver
from vidgen_nb.errors import DuplicateScene, JournalError, NoUsableProfile, OutputError, SessionError
from vidgen_nb.plaintext import clean
from vidgen_nb.ports import Profile
from vidgen_nb.recording.folder import is_left, latest
from vidgen_nb.recording.journal import Journal
from vidgen_nb.recording.runlog import RunLog
from vidgen_nb.run import Run
from vidgen_nb.session.cooldown_report import CoolingReport
from vidgen_nb.session.restored_run import Past
from vidgen_nb.session.settings import Settings
from vidgen_nb.session.video_folder import VideoFolder, VideoSink
from vidgen_nb.sharing.member import Member

__all__ = ["LiveRun"]

log = logging.getLogger("vidgen_nb")


class LiveRun:
    """One run, from its first scene to its end; may be gone on with after a stop. `past`: it was begun elsewhere."""

    def __init__(
        self,
        settings: Settings,
        carried: Sequence[ev.Event],
        observers: Sequence[Observer],
        member: Member,
        past: Past | None = None,
    ) -> None:
        self._settings = settings
        self._member = member
        self._is_past = past is not None
        self._clock = past.clock if past is not None else Clock(settings.speed)
        self.scheduler = past.scheduler if past is not None else settings.scheduler()
        self.run = Run(past.header if past is not None else settings.header(self._clock.epoch), self.scheduler.events)
        self._keys: dict[str, Profile] = past.keys(settings.profiles) if past is not None else {}
        """Also of profiles that were removed: what runs on them goes on."""
        self.journal = past.journal if past is not None else self._new_journal()
        self.dead = False
        """It broke off in a way that left the scheduler unfit to go on."""
        taken_up = {(name, state.number) for name, state in self.scheduler.scenes.items() if state.profile is not None}
        self._driver = RealtimeDriver(
            self.scheduler,
            settings.backend,
            self._keys,
            self._clock,
            partial(_sink, settings.folder, taken_up) if taken_up else settings.folder.sink,
            [
                RunLog(self.run.events),
                self._settle_waiting,
                CoolingReport(self.scheduler, self._clock),
                member.observer(self._clock),
                *observers,
            ],
            self.journal,
        )
        self._task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        self._drove = False
        """Whether the task has begun."""
        self._left = partial(_say_what_is_left, self.scheduler)
        """Called at the interpreter's end, unless the run ends before."""
        self._waiting: list[tuple[str | None, Future[Run]]] = []
        """Who waits for a scene, or with None for the end. Each has a future of its own: one may be cancelled."""
        try:
            for event in past.adopt(settings.profiles, vars(settings)) if past is not None else ():
                self.post(event)
            self.sync()
            self._driver.post(*carried)
        except BaseException:
            self.release()
            raise

    def _new_journal(self) -> Journal | None:
        """Begin the run's journal, where the session keeps any; `JournalError` where that can't be."""
        folder = self._settings.journal
        if folder is None:
            return None
        left = _left_in(folder)
        journal = Journal.create(folder / f"{self.run.header['run']}.jsonl", self.run.header)
        log.info("journal of this run: %s", journal.path)
        if left is not None:
            log.warning(
                "an earlier run is not done, %s: restore(%r, …) goes on with it. Submitting the same scenes again "
                "would pay for them twice",
                clean(str(left)),
                str(left),
            )
        return journal

    @property
    def lost(self) -> JournalError | None:
        """Why nothing more can be written down of this run; None: it can, or need not be."""
        return self.journal.lost if self.journal is not None and not self.dead else None

    def release(self) -> None:
        """Let go of the journal's file, once all is written."""
        if self.journal is not None:
            self.journal.release()
            if self._error is None:
                self._error = self.journal.error

    @property
    def has_begun(self) -> bool:
        """Whether anything of it was ever under way here."""
        return self._task is not None

    @property
    def is_settled_past(self) -> bool:
        """Whether it was restored and has nothing left to do."""
        return self._is_past and not self.has_begun and not self.scheduler.unsettled

    @property
    def is_over(self) -> bool:
        """Whether nothing is under way."""
        return self._task is None or self._task.done()

    @property
    def now(self) -> float:
        """The seconds of this run."""
        return self._clock.now()

    def post(self, event: ev.Event) -> None:
        """Hand a request to the scheduler."""
        self._driver.post(event)

    def observe(self, observer: Observer) -> None:
        """Hand new events to a function as well."""
        self._driver.observe(observer)

    def sync(self) -> None:
        """Take over what has changed in the settings: mode, policy, limit, pause, profiles."""
        scheduler, settings = self.scheduler, self._settings
        if scheduler.mode != settings.mode:
            self.post(ev.ModeChanged(settings.mode))
        if scheduler.policy is not settings.policy:
            self.post(ev.PolicyChanged(settings.policy))
        if scheduler.max_billed != settings.max_billed:
            self.post(ev.BillingLimitChanged(settings.max_billed))
        if scheduler.paused != settings.paused:
            self.post(ev.Paused() if settings.paused else ev.Unpaused())
        known = {name: state for name, state in scheduler.roster.profiles.items() if not state.removed}
        for name in [name for name in known if settings.profiles.get(name) is not self._keys[name]]:
            self.post(ev.ProfileRemoved(name))
            del known[name]
        for name, profile in settings.profiles.items():
            if name not in known:
                self._keys[name] = profile
                self.post(ev.ProfileAdded(name, profile.capacity, profile.quota_group or ""))
            elif known[name].capacity != profile.capacity:
                self.post(ev.ProfileChanged(name, profile.capacity))
        self._member.watch(settings.profiles.values())

    def take_in(self) -> None:
        """Impose the cooldowns that others have seen on the same accounts."""
        for profile, left, window in self._member.news():
            until = self._clock.now() + left * self._settings.speed
            self.post(ev.CooldownImposed(profile.name, until, window.reason, unusable=window.unusable))

    def runs_on(self, profile: str) -> int:
        """Return how many attempts are under way on a profile."""
        states = self.scheduler.scenes.values()
        return sum(state.profile is not None and state.profile.name == profile for state in states)

    def add(self, scenes: Sequence[Scene], *, single: bool, attempts: Mapping[str, int]) -> None:
        """Queue scenes; where one of them can't be, none is."""
        for scene in scenes:
            state = self.scheduler.scenes.get(scene.id)
            if state is not None and state.status in UNSETTLED:
                raise DuplicateScene(
                    scene.id, f"is already {state.status} in this run; run() goes on with what is queued"
                )
        self._driver.post(*(ev.SceneAdded(scene, single, attempts.get(scene.id, 0)) for scene in scenes))

    def go(self) -> None:
        """Begin, or go on after a stop or an end."""
        if self.journal is not None:
            self.journal.on_stored = partial(_call_on, asyncio.get_running_loop(), self._driver.stored)
            self.journal.hold()
        self.sync()
        self.take_in()
        if self.is_over or self.scheduler.stopped or self.scheduler.ended:
            self.post(ev.RunStarted())
        if self.scheduler.paused:
            log.warning("the session is paused: unpause() begins to submit")
        if self.is_over:
            self._error = None
            self._drove = False
            atexit.register(self._left)
            self._task = asyncio.get_running_loop().create_task(self._drive(), name="vidgen_nb run")

    def wait_for(self, scene: str | None = None) -> Future[Run]:
        """Return a future that is done when the scene has settled, or when the run has ended."""
        self._waiting = [each for each in self._waiting if not each[1].cancelled()]
        future: Future[Run] = Future()
        if self.is_over:
            self._finish(future, self._error)
        else:
            self._waiting.append((scene, future))
        return future

    def cooling(self) -> dict[str, float]:
        """Return the run seconds left for each profile that cools or is unusable."""
        return self.scheduler.cooling(self._clock.now())

    def carry_over(self) -> list[ev.CooldownImposed]:
        """Return the cooldowns that are not over yet, with times counted from now, for the next run.

        What stood against a profile that has been replaced since, by one with another key, is forgotten.
        """
        kept = {name for name, profile in self._settings.profiles.items() if self._keys.get(name) is profile}
        return self.scheduler.roster.windows(self._clock.now(), kept)

    async def abandon(self) -> None:
        """Break everything off; what the provider has accepted stays there."""
        self._leave_journal()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._drove:  # cancelled before its first step
                self._broken_off()
                self._wind_up()

    def _leave_journal(self) -> None:
        """Leave it as it is, as if the program had been killed: the run can be restored from it, and only so."""
        if self.journal is not None and not self.dead:
            self._driver.withhold("broken off", "broken off")
            self.release()
            self._driver.leave_journal()
            self.dead = True

    def _broken_off(self) -> None:
        self._error = SessionError(
            "the run was broken off; run() goes on with the scenes that were not sent"
            if self.journal is None
            else f"the run was broken off; restore({str(self.journal.path)!r}, …) goes on with it"
        )

    async def _drive(self) -> None:
        self._drove = True
        try:
            await self._driver.run()
            if self.scheduler.ended == "no usable profile":
                self._error = NoUsableProfile(self._why_none(), self.run)
            elif self.scheduler.ended == "results can't be written":
                self._error = OutputError(self._what_waits(), self.run)
        except asyncio.CancelledError:
            self._broken_off()
            raise
        except BaseException as bug:  # noqa: BLE001 - it is raised where the run is waited for
            self._error = bug
        finally:
            self._wind_up()

    def _wind_up(self) -> None:
        """Bring the run to an end in the records, and tell those who wait."""
        self._break_off_if_open()
        self.release()
        atexit.unregister(self._left)
        waiting, self._waiting = self._waiting, []
        if self._error is not None:
            log.error("the run broke off: %s", self._error, exc_info=None if waiting else self._error)
        for _, future in waiting:
            self._finish(future, self._error)

    def _break_off_if_open(self) -> None:
        """Bring a run that did not end by itself to an end, so that it can be gone on with."""
        if not self.scheduler.ended:
            try:
                if self.journal is not None:
                    self._leave_journal()
                    if self._error is not None and not isinstance(self._error, SessionError):
                        self._error.add_note(f"restore({str(self.journal.path)!r}, …) goes on with the run")
                self._driver.abandon(f"broken off: {type(self._error).__name__}")
            except Exception:
                self.dead = True
                log.exception("what was under way can't be accounted for; the next run is a new one")

    def _finish(self, future: Future[Run], error: BaseException | None) -> None:
        if future.set_running_or_notify_cancel():
            if error is None:
                future.set_result(self.run)
            else:
                future.set_exception(error)

    def _settle_waiting(self, events: Sequence[ev.Event]) -> None:
        """Tell those who wait for a single scene (an observer); where the run ends with it, `_drive` does."""
        if self._waiting and not self.scheduler.ended:
            settled = {event.scene for event in events if isinstance(event, ev.Fetched | ev.SceneSettled)}
            done = [future for scene, future in self._waiting if scene in settled]
            self._waiting = [waiting for waiting in self._waiting if waiting[0] not in settled]
            for future in done:
                self._finish(future, None)

    def _what_waits(self) -> str:
        left = self.scheduler.in_flight
        return (
            f"{left} finished video{'s' * (left != 1)} can't be written to {str(self._settings.folder.path)!r}: the "
            f"log says why. They stay with the provider, {self.scheduler.unsettled - left} more scenes wait. Make "
            "room there, then run() goes on: it fetches them, and submits the rest"
        )

    def _why_none(self) -> str:
        reasons = [
            f"{clean(window.profile, 80)}: {window.reason}"
            + ("" if math.isinf(window.until) else f" (back in {window.until:.0f} s)")
            for window in self.scheduler.roster.windows(self._clock.now())
        ]
        left = self.scheduler.unsettled
        return (
            f"no profile is usable within max_wait={self._settings.max_wait:g} s; scenes still queued: {left}. "
            f"{'; '.join(reasons) or 'all profiles were removed'}. Mend that, then release_cooldown(profile) and run()"
        )


def _left_in(folder: Path) -> Path | None:
    """Return the folder's latest journal where its run is not done and nobody goes on with it."""
    with suppress(JournalError):  # making the new one says what is wrong there
        last = latest(folder)
        return last if last is not None and is_left(last) else None
    return None


def _sink(folder: VideoFolder, taken_up: Container[tuple[str, int]], scene: str, number: int) -> VideoSink:
    """Return where a result goes; that of an attempt which another program had begun may be there already."""
    return folder.sink(scene, number, again=(scene, number) in taken_up)


def _call_on(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    """Call a function on a loop, from any thread, unless the loop has ended."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(function)


def _say_what_is_left(scheduler: Scheduler) -> None:
    """Warn of a run that nobody waited for."""
    log.warning(
        "the program ends with %d scenes under way and %d more to do; wait() for them, or use `with Session(...)`",
        scheduler.in_flight,
        scheduler.unsettled - scheduler.in_flight,
    )
