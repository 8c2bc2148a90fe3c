"""What is known of a run that a program has left behind, and how it is taken up again.

The scheduler is rebuilt by feeding it the events of the file. What the provider had accepted is asked about again and
never submitted again. A submit whose answer is not on record may have been accepted: its scene is held.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, PollSchedule, RetryPolicy, as_max_billed
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import FileFormatError, InputError, JournalError, ReplayError
from vidgen_nb.plaintext import clean
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.recording.codec import read_as
from vidgen_nb.recording.folder import to_restore
from vidgen_nb.recording.journal import Journal
from vidgen_nb.recording.policies import made
from vidgen_nb.recording.runfile import line_of

__all__ = ["Past"]


@dataclass
class Past:
    """A run as its journal has it, and the scheduler rebuilt from it. Until `close` nobody else can write it."""

    journal: Journal
    header: dict[str, Any]
    scheduler: Scheduler
    settings: dict[str, Any]
    """Those of a session that were in force at the end, by name: mode, policy, retry, speed and so on."""
    clock: Clock
    """Shows the second of the run that it would be by now, had it gone on: cooldowns have gone on, too."""
    without: frozenset[str] = frozenset()
    """Profiles of the run that are left out on purpose: what they have accepted is held."""
    moved: bool = False
    """Whether the server has another address now, on purpose."""

    @classmethod
    def open(cls, path: Path, poll: PollSchedule, *, policy: Policy | None = None, speed: float | None = None) -> Past:
        """Read a journal, or the one of a folder that is to be restored, and rebuild its run.

        `policy`: takes the place of recorded ones whose class is not at hand. `speed`: of the clock from now on.
        Raises `JournalError` where it can't be written or somebody else does, `FileFormatError` where it is damaged,
        and `InputError` where there is none or a policy is not known here. The file is as it was, then.
        """
        path = _file(path)
        journal, recorded = Journal.open(path)
        try:
            begun = _settings(path, recorded.header)
            begun["policy"] = _found(begun["policy"], policy)
            events = [_with_policy(event, policy) for event in recorded.events]
            scheduler = _replayed(path, events, begun, poll)
            journal.append(scheduler.events[len(events) :])
            now = begun | {"mode": scheduler.mode, "policy": scheduler.policy, "max_billed": scheduler.max_billed}
            epoch, at = _epoch(path, recorded.header), 0.0
            for event in events:
                if isinstance(event, ev.RunRestored):
                    epoch, at, now = event.epoch, event.at, now | _restored(event)
            clock = _clock(epoch, at, now["speed"], events[-1].at if events else 0.0, speed)
        except BaseException:
            journal.release()
            raise
        return cls(journal, recorded.header, scheduler, now, clock)

    def leave_out(self, names: Iterable[str]) -> None:
        """Leave profiles out on purpose; `InputError` for one that the run does not have: it is misspelt."""
        self.without, known = frozenset(names), self.scheduler.roster.profiles
        for name in self.without - known.keys():
            raise InputError(f"without: {name!r} is no profile of this run ({', '.join(known)}): correct the name")

    def adopt(self, profiles: Mapping[str, Profile], settings: Mapping[str, Any]) -> Iterator[ev.Event]:
        """Yield what is to be fed to the scheduler before the run can go on with these profiles and settings.

        Raises `InputError` for profiles that can't be used with those of the run, and where its jobs can't be asked
        about: with another API's backend, or without a profile that has some.
        """
        scheduler = self.scheduler
        self._check_jobs(profiles, settings["backend"])
        for profile in profiles.values():
            scheduler.roster.check_group(profile.name, profile.quota_group or "")
        if not scheduler.ended:  # also where it was stopped by a limit: with another one it would go on by itself
            yield ev.Stopped(ev.BROKEN_OFF)
        for state in list(scheduler.scenes.values()):
            profile_name = state.profile.name if state.profile is not None else None
            if state.status == "submitting":
                reason = f"the program ended while the scene was submitted to {profile_name!r}"
            elif profile_name is not None and profile_name not in profiles:
                reason = f"the run was restored without the profile {profile_name!r}, broken off"
            else:
                continue
            yield ev.AttemptAbandoned(state.scene.id, state.number, sent=True, reason=reason)
        yield from self._endless(profiles)
        kept = {name: settings[name] for name in ("seed", "retry", "on_ambiguous", "max_wait", "speed")}
        yield ev.RunRestored(epoch=self.clock.epoch, wary=True, **kept)

    def _endless(self, profiles: Mapping[str, Profile]) -> Iterator[ev.Event]:
        """Yield the ends of what had none, such as a bad key: to find out whether it was mended costs nothing."""
        for state in self.scheduler.roster.profiles.values():
            closed = [gate for gate in state.gates if gate.unusable and math.isinf(gate.until)]
            if state.name in profiles and closed:
                yield ev.CooldownReleased(state.name, alone=state.group not in closed)

    def _check_jobs(self, profiles: Mapping[str, Profile], backend: Backend) -> None:
        """Raise `InputError` for a job that nobody could be asked about: it is paid for."""
        for state in self.scheduler.scenes.values():
            if state.status not in ("generating", "fetching") or state.operation is None or state.profile is None:
                continue
            name, made_by, job = state.profile.name, state.operation.backend, f"scene {state.scene.id!r} of this run"
            if made_by not in ("", backend.name):
                raise InputError(
                    f"{job} is a job of the backend {made_by!r}, which {backend.name!r} can't be asked about: restore "
                    "it with the backend it was begun with"
                )
            self._check_address(job, backend)
            if name not in profiles and name not in self.without:
                raise InputError(
                    f"{job} is a job of the profile {name!r}, which is not among those given "
                    f"({', '.join(profiles)}): give it, with its key, or hold what it has by without=[{name!r}]"
                )

    def _check_address(self, job: str, backend: Backend) -> None:
        begun, now = (_address(each) for each in (self.header.get("backend"), backend.settings()))
        if None not in (begun, now) and begun != now and not self.moved:
            raise InputError(
                f"{job} is a job at {begun}, and the backend asks {now}, which may not know it: give the address that "
                "it was begun with, or say moved=True if it is the same server"
            )

    def keys(self, profiles: Mapping[str, Profile]) -> dict[str, Profile]:
        """Return whose keys the run's profiles have from now on; those that were not given have none."""
        found = {}
        for state in self.scheduler.roster.profiles.values():
            given = profiles.get(state.name)
            same = given is not None and (given.quota_group or given.name) == state.group.name
            found[state.name] = given if given is not None and same else Profile(state.name)
        return found


def _file(path: Path) -> Path:
    """Return a journal's file, of a folder the one to restore; `InputError` where there is none."""
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


def _replayed(path: Path, events: list[ev.Event], begun: dict[str, Any], poll: PollSchedule) -> Scheduler:
    names = ("mode", "policy", "retry", "on_ambiguous", "max_wait", "max_billed")
    rng = Random(begun["seed"])  # noqa: S311 - jitter, no secret
    try:
        return Scheduler.replay(events, poll=poll, rng=rng, **{name: begun[name] for name in names})
    except ReplayError as error:
        what = f"{clean(error.problem)}. The file is damaged, or was written by a version that decided otherwise"
        raise FileFormatError(str(path), what, line_of(path.read_bytes(), error.index)) from error


def _clock(epoch: float, at: float, speed_then: float, last: float, speed: float | None) -> Clock:
    """Return the run's clock: by wall time since it was last known, and never before the last event."""
    clock = Clock(speed if speed is not None else speed_then)
    passed = at + (clock.epoch - epoch) * speed_then
    now = max(passed, last)  # a wall clock may have been set back
    return Clock(clock.speed, at=now if math.isfinite(now) else last)


def _address(settings: object) -> str | None:
    """Return where a backend sends its requests, as its settings say, or None: they don't."""
    found = settings.get("base_url") if isinstance(settings, Mapping) else None
    return found.rstrip("/") if isinstance(found, str) and found else None


# -- settings


def _settings(path: Path, header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a run began with."""
    kinds = {"mode": Mode, "policy": Any, "retry": RetryPolicy, "max_wait": float, "speed": float, "seed": int}
    found: dict[str, Any] = {}
    for name, kind in {**kinds, "on_ambiguous": str}.items():
        try:
            found[name] = read_as(kind, header[name])
        except KeyError:
            what = f"no run of a session, its header has no {name!r}: such a run can be loaded, not restored"
            raise FileFormatError(str(path), what, 1) from None
        except ValueError as error:
            raise FileFormatError(str(path), f"header: {name}: {error}", 1) from None
    found["max_billed"] = _max_billed(path, header)
    fit = found["on_ambiguous"] in ("hold", "retry"), 0 < found["speed"] < math.inf, found["max_wait"] >= 0
    if not all(fit):
        raise FileFormatError(str(path), "header: on_ambiguous, speed or max_wait is out of its range", 1)
    return found


def _max_billed(path: Path, header: Mapping[str, Any]) -> int | None:
    """Return the limit; a header of before there were limits has none."""
    try:
        return as_max_billed(header.get("max_billed"))
    except InputError as error:
        raise FileFormatError(str(path), f"header: {error}", 1) from None


def _restored(event: ev.RunRestored) -> dict[str, Any]:
    names = ("speed", "seed", "retry", "on_ambiguous", "max_wait")
    return {name: getattr(event, name) for name in names}


def _epoch(path: Path, header: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(header["started"]).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError):
        raise FileFormatError(str(path), "header: 'started' is no time", 1) from None


# -- policies


def _with_policy(event: ev.Event, instead: Policy | None) -> ev.Event:
    if isinstance(event, ev.PolicyChanged):
        event.policy = _found(event.policy, instead)  # type: ignore[misc]  # nobody else has it yet
    return event


def _found(policy: Policy, instead: Policy | None) -> Policy:
    """Return a recorded policy as one that can decide, or else `instead`; `InputError` where there is neither."""
    try:
        return made(policy)
    except InputError:
        if instead is None:
            raise
        return instead
