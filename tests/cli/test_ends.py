"""How a run in the terminal ends, or does not: signals, closed pipes, full disks, terminals that are gone."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.test_cli import PLAIN, emulator, vidgen_nb
from vidgen_nb.core import events as ev
from vidgen_nb.recording.folder import latest
from vidgen_nb.run import load_run

IGNORING = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.executable, sys.argv[1:])"
)


def command(url: str, *more: str, speed: int = 10) -> list[str]:
    """Return a run of the scenes that `place` has written."""
    where = ["--profiles", "profiles.toml", "--base-url", url, "--mode", "boost", "--speed", str(speed), *more]
    return [sys.executable, "-m", "vidgen_nb", "run", "scenes.txt", *where]


@contextmanager
def place(folder: Path, speed: int = 10) -> Iterator[str]:
    """Serve an emulator, with four scenes to run on it."""
    (folder / "scenes.txt").write_text("".join(f"prompt {k}\n" for k in range(4)))
    with emulator(folder, "--speed", str(speed)) as url:
        yield url


def lines_until(process: subprocess.Popen[str], text: str, times: int = 1) -> None:
    """Read what a process says until it has said something so often."""
    assert process.stderr is not None
    for line in process.stderr:
        times -= text in line
        if not times:
            return
    raise AssertionError(f"it never said {text!r}")


@pytest.mark.parametrize("ignored", [False, pytest.param(True, marks=pytest.mark.long)])
def test_sigterm_is_an_orderly_stop(ignored: bool, tmp_path: Path) -> None:
    """Exit code 143, no traceback; the journal is closed, and a restore goes on with every job."""
    with place(tmp_path) as url:
        run = command(url, "--journal", "runs")
        run = [sys.executable, "-c", IGNORING, *run] if ignored else run
        with subprocess.Popen(run, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=PLAIN) as process:
            lines_until(process, "→", 3)
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            said = process.stderr.read()
            assert process.wait(30) == 143, said
        assert "Traceback" not in said and "restore" in said
        journal = latest(tmp_path / "runs")
        assert journal is not None
        before = load_run(journal)
        assert not [scene for scene in before.scenes if scene.status in ("held", "submitting")]
        options = ["--profiles", "profiles.toml", "--base-url", url]
        done = vidgen_nb("restore", "runs", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    accepted = [event.scene for event in load_run(journal).events if isinstance(event, ev.Accepted)]
    assert len(accepted) == len(set(accepted)) == 4


def test_ctrl_c_of_a_background_job(tmp_path: Path) -> None:
    """A script's shell starts it with SIGINT ignored: it is an orderly stop all the same."""
    with place(tmp_path) as url:
        run = [sys.executable, "-c", IGNORING, *command(url)]
        with subprocess.Popen(run, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=PLAIN) as process:
            lines_until(process, "→", 3)
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            said = process.stderr.read()
            assert process.wait(60) == 130, said
    assert "running scenes may finish" in said
    assert {scene.status for scene in load_run(tmp_path / "videos" / "run.jsonl").scenes} <= {"succeeded", "queued"}


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("reader gone", marks=pytest.mark.long),
        pytest.param("reader gone, Ctrl-C", marks=pytest.mark.long),
        pytest.param("closed", marks=pytest.mark.long),
        pytest.param("full disk", marks=pytest.mark.long),
        "terminal gone",
    ],
)
def test_what_is_printed_can_not_end_a_run(how: str, tmp_path: Path) -> None:
    """`| head`, `| tee` and Ctrl-C, `>&- 2>&-`, a full disk under the log, a terminal that is closed."""
    speed = 10 if "Ctrl-C" in how else 40
    with place(tmp_path, speed) as url:
        run, ends = command(url, speed=speed), []
        if how == "closed":
            process = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *run], cwd=tmp_path, env=PLAIN)
        else:
            if how == "full disk":
                ends = [os.open("/dev/full", os.O_WRONLY)]
                out = ends[0]
            else:
                ends = list(pty.openpty() if how == "terminal gone" else os.pipe())
                out = ends[1]
            process = subprocess.Popen(
                run, cwd=tmp_path, env=PLAIN, stdout=out, stderr=out, start_new_session=how == "terminal gone"
            )
        with process:
            if how.startswith("reader"):
                os.close(ends.pop(1))
                while b"s003" not in os.read(ends[0], 4096):
                    pass
            for end in ends:
                os.close(end)
            if "Ctrl-C" in how:
                process.send_signal(signal.SIGINT)
            assert process.wait(60) == (130 if "Ctrl-C" in how else 0)
    statuses = {scene.status for scene in load_run(tmp_path / "videos" / "run.jsonl").scenes}
    assert statuses <= ({"succeeded", "queued"} if "Ctrl-C" in how else {"succeeded"})
