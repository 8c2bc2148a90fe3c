"""What is on disk before anything is sent, and what a run whose journal can't be written does."""

from __future__ import annotations

import errno
import json
import os

import pytest

from tests.audit import audit
from tests.fakes import FakeBackend, profiles
from tests.session.crashes import PROMPTS, Place, Stuck, statuses, such
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Operation, Scene
from vidgen_nb.core.outcomes import Permanent
from vidgen_nb.errors import JournalError
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.ports import Profile
from vidgen_nb.recording.folder import latest
from vidgen_nb.run import load_run
from vidgen_nb.session.session import Session


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
