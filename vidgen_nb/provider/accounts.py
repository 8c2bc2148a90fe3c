"""The state of a provider's accounts: the limits of groups and organisations, job queues, each profile's slots."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from heapq import heappop, heappush, heapreplace
from typing import Any

from vidgen_nb.provider.combined_limits import CombinedState, parts_of
from vidgen_nb.provider.limit_states import LimitState
from vidgen_nb.provider.limits import Limit, queues_over, too_heavy, weights_of
from vidgen_nb.provider.model import Job, SimulatedProfile

__all__ = ["Account", "JobQueue", "QuotaGroup"]


class JobQueue:
    """The jobs of a group whose `Concurrency` queues: they wait for one of its slots, first come, first served.

    At most `n` jobs hold a slot, each from its admission to its end; a job that comes when none is free waits.
    """

    __slots__ = ("_jobs", "_n", "_slots")

    def __init__(self, n: int) -> None:
        self._n = n
        self._slots: list[float] = []
        """A heap of the times at which slots become free; at most `n`."""
        self._jobs: deque[Job] = deque()
        """In the order of acceptance; a job that has ended is removed once it is the first."""

    def admission(self, now: float) -> float:
        """Return when a job that comes at `now` is admitted; never before one that came earlier."""
        return now if len(self._slots) < self._n else max(now, self._slots[0])

    def take(self, job: Job, now: float) -> None:
        """Give a job that comes at `now` the slot that `admission` promised, until its end."""
        self.hold(job)
        while self._jobs and _is_over(self._jobs[0], now):
            self._jobs.popleft()
        self._jobs.append(job)

    def hold(self, job: Job) -> None:
        """Keep a slot for a job until its end."""
        if len(self._slots) < self._n:
            heappush(self._slots, job.finish)
        else:
            heapreplace(self._slots, job.finish)

    def clear(self, now: float) -> tuple[list[Job], list[Job]]:
        """Free all slots; return the running jobs, and the waiting ones in order, so that they can be planned again."""
        unfinished = [job for job in self._jobs if not _is_over(job, now)]
        self._jobs = deque(unfinished)
        self._slots.clear()
        return [job for job in unfinished if job.start <= now], [job for job in unfinished if job.start > now]


class QuotaGroup:
    """A quota group, or an organisation: its limit's state, and a heap of the jobs that count until their end."""

    __slots__ = ("active", "holds", "limit", "queue", "state")

    def __init__(self) -> None:
        self.limit: Limit | None = None
        self.state: LimitState = CombinedState(())
        self.holds = False
        """Whether the limit counts running jobs."""
        self.active: list[tuple[float, int, Job]] = []
        self.queue: JobQueue | None = None
        """Of jobs beyond the concurrency, if they queue."""

    def set_limit(self, limit: Limit) -> None:
        """Set the limit, unused so far."""
        self.limit, self.state = limit, limit.state()
        self.holds = self.state.holds()
        concurrency = queues_over(limit)
        self.queue = None if concurrency is None else JobQueue(concurrency)

    def settle(self, now: float) -> None:
        """Release the jobs that have ended; cancelled ones were released when they were cancelled."""
        while self.active and self.active[0][0] <= now:
            if heappop(self.active)[2].cancelled is None:
                self.state.release()

    def hold(self, job: Job) -> None:
        """Keep a job until its end, if that matters to the limit."""
        if self.holds:
            heappush(self.active, (job.finish, job.number, job))

    def sort_again(self) -> None:
        """Order the jobs by their ends, which have changed."""
        self.active = sorted((job.finish, job.number, job) for _, _, job in self.active)


class Account:
    """A profile at work: `busy` is a heap of the times at which its slots become free."""

    __slots__ = ("busy", "capacity", "group", "holds", "organisation", "profile", "state", "weighs")

    def __init__(self, profile: SimulatedProfile, group: QuotaGroup, organisation: QuotaGroup | None = None) -> None:
        self.profile = profile
        self.capacity = profile.capacity
        self.group = group
        self.organisation = organisation
        self.state: LimitState = group.state
        """What its submits need to be admitted by."""
        self.holds = False
        """Whether one of its limits counts running jobs."""
        self.weighs = False
        """Whether one of these limits counts a parameter of the scene."""
        self.busy: list[float] = []

    def join_limits(self) -> None:
        """Put the limits of its group and its organisation together; call it when these are known."""
        if self.organisation is None:
            self.state = self.group.state
        else:
            self.state = CombinedState((*parts_of(self.group.state), *parts_of(self.organisation.state)))
        self.holds = self.state.holds()
        self.weighs = any(map(weights_of, self._limits()))

    def _limits(self) -> list[Limit]:
        groups = (self.group, self.organisation)
        return [group.limit for group in groups if group is not None and group.limit is not None]

    def too_heavy(self, request: Mapping[str, Any]) -> str:
        """Return why its limits can never admit such a request; empty: they can."""
        return next(filter(None, (too_heavy(limit, request) for limit in self._limits())), "")

    def refused(self, now: float, request: Mapping[str, Any]) -> None:
        """Count a request that was refused for another reason than its limits, where refusals count."""
        self.state.ready_for(now, request)  # lets a window move on to the current one
        self.state.refuse(now, request)

    def settle(self, now: float) -> None:
        """Release the jobs that have ended."""
        self.group.settle(now)
        if self.organisation is not None:
            self.organisation.settle(now)

    def admitted(self, job: Job) -> None:
        """Keep a job until its end, where that matters."""
        self.group.hold(job)
        if self.organisation is not None:
            self.organisation.hold(job)

    def occupy(self, finish: float) -> None:
        """Take a slot for a job that runs until `finish`."""
        if self.capacity is not None:
            heappush(self.busy, finish)

    def start(self, now: float, seconds: float) -> float:
        """Reserve a slot for a job of that length, and return when it starts."""
        capacity, busy = self.capacity, self.busy
        if capacity is None:
            return now
        if len(busy) < capacity:
            heappush(busy, now + seconds)
            return now
        start = max(now, busy[0])
        heapreplace(busy, start + seconds)
        return start


def _is_over(job: Job, now: float) -> bool:
    return job.cancelled is not None or job.finish <= now
