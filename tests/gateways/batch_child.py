"""The program that a test kills: runs scenes at a gateway, or goes on with the run that was left behind.

Called as `python -m tests.gateways.batch_child <JSON of the options of main>`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from time import sleep

from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core.model import PollSchedule, Scene
from vidgen_nb.ports import Profile
from vidgen_nb.recording.folder import latest
from vidgen_nb.session.session import Session


def main(
    base_url: str, model: str, key: str, folder: str, scenes: int, capacity: int | None, speed: float,
    fsync_seconds: float = 0.0,
) -> None:  # fmt: skip
    """Run to the end, unless killed before. `fsync_seconds`: how slow the journal's disk is."""
    synced = os.fsync

    def slow(number: int) -> None:
        sleep(fsync_seconds)
        synced(number)

    if fsync_seconds:
        os.fsync = slow  # type: ignore[assignment]
    runs, videos = Path(folder) / "runs", Path(folder) / "videos"
    backend = OpenAIVideos(base_url, model, poll=PollSchedule(first=2, longest=4))
    profiles = [Profile("p1", key, capacity=capacity)]
    if latest(runs) is None:
        session = Session(backend, profiles, mode="boost", output=videos, journal=runs, speed=speed, seed=3)
        wanted = [Scene(f"s{k:02}", f"prompt {k}") for k in range(scenes)]
    else:
        session = Session.restore(runs, backend, profiles, output=videos)
        wanted = None
    with session:
        session.run_blocking(wanted)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
