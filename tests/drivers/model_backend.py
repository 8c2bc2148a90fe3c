"""The provider model as a backend of the realtime driver, in process: what the emulator serves, without HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene
from vidgen_nb.core.outcomes import Permanent, Transient
from vidgen_nb.ports import BackendError, CancelAnswer, Profile, Progress, Sink
from vidgen_nb.provider import Job, Provider, Refused
from vidgen_nb.provider.failures import failure

__all__ = ["ModelBackend"]


class ModelBackend:
    """Answers as the model does at `now()`, in run seconds; each call takes `latency` seconds, asked of `sleep`."""

    name = "model"
    poll_schedule = PollSchedule()

    def __init__(self, provider: Provider, now: Callable[[], float], latency: float = 0.0) -> None:
        self._provider = provider
        self._now = now
        self._latency = latency
        self._jobs: dict[str, Job] = {}

    def check(self, profile: Profile) -> None:
        """Every profile will do."""

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Accept or refuse."""
        await asyncio.sleep(self._latency)
        job = self._provider.submit(profile.name, scene.id, self._now(), scene.prompt)
        if isinstance(job, Refused):
            raise BackendError(failure(job.cause, job.retry_after, self._provider.rate(profile.name, self._now())))
        rate = self._provider.rate(profile.name, self._now())
        operation = Operation(str(job.number), poll_after=job.finish - self._now(), rate=rate)
        self._jobs[operation.id] = job
        return operation

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Say how far the job is."""
        await asyncio.sleep(self._latency)
        job, now = self._jobs[operation.id], self._now()
        look = self._provider.poll(job, now)
        if look.status == "succeeded" or job.finish - now < 1e-9:  # the loop's clock counts from elsewhere
            return Progress("succeeded", artifact=Artifact("inline"))
        if look.status == "failed":
            outcome = Permanent("content", "content") if job.failure == "content" else Transient("internal")
            return Progress("failed", outcome=outcome)
        return Progress(look.status, look.progress, poll_after=look.remaining)

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink) -> None:
        """Deliver nothing."""
        await asyncio.sleep(self._latency)

    async def cancel(self, operation: Operation, profile: Profile) -> CancelAnswer:
        """Cancel."""
        await asyncio.sleep(self._latency)
        return "cancelled" if self._provider.cancel(self._jobs[operation.id], self._now()) else "too late"

    async def aclose(self) -> None:
        """Nothing is open."""

    def settings(self) -> Mapping[str, Any]:
        """Return the name."""
        return {"name": self.name}
