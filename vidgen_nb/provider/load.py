"""A provider that becomes slow, or refuses, under load: all its jobs share what it can do.

Theory of operation. Every job that it works on advances at the same speed v(k), where k is how many there are. With
the work done per job, V(t) = ∫ v dt, a job that came at t and takes s seconds alone ends when V has grown by s; so the
order of their ends never changes, and each end costs O(log k).
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass

from vidgen_nb.errors import InputError
from vidgen_nb.provider.model import Job
from vidgen_nb.provider.service import uniform

__all__ = ["Load", "SharedWork", "as_load"]

EARLY = 1e-9
"""A job that ends at most this share of a second later is done: ends are sums of many parts, which are rounded."""
LOOKED_AT = 32
"""How many ends are looked at to say when a job will end; asked again then, the answer is more exact."""


@dataclass(frozen=True, slots=True)
class Load:
    """What becomes of a provider, with all its profiles, that works on more than `jobs` jobs at once.

    With k > `jobs` of them, each is worked on at the speed (jobs / k) ** slowdown, and a submit is refused with a 503
    with the probability errors · (1 - jobs / k), itself counted. So `slowdown=1` shares what it can do (processor
    sharing: M/M/c, and M/M/1-PS for one), above 1 it does less the more it has to do (thrashing), and `errors` sheds
    load. A job that its client cancelled or gave up is worked on to its end: nobody tells the machine that does it.

    No job waits in a queue: `SimulatedProfile.capacity` is kept by clients, and `Concurrency(n, over="queue")` is an
    error. Overload that feeds itself: Bronson et al., "Metastable Failures in Distributed Systems" (HotOS 2021).
    Raises `InputError` for `jobs` below 1, `slowdown` below 0, or `errors` outside 0 to 1.

    >>> simulate(60, profiles, load=Load(10, slowdown=2), attempt_timeout=60)
    """

    jobs: int
    slowdown: float = 1.0
    errors: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.jobs, bool) or not isinstance(self.jobs, int) or self.jobs < 1:
            raise InputError(f"Load: jobs is a whole number from 1 up, not {self.jobs!r}")
        for name, value, most in (("slowdown", self.slowdown, math.inf), ("errors", self.errors, 1.0)):
            number = isinstance(value, int | float) and not isinstance(value, bool) and value < math.inf
            if not number or not 0 <= value <= most:
                raise InputError(
                    f"Load: {name} is a finite number, 0 or more{' and at most 1' * (most == 1)}: {value!r}"
                )

    def speed(self, count: int) -> float:
        """Return how fast each of so many jobs is worked on; 1: as if it were alone."""
        return 1.0 if count <= self.jobs else (self.jobs / count) ** self.slowdown

    def refusing(self, count: int) -> float:
        """Return the probability that the job is refused that would make them so many."""
        return 0.0 if count <= self.jobs else self.errors * (1 - self.jobs / count)


def as_load(load: Load) -> Load:
    """Return the load; `InputError` for anything else."""
    if not isinstance(load, Load):
        raise InputError(f"load is Load(jobs, …) or None, not {load!r}")
    return load


class SharedWork:
    """The jobs that a provider works on together."""

    def __init__(self, load: Load, seed: object) -> None:
        self.load = load
        self._seed = seed
        self._now = 0.0
        self._done = 0.0
        """V: the work done so far for a job that was always there."""
        self._ends: list[tuple[float, int, Job]] = []
        """-V at each job's end, minus its number, and the job; sorted, the next one last."""
        self._work: dict[int, float] = {}
        """V at each job's end, by its number."""
        self._asked: Counter[tuple[str, str]] = Counter()

    def advance(self, now: float) -> list[Job]:
        """Work until `now`, and return the jobs that have ended; each has its true end then."""
        ended: list[Job] = []
        while self._ends:
            speed = self.load.speed(len(self._ends))
            at = self._now + (-self._ends[-1][0] - self._done) / speed
            if at > now + EARLY:
                self._done += (now - self._now) * speed if now > self._now else 0.0
                break
            end, _, job = self._ends.pop()
            del self._work[job.number]
            self._now, self._done, job.finish = max(self._now, at), -end, min(at, now)
            ended.append(job)
        else:
            self._done = 0.0  # V would lose its last digits in a long run
        self._now = max(self._now, now)
        return ended

    def start(self, job: Job, seconds: float) -> None:
        """Begin with a job that takes so long alone; after `advance`."""
        self._work[job.number] = end = self._done + seconds
        insort(self._ends, (-end, -job.number, job))
        job.finish = self.end_of(job)

    def end_of(self, job: Job) -> float:
        """Return when a job will end if no other comes, or earlier if many end before it; after `advance`.

        Of many ends, only `LOOKED_AT` are looked at: between two of them as few jobs as at the second share the work.
        """
        work = self._work.get(job.number)
        if work is None:
            return job.finish
        count = len(self._ends)
        ahead = count - bisect_left(self._ends, (-work, -job.number))  # the jobs that end first, with this one
        step = 1 + ahead // LOOKED_AT
        at, done = self._now, self._done
        for ended in (*range(step, ahead, step), ahead):
            end = -self._ends[count - ended][0]
            at += (end - done) / self.load.speed(count - ended + 1)
            done = end
        return max(at, self._now + EARLY)

    def refuses(self, profile: str, scene: str) -> bool:
        """Say whether a submit is refused because of the load; drawn from (seed, profile, scene, count)."""
        chance = self.load.refusing(len(self._ends) + 1)
        if chance <= 0:
            return False
        self._asked[profile, scene] += 1
        return uniform(self._seed, "load", profile, scene, self._asked[profile, scene]) < chance
