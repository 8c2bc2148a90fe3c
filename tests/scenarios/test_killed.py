"""A program that is killed at any moment, and restored: checked against what the provider saw."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.audit import audit
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST
from vidgen_nb.emulator import Emulator
from vidgen_nb.emulator.app import RequestRecord
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.provider import Fault, Job, LogNormal, SimulatedProfile, TokenBucket
from vidgen_nb.recording.folder import latest
from vidgen_nb.run import Run, load_run

SPEED = 40.0
PER_KILL = 15
"""Scenes: more than finish between two kills, because running jobs continue at the provider meanwhile."""
MOST_SECONDS = 300
"""A program that takes longer hangs: on a busy machine, its start alone takes many."""
PROFILES = [
    SimulatedProfile("p1", TokenBucket(3, per=20), LogNormal(12, 0.3), capacity=4),
    SimulatedProfile("p2", TokenBucket(12, per=20), LogNormal(8, 0.3), capacity=4),
    SimulatedProfile("p3", None, LogNormal(16, 0.3), capacity=4),
]
FAULTS = [
    Fault("overload", probability=0.05),
    Fault("job_failure", probability=0.05),
    Fault("lost_answer", probability=0.02),
    Fault("overload", call="poll", probability=0.02),
    Fault("cut_off", probability=0.1),
]


class WatchedLog(deque[RequestRecord]):
    """The emulator's log, which says after each request how many it has answered."""

    def __init__(self, told: Callable[[int], None]) -> None:
        super().__init__()
        self._told = told

    def append(self, line: RequestRecord) -> None:
        """Note an answered request."""
        super().append(line)
        self._told(len(self))


class Victim:
    """The program, run again and again over one emulator and in one folder."""

    def __init__(self, emulator: Emulator, folder: Path, scenes: int) -> None:
        self.scenes = scenes
        self.emulator = emulator
        self.folder = folder
        self.jobs: list[Job] = []
        """What the provider has accepted, whether or not anybody heard of it."""
        self._last_job = 0
        """It is killed at the moment the provider accepts this many jobs, before the answer leaves."""
        self._last_request, self._pause = 0, 0.0
        """Or when so many requests were answered, and some wall seconds after that in which nothing is answered."""
        self._process: subprocess.Popen[str] | None = None
        profiles = [
            {"name": each.name, "api_key": each.api_key, "capacity": each.capacity}
            for each in emulator.provider.profiles.values()
        ]
        options = {"base_url": emulator.base_url, "profiles": profiles, "folder": str(folder)}
        self._command = json.dumps({**options, "scenes": scenes, "speed": SPEED})
        accept = emulator.provider._accept

        def noted(*args: Any) -> Job:
            self.jobs.append(accept(*args))
            if len(self.jobs) == self._last_job and self._process is not None:
                self._process.kill()
            return self.jobs[-1]

        emulator.provider._accept = noted  # type: ignore[assignment,method-assign]
        emulator._state.log = WatchedLog(self._answered)

    def _answered(self, count: int) -> None:
        if self._last_request and count >= self._last_request and self._process is not None:
            self._last_request = 0
            time.sleep(self._pause)
            self._process.kill()

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[str]]:
        """Start it, and wait until it is about to run."""
        command = [sys.executable, "-m", "tests.scenarios.killed_child", self._command]
        errors = (self.folder / "errors").open("a")
        with errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n", (self.folder / "errors").read_text()
                yield process
            finally:
                process.kill()

    def kill_one(self, random: Random) -> bool:
        """Start it and kill it at some submit, or some time after some request; False: it finished before that."""
        before = len(self.emulator.requests)
        at_submit = random.random() < 0.5
        self._last_job = len(self.jobs) + random.randrange(1, 8) if at_submit else 0
        answered, self._pause = random.randrange(0, 25), random.random() * 0.02
        self._last_request = before + answered if answered and not at_submit else 0
        with self.started() as self._process:
            if not (at_submit or answered):
                time.sleep(self._pause)
                self._process.kill()
            return self._process.wait(MOST_SECONDS) != 0

    def finish(self) -> Run:
        """Let it finish, and return the run."""
        self._last_job = self._last_request = 0
        with self.started() as process:
            assert process.wait(MOST_SECONDS) == 0, (self.folder / "errors").read_text()
        path = latest(self.folder / "runs")
        assert path is not None
        assert [path] == list((self.folder / "runs").iterdir()), "one run, one file"
        return load_run(path)


def check(victim: Victim, run: Run) -> None:
    """Compare what is recorded with what the provider saw."""
    audit(run.events, BOOST)
    assert run.ended == "settled"
    assert [scene.id for scene in run.scenes] == [f"s{k:03}" for k in range(1, victim.scenes + 1)], "a scene was lost"
    assert {scene.status for scene in run.scenes} <= {"succeeded", "failed", "held"}
    assert all("may have" in (s.error or "") for s in run.scenes if s.status == "held"), "what to do is said"
    started = Counter(event.scene for event in run.events if isinstance(event, ev.AttemptStarted))
    sent = Counter(each.scene or "" for each in victim.emulator.requests if each.method == "POST")
    assert not sent - started, "a submit left that was not on disk"
    # only a job that the provider itself gave up may be followed by another
    broke = Counter(event.scene for event in run.events if isinstance(event, ev.JobFailed))
    jobs = Counter(job.scene for job in victim.jobs)
    twice = {scene: count for scene, count in jobs.items() if count > 1 + broke[scene]}
    assert not twice, "paid twice"
    videos = victim.folder / "videos"
    whole = {file.name for file in videos.iterdir() if not file.name.startswith(".")}
    assert whole == {f"{scene.id}.mp4" for scene in run.scenes if scene.status == "succeeded"}
    assert all((videos / name).read_bytes() == CLIP for name in whole)
    check_jobs(victim, run)


def check_jobs(victim: Victim, run: Run) -> None:
    """Each recorded job has ended, and other jobs exist only for scenes that are held."""
    known = {event.operation.id: event.scene for event in run.events if isinstance(event, ev.Accepted)}
    fetched = {r.job for r in victim.emulator.requests if r.path.endswith("/content") and r.status == 200}
    over = {event.scene for event in run.events if isinstance(event, ev.JobFailed)}
    status = {scene.id: scene.status for scene in run.scenes}
    assert [s for job, s in known.items() if job not in fetched and s not in over and status[s] == "succeeded"] == []
    accepted = {(event.scene, event.number) for event in run.events if isinstance(event, ev.Accepted)}
    held = {(e.scene, e.number) for e in run.events if isinstance(e, ev.SceneSettled) and e.status == "held"}
    assert not accepted & held, "an accepted job is asked about, not held"
    unknown = Counter(job.scene for job in victim.jobs) - Counter(known.values())
    assert {status[scene] for scene in unknown} <= {"held"}, "a job that nobody knows of"
    assert set(unknown.values()) <= {1}


def kill_and_check(seed: int, folder: Path, kills: int) -> None:
    """Kill it this many times, and check the result."""
    random = Random(seed)
    with Emulator(PROFILES, speed=SPEED, seed=seed, faults=FAULTS, latency=0.4) as emulator:
        victim = Victim(emulator, folder, PER_KILL * kills)
        killed = sum(victim.kill_one(random) for _ in range(kills))
        check(victim, victim.finish())
    assert killed == kills


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
def test_killed_five_times(seed: int, tmp_path: Path) -> None:
    """No scene is lost or submitted twice, what is in doubt is held, and all downloads are complete."""
    kill_and_check(seed, tmp_path, 5)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 12))
def test_killed_ten_times(seed: int, tmp_path: Path) -> None:
    """The same, a hundred times in all."""
    kill_and_check(seed, tmp_path, 10)
