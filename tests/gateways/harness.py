"""Runs a few scenes against one of the small servers, and says what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.gateways.video_server import KEY
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import PollSchedule, RetryPolicy
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.errors import VidgenError
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session

__all__ = ["FAST_POLLS", "JOB_TIMEOUT", "SPEED", "backend_of", "failures", "run_scenes", "session_of", "statuses"]

SPEED = 600.0
"""Run seconds in a second: outages of minutes pass in moments."""
FAST_POLLS = PollSchedule(first=1, longest=10)
JOB_TIMEOUT = 1800.0
"""Run seconds after which a job that is not over is given up."""
PATIENCE = 10.0
"""Wall seconds after which a run that does not end is abandoned, and judged as it is."""


def backend_of(base_url: str, model: str | None = None, **options: Any) -> OpenAIVideos:
    """Return the backend for a base_url."""
    return OpenAIVideos(base_url, model, poll=FAST_POLLS, **options)


def session_of(backend: Backend, folder: Path, *, profiles: int = 1, **options: Any) -> Session:
    """Return a session whose profiles all bear the server's key."""
    retry = RetryPolicy(job_timeout=JOB_TIMEOUT)
    given = [Profile(f"p{k}", KEY, quota_group=f"g{k}") for k in range(profiles)]
    return Session(backend, given, **{"output": folder / "videos", "speed": SPEED, "retry": retry, **options})


def run_scenes(backend: Backend, folder: Path, scenes: Any = 1, **options: Any) -> Run:
    """Run scenes to their end, and return the run, also where it was broken off."""
    wanted = [f"prompt {k}" for k in range(scenes)] if isinstance(scenes, int) else scenes
    with session_of(backend, folder, **options) as session:
        session.start(wanted)
        try:
            return session.wait(PATIENCE)
        except TimeoutError:
            session.abandon()
        except VidgenError:
            pass
        assert session.last_run is not None
        return session.last_run


def statuses(run: Run) -> list[str]:
    """Return the scenes' statuses, in their order."""
    return [scene.status for scene in run.scenes]


def failures(run: Run) -> list[Failure]:
    """Return what calls failed with, in their order."""
    return [event.outcome for event in run.events if isinstance(event, ev.CallFailed)]
