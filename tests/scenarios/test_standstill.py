"""The program stands still for longer than every timeout, and the answers come meanwhile: nothing is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.gateways.servers import VllmOmni
from tests.gateways.video_server import KEY, Phase
from tests.scenarios.stopped_child import SCENES, TIMEOUT
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core.model import PollSchedule
from vidgen_nb.ports import Profile
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session

STANDSTILL = 5 * TIMEOUT + 1.0
"""Wall seconds: longer than a read's timeout, and than that of a whole answer."""


class Waiting(VllmOmni):
    """A server that answers the first call of a phase at once, and the others when the test wants it to."""

    def __init__(self, phase: Phase, polls_to_finish: int = 1) -> None:
        super().__init__(polls_to_finish=polls_to_finish)
        self.is_waiting = threading.Event()
        self.may_answer = threading.Event()
        self._calls = 0
        self._phase = phase

    async def _answer(self, request: Request, phase: Phase | None, job_id: str) -> Response:
        if phase == self._phase:
            self._calls += 1
            if self._calls > 1:
                self.is_waiting.set()
            while self._calls > 1 and not self.may_answer.is_set():  # noqa: ASYNC110 - it is set from another thread
                await asyncio.sleep(0.005)
        return await super()._answer(request, phase, job_id)


def answer_soon(server: Waiting, seconds: float) -> None:
    """Have the server answer after a while, from another thread."""
    timer = threading.Timer(seconds, server.may_answer.set)
    timer.daemon = True
    timer.start()


def after_a_stop(server: Waiting, folder: Path, job_timeout: float = 3600.0) -> list[str]:
    """Stop the program while calls of the phase wait, have them answered, and return how its scenes end."""
    command = [sys.executable, "-m", "tests.scenarios.stopped_child", server.base_url, str(folder), f"{job_timeout}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert server.is_waiting.wait(30)
        child.send_signal(signal.SIGSTOP)
        os.waitpid(child.pid, os.WUNTRACED)
        server.may_answer.set()
        time.sleep(STANDSTILL)
        child.send_signal(signal.SIGCONT)
        said, _ = child.communicate(timeout=30)
    return said.split()


def test_a_program_that_was_stopped(tmp_path: Path) -> None:
    """SIGSTOP, as by Ctrl-Z or a full machine: the submits that were accepted are known, and every video is fetched."""
    with Waiting("submit") as server:
        assert after_a_stop(server, tmp_path) == ["succeeded"] * SCENES
        assert len(server.made) == SCENES


@pytest.mark.parametrize(
    "phase", ["submit", *(pytest.param(each, marks=pytest.mark.long) for each in ("poll", "fetch"))]
)
def test_a_cell_that_blocks_the_loop(phase: Phase, tmp_path: Path) -> None:
    """`async with Session` lives on the caller's loop, which computes for a while."""

    async def go(server: Waiting) -> Run:
        backend = OpenAIVideos(server.base_url, timeout=TIMEOUT, poll=PollSchedule(first=0.1, longest=0.2))
        async with Session(backend, [Profile("p1", KEY)], mode="boost", output=tmp_path) as session:
            session.start([f"prompt {k}" for k in range(4)])
            await asyncio.to_thread(server.is_waiting.wait, 30)
            answer_soon(server, 0.05)
            time.sleep(STANDSTILL)  # noqa: ASYNC251 - that is what it does
            return await session.run()

    with Waiting(phase) as server:
        run = asyncio.run(go(server))
        assert [scene.status for scene in run.scenes] == ["succeeded"] * 4
        assert len(server.made) == 4
        assert not [event for event in run.events if type(event).__name__ == "CallFailed"]


def test_a_job_that_was_done_meanwhile_is_not_given_up(tmp_path: Path) -> None:
    """`job_timeout` passed while the program was stopped: the job is asked about before it is cancelled, or held."""
    with Waiting("submit", polls_to_finish=0) as server:
        assert after_a_stop(server, tmp_path, job_timeout=1.5) == ["succeeded"] * SCENES
        assert server.count("cancel") == 0
