"""Journals that are missing, old, cut off or damaged: restored up to there, or an error with the line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.audit import audit
from tests.fakes import FakeBackend, profiles
from tests.session.crashes import PROMPTS, Place, Stuck, statuses, such
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.errors import FileFormatError, InputError, JournalError
from vidgen_nb.recording.runfile import header_line, read_run, write_run
from vidgen_nb.session.live.restored_run import RestoredRun
from vidgen_nb.session.session import restore

DATA = Path(__file__).parent.parent / "recording" / "data"


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
    """A file of format 1, as it was first written, can be restored for ever: never write it again."""
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
