"""Journals: what is on disk, when, and what happens when the disk fails."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.harness import World
from tests.recording.test_codec import ANY_EVENT
from vidgen_nb.core import events as ev
from vidgen_nb.core.events import Event
from vidgen_nb.errors import FileFormatError, JournalError
from vidgen_nb.recording.disk import GrowingFile
from vidgen_nb.recording.journal import Journal
from vidgen_nb.recording.runfile import event_line, header_line, read_run, write_run

HEADER = {"run": "r1", "mode": {"name": "normal"}, "max_wait": "inf"}


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of its own for each example of a property."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def paused(count: int) -> list[Event]:
    """Return this many events."""
    return [ev.Paused(at=float(number)) for number in range(count)]


@settings(deadline=None, max_examples=30)
@given(batches=st.lists(st.lists(ANY_EVENT, max_size=4), max_size=4))
def test_a_journal_is_a_saved_run(batches: list[list[Event]]) -> None:
    """However events come in, the file is byte for byte the one that saving the run would have written."""
    events = [event for batch in batches for event in batch]
    with folder() as place:
        journal = Journal.create(place / "runs" / "j.jsonl", HEADER)
        for batch in batches:
            journal.append(batch)
        journal.release()
        assert journal.stored == len(events)
        assert journal.path.read_bytes() == write_run(place / "saved.jsonl", HEADER, events).read_bytes()
        assert read_run(journal.path) == (HEADER, events)


def recorded() -> list[Event]:
    """Return what happens in a short run."""
    world = World(profiles=2, scenes=3)
    world.accept("s1")
    world.finish("s1")
    world.limit("s2", 5.0)
    return world.scheduler.events


EVENTS = recorded()
CONTENT = header_line(HEADER) + b"".join(map(event_line, EVENTS))


def test_cut_anywhere_it_is_gone_on_with(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Wherever a file ends, its complete events count; the next one is written after them."""
    head = len(header_line(HEADER))
    path = tmp_path / "j.jsonl"
    for length in range(head, len(CONTENT) + 1):
        path.write_bytes(CONTENT[:length])
        whole = CONTENT[:length].count(b"\n") - 1
        if CONTENT[length : length + 1] == b"\n":
            whole += 1  # all but its line end is there
        journal, found = Journal.open(path)
        assert found.events == EVENTS[:whole] and journal.stored == whole
        assert bool(found.torn_bytes) == ("in the middle of line" in caplog.text)
        caplog.clear()
        journal.append([ev.Unpaused(at=99.0)])
        journal.release()
        assert read_run(path) == (HEADER, [*EVENTS[:whole], ev.Unpaused(at=99.0)])


def test_a_torn_header_is_no_run(tmp_path: Path) -> None:
    """Nothing was sent then; the file stays as it is, and the error says that it is not a run."""
    path = tmp_path / "j.jsonl"
    for length in range(len(header_line(HEADER)) - 1):
        path.write_bytes(CONTENT[:length])
        with pytest.raises(FileFormatError, match="not a run of vidgen_nb"):
            Journal.open(path)
        assert path.read_bytes() == CONTENT[:length]


def test_zeros_at_the_end_are_no_event(tmp_path: Path) -> None:
    """After a crash of the machine, a file may be longer than its content."""
    path = tmp_path / "j.jsonl"
    path.write_bytes(CONTENT + bytes(500))
    journal, found = Journal.open(path)
    journal.release()
    assert found.events == EVENTS
    assert path.read_bytes() == CONTENT


def test_damage_in_the_middle_is_told_with_its_line(tmp_path: Path) -> None:
    """The file is as it was, and can be locked by others again."""
    lines = CONTENT.split(b"\n")
    damaged = b"\n".join([*lines[:3], lines[3][:20], *lines[4:]])
    path = tmp_path / "j.jsonl"
    path.write_bytes(damaged)
    for _ in range(2):
        with pytest.raises(FileFormatError, match=r"j\.jsonl, line 4.*not JSON"):
            Journal.open(path)
    assert path.read_bytes() == damaged


def test_many_events_share_an_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk is slow, 10,000 hand-overs wait for nothing, and then for one fsync together."""
    journal = Journal.create(tmp_path / "j.jsonl", HEADER)
    asked, may = threading.Event(), threading.Event()
    synced = os.fsync

    def slow(number: int) -> None:
        asked.set()
        assert may.wait(10)
        synced(number)

    monkeypatch.setattr(os, "fsync", slow)
    events = paused(10_001)
    journal.append(events[:1])
    assert asked.wait(10)
    for event in events[1:]:
        journal.append([event])
    assert journal.stored == 0
    may.set()
    journal.release()
    assert journal.stored == 10_001
    assert journal.syncs == 3  # the header's, the first event's, and one for all others
    assert read_run(journal.path)[1] == events


def test_progress_alone_needs_no_fsync(tmp_path: Path) -> None:
    """Progress is polled again anyway: it is written, and becomes durable with the next event."""
    journal = Journal.create(tmp_path / "j.jsonl", HEADER)
    progress: list[Event] = [ev.Progressed("s1", 1, "running", at=1.0)]
    written = threading.Event()
    journal.on_stored = written.set
    journal.append(progress)
    assert written.wait(10)
    assert (journal.stored, journal.syncs) == (1, 1)
    journal.append(paused(1))
    journal.release()
    assert (journal.stored, journal.syncs) == (2, 2)


def refusing(code: int, times: int, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a call that fails this many times, after it has done half its work."""
    left = [times]

    def refuse(number: int, *args: Any) -> Any:
        if left[0]:
            left[0] -= 1
            if args and len(args[0]) > 1 and left[0] % 2:
                return call(number, bytes(args[0])[: len(args[0]) // 2])  # a short write is no error
            raise OSError(code, os.strerror(code))
        return call(number, *args)

    return refuse


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("write", errno.ENOSPC, "Make room"),
        ("write", errno.EIO, "Check that disk"),
        ("fsync", errno.EIO, "Input/out"),
    ],
)
def test_what_cannot_be_written_is_kept_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int, text: str
) -> None:
    """A full or failing disk is an error that says what to do; no half line stays, and nothing is lost or doubled."""
    journal = Journal.create(tmp_path / "j.jsonl", HEADER)
    events = paused(6)
    journal.append(events[:2])
    journal.release()
    whole = journal.path.read_bytes()
    journal.hold()
    monkeypatch.setattr(os, name, refusing(code, 2 if name == "write" else 1, getattr(os, name)))
    told = threading.Event()
    journal.on_stored = told.set
    journal.append(events[2:4])
    assert told.wait(10)
    assert journal.error is not None and text in str(journal.error) and str(journal.path) in str(journal.error)
    assert journal.stored == 2
    assert journal.path.read_bytes() == whole
    journal.append(events[4:])
    journal.release()
    assert read_run(journal.path)[1] == events
    journal.hold()
    assert journal.error is None
    journal.release()


def test_a_device_that_is_full(tmp_path: Path) -> None:
    """The system's own message for a full disk comes through."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    file = GrowingFile(full)
    with pytest.raises(JournalError, match=r"No space left on device\. Make room"):
        file.append(b"x")
    file.close()


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the folder's place, and a read-only folder: what, where, and what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="Pass a folder that can be written to"):
        Journal.create(tmp_path / "file" / "j.jsonl", HEADER)

    def read_only(*_: Any) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "open", read_only)  # tests may run as root, who may write anywhere
    with pytest.raises(JournalError, match=r"j\.jsonl.*Read-only file system.*journal=None"):
        Journal.create(tmp_path / "j.jsonl", HEADER)


def test_a_header_that_cannot_be_written_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the folder would hold a run that never existed."""
    monkeypatch.setattr(os, "write", refusing(errno.ENOSPC, 9, os.write))
    with pytest.raises(JournalError, match="Make room"):
        Journal.create(tmp_path / "j.jsonl", HEADER)
    assert list(tmp_path.iterdir()) == []


OPEN = "import sys, pathlib; from vidgen_nb.recording.journal import Journal; Journal.open(pathlib.Path(sys.argv[1]))"


def test_two_writers(tmp_path: Path) -> None:
    """The second one, here or in another process, gets an error; once the first is released, it may write."""
    journal = Journal.create(tmp_path / "j.jsonl", HEADER)
    with pytest.raises(JournalError, match="another session writes it"):
        Journal.open(journal.path)
    other = [sys.executable, "-c", OPEN, str(journal.path)]
    assert "another session writes it" in subprocess.run(other, capture_output=True, text=True, check=False).stderr
    journal.release()
    subprocess.run(other, check=True)
    second, _ = Journal.open(journal.path)
    second.release()


def test_gone_on_with_elsewhere(tmp_path: Path) -> None:
    """A writer that released the file notices that somebody else has written meanwhile, and writes nothing."""
    journal = Journal.create(tmp_path / "j.jsonl", HEADER)
    journal.append(paused(1))
    journal.release()
    other, _ = Journal.open(journal.path)
    other.append(paused(1))
    other.release()
    journal.append(paused(1))
    journal.release()
    assert journal.error is not None and "restore it" in str(journal.error)
    assert len(read_run(journal.path)[1]) == 2


@pytest.mark.skipif(os.name != "posix", reason="elsewhere an open file can't be deleted")
def test_a_file_that_is_deleted(tmp_path: Path) -> None:
    """Writing to a deleted file would lose everything."""
    journal = Journal.create(tmp_path / "j.jsonl", HEADER)
    journal.path.unlink()
    journal.append(paused(1))
    journal.release()
    assert journal.error is not None and "deleted" in str(journal.error)


@pytest.mark.parametrize("length", [0, 5, 4000])
def test_a_file_that_somebody_else_cuts_or_fills(tmp_path: Path, length: int) -> None:
    """Nothing is written after a hole or into somebody else's data; the file stays unchanged, and the error says so."""
    journal = Journal.create(tmp_path / "j.jsonl", HEADER)
    told = threading.Event()
    journal.on_stored = told.set
    journal.append(paused(3))
    assert told.wait(10)
    os.truncate(journal.path, length)
    left = journal.path.read_bytes()
    journal.append(paused(1))
    journal.release()
    assert journal.error is not None and f"it has {length} bytes instead of" in str(journal.error)
    assert journal.stored == 3
    assert journal.path.read_bytes() == left


def test_the_rest_of_a_failed_write_is_no_ones_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it could not be cut off, the next try overwrites it."""

    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    file = GrowingFile(tmp_path / "j.jsonl", create=True)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        patch.setattr(os, "ftruncate", fail)
        with pytest.raises(JournalError, match="Input/out"):
            file.append(b"first\n")
    file.append(b"1\n")
    file.append(b"2\n")
    assert file.read() == b"1\n2\n"
    file.close()


LEAVE = """
import pathlib, sys
from vidgen_nb.core import events as ev
from vidgen_nb.recording.journal import Journal
journal = Journal.create(pathlib.Path(sys.argv[1]), {"run": "r1"})
journal.append([ev.Paused(at=float(number)) for number in range(5000)])
"""


def test_a_program_that_just_ends(tmp_path: Path) -> None:
    """What was handed over before is on disk."""
    path = tmp_path / "j.jsonl"
    subprocess.run([sys.executable, "-c", LEAVE, str(path)], check=True)
    assert len(read_run(path)[1]) == 5000


def test_no_thread_stays(tmp_path: Path) -> None:
    """A released journal has no thread and no open file."""
    before = set(threading.enumerate())
    journal = Journal.create(tmp_path / "j.jsonl", HEADER)
    journal.append(paused(3))
    journal.release()
    journal.append(paused(3))  # such as a cancel after the run's end
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert set(threading.enumerate()) <= before
    assert len(read_run(journal.path)[1]) == 6


def test_without_a_thread_it_is_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that can start no more threads: events are on disk when `append` returns, later by a thread again."""
    written: list[int] = []
    journal = Journal.create(tmp_path / "j.jsonl", HEADER)
    journal.on_stored = lambda: written.append(journal.stored)
    with monkeypatch.context() as patch:

        def refuse(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        patch.setattr(threading.Thread, "start", refuse)
        journal.append(paused(2))
        assert written == [2]
    journal.append(paused(4)[2:])
    journal.release()
    assert read_run(journal.path) == (HEADER, paused(4))
    assert journal.error is None
