"""The program that a test stops for a while: submits scenes, and says how they ended.

Called as `python -m tests.scenarios.stopped_child <base_url> <folder> <job_timeout>`.
"""

from __future__ import annotations

import sys

from tests.gateways.video_server import KEY
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core.model import PollSchedule, RetryPolicy
from vidgen_nb.ports import Profile
from vidgen_nb.session.session import Session

SCENES = 6
TIMEOUT = 0.4
"""Wall seconds, and five times that for a whole answer."""


def main(base_url: str, folder: str, job_timeout: str) -> None:
    """Run to the end."""
    backend = OpenAIVideos(base_url, timeout=TIMEOUT, poll=PollSchedule(first=0.1, longest=0.2))
    retry = RetryPolicy(job_timeout=float(job_timeout), max_failures=1)
    with Session(backend, [Profile("p1", KEY)], mode="boost", output=folder, retry=retry) as session:
        run = session.run_blocking([f"prompt {k}" for k in range(SCENES)])
    print(*(scene.status for scene in run.scenes))


if __name__ == "__main__":
    main(*sys.argv[1:])
