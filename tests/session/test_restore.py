"""A run that outlives its session: what is on disk before anything is sent, and what a restored run goes on with.

A crash is a copy of the journal, taken while its session runs: what a program that was killed then leaves behind.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.audit import audit
from tests.fakes import FakeBackend, profiles
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import NORMAL, Mode, Operation, RetryPolicy, Scene
from vidgen_nb.core.outcomes import Permanent, RateLimited, Transient
from vidgen_nb.core.policy import Cooldown, GroupView, Policy
from vidgen_nb.errors import FileFormatError, InputError, JournalError, SessionError
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.ports import Profile
from vidgen_nb.provider import Concurrency, LimitState, TokenBucket
from vidgen_nb.recording.folder import latest
from vidgen_nb.recording.runfile import header_line, read_run, write_run
from vidgen_nb.run import Run, load_run
from vidgen_nb.session.live.restored_run import RestoredRun
from vidgen_nb.session.session import Session, restore

S = TypeVar("S", Session, Controller)
DATA = Path(__file__).parent.parent / "recording" / "data"
MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(100)
PROMPTS = [f"prompt {k}" for k in range(1, 9)]


class Stuck(FakeBackend):
    """Submits of the scenes in `stuck` get no answer before `let_go()`."""

    def __init__(self, *args: Any, stuck: tuple[str, ...] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.stuck = set(stuck)
        self.polled: list[str] = []

    def let_go(self) -> None:
        """Let everything go on."""
        super().let_go()
        self.stuck.clear()

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Answer, or hang."""
        self.submits.append((scene.id, "left"))
        while scene.id in self.stuck:  # noqa: ASYNC110 - it is let go from another thread
            await asyncio.sleep(0.005)
        return await super().submit(scene, profile)

    async def poll(self, operation: Operation, profile: Profile) -> Any:
        """Note who is asked about."""
        self.polled.append(operation.id)
        return await super().poll(operation, profile)


class Place:
    """Makes sessions in one folder, and ends them with the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs, self.videos = folder / "runs", folder / "videos"
        self.sessions: list[Session | Controller] = []
        self.crashes = 0

    def session(self, backend: FakeBackend, count: int = 2, **options: Any) -> Session:
        """Make a session of `count` profiles that keeps journals."""
        given = profiles(*(f"p{k}" for k in range(1, count + 1)))
        options = {"speed": 20, "mode": Mode("test", 3, 3), "journal": self.runs, **options}
        return self.kept(Session(backend, given, output=self.videos, **options))

    def restored(self, path: Path, backend: FakeBackend | None = None, count: int = 2, **options: Any) -> Session:
        """Restore a session."""
        given = options.pop("profiles", None) or profiles(*(f"p{k}" for k in range(1, count + 1)))
        return self.kept(restore(path, backend or FakeBackend(), given, output=self.videos, **options))

    def kept(self, session: S) -> S:
        """See to it that a session ends."""
        self.sessions.append(session)
        return session

    def crash(self, session: Session, when: Callable[[Run], bool] = lambda _: True) -> Path:
        """Return what the session would leave behind if it were killed once something is on its journal."""
        path = session.journal
        assert path is not None
        for _ in range(2000):
            self.crashes += 1
            copy = self.folder / f"crash{self.crashes}.jsonl"
            shutil.copy(path, copy)
            if copy.read_bytes().endswith(b"\n") and when(load_run(copy)):
                return copy
            threading.Event().wait(0.005)
        raise AssertionError(f"it never came: {load_run(path).events}")

    def close(self) -> None:
        """End all."""
        for session in self.sessions:
            if isinstance(backend := session.runner.resources.backend, FakeBackend):
                backend.let_go()
            session.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A folder with sessions."""
    made = Place(tmp_path)
    yield made
    made.close()


def statuses(session: Session | Controller) -> dict[str, str]:
    """Return the status of each scene of the last run."""
    assert session.last_run is not None
    return {scene.id: scene.status for scene in session.last_run.scenes}


def such(**counts: int) -> Callable[[Run], bool]:
    """Return whether a run has so many scenes of each status."""

    def look(run: Run) -> bool:
        found = [scene.status for scene in run.scenes]
        return all(found.count(status) == count for status, count in counts.items())

    return look


# -- written down


def test_a_submit_leaves_once_it_is_on_disk(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each submit, what announces it, and every scene before that, has been made durable by an fsync."""
    durable: dict[int, int] = {}
    synced = os.fsync

    def noted(number: int) -> None:
        synced(number)
        durable[os.fstat(number).st_ino] = os.fstat(number).st_size

    monkeypatch.setattr(os, "fsync", noted)
    seen: list[tuple[int, bool]] = []

    class Looking(FakeBackend):
        async def submit(self, scene: Scene, profile: Profile) -> Operation:
            path = session.journal
            assert path is not None
            content = path.read_bytes()[: durable[path.stat().st_ino]]
            lines = [json.loads(line) for line in content.splitlines()[1:]]
            started = any(each["event"] == "AttemptStarted" and each["scene"] == scene.id for each in lines)
            seen.append((sum(each["event"] == "SceneAdded" for each in lines), started))
            return await super().submit(scene, profile)

    session = place.session(Looking(), mode="boost")
    session.run_blocking(PROMPTS)
    assert seen == [(len(PROMPTS), True)] * len(PROMPTS)


def test_the_journal_is_the_run(place: Place) -> None:
    """After the end the file is complete, loads as the run, and has no key in it; each run has its own."""
    session = place.session(FakeBackend())
    assert session.journal is None
    first = session.run_blocking(PROMPTS)
    path = session.journal
    assert path is not None and path.name == f"{first.header['run']}.jsonl" and path.parent == place.runs
    assert load_run(path).events == first.events
    assert "sk-planted" not in path.read_text()
    session.run_blocking(PROMPTS)
    assert session.journal != path
    assert len(list(place.runs.iterdir())) == 2
    assert latest(place.runs) in place.runs.iterdir()


def test_a_run_that_is_gone_on_with_stays_in_its_file(place: Place) -> None:
    """Stopped, gone on with, and with its failed scenes tried again: one run, one file."""
    backend = Stuck(lambda scene, _, nth: Permanent("no") if (scene, nth) == ("s002", 1) else None)
    session = place.session(backend, mode="normal")
    session.pause()
    session.start(PROMPTS)
    session.stop()
    session.wait(10)
    session.unpause()
    session.run_blocking()
    session.retry_failed()
    run = session.wait(10)
    (path,) = place.runs.iterdir()
    assert load_run(path).events == run.events


def test_no_journal_but_where_one_is_wanted(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session keeps none unless told to; a controller keeps them in `runs` unless told not to."""
    monkeypatch.chdir(place.folder)
    given = profiles("p1")
    plain = place.kept(Session(FakeBackend(), given, output=place.videos, speed=20))
    plain.run_blocking(["one"])
    assert plain.journal is None and not place.runs.exists()
    place.kept(Controller(FakeBackend(), given, output=place.videos, journal=None, speed=20)).run_blocking(["one"])
    assert not place.runs.exists()
    place.kept(Controller(FakeBackend(), given, output=place.videos, speed=20)).run_blocking(["one"])
    assert len(list(place.runs.iterdir())) == 1


def test_a_folder_that_cannot_be_written_stops_a_run_before_it_begins(place: Place) -> None:
    """Nothing is sent, and the session can run once that is mended."""
    place.runs.touch()
    backend = FakeBackend()
    session = place.session(backend)
    with pytest.raises(JournalError, match="journal="):
        session.run_blocking(PROMPTS)
    assert backend.submits == []
    place.runs.unlink()
    assert session.run_blocking(PROMPTS).ended == "settled"


def test_a_full_disk_stops_a_run_in_good_order(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves whose intent is not on disk, what runs settles, who waits is told; with room, it goes on."""
    backend = Stuck(stuck=("s002",), hold=frozenset(["s001"]))
    session = place.session(backend, mode="normal")
    session.start(PROMPTS)
    writes = os.write

    def full(number: int, content: bytes) -> int:
        if len(content) > 40:
            return writes(number, bytes(content[:40]))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    whole = place.crash(session, lambda run: such(generating=1, submitting=1)(run) and len(backend.submits) == 3)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        backend.let_go()
        with pytest.raises(JournalError, match=r"No space left.*Make room on that disk, then run\(\) continues"):
            session.wait(20)
        found = statuses(session)
        assert found["s001"] == found["s002"] == "succeeded"
        left = {scene for scene, status in found.items() if status == "queued"}
        assert left and set(found.values()) == {"succeeded", "queued"}
        sent = {scene for scene, to in backend.submits if to == "left"}
        started = {e.scene for e in load_run(session.journal or "").events if isinstance(e, ev.AttemptStarted)}
        assert sent <= started and not sent & left
    assert whole.read_bytes() == (session.journal or whole).read_bytes()[: whole.stat().st_size]
    run = session.run_blocking()
    assert set(statuses(session).values()) == {"succeeded"}
    assert load_run(session.journal or "").events == run.events
    audit(run.events)


# -- taken up again


def test_what_each_scene_becomes(place: Place) -> None:
    """Accepted: polled on. Not answered: held, with what to do. Queued: run. Settled: as it was."""
    backend = Stuck(stuck=("s003",), hold=frozenset(["s002"]))
    session = place.session(backend)
    session.start(PROMPTS[:3])
    session.add(PROMPTS[3:4])
    crash = place.crash(session, lambda run: such(succeeded=2, generating=1, submitting=1)(run))
    session.pause()
    later = Stuck()
    again = place.restored(crash, later)
    assert statuses(again) == {"s001": "succeeded", "s002": "generating", "s003": "held", "s004": "succeeded"}
    assert again.last_run is not None
    held = next(scene for scene in again.last_run.scenes if scene.id == "s003")
    assert held.error is not None and "'p" in held.error and "Check the account" in held.error
    run = again.run_blocking()
    assert later.submits == [] and set(later.polled) == {"s002"}
    assert run.ended == "settled" and statuses(again)["s002"] == "succeeded"
    again.run_blocking([Scene("s003", "prompt 3")])
    audit(run.events, Mode("test", 3, 3))


def test_it_goes_on_in_the_same_file(place: Place) -> None:
    """The restored run appends; what a second restore finds is all of it."""
    session = place.session(Stuck(hold=frozenset(["s002"])))
    session.start(PROMPTS)
    crash = place.crash(session, such(generating=1, succeeded=7))
    before = crash.read_bytes()
    again = place.restored(crash)
    run = again.run_blocking()
    assert again.journal == crash
    assert crash.read_bytes().startswith(before)
    assert load_run(crash).events == run.events
    third = place.restored(crash)
    assert third.last_run is not None and third.last_run.events[: len(run.events)] == run.events


def test_a_run_that_had_settled(place: Place) -> None:
    """It may be restored: it is there at once, nothing is sent, and new scenes are a new run."""
    session = place.session(FakeBackend())
    run = session.run_blocking(PROMPTS)
    again = place.restored(place.runs)
    assert again.last_run is not None and again.last_run.ended == "settled"
    assert again.run_blocking() is again.last_run and again.last_run.scenes == run.scenes
    assert again.run_blocking(["another"]).header["run"] != run.header["run"]


def test_two_at_a_time(place: Place) -> None:
    """Who comes second is told that the run is taken, by a running session or by one that restored it."""
    session = place.session(Stuck(hold=frozenset(["s001"])))
    session.start(PROMPTS)
    with pytest.raises(JournalError, match="another session writes it"):
        place.restored(place.runs)
    crash = place.crash(session)
    first = place.restored(crash)
    with pytest.raises(JournalError, match="another session writes it"):
        place.restored(crash)
    first.close()
    place.restored(crash)


def test_async_with(place: Place) -> None:
    """A restored session lives on the caller's loop as any other."""
    session = place.session(Stuck(hold=frozenset(["s002"])))
    session.start(PROMPTS)
    crash = place.crash(session, such(generating=1))

    async def script() -> Run:
        async with restore(crash, FakeBackend(), profiles("p1", "p2"), output=place.videos) as again:
            return await again.run()

    assert asyncio.run(script()).ended == "settled"


def test_a_controller_and_its_panel(place: Place) -> None:
    """`Controller.restore` gives one with a panel; `restore_last_run` takes up the latest run of its folder, once."""
    session = place.session(Stuck(hold=frozenset(["s002"])))
    session.start(PROMPTS)
    crash = place.crash(session, such(generating=1, succeeded=len(PROMPTS) - 1))
    ctl = Controller.restore(crash, FakeBackend(), profiles("p1", "p2"), output=place.videos)
    place.kept(ctl)
    assert isinstance(ctl, Controller) and ctl.panel and ctl.left_over == 1
    ctl.start()
    assert ctl.wait(10).ended == "settled"
    session.abandon()  # or the file would be taken
    here = Controller(FakeBackend(), profiles("p1", "p2"), output=place.videos, journal=place.runs)
    place.kept(here)
    assert here.no_restore == "" and here.unfinished
    ctl.close()
    done = place.runs / "99990101T000000Z-abcdef.jsonl"
    shutil.copy(crash, done)
    assert here.no_restore == "" and here.unfinished, "an older one is left"
    here.restore_last_run()
    assert here.mode.name == "test" and statuses(here)["s002"] == "generating"
    assert here.no_restore == "there is a run already"
    with pytest.raises(SessionError, match="there is a run already"):
        here.restore_last_run()


def test_broken_off_is_as_good_as_killed(place: Place) -> None:
    """`abandon()`, or an error in `with Session(...)`, leaves a journal from which even what was sent goes on."""
    session = place.session(Stuck(stuck=("s003",), hold=frozenset(["s002"])))
    session.start(PROMPTS[:3])
    place.crash(session, such(generating=1, submitting=1, succeeded=1))
    with pytest.raises(RuntimeError, match="mine"), session:
        raise RuntimeError("mine")
    assert statuses(session) == {"s001": "succeeded", "s002": "held", "s003": "held"}
    again = place.restored(place.runs)
    assert statuses(again) == {"s001": "succeeded", "s002": "generating", "s003": "held"}
    assert again.run_blocking().ended == "settled"
    other = place.session(Stuck(hold=frozenset(["s001"])))
    other.start(PROMPTS)
    place.crash(other, such(generating=1))
    other.abandon()
    with pytest.raises(SessionError, match=r"the run was broken off: restore\('.*jsonl', …\) goes on with it"):
        other.run_blocking()
    other.restore_last_run()
    backend = other.runner.resources.backend
    assert isinstance(backend, Stuck)
    backend.let_go()
    assert other.run_blocking().ended == "settled"


def test_the_pause_stays(place: Place) -> None:
    """Who had paused a run has it paused still."""
    session = place.session(FakeBackend())
    session.pause()
    session.start(PROMPTS)
    again = place.restored(place.crash(session, such(queued=8)))
    again.start()
    assert again.is_running and set(statuses(again).values()) == {"queued"}
    again.unpause()
    assert again.wait(10).ended == "settled"


def test_a_video_that_was_fetched_but_not_on_record(place: Place) -> None:
    """It is recognised by its bytes: one video, one file. A stranger of that name is left alone."""
    backend = Stuck(hold=frozenset(["s001", "s002"]))
    backend.video = MP4
    session = place.session(backend)
    session.start(PROMPTS[:2])
    crash = place.crash(session, such(generating=2))
    place.videos.mkdir(exist_ok=True)
    (place.videos / "s001.mp4").write_bytes(MP4)
    (place.videos / "s002.mp4").write_bytes(MP4 + b"another")
    later = FakeBackend()
    later.video = MP4
    run = place.restored(crash, later).run_blocking()
    assert [Path(scene.path or "").name for scene in run.scenes] == ["s001.mp4", "s002-2.mp4"]
    assert sorted(file.name for file in place.videos.iterdir()) == ["s001.mp4", "s002-2.mp4", "s002.mp4"]
    session.abandon()


# -- time


def aged(path: Path, seconds: float) -> Path:
    """Let a run have begun so many wall seconds earlier."""
    header, events = read_run(path)
    started = datetime.fromisoformat(header["started"]) - timedelta(seconds=seconds)
    return write_run(path, {**header, "started": started.isoformat()}, events)


@pytest.mark.parametrize(("seconds", "least", "most"), [(0, 350, 500), (10, 150, 300), (600, 0, 0), (-9999, 400, 500)])
def test_cooldowns_go_on_by_the_wall_clock(place: Place, seconds: float, least: float, most: float) -> None:
    """500 run seconds are 25 on the wall at 20x; a clock that was set back is no time at all."""
    backend = Stuck(lambda scene, profile, _: RateLimited() if profile == "p1" else None, hold=frozenset(["s002"]))
    session = place.session(backend, policy=PerProfileCooldown(500))
    session.start(PROMPTS)
    crash = aged(place.crash(session, lambda run: bool(run.cooldowns)), seconds)
    again = place.restored(crash)
    left = again.cooling.get("p1", 0.0)
    assert least <= left <= most
    assert again.last_run is not None
    times = [event.at for event in again.last_run.events]
    assert times == sorted(times)


def test_another_speed(place: Place) -> None:
    """From the restore on the clock goes at the new speed, also for the next restore."""
    session = place.session(Stuck(hold=frozenset(["s002"])))
    session.start(PROMPTS)
    crash = aged(place.crash(session), 10)
    again = place.restored(crash, speed=1000)
    restored = [event for event in (again.last_run or Run({}, [])).events if isinstance(event, ev.RunRestored)]
    assert [event.speed for event in restored] == [1000] and 200 <= restored[0].at < 1000
    assert again.runner.state.settings.speed == 1000
    again.close()
    third = place.restored(crash)
    assert third.runner.state.settings.speed == 1000


# -- settings and profiles


@dataclass(frozen=True)
class Patient(Policy):
    """A policy of a user."""

    seconds: float = 9.0

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Wait."""
        return Cooldown("group", now + self.seconds)


def limited(place: Place, **options: Any) -> Path:
    """Return the journal of a run with a 429 in it, broken off."""
    backend = Stuck(lambda scene, profile, nth: RateLimited() if (scene, nth) == ("s001", 1) else None,
                    hold=frozenset(["s002"]))  # fmt: skip
    session = place.session(backend, **options)
    session.start(PROMPTS)
    return place.crash(session, lambda run: bool(run.cooldowns) and such(generating=1)(run))


def test_the_settings_of_the_run_hold(place: Place) -> None:
    """Mode, policy and the rest are those at the end of the record, with what is given on top, for good."""
    crash = limited(place, policy=PerProfileCooldown(44), seed=5, retry=RetryPolicy(3), on_ambiguous="retry")
    again = place.restored(crash)
    kept = again.runner.state.settings
    assert (kept.mode.name, kept.policy, kept.seed) == ("test", PerProfileCooldown(44), 5)
    assert (kept.retry, kept.on_ambiguous) == (RetryPolicy(3), "retry")
    again.close()
    changes: dict[str, Any] = {"mode": "normal", "policy": PerProfileCooldown(7), "retry": RetryPolicy(2, deadline=9e9)}
    place.restored(crash, seed=6, max_wait=8.0, **changes).close()
    last = place.restored(crash).runner.state.settings
    assert (last.mode, last.policy, last.retry) == (NORMAL, PerProfileCooldown(7), RetryPolicy(2, deadline=9e9))
    assert (last.seed, last.max_wait) == (6, 8.0)


def test_a_policy_of_ones_own(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its class is found by name; one that is not there any more is an error, unless another is given."""
    crash = limited(place, policy=Patient(3.5))
    before = crash.read_bytes()
    monkeypatch.setattr("vidgen_nb.recording.policies._subclasses_named", lambda *_: [])
    with pytest.raises(InputError, match=r"policy 'Patient' of this run is not known here.*pass policy="):
        place.restored(crash)
    assert crash.read_bytes() == before
    other = place.restored(crash, policy=PerProfileCooldown(8))
    assert other.policy == PerProfileCooldown(8)
    cooled = [e for e in read_run(crash)[1] if isinstance(e, ev.CooldownStarted)]
    assert cooled and all(3.4 < event.until - event.at < 3.6 for event in cooled), "what was decided stays"
    other.close()
    monkeypatch.undo()
    assert place.restored(crash, policy=Patient(3.5)).run_blocking().ended == "settled"


@dataclass(frozen=True)
class OwnLimit:
    """A limit of a user."""

    def state(self) -> LimitState:
        """Return one that admits all."""
        return TokenBucket(99, per=1).state()


def test_a_policy_that_was_told_limits(place: Place) -> None:
    """Limits stand in the record as text, of which they are made again; one of one's own has to be given again."""
    told = Paced({"p1": TokenBucket(50, per=60) & Concurrency(9)})
    again = place.restored(limited(place, policy=told))
    assert again.policy == told
    assert again.run_blocking().ended == "settled"
    crash = limited(place, policy=Paced({"p1": OwnLimit()}))
    with pytest.raises(InputError, match=r"policy 'Paced' of this run can't be rebuilt.*pass policy="):
        place.restored(crash)
    again = place.restored(crash, policy=Paced({"p1": OwnLimit()}))
    assert again.run_blocking().ended == "settled"


def test_a_policy_within_another_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for as one that stands alone, and found or asked for before anything is sent."""
    crash = limited(place, policy=EarliestFinish(Patient(3.5)))
    again = place.restored(crash)
    assert again.policy == EarliestFinish(Patient(3.5))
    again.close()
    told = EarliestFinish(Paced({"p1": OwnLimit()}))
    crash = limited(place, policy=told)
    with pytest.raises(InputError, match=r"policy 'Paced' of this run can't be rebuilt.*pass policy="):
        place.restored(crash)
    again = place.restored(crash, policy=told)
    assert again.run_blocking().ended == "settled"


def test_another_backend(place: Place) -> None:
    """Jobs of one API are not asked about at another, which knows none of them: nothing is written then."""

    class Named(FakeBackend):
        async def submit(self, scene: Scene, profile: Profile) -> Operation:
            return replace(await super().submit(scene, profile), backend="first")

    session = place.session(Named(hold=frozenset(["s001"])))
    session.start(PROMPTS[:1])
    crash = place.crash(session, such(generating=1))
    before = crash.read_bytes()
    with pytest.raises(InputError, match=r"'s001' of this run is a job of the backend 'first'"):
        place.restored(crash)
    assert crash.read_bytes() == before
    right = FakeBackend()
    right.name = "first"
    assert place.restored(crash, right).run_blocking().ended == "settled"


# -- how much may be billed


def billing(place: Place) -> Path:
    """Return the journal of a run that was killed when its limit of two was reached, one of them under way."""
    session = place.session(FakeBackend(hold=frozenset(["s002"])), max_billed=2)
    session.start(PROMPTS[:5])
    return place.crash(session, lambda run: any(isinstance(event, ev.BillingLimitReached) for event in run.events))


def test_the_limit_counts_on(place: Place) -> None:
    """What was accepted before a kill counts, and a restored run submits nothing beyond; nor does the panel's."""
    crash = billing(place)
    fake = FakeBackend()
    again = place.restored(crash, fake)
    assert again.run_blocking().ended == "max_billed" and fake.submits == []
    again.close()
    other = place.kept(Session(fake, profiles("p1", "p2"), output=place.videos, journal=place.folder / "other"))
    (place.folder / "other").mkdir()
    shutil.copy(crash, place.folder / "other" / f"{load_run(crash).header['run']}.jsonl")
    other.restore_last_run()
    assert other.max_billed == 2
    assert other.run_blocking().ended == "max_billed" and fake.submits == []


def test_of_two_limits_the_smaller_one_holds(place: Place) -> None:
    """A session that may spend less than the run it takes up spends less."""
    crash = billing(place)
    folder = place.folder / "other"
    folder.mkdir()
    shutil.copy(crash, folder / f"{load_run(crash).header['run']}.jsonl")
    given = profiles("p1", "p2")
    other = place.kept(Session(FakeBackend(), given, output=place.videos, journal=folder, max_billed=1))
    other.restore_last_run()
    assert other.max_billed == 1


def test_a_restore_that_fails_changes_no_setting(place: Place) -> None:
    """A run whose jobs are of a profile that is not here is refused, and the session is as it was."""
    session = place.session(Stuck(hold=frozenset(["s001"])))
    session.start(PROMPTS[:1])
    crash, folder = place.crash(session, such(generating=1)), place.folder / "other"
    folder.mkdir()
    shutil.copy(crash, folder / f"{load_run(crash).header['run']}.jsonl")
    other = place.kept(Session(FakeBackend(), profiles("p9"), mode="boost", max_billed=7, journal=folder))
    with pytest.raises(InputError, match="p1"):
        other.restore_last_run()
    assert (other.mode.name, other.max_billed, other.run_blocking(["a scene"]).ended) == ("boost", 7, "settled")


def test_a_higher_limit_begins_nothing_by_itself(place: Place) -> None:
    """A run that was killed at its limit waits for `run()`, as every other: a second kill leaves nothing in doubt."""
    fake = FakeBackend()
    again = place.restored(billing(place), fake, max_billed=4)
    assert not statuses(again).keys() - {"s001", "s002", "s003", "s004", "s005"}
    assert list(statuses(again).values()).count("queued") == 3
    assert again.run_blocking().ended == "max_billed"
    assert len(fake.submits) == 2


def test_other_profiles(place: Place) -> None:
    """New ones join, capacities change; what ran on one that is gone is held with its name, if that is meant."""
    session = place.session(Stuck(hold=frozenset(["s001", "s002"])))
    session.start(PROMPTS[:2])
    crash = place.crash(session, such(generating=2))
    given = [*profiles("p2", capacity=1), *profiles("p3", quota_group="team")]
    before = crash.read_bytes()
    with pytest.raises(InputError, match=r"'s001' .* job of the profile 'p1', .* \(p2, p3\): .* without=\['p1'\]"):
        place.restored(crash, profiles=given)
    assert crash.read_bytes() == before
    again = place.restored(crash, profiles=given, without=["p1"])
    found = {scene.profile: scene for scene in (again.last_run or Run({}, [])).scenes}
    assert found["p2"].status == "generating" and found["p1"].status == "held"
    assert "without the profile 'p1'" in (found["p1"].error or "")
    assert again.last_run is not None and again.last_run.data.capacities["p2"] == 1
    run = again.run_blocking([Scene("more", "a fox"), Scene("and more", "an owl")])
    assert {scene.profile for scene in run.scenes[2:]} <= {"p2", "p3"}
    audit(run.events, Mode("test", 3, 3))


def test_what_can_not_be_chosen_at_a_restore(place: Place) -> None:
    """A profile that the run never had, and another journal, are errors before anything is written."""
    crash = limited(place)
    before = crash.read_bytes()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"without": ["nosuch"]}, r"without: 'nosuch' is no profile of this run \(p1, p2\)"),
        ({"without": "p1 "}, "without: 'p1 ' is no profile"),
        ({"journal": place.runs}, "journal: .* goes on in the same file"),
    ]
    for options, text in wrong:
        with pytest.raises(InputError, match=text):
            place.restored(crash, **options)
        assert crash.read_bytes() == before
    place.restored(crash, without=["p2"])


def test_profiles_that_cannot_be(place: Place) -> None:
    """A name that was a group's in the run is an error before anything is written."""
    crash = limited(place)
    before = crash.read_bytes()
    with pytest.raises(InputError, match="use two names"):
        place.restored(crash, profiles=[*profiles("p9", quota_group="p1")], without=["p1", "p2"])
    assert crash.read_bytes() == before
    place.restored(crash)


# -- files


def test_where_there_is_none(place: Place) -> None:
    """A folder without journals, a missing file and a simulated run say so."""
    place.runs.mkdir()
    (place.runs / "notes.jsonl").write_text("{}\n")
    for path, text in ((place.runs, "no journal of a run"), (place.runs / "x.jsonl", "there is no journal")):
        with pytest.raises(InputError, match=text):
            place.restored(path)
    (place.runs / "20260101T000000Z-abcdef.jsonl").write_text('{"vidgen_nb')
    with pytest.raises(InputError, match="no journal of a run"):
        place.restored(place.runs)
    simulated = write_run(place.folder / "s.jsonl", {"run": "x"}, [])
    with pytest.raises(FileFormatError, match="can be loaded, not restored"):
        place.restored(simulated)


def test_a_journal_of_this_format_stays_readable(place: Place) -> None:
    """A file of format 1, as it was first written, can be restored for ever: never make it anew."""
    for file in DATA.glob("format-*.jsonl"):
        copy = place.folder / file.name
        shutil.copy(file, copy)
        again = place.restored(copy, Stuck(), 3)
        found = statuses(again)
        assert {"succeeded", "generating", "queued", "held", "failed"} <= set(found.values())
        run = again.run_blocking()
        assert run.ended == "settled"
        again.close()


RECORDED = (DATA / "format-1.jsonl").read_bytes()
ANY_FILE = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ANY_FILE
@given(length=st.integers(0, len(RECORDED)))
def test_cut_anywhere_it_can_be_restored(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    """Whatever byte the file ends at: a run whose scenes are all accounted for, or, without a header, no run."""
    folder = tmp_path_factory.mktemp("cut")
    path = folder / "j.jsonl"
    path.write_bytes(RECORDED[:length])
    backend = Stuck()
    try:
        session = restore(path, backend, profiles("p1", "p2", "p3"), output=folder / "videos")
    except FileFormatError:
        assert RECORDED[:length].count(b"\n") == 0
        return
    with session:
        assert session.last_run is not None
        before = list(session.last_run.events)
        sent = {e.scene for e in before if isinstance(e, ev.AttemptStarted)}
        sent -= {e.scene for e in before if isinstance(e, ev.SceneRequeued)}
        if any(s not in ("succeeded", "failed", "held") for s in statuses(session).values()):
            session.run_blocking()
        assert set(statuses(session).values()) <= {"succeeded", "failed", "held"}
        assert not {scene for scene, to in backend.submits if to == "left"} & sent, "submitted twice"
        audit(session.last_run.events, Mode("test", 3, 3))


@ANY_FILE
@given(place=st.integers(0, len(RECORDED) - 1), instead=st.binary(max_size=4), gone=st.integers(0, 30))
def test_damaged_anywhere_it_says_so(
    tmp_path_factory: pytest.TempPathFactory, place: int, instead: bytes, gone: int
) -> None:
    """Any bytes changed: the run comes back, or an error of ours names the file, which is left as it was."""
    path = tmp_path_factory.mktemp("damaged") / "j.jsonl"
    path.write_bytes(damaged := RECORDED[:place] + instead + RECORDED[place + gone :])
    try:
        past = RestoredRun.open(path, FakeBackend.poll_schedule)
    except (InputError, JournalError):
        assert path.read_bytes() == damaged
    else:
        past.journal.release()
        assert past.journal.error is None


def test_events_that_do_not_follow(place: Place) -> None:
    """A line that was taken out is found, with the line of what does not follow from the others."""
    lines = RECORDED.split(b"\n")
    gone = next(number for number, line in enumerate(lines) if b'"Accepted"' in line)
    path = place.folder / "j.jsonl"
    path.write_bytes(b"\n".join(lines[:gone] + lines[gone + 1 :]))
    with pytest.raises(FileFormatError, match=r"j\.jsonl, line \d+.*does not follow|but .* follows"):
        RestoredRun.open(path, FakeBackend.poll_schedule)


def test_a_header_out_of_range(place: Place) -> None:
    """Each setting is checked before it is believed."""
    header, events = read_run(DATA / "format-1.jsonl")
    path = place.folder / "j.jsonl"
    for change in ({"speed": 0}, {"speed": "fast"}, {"mode": 3}, {"started": "yesterday"}, {"on_ambiguous": "ask"},
                   {"max_wait": -1}, {"retry": {"max_failures": 0}}, {"policy": "none"}, {"seed": None}):  # fmt: skip
        path.write_bytes(header_line({**header, **change}))
        with pytest.raises(FileFormatError, match="line 1"):
            RestoredRun.open(path, FakeBackend.poll_schedule)
    assert events


def test_transient_failures_are_replayed(place: Place) -> None:
    """Back-off drawn by chance comes out as it was: the record adds up, and the scene goes on with its budget."""
    backend = Stuck(lambda scene, _, nth: Transient("503") if scene == "s001" and nth < 4 else None,
                    hold=frozenset(["s001"]))  # fmt: skip
    session = place.session(backend, seed=11)
    session.start(PROMPTS)
    crash = place.crash(session, such(generating=1, succeeded=7))
    assert place.restored(crash).run_blocking().ended == "settled"
