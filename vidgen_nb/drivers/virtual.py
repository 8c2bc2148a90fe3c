"""The virtual driver: the same scheduler against the provider model, in discrete events, with no clock and no asyncio.

Theory of operation. Time jumps to whatever is next: an answer of the provider, the scheduler's wakeup, or a planned
request. At any one moment, wakeups come first, then answers and requests in the order in which they were scheduled, so
that a run is the same on every machine. A call is answered `latency` seconds after it was made, as by the emulator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush, heapreplace
from itertools import count
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Cancel, Command, Fetch, Poll
from vidgen_nb.core.model import Artifact, Operation
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Transient
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.core.state import SceneState
from vidgen_nb.drivers.standstill import PATIENCE_SECONDS, Standstill
from vidgen_nb.provider import Job, Provider, Refused
from vidgen_nb.provider.failures import failure

__all__ = ["VirtualDriver", "run_together"]

_INLINE = Artifact("inline")

RESTARTING = (ev.SceneAdded, ev.RunStarted)
"""Requests after which a run that has ended continues."""

Due = tuple[float, int, Any]
"""Run seconds, order, and a command to answer or a request to hand in."""


class VirtualDriver:
    """Runs a scheduler against a provider until the run ends, or nothing more can happen.

    `requests`: (run seconds, event) of what a user does meanwhile, such as `Paused` or `ProfileRemoved`, in any order;
    requests after the run's end are ignored.
    `attempt_timeout`: seconds after which a client gives up a job that is not done, and its scene is submitted again;
    the provider goes on with the job.
    `until`: run seconds after which nothing new is submitted, as after `Stopped`. `latency`: of each call, in seconds.
    Without `until`, a run in which nothing is accepted any more is given up (`standstill`): `planned` says until when
    something may change that, and `patience` how long nothing may be accepted after that.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        provider: Provider,
        requests: Iterable[tuple[float, ev.Event]] = (),
        *,
        latency: float = 0.0,
        until: float = math.inf,
        planned: float = 0.0,
        patience: float = PATIENCE_SECONDS,
        attempt_timeout: float = math.inf,
        asked: Iterable[ev.Event] = (),
    ) -> None:
        self.scheduler = scheduler
        self.asked = list(asked)
        """The requests that were taken in, in order: those before the start are given as `asked`."""
        self._provider = provider
        self._fault_free = not provider.faults and provider.expires_after is None
        """Whether no poll or fetch can fail."""
        self._has_rate_headers = any(each.rate_headers for each in provider.profiles.values())
        """Whether answers to submits have rate-limit headers."""
        self._depends_on_load = provider.work is not None
        """Whether the end of a job is known only when it has come."""
        self._attempt_timeout = attempt_timeout
        self._latency = latency
        has_answers = self._fault_free and not latency and not self._depends_on_load
        self.at_hand = self._last_answers if has_answers else None
        """Gives the last answers about a job at once, where nothing can come between; see `Scheduler.advance`."""
        self._order = count()
        self._due: list[Due] = []
        self._jobs: dict[str, Job] = {}
        """By operation, those that have not been fetched."""
        self._restarts_to_come = 0
        for at, request in requests:
            heappush(self._due, (at, next(self._order), request))
            self._restarts_to_come += isinstance(request, RESTARTING)
        self._standstill = Standstill(scheduler, planned if until == math.inf else math.inf, patience)
        if until < math.inf:
            heappush(self._due, (until, next(self._order), ev.Stopped(f"until={until:g} s is over")))
        self._answers: dict[type[Command | SceneState], Callable[[Any, float], ev.Event | None]] = {
            SceneState: self._submit,
            Poll: self._poll,
            Fetch: self._fetch,
            Cancel: self._cancel,
        }

    def run(self) -> None:
        """Continue until the run has ended, or until nothing more can happen: it is paused, or was never started.

        Raises `InputError` for a run that would go on forever.
        """
        for _ in self.steps():
            pass

    def steps(self) -> Iterator[float]:
        """Run, and yield before each step the run second at which it happens; so several drivers can take turns."""
        scheduler, due, standstill = self.scheduler, self._due, self._standstill
        feed, advance, next_wakeup, to_do = (
            scheduler.feed,
            scheduler.advance,
            scheduler.next_wakeup,
            scheduler.to_do,
        )
        feed_answer, submit = scheduler.feed_answer, self._submit
        answers, latency, at_hand = self._answers, self._latency, self.at_hand
        now = 0.0
        advance(now)
        while True:
            while to_do:  # calls; without latency they are answered at once, and so are those that follow from that
                command = to_do.popleft()
                if latency:
                    heappush(due, (now + latency, next(self._order), command))
                elif type(command) is SceneState:
                    feed_answer(command, submit(command, now), now)
                elif (answer := answers[type(command)](command, now)) is not None:
                    feed(answer, now)
            wakeup = next_wakeup()
            if wakeup is not None and (not due or wakeup <= due[0][0]):
                if wakeup > now:
                    now = wakeup
                yield now
                if now > standstill.since:
                    standstill.check(now)
                advance(now, at_hand)
            elif due and (
                self._restarts_to_come or not scheduler.ended
            ):  # other requests would only make a run longer that has ended
                at, _, item = heappop(due)
                now = max(now, at)
                yield now
                self._deliver(item, now)
            else:
                return

    def _last_answers(self, state: SceneState, now: float) -> tuple[ev.Generated, ev.Fetched] | None:
        """Return that a scene's job is done, and its result here; None while it is not, or need not be asked about."""
        operation, scene, number = state.operation, state.scene.id, state.number
        if state.status != "generating" or state.call_at > now or operation is None:
            return None
        job = self._jobs[operation.id]
        if now < job.finish or job.cancelled is not None:
            return None
        del self._jobs[operation.id]
        return ev.Generated(scene, number, _INLINE), ev.Fetched(scene, number)

    def _deliver(self, item: Any, now: float) -> None:
        """Handle what is due: a call to answer, or a request."""
        scheduler = self.scheduler
        answer = self._answers.get(type(item))
        event = item if answer is None else answer(item, now)
        if answer is None:
            if type(event) is not ev.Fetched:  # a slow one
                self.asked.append(item)
            self._standstill.note_progress(now)
            self._restarts_to_come -= isinstance(item, RESTARTING)
        if event is not None:
            scheduler.feed(event, now)
        if type(event) is ev.SceneAdded and scheduler.ended and not scheduler.stopped:
            self.asked.append(started := ev.RunStarted())
            scheduler.feed(started, now)

    # -- the provider's answers

    def _submit(self, state: SceneState, now: float) -> ev.Event:
        scene, number, account, provider = state.scene, state.number, state.profile, self._provider
        assert account is not None  # noqa: S101 - an attempt in flight has one
        profile = account.name
        job = provider.submit(profile, scene.id, now, scene.prompt, scene.params)
        rate = provider.rate(profile, now) if self._has_rate_headers else None
        if isinstance(job, Refused):
            self._standstill.refusals += 1
            return ev.CallFailed(scene.id, number, "submit", failure(job.cause, job.retry_after, rate, job.reason))
        finish = job.finish
        if finish > self._standstill.since:
            self._standstill.note_progress(finish)
        if job.lost:
            return ev.CallFailed(scene.id, number, "submit", Ambiguous("the answer to the submit was lost"))
        if job.start > now:  # it is asked about at once, so that the record says that it waits in the provider's queue
            finish = now
        elif finish > now + self._attempt_timeout:
            finish = now + self._attempt_timeout
        id = f"{profile}/{job.number}"  # noqa: A001 - the field's name
        self._jobs[id] = job
        return ev.Accepted(scene.id, number, Operation(id, "simulated", None, _seconds_until(finish, now), rate))

    def _poll(self, command: Poll, now: float) -> ev.Event:
        job = self._jobs[command.operation.id]
        scene, number = command.scene.id, command.number
        fault = None if self._fault_free else self._provider.fault_of("poll", job, now)
        if fault is not None:
            return ev.CallFailed(scene, number, "poll", failure(fault.kind, fault.retry_after))
        if self._depends_on_load:
            self._provider.end_of(job, now)
        if now >= job.finish and job.failure is None and job.cancelled is None:
            return ev.Generated(scene, number, _INLINE)
        state = self._provider.poll(job, now)
        if state.status == "failed":
            kind = "job_failure" if job.failure in (None, "internal") else job.failure
            return ev.JobFailed(scene, number, failure(kind, None))
        if state.status == "cancelled":
            return ev.JobFailed(scene, number, Cancelled())
        given_up = job.created + self._attempt_timeout
        if now >= given_up:
            reason = f"given up: not done {self._attempt_timeout:g} s after its submit; the provider works on"
            return ev.JobFailed(scene, number, Transient(reason))
        until = min(job.start if state.status == "queued" else job.finish, given_up)
        return ev.Progressed(scene, number, state.status, state.progress, _seconds_until(until, now))

    def _fetch(self, command: Fetch, now: float) -> ev.Event | None:
        scene, number = command.scene.id, command.number
        if self._fault_free:
            del self._jobs[command.operation.id]
            return ev.Fetched(scene, number)
        job = self._jobs[command.operation.id]
        fault = self._provider.fault_of("fetch", job, now)
        expires = self._provider.expires(job)
        if expires is not None and now >= expires:
            return ev.CallFailed(scene, number, "fetch", failure("expired", None))
        if fault is not None and fault.kind == "slow":
            heappush(self._due, (now + fault.seconds, next(self._order), ev.Fetched(scene, number)))
            return None
        if fault is not None:
            return ev.CallFailed(scene, number, "fetch", failure(fault.kind, fault.retry_after))
        del self._jobs[command.operation.id]
        return ev.Fetched(scene, number)

    def _cancel(self, command: Cancel, now: float) -> ev.Event:
        cancelled = self._provider.cancel(self._jobs[command.operation.id], now)
        return ev.CancelAnswered(command.scene.id, command.number, "cancelled" if cancelled else "too late")


def run_together(drivers: Iterable[VirtualDriver]) -> None:
    """Run several drivers of one provider until each has ended; at one moment, who came to wait first goes first."""
    order = count()
    waiting: list[tuple[float, int, Iterator[float]]] = []
    for driver in drivers:
        steps = driver.steps()
        if (at := next(steps, None)) is not None:
            heappush(waiting, (at, next(order), steps))
    while waiting:
        _, _, steps = waiting[0]
        if (at := next(steps, None)) is None:
            heappop(waiting)
        else:
            heapreplace(waiting, (at, next(order), steps))


def _seconds_until(finish: float, now: float) -> float:
    """Return the seconds until a job's start or end, rounded so that `now` plus these seconds is never before it."""
    seconds = finish - now if finish > now else 0.0
    return seconds if now + seconds >= finish else math.nextafter(seconds, math.inf)
