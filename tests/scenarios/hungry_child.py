"""The program that a test leaves without files for a while: a run with a journal, and how it went.

Called as `python -m tests.scenarios.hungry_child <base_url> <folder>`.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.gateways.video_server import KEY
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import PollSchedule, RetryPolicy
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.ports import Profile
from vidgen_nb.session.session import Session

SCENES = 24
MAX_FILES = 128
SPEED = 10.0
"""Run seconds in a second: pauses of some seconds pass in moments."""


def main(base_url: str, folder: str) -> None:
    """Take all files in the midst of the run, and give them back."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_FILES, MAX_FILES))
    backend = OpenAIVideos(base_url, timeout=10, poll=PollSchedule(first=2, longest=4))
    profiles = [Profile(name, KEY, capacity=2, quota_group=name) for name in ("p1", "p2")]
    path, retry = Path(folder), RetryPolicy(max_failures=1)
    with Session(backend, profiles, output=path / "v", journal=path / "runs", retry=retry, speed=SPEED) as session:
        session.start([f"prompt {k}" for k in range(SCENES)])
        while len(list((path / "v").glob("*.mp4"))) < 2:
            time.sleep(0.005)
        taken = []
        for _ in range(100):
            with suppress(OSError):
                while True:
                    taken.append(os.open(os.devnull, os.O_RDONLY))
            time.sleep(0.01)
        for file in taken:
            os.close(file)
        run = session.wait(30)
    failed = [event.outcome for event in run.events if isinstance(event, ev.CallFailed)]
    local = [outcome for outcome in failed if isinstance(outcome, Transient) and outcome.local]
    print(sum(scene.status == "succeeded" for scene in run.scenes), len(failed), len(local))


if __name__ == "__main__":
    main(*sys.argv[1:])
