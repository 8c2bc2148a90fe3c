"""A folder of videos without room: a run stops before more is paid for, and later fetches what it has paid for."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.audit import audit
from tests.fakes import FakeBackend, profiles
from vidgen_nb.errors import OutputError
from vidgen_nb.session.session import Session, restore
from vidgen_nb.session.video_folder import VideoFolder

MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(100)
PROMPTS = [f"prompt {k}" for k in range(1, 21)]


class Folder(VideoFolder):
    """A folder on a disk that may be full."""

    full = False

    def open_part(self, name: str, number: int) -> tuple[Path, BinaryIO]:
        """Refuse, or not."""
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().open_part(name, number)


def backend(folder: Folder) -> FakeBackend:
    """Return one whose fourth submit finds the disk full."""

    def script(scene: str, _profile: str, _nth: int) -> None:
        folder.full = folder.full or scene == "s004"

    made = FakeBackend(script)
    made.video = MP4
    return made


@pytest.mark.parametrize("journal", [True, False])
@pytest.mark.parametrize("mode", ["normal", "boost"])
def test_nothing_is_lost_or_paid_twice(tmp_path: Path, mode: str, journal: bool) -> None:
    """The run raises what is to be done, `run()` goes on with it once that is done, and each scene is paid for once."""
    folder = Folder(tmp_path / "videos")
    api = backend(folder)
    given = profiles("p1", "p2", capacity=2)
    with Session(
        api, given, mode=mode, output=folder, journal=tmp_path / "runs" if journal else None, speed=500
    ) as session:
        with pytest.raises(OutputError, match=r"can't be written to .*Make room there, then run\(\)") as caught:
            session.run_blocking(PROMPTS)
        assert len(api.submits) < len(PROMPTS) / 2
        waiting = [scene for scene in caught.value.run.scenes if scene.status == "fetching"]
        assert waiting
        with pytest.raises(OutputError):  # there is no room still
            session.run_blocking()
        folder.full = False
        api.script = lambda *_: None
        run = session.run_blocking()
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    assert len(api.submits) == len(PROMPTS) == len(list(folder.path.iterdir()))
    audit(run.events, session.mode)


def test_restored_with_another_folder(tmp_path: Path) -> None:
    """The program may end before there is room; another one fetches what was paid for, and submits the rest."""
    folder = Folder(tmp_path / "videos")
    api = backend(folder)
    given = profiles("p1", "p2", capacity=2)
    with (
        Session(api, given, output=folder, journal=tmp_path / "runs", speed=500) as session,
        pytest.raises(OutputError),
    ):
        session.run_blocking(PROMPTS)
    api.script = lambda *_: None
    with restore(tmp_path / "runs", api, given, output=tmp_path / "more") as session:
        run = session.run_blocking()
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    assert len(api.submits) == len(PROMPTS)
