"""A run that another program left behind, rebuilt from its journal.

Nothing is asked of a provider here, and nothing is submitted: what the journal says is fed to a fresh scheduler, and
`handover` says what must be fed to it besides before the run can go on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import PollSchedule
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.core.state import SceneState
from vidgen_nb.errors import FileFormatError, InputError, JournalError, ReplayError
from vidgen_nb.plaintext import one_line
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.recording.folder import to_restore
from vidgen_nb.recording.journal import Journal
from vidgen_nb.recording.policies import resolve_policy
from vidgen_nb.recording.runfile import line_of
from vidgen_nb.run import Run
from vidgen_nb.session.live.run_parts import RunParts
from vidgen_nb.session.settings import RunSettings

__all__ = ["RestoredRun"]


@dataclass(frozen=True)
class RestoredRun:
    """A run as its journal has it. Until the journal is released nobody else can write it."""

    journal: Journal
    header: dict[str, Any]
    scheduler: Scheduler
    settings: RunSettings
    """Those in force at its end."""
    clock: Clock
    """Shows the second of the run that it would be by now, had it gone on: cooldowns have gone on, too."""
    left_out: frozenset[str] = frozenset()
    """Profiles that are left out on purpose: the jobs they accepted are held."""
    moved: bool = False
    """Whether the server's address has changed on purpose."""
    last_event_at: float = 0.0
    """Of those that the program before recorded."""
    not_left: frozenset[tuple[str, int]] = frozenset()
    """Attempts whose submit had not left the program, as scene and number."""

    @classmethod
    def open(
        cls,
        path: Path,
        poll: PollSchedule,
        *,
        policy: Policy | None = None,
        speed: float | None = None,
        without: Iterable[str] = (),
        moved: bool = False,
    ) -> RestoredRun:
        """Read a journal, or from a folder the one to restore, and rebuild its run.

        `policy`: replaces recorded ones whose class is not at hand. `speed`: of the clock from now on. `without`:
        profiles of the run that are left out on purpose. `moved`: whether the server may have another address.
        Raises `JournalError` where the file can't be written or somebody else writes it, `FileFormatError` where it is
        damaged, and `InputError` where there is none, a policy is not known here, or a profile is not the run's. The
        file is then as it was.
        """
        path = _journal_file(path)
        journal, recorded = Journal.open(path)
        try:
            begun = RunSettings.from_header(path, recorded.header)
            begun = replace(begun, policy=_usable_policy(begun.policy, policy))
            events = [_with_usable_policy(event, policy) for event in recorded.events]
            scheduler = _replayed(path, events, begun, poll)
            left_out = _left_out(scheduler, without)
            journal.append(scheduler.events[len(events) :])
            latest, epoch, at = begun, _epoch(path, recorded.header), 0.0
            for event in events:
                if isinstance(event, ev.RunRestored):
                    latest, epoch, at = latest.after_restore(event), event.epoch, event.at
            latest = replace(
                latest, mode=scheduler.mode, policy=scheduler.policy, max_billed=scheduler.max_billed,
                max_cost=scheduler.max_cost,
            )  # fmt: skip
            clock = _clock(epoch, at, latest.speed, events[-1].at if events else 0.0, speed)
        except BaseException:
            journal.release()
            raise
        last = events[-1].at if events else 0.0
        not_left = recorded.left.not_left
        return cls(journal, recorded.header, scheduler, latest, clock, left_out, moved, last, not_left)

    def handover(self, profiles: Mapping[str, Profile], settings: RunSettings, backend: Backend) -> Iterator[ev.Event]:
        """Yield what the scheduler needs to hear before the run can go on with these profiles and settings.

        Raises `InputError` for profiles that don't fit those of the run, and where nobody could ask about its jobs:
        with the backend of another API, or without a profile that has some.
        """
        scheduler = self.scheduler
        self._check_jobs(profiles, backend)
        for profile in profiles.values():
            scheduler.roster.check_group(profile.name, profile.quota_group or "")
            scheduler.roster.check_currency(profile.name, profile.price)
        if not scheduler.ended:  # also where a limit stopped it: with a higher one it would go on by itself
            yield ev.Stopped(ev.StopReason.BROKEN_OFF)
        for state in list(scheduler.scenes.values()):
            if reason := _abandoned(state, profiles):
                attempt = state.scene.id, state.number
                has_left = state.status != "submitting" or attempt not in self.not_left
                yield ev.AttemptAbandoned(*attempt, sent=has_left, reason=reason if has_left else "the program ended")
        yield from self._released_without_end(profiles)
        yield ev.RunRestored(
            epoch=self.clock.epoch,
            hold_unknown_jobs=True,
            seed=settings.seed,
            retry=settings.retry,
            on_ambiguous=settings.on_ambiguous,
            max_wait=settings.max_wait,
            speed=settings.speed,
            off_since=self.last_event_at,
            pause_after_same_failure=settings.pause_after_same_failure,
        )

    def _released_without_end(self, profiles: Mapping[str, Profile]) -> Iterator[ev.Event]:
        """Release cooldowns without a known end, such as for a bad key: trying the key again costs nothing."""
        for state in self.scheduler.roster.profiles.values():
            closed = [gate for gate in state.gates if gate.unusable and math.isinf(gate.until)]
            if state.name in profiles and closed:
                yield ev.CooldownReleased(state.name, alone=state.group not in closed)

    def _check_jobs(self, profiles: Mapping[str, Profile], backend: Backend) -> None:
        """Raise `InputError` for a job that nobody could ask about: it is paid for."""
        for state in self.scheduler.scenes.values():
            if state.status not in ("generating", "fetching") or state.operation is None or state.profile is None:
                continue
            name, made_by, job = state.profile.name, state.operation.backend, f"scene {state.scene.id!r} of this run"
            if made_by not in ("", backend.name):
                raise InputError(
                    f"{job} is a job of the backend {made_by!r}, and {backend.name!r} can't ask about it: restore the "
                    "run with the backend that it was started with"
                )
            self._check_address(job, backend)
            if name not in profiles and name not in self.left_out:
                raise InputError(
                    f"{job} is a job of the profile {name!r}, which is not among those given "
                    f"({', '.join(profiles)}): give it, with its key, or hold its jobs by without=[{name!r}]"
                )

    def _check_address(self, job: str, backend: Backend) -> None:
        then, now = _address(self.header.get("backend")), _address(backend.settings())
        if None not in (then, now) and then != now and not self.moved:
            raise InputError(
                f"{job} is a job at {then}, and the backend asks {now}, which may not know it: give the address that "
                "the run was started with, or say moved=True if it is the same server"
            )

    def parts(self, profiles: Mapping[str, Profile]) -> RunParts:
        """Return the run as one that can be driven, its profiles with the keys of those given; others have no key."""
        found = {}
        for state in self.scheduler.roster.profiles.values():
            given = profiles.get(state.name)
            same_group = given is not None and (given.quota_group or given.name) == state.group.name
            found[state.name] = given if given is not None and same_group else Profile(state.name)
        run = Run(self.header, self.scheduler.events)
        return RunParts(self.clock, self.scheduler, run, self.journal, found)


def _abandoned(state: SceneState, profiles: Mapping[str, Profile]) -> str:
    """Return why nobody carries on a scene's attempt; empty: it goes on, or there is none."""
    profile = state.profile.name if state.profile is not None else None
    if state.status == "submitting":
        return f"the program ended while the scene was submitted to {profile!r}"
    if profile is not None and profile not in profiles:
        return f"the run was restored without the profile {profile!r}, broken off"
    return ""


def _journal_file(path: Path) -> Path:
    """Return a journal's file, from a folder the one to restore; `InputError` where there is none."""
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except OSError as error:  # a folder above it is closed to us
        raise JournalError(str(path), f"can't be read: {error.strerror or error}. Mend its folders' rights") from error
    if not exists:
        raise InputError(f"there is no journal {str(path)!r}: name its file, or the folder of the journals")
    found = to_restore(path) if is_folder else path
    if found is None:
        raise InputError(f"there is no journal of a run in {str(path)!r}: name its file, or another folder")
    return found


def _replayed(path: Path, events: list[ev.Event], settings: RunSettings, poll: PollSchedule) -> Scheduler:
    try:
        return settings.replay(events, poll)
    except ReplayError as error:
        what = f"{one_line(error.problem)}. The file is damaged, or was written by a version that decided otherwise"
        raise FileFormatError(str(path), what, line_of(path.read_bytes(), error.index)) from error


def _left_out(scheduler: Scheduler, without: Iterable[str]) -> frozenset[str]:
    """Return the profiles to leave out; `InputError` for one that the run does not have: it is misspelt."""
    left_out, known = frozenset(without), scheduler.roster.profiles
    for name in left_out - known.keys():
        raise InputError(f"without: {name!r} is no profile of this run ({', '.join(known)}): correct the name")
    return left_out


def _clock(epoch: float, at: float, recorded_speed: float, last: float, speed: float | None) -> Clock:
    """Return the run's clock: as far as wall time has gone since it was last known, and never before the last event."""
    clock = Clock(speed if speed is not None else recorded_speed)
    by_wall_time = at + (clock.epoch - epoch) * recorded_speed
    now = max(by_wall_time, last)  # a wall clock may have been set back
    return Clock(clock.speed, at=now if math.isfinite(now) else last)


def _epoch(path: Path, header: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(header["started"]).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError):
        raise FileFormatError(str(path), "header: 'started' is no time", 1) from None


def _address(settings: object) -> str | None:
    """Return where a backend sends its requests, as its settings say; None: they don't say."""
    found = settings.get("base_url") if isinstance(settings, Mapping) else None
    return found.rstrip("/") if isinstance(found, str) and found else None


def _with_usable_policy(event: ev.Event, instead: Policy | None) -> ev.Event:
    if isinstance(event, ev.PolicyChanged):
        event.policy = _usable_policy(event.policy, instead)  # type: ignore[misc]  # nobody else has it yet
    return event


def _usable_policy(policy: Policy, instead: Policy | None) -> Policy:
    """Return a recorded policy as one that can decide, or else `instead`; `InputError` where there is neither."""
    try:
        return resolve_policy(policy)
    except InputError:
        if instead is None:
            raise
        return instead
