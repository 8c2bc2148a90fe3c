"""Commands carried out on a backend; each is answered with the event that says what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Cancel, Command, Fetch, Poll, Submit
from vidgen_nb.core.outcomes import Ambiguous, Transient
from vidgen_nb.drivers.answers import checked_cancel, checked_failure, checked_operation, checked_progress
from vidgen_nb.drivers.outbox import Leaving, Outbox
from vidgen_nb.ports import Backend, BackendError, Profile, Sink

__all__ = ["Calls"]

PHASES: dict[type[Command], ev.Phase] = {Submit: "submit", Poll: "poll", Fetch: "fetch", Cancel: "cancel"}


class Calls:
    """Calls of one backend; `sink_for(scene, number)` says where a result goes, `outbox` whether a submit may leave."""

    def __init__(self, backend: Backend, sink_for: Callable[[str, int], Sink], outbox: Outbox) -> None:
        self._backend = backend
        self._outbox = outbox
        self._sink_for = sink_for
        self.of: dict[type[Command], Callable[[Any, Profile], Awaitable[ev.Event]]] = {
            Submit: self._submit,
            Poll: self._poll,
            Fetch: self._fetch,
            Cancel: self._cancel,
        }
        """The method for each kind of command; a `BackendError` that it raises is answered by `failed`."""

    @property
    def max_submits(self) -> int | None:
        """How many submits the backend lets out at once, more perhaps once its server has accepted one; None: any."""
        return getattr(self._backend, "max_submits", None)

    def failed(self, command: Command, error: BackendError) -> ev.Event:
        """Return the answer for a call that failed; a malformed failure counts as one that nobody understands."""
        phase = PHASES[type(command)]
        try:
            outcome = checked_failure(error.outcome, phase)
        except TypeError as malformed:
            outcome = Ambiguous(str(malformed)) if phase == "submit" else Transient(str(malformed))
        return ev.CallFailed(command.scene.id, command.number, phase, outcome)

    async def _submit(self, command: Submit, profile: Profile) -> ev.Event:
        with Leaving(self._outbox, command) as leaving:
            operation = checked_operation(await self._backend.submit(command.scene, profile))
        if not leaving.has_left:  # it did not tell, although it says that it does
            self._outbox.is_told = False
        return ev.Accepted(command.scene.id, command.number, operation)

    async def _poll(self, command: Poll, profile: Profile) -> ev.Event:
        progress = checked_progress(await self._backend.poll(command.operation, profile))
        if progress.artifact is not None:
            return ev.Generated(command.scene.id, command.number, progress.artifact, progress.cost)
        if progress.outcome is not None:
            return ev.JobFailed(command.scene.id, command.number, progress.outcome)
        return ev.Progressed(command.scene.id, command.number, progress.status, progress.progress, progress.poll_after)

    async def _fetch(self, command: Fetch, profile: Profile) -> ev.Event:
        sink = self._sink_for(command.scene.id, command.number)
        try:
            await self._backend.fetch(command.operation, command.artifact, profile, sink)
        except BaseException:
            sink.discard()
            raise
        return ev.Fetched(command.scene.id, command.number, sink.path)

    async def _cancel(self, command: Cancel, profile: Profile) -> ev.Event:
        answer = checked_cancel(await self._backend.cancel(command.operation, profile))
        return ev.CancelAnswered(command.scene.id, command.number, answer)
