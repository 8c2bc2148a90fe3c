"""A program is killed with many submits under way, again and again: held is only what the server has seen.

The program is a real one, and so is SIGKILL. Requests are counted as soon as their first bytes are read.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.audit import audit
from tests.gateways.servers import VllmOmni
from tests.gateways.video_server import KEY
from vidgen_nb.core.model import BOOST
from vidgen_nb.recording.folder import latest
from vidgen_nb.recording.left_lines import this_boot
from vidgen_nb.recording.runfile import parse
from vidgen_nb.run import load_run

pytestmark = pytest.mark.skipif(not this_boot(), reason="this system does not tell when it was started")
SCENES, KILLS = 150, 4


class SlowServer(VllmOmni):
    """Takes its time to accept."""

    def __init__(self) -> None:
        super().__init__(polls_to_finish=0)
        self.came: set[str] = set()
        """Scenes of which it has seen a submit."""

    async def _submit(self, request: Request) -> Response:
        self.came.add(request.headers["x-client-request-id"])
        response = await super()._submit(request)
        await asyncio.sleep(0.15)
        return response


def kill_once(server: SlowServer, command: list[str], random: Random, longer: float) -> None:
    """Run the program until some more submits came, and up to so many seconds longer."""
    wanted = len(server.came) + random.randrange(2, 30)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as child:
        while len(server.came) < wanted and child.poll() is None:
            time.sleep(0.002)
        time.sleep(random.random() * longer)
        child.kill()
    time.sleep(0.3)  # what was on its way arrives


@pytest.mark.long
@pytest.mark.parametrize("fsync_seconds", [0.0, 0.4], ids=["quick disk", "slow disk"])
def test_held_is_only_what_the_server_has_seen(fsync_seconds: float, tmp_path: Path) -> None:
    """The others wait again, and are made in the end; nothing is paid twice, nothing lost."""
    random, waited = Random(7), 0
    with SlowServer() as server:
        options: dict[str, Any] = {"base_url": server.base_url, "model": "wan", "key": KEY, "folder": str(tmp_path)}
        options |= {"scenes": SCENES, "capacity": None, "speed": 200.0, "fsync_seconds": fsync_seconds}
        command = [sys.executable, "-m", "tests.gateways.batch_child", json.dumps(options)]
        for _ in range(KILLS):
            # long enough for what an accepted submit makes room for: it waits for the disk
            kill_once(server, command, random, longer=0.1 + 1.5 * fsync_seconds)
            path = latest(tmp_path / "runs")
            assert path is not None
            under_way = {(each.id, each.attempts) for each in load_run(path).scenes if each.status == "submitting"}
            waited += len(under_way & parse(str(path), path.read_bytes()).left.not_left)
        subprocess.run(command, check=True, timeout=60)
        assert path is not None
        run = load_run(path)
        audit(run.events, BOOST)
        ends = Counter(scene.status for scene in run.scenes)
        held = {scene.id for scene in run.scenes if scene.status == "held"}
        assert waited or not fsync_seconds, "no submit was waiting: this shows nothing of a slow disk"
        assert held <= server.came
        assert set(server.jobs_by_prompt.values()) == {1}, "paid twice"
        assert ends.keys() <= {"succeeded", "held"} and ends.total() == SCENES
        assert {scene.prompt for scene in run.scenes if scene.id not in held} <= server.jobs_by_prompt.keys()
