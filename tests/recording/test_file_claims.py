"""Names for finished files, on disks without hard links and beside programs that hold files."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from vidgen_nb.recording.file_claims import claim
from vidgen_nb.session.video_folder import VideoFolder


def without(monkeypatch: pytest.MonkeyPatch, name: str, number: int, times: int = 1) -> None:
    """Let a function of the system fail this many times, then work."""
    real, left = getattr(os, name), [times]

    def call(*args: Any, **options: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise OSError(number, os.strerror(number))
        return real(*args, **options)

    monkeypatch.setattr(os, name, call)


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_a_disk_without_hard_links(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Google Drive and memory cards are: a file gets its name, and no other one is overwritten."""
    part, target = tmp_path / "a.part", tmp_path / "a.mp4"
    part.write_bytes(b"video")
    without(monkeypatch, "link", number, times=9)
    assert claim(part, target) and target.read_bytes() == b"video" and not part.exists()
    part.write_bytes(b"other")
    assert not claim(part, target) and target.read_bytes() == b"video"


def test_a_name_that_was_reserved_in_vain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the file can't be moved there, nothing empty is left under a video's name."""
    part, target = tmp_path / "a.part", tmp_path / "a.mp4"
    part.write_bytes(b"video")
    without(monkeypatch, "link", errno.EPERM, times=9)
    without(monkeypatch, "replace", errno.EACCES)
    with pytest.raises(PermissionError):
        claim(part, target)
    assert not target.exists() and claim(part, target)


def test_a_file_that_a_scanner_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows lets nobody remove a file that is being read: the video has its name, the folder is usable."""
    part, target = tmp_path / "a.part", tmp_path / "a.mp4"
    part.write_bytes(b"video")
    without(monkeypatch, "unlink", errno.EACCES, times=2)
    assert claim(part, target) and target.read_bytes() == b"video"
    VideoFolder(tmp_path / "videos").prepare()
