"""A batch through LiteLLM's own proxy, with limits behind it and a kill in the middle: each scene is paid for once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from time import sleep

import pytest

from tests.gateways.harness import statuses
from tests.gateways.litellm import KEY, MODEL, LiteLLM
from tests.gateways.servers import VllmOmni
from tests.gateways.video_server import KEY as SERVER_KEY
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import PollSchedule
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.emulator import Emulator
from vidgen_nb.ports import Profile
from vidgen_nb.provider import Constant, Fault, SimulatedProfile, TokenBucket
from vidgen_nb.recording.folder import latest
from vidgen_nb.run import Run, load_run
from vidgen_nb.session.session import Session

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

SCENES = 12
CAPACITY = 5
"""Jobs at once: three are accepted before the kill, two submits may be in the air."""
SPEED = 10.0
UPSTREAM_KEY = "sk-upstream-1234"
LIMITED = SimulatedProfile("upstream", TokenBucket(3, per=30), Constant(20), api_key=UPSTREAM_KEY)
OPEN = SimulatedProfile("upstream", None, Constant(2), api_key=UPSTREAM_KEY)


def jobs(emulator: Emulator) -> Counter[str]:
    """Return how many jobs the emulator made of each prompt."""
    return Counter(each.scene or "" for each in emulator.requests if each.method == "POST" and each.job)


def kill_in_the_middle(process: subprocess.Popen[bytes], emulator: Emulator, known: int) -> None:
    """Kill the program once it knows of so many jobs, for it has asked about them, and of a 429."""
    asked: set[str | None] = set()
    while len(asked) < known or all(each.status != 429 for each in emulator.requests):
        assert process.poll() is None, "it ended too early"
        sleep(0.005)
        asked = {each.job for each in emulator.requests if each.method == "GET" and each.job}
    process.kill()
    process.wait()


def test_killed_in_the_middle_of_a_batch(litellm_program: Path, tmp_path: Path) -> None:
    """Twelve scenes, 429s of the upstream, a SIGKILL, a restore: none is lost, none is paid for twice."""
    with Emulator([LIMITED], speed=SPEED) as emulator:
        with LiteLLM(litellm_program, tmp_path, emulator.base_url, UPSTREAM_KEY) as proxy:
            options = {"base_url": proxy.base_url, "model": MODEL, "key": KEY, "folder": str(tmp_path)}
            text = json.dumps({**options, "scenes": SCENES, "capacity": CAPACITY, "speed": SPEED})
            command = [sys.executable, "-m", "tests.gateways.batch_child", text]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
                kill_in_the_middle(process, emulator, 3)
            before = jobs(emulator)
            done = subprocess.run(command, timeout=300, check=False)
            assert done.returncode == 0
        made = jobs(emulator)
    path = latest(tmp_path / "runs")
    assert path is not None
    run = load_run(path)
    assert set(made.values()) == {1}, "paid twice"
    assert 3 <= sum(before.values()) < sum(made.values()), "it was not killed in the middle"
    assert len(run.scenes) == SCENES
    check_ends(run, made)
    videos = {path.stem for path in (tmp_path / "videos").glob("*.mp4")}
    assert videos == {scene.id for scene in run.scenes if scene.status == "succeeded"}
    ids = [event.operation.id for event in run.events if isinstance(event, ev.Accepted)]
    assert min(map(len, ids)) >= 242
    refusals = [event.outcome for event in run.events if isinstance(event, ev.CallFailed) and event.phase == "submit"]
    assert refusals
    assert all(isinstance(each, RateLimited) for each in refusals)


def check_ends(run: Run, made: Counter[str]) -> None:
    """Each scene was made, or is held because a submit was in the air when the program was killed."""
    ends = Counter(statuses(run))
    assert set(ends) <= {"succeeded", "held"}
    assert ends["held"] <= CAPACITY - 3
    lost = [scene for scene in run.scenes if scene.status == "succeeded" and not made[scene.prompt]]
    assert not lost


def test_the_upstreams_wait(litellm_program: Path, tmp_path: Path) -> None:
    """The proxy passes the upstream's Retry-After on under another name: it is the wait of the 429."""
    with (
        Emulator([LIMITED], speed=SPEED) as emulator,
        LiteLLM(litellm_program, tmp_path, emulator.base_url, UPSTREAM_KEY) as proxy,
    ):
        run = run_at(proxy, tmp_path, 4)
    waits = [
        event.outcome.retry_after
        for event in run.events
        if isinstance(event, ev.CallFailed) and isinstance(event.outcome, RateLimited)
    ]
    assert waits
    assert None not in waits


def test_an_upstream_that_accepts_too_slowly(litellm_program: Path, tmp_path: Path) -> None:
    """The proxy answers 408 after the deployment's timeout, though the upstream has the job: held, paid for once."""
    with (
        VllmOmni(model="sora-2") as server,
        LiteLLM(litellm_program, tmp_path, server.base_url, SERVER_KEY, parameters={"timeout": 1}) as proxy,
    ):
        server.fail("submit", server.unavailable, makes_job=True, delay=2.0)
        run = run_at(proxy, tmp_path, 1)
        assert server.billed_seconds == 4
    assert statuses(run) == ["held"]


def test_an_upstream_that_loses_answers(litellm_program: Path, tmp_path: Path) -> None:
    """The upstream accepts and answers 502, which the proxy passes on: held, and one job each."""
    with (
        Emulator([OPEN], speed=SPEED, faults=[Fault("lost_answer", probability=1.0)]) as emulator,
        LiteLLM(litellm_program, tmp_path, emulator.base_url, UPSTREAM_KEY) as proxy,
    ):
        run = run_at(proxy, tmp_path, 2)
        assert set(jobs(emulator).values()) == {1}
    assert statuses(run) == ["held"] * 2


def test_a_job_that_failed(litellm_program: Path, tmp_path: Path) -> None:
    """The upstream answers a failed job's GET with 500 and the job, which the proxy makes a text of: it has failed."""
    with (
        VllmOmni(model="sora-2", polls_to_finish=0) as server,
        LiteLLM(litellm_program, tmp_path, server.base_url, SERVER_KEY) as proxy,
    ):
        server.failing["prompt 0"] = (500, "CUDA out of memory")
        run = run_at(proxy, tmp_path, 2)
        assert server.count("poll") <= 3
    assert statuses(run) == ["failed", "succeeded"]
    assert "the job failed: CUDA out of memory" in (run.scenes[0].error or "")


def test_the_proxy_is_restarted(litellm_program: Path, tmp_path: Path) -> None:
    """It is gone for some seconds amid a batch: jobs are asked about at its next life, and each is paid for once."""
    with (
        VllmOmni(model="sora-2", polls_to_finish=3) as server,
        LiteLLM(litellm_program, tmp_path, server.base_url, SERVER_KEY) as proxy,
        session_at(proxy, tmp_path, capacity=3) as session,
    ):
        session.start([f"prompt {k}" for k in range(SCENES)])
        server.wait_for("poll")
        proxy.stop()
        accepted = len(server.made)
        proxy.start()
        assert len(server.made) == accepted
        run = session.wait(60)
    ends = Counter(statuses(run))
    assert set(ends) <= {"succeeded", "held"}
    assert ends["held"] <= 3
    assert set(server.jobs_by_prompt.values()) == {1}


def test_a_good_key_is_told_from_a_bad_one(litellm_program: Path, tmp_path: Path) -> None:
    """The proxy lists no videos without a provider's name: 400. A bad key is that, too, and costs no scene."""
    profiles = [Profile("good", KEY), Profile("bad", "sk-nobodys-1234")]
    with (
        Emulator([OPEN], speed=SPEED) as emulator,
        LiteLLM(litellm_program, tmp_path, emulator.base_url, UPSTREAM_KEY) as proxy,
        Session(OpenAIVideos(proxy.base_url, MODEL), profiles, output=tmp_path) as session,
    ):
        good, bad = session.check()
        run = session.run_blocking([f"prompt {k}" for k in range(6)])
    assert good.ok
    assert bad.ok is False
    assert statuses(run) == ["succeeded"] * 6


def session_at(proxy: LiteLLM, folder: Path, capacity: int | None = None) -> Session:
    """Return a session with one key at the proxy."""
    backend = OpenAIVideos(proxy.base_url, MODEL, poll=PollSchedule(first=2, longest=4))
    profiles = [Profile("p1", KEY, capacity=capacity)]
    return Session(backend, profiles, mode="boost", output=folder / "videos", speed=SPEED)


def run_at(proxy: LiteLLM, folder: Path, scenes: int) -> Run:
    """Run scenes at the proxy, and return the run."""
    with session_at(proxy, folder) as session:
        return session.run_blocking([f"prompt {k}" for k in range(scenes)])
