"""The program that `test_killed` kills: it runs scenes, or continues the run that an earlier one left behind.

Called as `python -m tests.scenarios.killed_child <JSON of the options of main>`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core.model import PollSchedule, Scene
from vidgen_nb.ports import Profile
from vidgen_nb.recording.folder import latest
from vidgen_nb.session.session import Session


def main(base_url: str, profiles: list[dict[str, Any]], folder: str, scenes: int, speed: float) -> None:
    """Run to the end, unless killed before."""
    runs, videos = Path(folder) / "runs", Path(folder) / "videos"
    backend = OpenAIVideos(base_url, poll=PollSchedule(longest=2))
    given = [Profile(**each) for each in profiles]
    if latest(runs) is None:
        session = Session(backend, given, mode="boost", output=videos, journal=runs, speed=speed, seed=3)
    else:
        session = Session.restore(runs, backend, given, output=videos)
    known = {scene.id for scene in session.last_run.scenes} if session.last_run is not None else set()
    # killed while they were first written down, before anything was sent: whoever starts the run has them still
    missing = [Scene(f"s{k:03}", f"prompt {k}") for k in range(1, scenes + 1) if f"s{k:03}" not in known]
    print("ready", flush=True)
    with session:
        if missing or any(scene.status in ("queued", "generating", "fetching") for scene in session.last_run.scenes):  # type: ignore[union-attr]
            session.run_blocking(missing or None)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
