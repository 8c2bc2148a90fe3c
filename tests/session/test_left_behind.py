"""Runs that were left behind are not forgotten: a new one beside them says so, and a restore takes them up."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import FakeBackend
from tests.session.crashes import PROMPTS, Place, statuses
from vidgen_nb.core.model import Mode, Scene
from vidgen_nb.errors import JournalError
from vidgen_nb.session.session import Session

ONE = Mode("one by one", 1, 1)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings about runs that were left."""
    return [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING and "not done" in each.msg]


def left_behind(place: Place) -> Path:
    """Leave a run with half of its scenes to do, and return its journal."""
    session = place.session(FakeBackend(hold=frozenset(["s001", "s002"])))
    session.start(PROMPTS)
    session.abandon()
    session.close()
    assert session.journal is not None
    return session.journal


def test_a_new_run_beside_one_that_was_left_says_so(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """One warning, which names the file and what to do; none once that run is done."""
    path = left_behind(place)
    assert warnings_of(caplog) == []
    place.session(FakeBackend()).run_blocking(PROMPTS)
    (told,) = warnings_of(caplog)
    assert f"restore({str(path)!r}, …)" in told and "pay for them twice" in told
    caplog.clear()
    again = place.restored(place.runs)
    assert again.journal == path and again.run_blocking().ended == "settled"
    place.session(FakeBackend()).run_blocking(PROMPTS)
    assert warnings_of(caplog) == []


def test_a_run_that_somebody_goes_on_with_is_not_left(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Sessions side by side in one folder are no reason for a warning."""
    busy = place.session(FakeBackend(hold=frozenset(["s001"])))
    busy.start(PROMPTS)
    place.session(FakeBackend()).run_blocking(PROMPTS)
    assert warnings_of(caplog) == [] and busy.is_running


def test_a_run_that_was_restored_after_its_end_is_done(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """It was looked at, and nothing of it is open."""
    place.session(FakeBackend()).run_blocking(PROMPTS)
    with place.restored(place.runs) as again:
        again.run_blocking()
    place.session(FakeBackend()).run_blocking(PROMPTS)
    assert warnings_of(caplog) == []


def stopped(place: Place) -> Session:
    """Return a session whose run was stopped, with scenes left to do."""
    backend = FakeBackend(hold=frozenset(["s001"]))
    session = place.session(backend, mode=ONE)
    session.start(PROMPTS)
    place.crash(session, lambda run: any(scene.status == "generating" for scene in run.scenes))
    session.stop()
    backend.let_go()
    session.wait(20)
    assert "queued" in statuses(session).values()
    return session


def taken_over(place: Place, path: Path) -> None:
    """Somebody else has finished the run."""
    with place.restored(path) as again:
        again.run_blocking()


def taken(place: Place, path: Path) -> None:
    """Somebody else has the run."""
    place.restored(path)


def deleted(_: Place, path: Path) -> None:
    """The file is gone."""
    path.unlink()


def cut(_: Place, path: Path) -> None:
    """The file has lost its end."""
    os.truncate(path, 100)


@pytest.mark.parametrize(
    ("lose", "says"),
    [
        (taken_over, "continued this run"),
        (taken, "another session writes it"),
        (deleted, "deleted"),
        (cut, "shortened"),
    ],
)
def test_new_scenes_begin_a_new_run_where_the_journal_is_lost(
    place: Place, lose: Callable[[Place, Path], None], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What goes on with the old one is refused, and queues nothing; new scenes have a file of their own."""
    session = stopped(place)
    path, old = session.journal, session.last_run
    assert path is not None and old is not None
    known = len(old.events)
    lose(place, path)
    for call in (session.run_blocking, session.start):
        with pytest.raises(JournalError, match=says):
            call()
    assert len(old.events) == known
    run = session.run_blocking(PROMPTS)
    assert run.ended == "settled" and session.journal not in (path, None)
    assert "scenes stay with that run, a new one begins" in caplog.text
    assert session.run_blocking(["another"]).ended == "settled"


@pytest.mark.skipif(os.name != "posix", reason="elsewhere an open file can't be deleted")
def test_a_journal_that_is_lost_in_mid_run(place: Place) -> None:
    """What is added meanwhile is refused and not queued; once the run has ended, a new one takes it."""
    backend = FakeBackend(hold=frozenset(["s001"]))
    session = place.session(backend, mode=ONE)
    session.start(PROMPTS[:1])
    place.crash(session, lambda run: any(scene.status == "generating" for scene in run.scenes))
    assert session.journal is not None
    session.journal.unlink()
    for _ in range(2):
        with pytest.raises(JournalError, match="deleted"):
            session.add([Scene("more", "a fox")])
    backend.let_go()
    with pytest.raises(JournalError, match="deleted"):
        session.wait(20)
    run = session.run_blocking([Scene("more", "a fox")])
    assert run.ended == "settled" and set(statuses(session)) == {"more"}
