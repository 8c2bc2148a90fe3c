"""Unfinished files: those of dead programs are removed, those that somebody writes are not."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vidgen_nb.session.video_folder import VideoFolder

MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"
WRITER = """
import asyncio, sys, time
from vidgen_nb.session.video_folder import VideoFolder
folder = VideoFolder(sys.argv[1])
sink = folder.sink("s001", 1)
asyncio.run(sink.write(b"half a video"))
print("written", flush=True)
time.sleep(60)
"""


def parts(folder: Path) -> list[str]:
    """Return the hidden files of a folder."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.skipif(sys.platform == "win32", reason="kills a program as POSIX does")
def test_the_next_program_removes_what_a_dead_one_left(tmp_path: Path) -> None:
    """While the other program lives its file stays; so does everything that is not ours."""
    (tmp_path / ".of.1.somebody-else.part").touch()
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"written\n"
        VideoFolder(tmp_path).prepare()
        assert len(parts(tmp_path)) == 2
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    VideoFolder(tmp_path).prepare()
    assert parts(tmp_path) == [".of.1.somebody-else.part"]


def test_a_file_that_this_program_writes_stays(tmp_path: Path) -> None:
    """Two sessions may share a folder; the download ends as usual, and leaves nothing."""
    folder = VideoFolder(tmp_path)
    sink = folder.sink("s001", 1)
    open_files = Path("/proc/self/fd")
    before = len(list(open_files.iterdir())) if sys.platform == "linux" else 0

    async def download() -> None:
        await sink.write(MP4)
        VideoFolder(tmp_path).prepare()
        assert len(parts(tmp_path)) == 1
        await sink.commit(expected=len(MP4), media_type="video/mp4")

    asyncio.run(download())
    assert (tmp_path / "s001.mp4").read_bytes() == MP4 and not parts(tmp_path)
    assert not before or len(list(open_files.iterdir())) == before
