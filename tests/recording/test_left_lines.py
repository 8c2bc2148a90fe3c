"""Lines of a journal that say which submits have left: what a reader makes of them, and how they come there."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.harness import World
from vidgen_nb.core import events as ev
from vidgen_nb.core.events import Event
from vidgen_nb.errors import FileFormatError, JournalError
from vidgen_nb.recording import left_lines
from vidgen_nb.recording.journal import Journal
from vidgen_nb.recording.left_lines import this_boot
from vidgen_nb.recording.runfile import (
    event_line,
    header_line,
    left_line,
    left_lines_line,
    line_of,
    parse,
    read_run,
    write_run,
)

HEADER = {"run": "r1"}
pytestmark = pytest.mark.skipif(not this_boot(), reason="this system does not tell when it was started")


def started(scene: str, number: int = 1) -> Event:
    """Return the beginning of an attempt."""
    return ev.AttemptStarted(scene, number, "p1", "its turn", at=0.0)


def file_of(*lines: bytes | Event) -> bytes:
    """Return a journal's content."""
    return header_line(HEADER) + b"".join(each if isinstance(each, bytes) else event_line(each) for each in lines)


def not_left(content: bytes) -> set[tuple[str, int]]:
    """Return the attempts that have certainly not left."""
    return set(parse("j.jsonl", content).left.not_left)


ON, OFF = left_lines_line(this_boot()), left_lines_line("")


def test_what_has_no_line_has_not_left() -> None:
    """Where there are such lines, that is."""
    assert not_left(file_of(ON, started("a"), started("b"), left_line("a", 1))) == {("b", 1)}
    assert not_left(file_of(ON, started("a"), left_line("a", 1), started("a", 2))) == {("a", 2)}


@pytest.mark.parametrize(
    "content",
    [
        file_of(started("a")),
        file_of(started("a"), ON),
        file_of(ON, OFF, started("a")),
        file_of(left_lines_line("another"), started("a")),
        file_of(left_lines_line("another"), started("a"), ON),
    ],
    ids=["a file from before", "it began before", "no longer", "the machine was started again", "and went on"],
)
def test_where_nothing_is_known_it_may_have_left(content: bytes) -> None:
    """A file of an earlier version, a backend that does not tell, a power failure that took the lines away."""
    assert not_left(content) == set()


def test_a_system_that_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a name for the time since it was started, nothing is noted and nothing concluded."""
    monkeypatch.setattr("vidgen_nb.recording.journal.this_boot", lambda: "")
    monkeypatch.setattr(left_lines, "this_boot", lambda: "")
    journal = Journal.create(tmp_path / "j.jsonl", HEADER)
    journal.keep_left_lines(True)
    journal.append([started("a")])
    journal.note_left("a", 1)
    journal.release()
    assert journal.path.read_bytes() == file_of(started("a"))


def test_other_programs_give_this_boot_the_same_name() -> None:
    """And it is not the machine's own word for it, which others may go by."""
    code = "from vidgen_nb.recording.left_lines import this_boot; print(this_boot())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert found == this_boot()
    assert sys.platform != "linux" or found not in Path("/proc/sys/kernel/random/boot_id").read_text()


def recorded() -> list[bytes | Event]:
    """Return a journal's lines, with those about submits that left."""
    world = World(profiles=2, scenes=4)
    world.accept("s1")
    world.finish("s1")
    world.limit("s2", 5.0)
    lines: list[bytes | Event] = [ON]
    for event in world.scheduler.events:
        lines.append(event)
        if isinstance(event, ev.Accepted | ev.CallFailed):
            at = next(k for k, each in enumerate(lines) if isinstance(each, ev.AttemptStarted)
                      and (each.scene, each.number) == (event.scene, event.number))  # fmt: skip
            lines.insert(at + 1, left_line(event.scene, event.number))
    return lines


def test_cut_at_any_byte() -> None:
    """What has a whole line has left; what began under such lines and has none has not; events are as without them."""
    lines = recorded()
    events = [each for each in lines if not isinstance(each, bytes)]
    content = file_of(*lines)
    ends, at = [], len(header_line(HEADER))
    for each in lines:
        at += len(each if isinstance(each, bytes) else event_line(each))
        ends.append(at)
    for length in range(len(header_line(HEADER)), len(content) + 1):
        whole = [each for each, end in zip(lines, ends, strict=True) if end - 1 <= length]
        begun = {(e.scene, e.number) for e in whole if isinstance(e, ev.AttemptStarted)}
        found = parse("j.jsonl", content[:length])
        assert found.events == [each for each in whole if not isinstance(each, bytes)]
        left = {(scene, number) for scene, number in begun if left_line(scene, number) in whole}
        assert found.left.not_left == begun - left
    assert found.events == events
    assert found.left.not_left


def test_they_are_no_events(tmp_path: Path) -> None:
    """A run is loaded and saved without them; lines are counted with them."""
    lines = recorded()
    events = [each for each in lines if not isinstance(each, bytes)]
    path = tmp_path / "j.jsonl"
    path.write_bytes(content := file_of(*lines))
    assert read_run(path) == (HEADER, events)
    assert left_lines.is_left_line(ON) and b'"left' not in write_run(tmp_path / "s", *read_run(path)).read_bytes()
    split = content.split(b"\n")
    for index, event in enumerate(events):
        assert split[line_of(content, index) - 1] + b"\n" == event_line(event)


@pytest.mark.parametrize("line", [b'{"left":3}\n', b'{"left":"a"}\n', b'{"left":"a","number":1,"x":2}\n',
                                  b'{"left_lines":7}\n', b'{"left":"a","nu\n'])  # fmt: skip
def test_one_that_is_damaged(line: bytes) -> None:
    """The file says where."""
    with pytest.raises(FileFormatError, match=r"j\.jsonl, line 3"):
        parse("j.jsonl", file_of(started("a"), line, started("b")))


# -- writing


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return a journal that is told of submits that leave."""
    found = Journal.create(tmp_path / "j.jsonl", HEADER)
    found.keep_left_lines(True)
    return found


class Disk:
    """Stops at each fsync until the test says how it ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waits, self.goes_on = threading.Event(), threading.Event()
        self.fails = False
        self._synced = os.fsync
        monkeypatch.setattr(os, "fsync", self._sync)

    def _sync(self, number: int) -> None:
        self.waits.set()
        assert self.goes_on.wait(10)
        if self.fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._synced(number)


def test_a_note_does_not_wait_for_the_disk(journal: Journal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """While an fsync takes its time, a line is there as soon as it is written: for whoever looks after a kill."""
    disk = Disk(monkeypatch)
    journal.append([started("a"), started("b")])
    assert disk.waits.wait(10)
    journal.note_left("a", 1)
    shutil.copy(journal.path, copy := tmp_path / "as a kill leaves it")
    assert not_left(copy.read_bytes()) == {("b", 1)}
    disk.goes_on.set()
    journal.append([started("c")])
    journal.release()
    assert journal.stored == 3
    assert journal.path.read_bytes() == file_of(ON, started("a"), started("b"), left_line("a", 1), started("c"))


def test_what_the_disk_lost_is_written_again_behind_the_notes(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An fsync fails after a submit was noted: events are taken back and come again, the line stays all the while."""
    journal.append([started("a")])
    journal.release()
    journal.hold()
    disk = Disk(monkeypatch)
    told = threading.Event()
    journal.on_stored = told.set
    journal.append([started("b"), started("c")])
    assert disk.waits.wait(10)
    journal.note_left("a", 1)
    disk.fails = True
    disk.goes_on.set()
    assert told.wait(10)
    assert journal.error is not None and journal.stored == 1
    assert journal.path.read_bytes() == file_of(ON, started("a"), left_line("a", 1))
    disk.fails = False
    journal.append([started("d")])
    journal.release()
    assert journal.path.read_bytes() == file_of(
        ON, started("a"), left_line("a", 1), started("b"), started("c"), started("d")
    )


def test_one_that_cannot_be_written_is_the_journals_error(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the submit must not leave; the file stays whole, and whoever waits for the journal hears of it."""
    journal.append([started("a")])
    journal.release()
    journal.hold()
    whole = journal.path.read_bytes()
    told: list[JournalError | None] = []
    journal.on_stored = lambda: told.append(journal.error)
    writes = os.write

    def full(number: int, content: bytes) -> int:
        if len(content) > 4:
            return writes(number, bytes(content[:4]))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(JournalError, match="Make room"):
            journal.note_left("a", 1)
    assert told == [journal.error] and journal.error is not None
    assert journal.path.read_bytes() == whole
    journal.release()


def test_a_journal_that_is_closed_notes_nothing(journal: Journal) -> None:
    """Somebody else may write it; that is no error of its own."""
    journal.release()
    with pytest.raises(JournalError, match="closed"):
        journal.note_left("a", 1)
    assert journal.error is None


def test_notes_between_the_writers_batches(journal: Journal) -> None:
    """Each line is whole, and counts wherever it stands."""
    events = [started(f"s{k}") for k in range(400)]
    journal.append(events[:1])
    for k, event in enumerate(events[1:]):
        journal.append([event])
        journal.note_left(f"s{k}", 1)
    journal.release()
    header, found = read_run(journal.path)
    assert (header, found) == (HEADER, events)
    assert not_left(journal.path.read_bytes()) == {("s399", 1)}


@pytest.mark.parametrize(("then", "wanted", "lines"), [(ON, True, b""), (b"", True, ON), (ON, False, OFF)])
def test_what_the_next_program_does_is_said_once(tmp_path: Path, then: bytes, wanted: bool, lines: bytes) -> None:
    """Only where it differs from what the file says already."""
    path = tmp_path / "j.jsonl"
    path.write_bytes(before := file_of(then, started("a")))
    journal, _ = Journal.open(path)
    journal.keep_left_lines(wanted)
    journal.keep_left_lines(wanted)
    journal.release()
    assert path.read_bytes() == before + lines


def noted(act: Callable[[Journal], object], path: Path) -> bytes:
    """Return what a journal's file becomes."""
    journal, _ = Journal.open(path)
    act(journal)
    journal.release()
    return path.read_bytes()


def test_without_such_lines_none_is_written(tmp_path: Path) -> None:
    """A backend that does not tell costs nothing."""
    path = tmp_path / "j.jsonl"
    path.write_bytes(before := file_of(started("a")))
    assert noted(lambda journal: journal.note_left("a", 1), path) == before
