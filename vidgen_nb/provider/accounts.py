"""The state of a provider's accounts: each group's limit and job queue, each profile's slots."""

from __future__ import annotations

import heapq
from collections import deque

from vidgen_nb.provider.limit_states import CombinedState, LimitState
from vidgen_nb.provider.limits import Limit, queues_over
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
            heapq.heappush(self._slots, job.finish)
        else:
            heapq.heapreplace(self._slots, job.finish)

    def clear(self, now: float) -> tuple[list[Job], list[Job]]:
        """Free all slots; return the running jobs, and the waiting ones in order, so that they can be planned again."""
        unfinished = [job for job in self._jobs if not _is_over(job, now)]
        self._jobs = deque(unfinished)
        self._slots.clear()
        return [job for job in unfinished if job.start <= now], [job for job in unfinished if job.start > now]


class QuotaGroup:
    """A quota group: its limit's state and, if the limit counts running jobs, a heap of them by their end."""

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
            if heapq.heappop(self.active)[2].cancelled is None:
                self.state.release()


class Account:
    """A profile at work: `busy` is a heap of the times at which its slots become free."""

    __slots__ = ("busy", "group", "profile")

    def __init__(self, profile: SimulatedProfile, group: QuotaGroup) -> None:
        self.profile = profile
        self.group = group
        self.busy: list[float] = []

    def hold(self, finish: float) -> None:
        """Take a slot for a job that runs until `finish`."""
        if self.profile.capacity is not None:
            heapq.heappush(self.busy, finish)

    def start(self, now: float, seconds: float) -> float:
        """Reserve a slot for a job of that length, and return when it starts."""
        capacity = self.profile.capacity
        if capacity is None:
            return now
        if len(self.busy) < capacity:
            heapq.heappush(self.busy, now + seconds)
            return now
        start = max(now, self.busy[0])
        heapq.heapreplace(self.busy, start + seconds)
        return start


def _is_over(job: Job, now: float) -> bool:
    return job.cancelled is not None or job.finish <= now
