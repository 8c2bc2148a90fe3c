"""A run that outlives its session: what a restored run goes on with, in the file of the run and by the wall clock.

A crash is a copy of the journal, taken while its session runs: what a program that was killed then leaves behind.
"""

from __future__ import annotations

import asyncio
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.audit import audit
from tests.fakes import FakeBackend, profiles
from tests.session.crashes import PROMPTS, Place, Stuck, statuses, such
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, Scene
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.errors import JournalError, SessionError
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.recording.runfile import read_run, write_run
from vidgen_nb.run import Run, load_run
from vidgen_nb.session.session import restore

MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(100)


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


def aged(path: Path, seconds: float) -> Path:
    """Move a run's begin into the past, by wall seconds."""
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
