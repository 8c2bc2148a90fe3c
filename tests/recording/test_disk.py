"""Journals on disks that lack something: locks, fsync."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from vidgen_nb.errors import JournalError
from vidgen_nb.recording import disk
from vidgen_nb.recording.disk import GrowingFile, is_free
from vidgen_nb.recording.locks import UNSUPPORTED_ERRNOS


def failing(number: int) -> object:
    """Return a call that fails with this errno."""

    def fail(*_: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", sorted(set(UNSUPPORTED_ERRNOS)))
def test_a_disk_without_locks_or_fsync(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A run is written there all the same, and it is said; nobody takes its journal for one that is surely free."""
    monkeypatch.setattr(disk, "lock", failing(number))
    monkeypatch.setattr(os, "fsync", failing(number))
    file = GrowingFile(tmp_path / "run.jsonl", create=True)
    file.append(b"a line\n")
    file.close()
    assert (tmp_path / "run.jsonl").read_bytes() == b"a line\n"
    assert f"{tmp_path} has no locks" in caplog.text and "one session at a time" in caplog.text
    assert not is_free(tmp_path / "run.jsonl")


def test_a_disk_that_fails_is_no_such_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the disk itself stops the run, before anything leaves that is not written down."""
    monkeypatch.setattr(disk, "lock", failing(errno.EIO))
    with pytest.raises(JournalError, match="can't be locked"):
        GrowingFile(tmp_path / "run.jsonl", create=True)
    monkeypatch.undo()
    file = GrowingFile(tmp_path / "b.jsonl", create=True)
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(JournalError, match="can't be written"):
        file.append(b"a line\n")
    file.close()
