"""The videos folder: names that can't leave it, files that are whole or not there."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.core.outcomes import Transient, Unwritable
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, Sink
from vidgen_nb.session.video_folder import VideoFolder, VideoSink, safe_name

MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(100)


def save(sink: Sink, data: bytes = MP4, media_type: str | None = "video/mp4", expected: int | None = None) -> None:
    """Write the data in pieces and commit it."""

    async def go() -> None:
        for start in range(0, len(data), 50):
            await sink.write(data[start : start + 50])
        await sink.commit(expected=expected, media_type=media_type)

    asyncio.run(go())


def refusal(
    sink: VideoSink,
    data: bytes = MP4,
    media_type: str | None = "video/mp4",
    expected: int | None = None,
    kind: type[Transient | Unwritable] = Transient,
) -> str:
    """Return why the sink refuses the data, after looking at how it refuses it."""
    with pytest.raises(BackendError) as caught:
        save(sink, data, media_type, expected)
    assert isinstance(caught.value.outcome, kind)
    assert sink.path is None
    return caught.value.outcome.reason


def test_a_video_that_ends_before_its_boxes_do(tmp_path: Path) -> None:
    """Where nobody said how long it is, its own parts do; a length that is told and right is believed."""
    whole = b"\x00\x00\x00\x18ftypisom" + bytes(12) + (108).to_bytes(4) + b"mdat" + bytes(100)
    sink = VideoFolder(tmp_path).sink("s001", 1)
    assert "lacks 30 bytes" in refusal(sink, whole[:-30])
    assert list(tmp_path.iterdir()) == []
    for data, expected in ((whole, None), (whole + b"more", None), (whole[:-30], len(whole) - 30)):
        save(VideoFolder(tmp_path).sink("s001", 1), data, expected=expected)


def test_a_complete_video_gets_its_name(tmp_path: Path) -> None:
    """Nothing is made before the first write; then the folder is, and the scene's file is all that is in it."""
    sink = VideoFolder(tmp_path / "a" / "videos").sink("s001", 1)
    assert list(tmp_path.iterdir()) == []
    save(sink, expected=len(MP4))
    assert sink.path == str(tmp_path / "a" / "videos" / "s001.mp4")
    assert Path(sink.path).read_bytes() == MP4
    assert [file.name for file in (tmp_path / "a" / "videos").iterdir()] == ["s001.mp4"]
    sink.discard()
    assert Path(sink.path).exists()


def test_an_earlier_video_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """A failed download leaves the old file as it was; a good one replaces it, where that is wanted."""
    folder = VideoFolder(tmp_path, replace=True)
    save(folder.sink("s001", 1), MP4 + b"old")
    refusal(folder.sink("s001", 2), MP4, expected=9999)
    assert (tmp_path / "s001.mp4").read_bytes() == MP4 + b"old"
    save(folder.sink("s001", 3), MP4 + b"new")
    assert (tmp_path / "s001.mp4").read_bytes() == MP4 + b"new"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_paid_video_is_never_overwritten(tmp_path: Path) -> None:
    """A second one of its name gets the next free number, and its path says so."""
    folder = VideoFolder(tmp_path)
    for k in (1, 2, 3):
        save(folder.sink("s001", k), MP4 + bytes([k]))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["s001-2.mp4", "s001-3.mp4", "s001.mp4"]
    assert (tmp_path / "s001.mp4").read_bytes() == MP4 + bytes([1])
    assert (tmp_path / "s001-3.mp4").read_bytes() == MP4 + bytes([3])


def test_two_folders_on_one_path_lose_nothing(tmp_path: Path) -> None:
    """Two sessions, or two processes, may write into one folder: a name is taken in one step."""
    folders = [VideoFolder(tmp_path), VideoFolder(tmp_path)]

    def fill(folder: VideoFolder) -> None:
        for k in range(40):
            save(folder.sink("s001", k), MP4)

    threads = [threading.Thread(target=fill, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(tmp_path.iterdir())) == 80


def test_a_folder_that_cannot_be_written_to_is_an_error_before_anything_is_sent(tmp_path: Path) -> None:
    """Writing is tried, since permissions do not say everything; the trial leaves nothing behind."""
    VideoFolder(tmp_path / "new" / "folder").prepare()
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    folder = VideoFolder(tmp_path / "later")
    (tmp_path / "later").write_text("a file now")
    with pytest.raises(InputError, match="can't be written to"):
        folder.prepare()


def test_discard_leaves_nothing(tmp_path: Path) -> None:
    """A download that is given up, before or after its first write, leaves no file."""
    sink = VideoFolder(tmp_path).sink("s001", 1)
    sink.discard()
    asyncio.run(sink.write(MP4))
    assert len(list(tmp_path.iterdir())) == 1
    sink.discard()
    sink.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "media_type", "expected"),
    [
        (b"", "video/mp4", None), (b"", "video/mp4", 0), (MP4, "video/mp4", 5), (MP4, "video/mp4", 10**9),
        (b"<html>sign in</html>", "video/mp4", None), (b'\xef\xbb\xbf {"error": 1}', "application/octet-stream", None),
        (b"Not found", None, None), (b"\x00\x01" * 50, "text/html; charset=utf-8", None),
        (b"\x00\x01" * 50, "video/mp4", None),
    ],
)  # fmt: skip
def test_what_is_no_whole_video(tmp_path: Path, data: bytes, media_type: str | None, expected: int | None) -> None:
    """Empty, cut off, text or of another type: transient, and nothing is left."""
    assert refusal(VideoFolder(tmp_path).sink("s001", 1), data, media_type, expected)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "media_type", "suffix"),
    [
        (MP4, "video/mp4", ".mp4"), (MP4, "text/plain", ".mp4"), (MP4, None, ".mp4"),
        (b"\x1aE\xdf\xa3" + MP4, None, ".webm"),
        (b"\x1aE\xdf\xa3" + MP4, "video/x-matroska", ".mkv"), (b"\x00\x00\x00\x18ftypqt  \x00", "video/mp4", ".mov"),
        (b"\x00\x01" * 50, "Video/WebM; x=1", ".webm"), (b"\x00\x01" * 50, "application/octet-stream", ".mp4"),
    ],
)  # fmt: skip
def test_types_and_suffixes(tmp_path: Path, data: bytes, media_type: str | None, suffix: str) -> None:
    """A known beginning decides, then the type; a paid video is not thrown away for a wrong header."""
    sink = VideoFolder(tmp_path).sink("s001", 1)
    save(sink, data, media_type)
    assert sink.path is not None
    assert Path(sink.path).suffix == suffix


class FullDisk(VideoFolder):
    """A folder on a disk without room."""

    def open_part(self, name: str, number: int) -> tuple[Path, BinaryIO]:
        """Make the file, then refuse as a full disk does."""
        _part, file = super().open_part(name, number)
        file.close()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Forbidden(VideoFolder):
    """A folder in which nothing may be renamed."""

    def place(self, part: Path, file_name: str, *, again: bool = False) -> str:
        """Refuse as a folder without permission does."""
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_the_disks_refusals_are_no_failures_of_the_provider(tmp_path: Path) -> None:
    """A full disk or a missing permission is reported in the system's words, and the paid video is tried again."""
    assert os.strerror(errno.ENOSPC) in refusal(FullDisk(tmp_path / "full").sink("s001", 1), kind=Unwritable)
    assert os.strerror(errno.EACCES) in refusal(Forbidden(tmp_path / "forbidden").sink("s001", 1), kind=Unwritable)
    assert list((tmp_path / "forbidden").iterdir()) == []


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """A path that can't become a folder is an input error, before anything is sent."""
    (tmp_path / "taken").write_text("")
    for path in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(InputError, match="is not a folder"):
            VideoFolder(path)


@pytest.mark.parametrize("name", ["s001", "S001", "shot 12a", "ключ", "猫", "a.b", "x-1", "clip_final (2)"])
def test_good_names_stay(name: str) -> None:
    """An id that is a name everywhere is the name."""
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd", "..", ".", "/abs", "a/b", "a\\b", "C:x", "nul", "NUL.txt", "com1", "LPT9 .x", "a\0b",
        "a\nb",
        "\u202egpj.exe", ".hidden", "-rf", "end.", "end ", " start", "x" * 300, "猫" * 200, "e\u0301", "\ud800", "a?*",
        "s001-0123456789",
    ],
)  # fmt: skip
def test_bad_names_are_changed_and_marked(name: str) -> None:
    """An id that is no safe name everywhere becomes one, with a hash of the id."""
    assert safe_name(name) != name
    assert safe_name(name)[-11] == "-"


@given(st.text(min_size=1) | st.text(alphabet="./\\ aA-_0\0", min_size=1))
def test_names_never_leave_the_folder(scene_id: str) -> None:
    """Every id gives one path component that any file system takes."""
    name = safe_name(scene_id)
    assert name == os.path.basename(name)  # noqa: PTH119 - the very thing asked
    assert not name.startswith((".", "-", " "))
    assert not name.endswith((".", " "))
    assert name.isprintable()
    assert not set(name) & set('<>:"/\\|?*')
    assert 0 < len(name.encode()) <= 200


@given(st.lists(st.text(alphabet="aA/._-é\0", min_size=1, max_size=4), unique=True, max_size=8))
def test_no_two_scenes_share_a_file(ids: list[str]) -> None:
    """Different ids get names that differ on file systems which ignore case, too; each id always the same."""
    folder = VideoFolder("unused")
    names = [folder.name(scene_id) for scene_id in ids]
    assert len({name.casefold() for name in names}) == len(ids)
    assert [folder.name(scene_id) for scene_id in ids] == names


def test_case_is_remembered_from_earlier_runs(tmp_path: Path) -> None:
    """A file that differs in case alone keeps its name, whichever scene comes first in the next run."""
    save(VideoFolder(tmp_path).sink("S001", 1))
    later = VideoFolder(tmp_path)
    assert later.name("s001").startswith("s001-")
    assert later.name("S001") == "S001"


def test_the_folder_stays_after_chdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative folder is where it was when it was named; the reported path is as it was given."""
    monkeypatch.chdir(tmp_path)
    folder = VideoFolder("videos")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    sink = folder.sink("s001", 1)
    save(sink)
    assert sink.path == str(Path("videos") / "s001.mp4")
    assert (tmp_path / "videos" / "s001.mp4").exists()
