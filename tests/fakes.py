"""The fakes that tests use in place of a server and of a disk: one backend in this process, and one sink in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.ports import BackendError, CancelAnswer, Profile, Progress, Sink

__all__ = ["FakeBackend", "Hook", "MemorySink", "accept_all", "profiles"]

Answer = Failure | Exception | None
Script = Callable[[str, str, int], Answer]
Hook = Callable[[Scene, Profile], Awaitable[None]]


def profiles(*names: str, **options: Any) -> list[Profile]:
    """Return profiles with keys."""
    return [Profile(name, f"sk-planted-{name}", **options) for name in names]


def accept_all(_scene: str, _profile: str, _nth: int) -> Answer:
    """Accept every submit."""
    return None


class FakeBackend:
    """A backend that accepts every scene and finishes it at the first poll, unless the test says otherwise.

    `script(scene, profile, nth submit of the scene)` returns None to accept, a failure, or an exception to raise.
    `hold`: scenes that are not finished before `let_go()`. `seconds`: how long each call takes, by the loop's clock;
    None: it does not even suspend. `cancels`: the answer to a cancel. `hooks`, by phase (`submit=`, `poll=`, `fetch=`,
    `cancel=`), are awaited in each call of that phase, and may raise.
    """

    name = "fake"
    poll_schedule = PollSchedule(first=0.01, longest=0.01)

    def __init__(
        self,
        script: Script = accept_all,
        hold: frozenset[str] = frozenset(),
        *,
        seconds: float | None = 0.0,
        poll_schedule: PollSchedule | None = None,
        cancels: CancelAnswer = "cancelled",
        **hooks: Hook,
    ) -> None:
        self.script = script
        self.hold = set(hold)
        self.calls: list[tuple[str, str, str, float]] = []
        """(phase, scene, profile, loop time) of every call, in order."""
        self.submits: list[tuple[str, str]] = []
        """(scene, profile)."""
        self.cancelled: list[str] = []
        self.checked: list[str] = []
        """The keys of the profiles that were checked."""
        self.closed = 0
        """How often it was closed."""
        self.video = b""
        """What every scene becomes; empty: nothing is written."""
        if poll_schedule is not None:
            self.poll_schedule = poll_schedule
        self._seconds = seconds
        self._cancels = cancels
        self._hooks = hooks
        self._scenes: dict[str, Scene] = {}
        self._submit_counts: Counter[str] = Counter()

    def let_go(self) -> None:
        """Let every scene finish."""
        self.hold.clear()

    def times(self, phase: str) -> list[float]:
        """Return the loop times of a phase's calls."""
        return [at for each, _, _, at in self.calls if each == phase]

    def check(self, profile: Profile) -> None:
        """Note the key."""
        self.checked.append(profile.api_key.reveal())

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Answer as the script says."""
        self._scenes[scene.id] = scene
        await self._call("submit", scene.id, profile)
        self.submits.append((scene.id, profile.name))
        self._submit_counts[scene.id] += 1
        answer = self.script(scene.id, profile.name, self._submit_counts[scene.id])
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            raise BackendError(answer)
        return Operation(scene.id)

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Finish what is not held."""
        await self._call("poll", operation.id, profile)
        if operation.id in self.hold:
            return Progress("running")
        return Progress("succeeded", artifact=Artifact("inline"))

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink) -> None:
        """Deliver the video, if there is one."""
        await self._call("fetch", operation.id, profile)
        if self.video:
            await sink.write(self.video)
            await sink.commit(expected=len(self.video), media_type="video/mp4")

    async def cancel(self, operation: Operation, profile: Profile) -> CancelAnswer:
        """Answer as `cancels` says."""
        await self._call("cancel", operation.id, profile)
        self.cancelled.append(operation.id)
        return self._cancels

    async def aclose(self) -> None:
        """Count."""
        self.closed += 1

    def settings(self) -> Mapping[str, Any]:
        """Return the name."""
        return {"name": self.name}

    async def _call(self, phase: str, scene: str, profile: Profile) -> None:
        self.calls.append((phase, scene, profile.name, asyncio.get_running_loop().time()))
        if self._seconds is not None:
            await asyncio.sleep(self._seconds)
        if phase in self._hooks:
            # after a restore a job is polled whose submit another backend saw
            await self._hooks[phase](self._scenes.get(scene, Scene(scene, "unknown")), profile)


class MemorySink:
    """A sink that keeps what it gets."""

    def __init__(self, path: str | None = None) -> None:
        self.path = path
        self.data = b""
        self.committed: tuple[int | None, str | None] | None = None
        """(expected size, media type) of the commit."""
        self.discarded = False

    async def write(self, chunk: bytes) -> None:
        """Append bytes."""
        self.data += chunk

    async def commit(self, *, expected: int | None, media_type: str | None) -> None:
        """Note size and media type."""
        self.committed = (expected, media_type)

    def discard(self) -> None:
        """Forget the data."""
        self.data = b""
        self.discarded = True
