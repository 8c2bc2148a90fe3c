"""A program that may open no file any more, in the midst of a run: it waits, and then all goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateways.servers import VllmOmni

pytest.importorskip("resource")


@pytest.mark.long
def test_files_run_out_in_the_midst_of_a_run(tmp_path: Path) -> None:
    """Connections, videos and the journal need files: no scene fails, none is paid twice, and it is no storm."""
    from tests.scenarios.hungry_child import SCENES

    with VllmOmni() as server:
        command = [sys.executable, "-m", "tests.scenarios.hungry_child", server.base_url, str(tmp_path)]
        found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        succeeded, failed, local = map(int, found.stdout.split())
        assert (succeeded, len(server.made)) == (SCENES, SCENES)
    assert 0 < failed == local < 100
    assert "too many files open: raise `ulimit -n`" in found.stderr
    assert len(list((tmp_path / "v").glob("*.mp4"))) == SCENES
