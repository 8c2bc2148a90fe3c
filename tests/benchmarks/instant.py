"""A backend that never suspends, and a live run over it: what is measured is our own work."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fakes import FakeBackend
from vidgen_nb.core.model import BOOST, Artifact, Mode, Operation, PollSchedule, Scene
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.ports import BackendError, Profile, Progress, Sink
from vidgen_nb.run import Run
from vidgen_nb.session.live.live_run import LiveRun
from vidgen_nb.session.settings import Resources, RunSettings, SessionState
from vidgen_nb.session.video_folder import VideoFolder
from vidgen_nb.sharing.exchange import CooldownExchange

__all__ = ["InstantBackend", "benched_run", "make_profiles", "make_scenes"]


class InstantBackend(FakeBackend):
    """Answers at once, and keeps no record: submit, one poll, fetch. `limited`: the share of 429s, seeded."""

    def __init__(self, limited: float = 0.0) -> None:
        super().__init__(poll_schedule=PollSchedule(first=0, shortest=0), cancels="too late")
        self._limited = limited
        self._random = Random(1)
        self._progress = Progress("succeeded", artifact=Artifact("inline"))

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Accept the scene, or refuse it."""
        if self._limited and self._random.random() < self._limited:
            raise BackendError(RateLimited(1.0, "Retry-After"))
        return Operation(scene.id)

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Say that it has succeeded."""
        return self._progress

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink | None) -> None:
        """Write nothing."""


def make_scenes(count: int) -> list[Scene]:
    """Return scenes with short prompts."""
    return [Scene(f"s{index:05}", f"prompt {index}") for index in range(count)]


def make_profiles(count: int) -> list[Profile]:
    """Return profiles without a bound on their capacity."""
    return [Profile(f"p{index}") for index in range(count)]


@dataclass
class BenchedRun:
    """A run as a session makes it, with its observers; no log handler is attached."""

    live: LiveRun
    state: SessionState

    def go(self, scenes: Sequence[Scene]) -> None:
        """Begin to run scenes."""
        self.live.add(scenes, single=False, attempts={})
        self.live.go(self.state)

    async def run(self, scenes: Sequence[Scene]) -> Run:
        """Run scenes to their end."""
        self.go(scenes)
        return await asyncio.wrap_future(self.live.wait_for())


def benched_run(
    backend: InstantBackend,
    profiles: Sequence[Profile],
    *,
    mode: Mode = BOOST,
    speed: float = 1.0,
    cooldown: float = 1.0,
    journal: Path | None = None,
) -> BenchedRun:
    """Return a new run."""
    settings = RunSettings.checked(mode=mode, policy=PerProfileCooldown(cooldown), speed=speed)
    state = SessionState(settings, {profile.name: profile for profile in profiles})
    resources = Resources(backend, VideoFolder(tempfile.gettempdir()), journal)
    exchange = CooldownExchange(resources.shared, backend, lambda: None)
    return BenchedRun(LiveRun.new(resources, state, (), exchange, cooldowns=()), state)
