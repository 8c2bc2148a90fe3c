"""A backend in this process, which answers when and what a test says, and a sink in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.ports import BackendError, CancelAnswer, Profile, Progress, Sink

__all__ = ["FakeBackend", "Memory", "profiles"]

Answer = Failure | Exception | None


def profiles(*names: str, **options: Any) -> list[Profile]:
    """Return profiles with keys."""
    return [Profile(name, f"sk-planted-{name}", **options) for name in names]


class FakeBackend:
    """Accepts and finishes everything at once, but for what `script` says.

    `script(scene, profile, nth submit of the scene)` returns None to accept, a failure, or an exception to raise.
    Scenes in `hold` are not finished before `let_go()`.
    """

    name = "fake"
    poll_schedule = PollSchedule(first=0.01, longest=0.01)

    def __init__(
        self, script: Callable[[str, str, int], Answer] = lambda *_: None, hold: frozenset[str] = frozenset()
    ) -> None:
        self.script = script
        self.hold = set(hold)
        self.submits: list[tuple[str, str]] = []
        self.cancelled: list[str] = []
        self.closed = 0
        self.video = b""
        """What every scene becomes; empty: nothing is written."""
        self.checked: list[str] = []
        self._counts: Counter[str] = Counter()

    def let_go(self) -> None:
        """Let every scene finish."""
        self.hold.clear()

    def check(self, profile: Profile) -> None:
        """Want a key."""
        self.checked.append(profile.api_key.reveal())

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Answer as the script says."""
        await asyncio.sleep(0)
        self.submits.append((scene.id, profile.name))
        self._counts[scene.id] += 1
        answer = self.script(scene.id, profile.name, self._counts[scene.id])
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            raise BackendError(answer)
        return Operation(scene.id)

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Finish what is not held."""
        await asyncio.sleep(0)
        if operation.id in self.hold:
            return Progress("running")
        return Progress("succeeded", artifact=Artifact("inline"))

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink) -> None:
        """Deliver the video, if there is one."""
        if self.video:
            await sink.write(self.video)
            await sink.commit(expected=len(self.video), media_type="video/mp4")

    async def cancel(self, operation: Operation, profile: Profile) -> CancelAnswer:
        """Cancel."""
        self.cancelled.append(operation.id)
        return "cancelled"

    async def aclose(self) -> None:
        """Count."""
        self.closed += 1

    def settings(self) -> Mapping[str, Any]:
        """Return the name."""
        return {"name": self.name}


class Memory:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.data = b""
        self.committed: tuple[int | None, str | None] | None = None
        self.path: str | None = None

    async def write(self, chunk: bytes) -> None:
        """Append bytes."""
        self.data += chunk

    async def commit(self, *, expected: int | None, media_type: str | None) -> None:
        """Note what is said about the data."""
        self.committed = (expected, media_type)

    def discard(self) -> None:
        """Forget the data."""
        self.data = b""
