"""A lock lives as long as the program that holds it, whatever children it leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vidgen_nb.errors import JournalError
from vidgen_nb.recording.disk import GrowingFile, is_free

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

PARENT = """
import multiprocessing, os, subprocess, sys, time
from pathlib import Path
from vidgen_nb.recording.journal import Journal

def child():
    time.sleep(60)

how, path = sys.argv[1], Path(sys.argv[2])
journal = Journal.create(path, {"run": "r"})
if how == "os.fork":
    number = os.fork() or child()
elif how == "multiprocessing":
    process = multiprocessing.get_context("fork").Process(target=child, daemon=True)
    process.start()
    number = process.pid
else:
    number = subprocess.Popen(["sleep", "60"], close_fds=False).pid
print(number, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", ["os.fork", "multiprocessing", "subprocess"])
def test_a_child_does_not_hold_its_parents_lock(how: str, tmp_path: Path) -> None:
    """The parent keeps it while it lives; once it is killed the file is free, though its child lives on."""
    path = tmp_path / "run.jsonl"
    command = [sys.executable, "-c", PARENT, how, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        try:
            assert not is_free(path), "the parent writes it"
            parent.kill()
            parent.wait()
            os.kill(child, 0)  # it is there
            assert is_free(path)
        finally:
            os.kill(child, 9)


def in_child(do: Callable[[], object]) -> int:
    """Do something in a forked child and return its exit code."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        do()
    except BaseException:  # noqa: BLE001 - the code tells
        os._exit(1)
    os._exit(0)


def test_what_a_child_does_with_its_copy_changes_nothing(tmp_path: Path) -> None:
    """It can neither write the file nor give the lock away."""
    file = GrowingFile(tmp_path / "run.jsonl", create=True)
    file.append(b"parent\n")
    in_child(lambda: file.append(b"child\n"))
    assert in_child(file.close) == 0
    assert file.read() == b"parent\n"
    with pytest.raises(JournalError, match="another session writes it"):
        GrowingFile(file.path)
    file.append(b"more\n")
    file.close()
    assert is_free(file.path)
