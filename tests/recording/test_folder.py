"""Which of a folder's journals is the latest, and which can be resumed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import PollSchedule, RetryPolicy, Scene
from vidgen_nb.errors import InputError, JournalError
from vidgen_nb.recording import folder as folder_of
from vidgen_nb.recording.folder import MAX_JOURNALS_CHECKED, is_settled, latest, to_restore
from vidgen_nb.recording.journal import Journal
from vidgen_nb.recording.runfile import write_run
from vidgen_nb.session.live.restored_run import RestoredRun

SETTLED = [ev.RunEnded(ev.EndReason.SETTLED, at=0.0)]
STOPPED = [ev.RunEnded(ev.EndReason.STOPPED, at=0.0)]
RESTORED = ev.RunRestored(0.0, 1.0, 0, RetryPolicy(), "hold", 3600.0, at=0.0)


def written(folder: Path, day: int, events: Sequence[ev.Event]) -> Path:
    """Write the journal of a day."""
    return write_run(folder / f"2026{day:04}T000000Z-abcdef.jsonl", {"run": str(day)}, events)


@pytest.mark.parametrize(
    ("events", "done"),
    [
        (SETTLED, True),
        (STOPPED, False),
        ([], False),
        ([*SETTLED, RESTORED, ev.ProfileAdded("p"), ev.Paused(at=0.0)], True),
        ([*STOPPED, RESTORED], False),
        ([*SETTLED, ev.SceneAdded(Scene("s", "p"))], False),
        ([*SETTLED, ev.SceneAdded(Scene("s", "p")), ev.Paused(at=0.0)], False),
    ],
)
def test_what_is_done(tmp_path: Path, events: list[ev.Event], done: bool) -> None:
    """What a restored session records before it starts doesn't change that every scene had settled."""
    assert is_settled(written(tmp_path, 1, events)) is done


def test_an_older_run_that_is_left_comes_before_newer_ones_that_are_done(tmp_path: Path) -> None:
    """The latest of those that can be resumed; if there is none, the latest of all."""
    assert to_restore(tmp_path) is latest(tmp_path) is None and to_restore(tmp_path / "gone") is None
    done = [written(tmp_path, day, SETTLED) for day in (1, 3, 5)]
    assert to_restore(tmp_path) == latest(tmp_path) == done[-1]
    left = [written(tmp_path, day, STOPPED) for day in (2, 4)]
    assert to_restore(tmp_path) == left[-1] and latest(tmp_path) == done[-1]


def test_what_somebody_writes_is_his(tmp_path: Path) -> None:
    """Checking neither takes the lock from its owner nor keeps it from others."""
    older, newer = written(tmp_path, 1, STOPPED), written(tmp_path, 2, STOPPED)
    journal, _ = Journal.open(newer)
    assert to_restore(tmp_path) == older
    journal.append([ev.Paused(at=0.0)])
    journal.release()
    assert journal.error is None
    assert to_restore(tmp_path) == newer
    Journal.open(newer)[0].release()


def test_only_the_latest_journals_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder may hold thousands."""
    written(tmp_path, 1, STOPPED)
    done = [written(tmp_path, day, SETTLED) for day in range(2, MAX_JOURNALS_CHECKED + 12)]
    looked: list[Path] = []

    def look(path: Path) -> bool:
        looked.append(path)
        return False

    monkeypatch.setattr(folder_of, "is_resumable", look)
    assert to_restore(tmp_path) == done[-1] and looked == done[: -MAX_JOURNALS_CHECKED - 1 : -1]


@pytest.mark.parametrize(
    ("call", "advice"), [("iterdir", "Fix its permissions"), ("is_dir", "Mend its folders' rights")]
)
def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, advice: str) -> None:
    """The folder itself or one above it: the error says which."""

    def refuse(*_: object) -> Any:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, call, refuse)  # tests may run as root, who may read anything
    with pytest.raises(JournalError, match=rf"{tmp_path}.* can't be read: Permission denied\. {advice}"):
        RestoredRun.open(tmp_path, PollSchedule())


def test_a_journal_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older one that can be resumed is used; otherwise the error says which file it is."""
    done, closed = written(tmp_path, 1, SETTLED), written(tmp_path, 2, STOPPED)
    read, opened = Path.open, os.open

    def refuse(call: Callable[..., Any], path: Path, *args: Any) -> Any:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return call(path, *args)

    monkeypatch.setattr(Path, "open", lambda *args: refuse(read, *args))
    monkeypatch.setattr(os, "open", lambda *args: refuse(opened, *args))
    with pytest.raises(JournalError, match=rf"{closed.name}: can't be opened"):
        RestoredRun.open(tmp_path, PollSchedule())
    done.unlink()
    older = written(tmp_path, 1, STOPPED)
    assert to_restore(tmp_path) == older
    with pytest.raises(InputError, match="no journal of a run"):
        RestoredRun.open(tmp_path.parent, PollSchedule())
