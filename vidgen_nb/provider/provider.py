"""The pure model of a rate-limited service: it admits jobs, lets them take their time, and fails as configured.

Theory of operation. A job's whole life is known when it is accepted: it starts at once or, on a profile with a
capacity, when a slot is free (first come, first served), and ends one service time later. So nothing ticks: `poll`
compares with the time that is passed in, and virtual time can jump to `job.finish`. Limits are counted per quota group.
If a group's concurrency queues, a job first waits for a slot of the group, then for one of the profile; only in that
case does a cancelled job let those behind it move up.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, Literal

from vidgen_nb.core.model import RateInfo
from vidgen_nb.errors import InputError
from vidgen_nb.provider.accounts import Account, JobQueue, QuotaGroup
from vidgen_nb.provider.combined_limits import parts_of
from vidgen_nb.provider.faults import Fault, Faults
from vidgen_nb.provider.limits import with_queue
from vidgen_nb.provider.load import Load, SharedWork, as_load
from vidgen_nb.provider.model import Job, JobFailure, JobState, Refused, SimulatedProfile
from vidgen_nb.provider.rate import rate_info
from vidgen_nb.provider.service import uniform, uniforms
from vidgen_nb.provider.weights import NOTHING

__all__ = ["Provider"]

_FAILURES: Final[Mapping[str, JobFailure]] = {"job_failure": "internal", "job_content": "content", "job_empty": "empty"}


class Provider:
    """A rate-limited service with some profiles; the same seed gives the same service times and faults.

    `expires_after`: seconds after the job's end during which its result can be fetched; None: forever. `load`: what
    becomes of it under load; None: nothing. Raises `InputError` for no profiles, repeated names, or two limits in one
    quota group.
    """

    def __init__(
        self,
        profiles: Iterable[SimulatedProfile],
        seed: int | str = 0,
        faults: Iterable[Fault] = (),
        *,
        expires_after: float | None = None,
        load: Load | None = None,
    ) -> None:
        self.seed = seed
        self.work = None if load is None else SharedWork(as_load(load), seed)
        """The jobs that share what it can do, if it depends on the load; else each job's end is known at its start."""
        self.faults = Faults(faults, seed)
        self.expires_after = expires_after
        self.accepted = 0
        """Jobs accepted so far."""
        self._accounts: dict[str, Account] = {}
        self._quantiles: dict[str, float] = {}
        """Of the service times of scenes that were announced."""
        self._times: dict[str, float] = {}
        """These service times, where they are the same on all profiles."""
        groups: dict[tuple[str, str], QuotaGroup] = {}
        for profile in profiles:
            self._open(profile, groups)
        if not self._accounts:
            raise InputError("a provider needs at least one SimulatedProfile")
        self._join_limits()

    def _open(self, profile: SimulatedProfile, groups: dict[tuple[str, str], QuotaGroup]) -> None:
        if not isinstance(profile, SimulatedProfile):
            raise InputError(f"a provider's profiles are given as SimulatedProfile(...), not {profile!r}")
        if profile.name in self._accounts:
            raise InputError(f"two profiles are named {profile.name!r}: give each its own name")
        # a profile without a group is alone, even if a group has its name
        key = ("alone", profile.name) if profile.quota_group is None else ("group", profile.quota_group)
        group = groups.setdefault(key, QuotaGroup())
        if profile.limit is not None and group.limit is None:
            group.set_limit(profile.limit)
        elif profile.limit is not None and profile.limit != group.limit:
            raise InputError(
                f"quota group {profile.quota_group!r} has two limits, {group.limit} and {profile.limit}: "
                "give its profiles the same one, or give it to one of them only"
            )
        self._accounts[profile.name] = Account(profile, group, self._organisation(profile, groups))

    def _organisation(self, profile: SimulatedProfile, groups: dict[tuple[str, str], QuotaGroup]) -> QuotaGroup | None:
        """Return the state of a profile's organisation."""
        if profile.organisation is None:
            return None
        name, limit = profile.organisation.name, profile.organisation.limit
        found = groups.setdefault(("organisation", name), QuotaGroup())
        if found.limit is None:
            found.set_limit(limit)
        elif found.limit != limit:
            raise InputError(f"organisation {name!r} has two limits, {found.limit} and {limit}: give it one")
        return found

    def _join_limits(self) -> None:
        for account in self._accounts.values():
            account.join_limits()
            if self.work is not None and account.group.queue is not None:
                raise InputError(f"profile {account.profile.name!r}: with load=, no job queues: leave Concurrency out")

    def queue_over_concurrency(self) -> None:
        """Queue jobs beyond a concurrency instead of refusing them; call it before the first job."""
        for account in self._accounts.values():
            profile, group = account.profile, account.group
            if profile.limit is not None:
                account.profile = replace(profile, limit=with_queue(profile.limit))
                group.set_limit(with_queue(profile.limit))
        self._join_limits()

    @property
    def profiles(self) -> Mapping[str, SimulatedProfile]:
        """The profiles by name."""
        return MappingProxyType({name: account.profile for name, account in self._accounts.items()})

    def announce(self, scenes: Iterable[str], known: Mapping[str, float] | None = None) -> None:
        """Draw the service times of scenes that will come: the same numbers, several times as fast.

        `known`: scenes whose quantile, 0 to 1, is not drawn from the seed.
        """
        ids = list(scenes)
        quantiles = dict(zip(ids, uniforms(self.seed, "service", last=ids), strict=True))
        quantiles |= known or {}
        services = {account.profile.service for account in self._accounts.values()}
        if len(services) == 1:
            self._times |= zip(quantiles, services.pop().all_seconds(quantiles.values()), strict=True)
        else:
            self._quantiles |= quantiles

    def submit(
        self, profile: str, scene: str, now: float, prompt: str = "", params: Mapping[str, Any] = NOTHING
    ) -> Job | Refused:
        """Accept a scene at `now`, or refuse it. A `lost` job was accepted, but its client gets no answer.

        `params`: the scene's parameters, for limits that count their weight.
        """
        account = self._accounts[profile]
        if self.faults.watched and (fault := self.faults.find("submit", profile, scene, prompt, now)) is not None:
            account.refused(now, params)
            return Refused(fault.kind, fault.retry_after, fault.retry_after)  # type: ignore[arg-type]
        if account.weighs and (reason := account.too_heavy(params)):
            account.refused(now, params)
            return Refused("bad_request", reason=reason)
        if self.work is not None:
            self._advance(self.work, now)
            if self.work.refuses(profile, scene):
                account.refused(now, params)
                return Refused("overload")
        if account.holds:
            account.settle(now)
        refusal = account.state.admit(now, params) if account.weighs else account.state.admit(now)
        if refusal is not None:
            retry_after = refusal.retry_after if account.profile.retry_after else None
            return Refused(refusal.cause, retry_after, refusal.retry_after)
        return self._accept(account, scene, prompt, now)

    def _accept(self, account: Account, scene: str, prompt: str, now: float) -> Job:
        name, queue = account.profile.name, account.group.queue
        seconds = self._times.get(scene) or self._seconds(account, scene)
        self.accepted = number = self.accepted + 1
        if self.work is not None:
            job = Job(number, name, scene, prompt, now, now, now + seconds)
            self.work.start(job, seconds)
        else:
            start = account.start(now if queue is None else queue.admission(now), seconds)
            job = Job(number, name, scene, prompt, now, start, start + seconds)
            if queue is not None:
                queue.take(job, now)
            if account.holds:
                account.admitted(job)
        if self.faults.watched and (fault := self.faults.find("accept", name, scene, prompt, now)) is not None:
            job.lost = fault.kind == "lost_answer"
            job.failure = _FAILURES.get(fault.kind)
        return job

    def _seconds(self, account: Account, scene: str) -> float:
        if (seconds := self._times.get(scene)) is not None:
            return seconds
        u = self._quantiles.get(scene)
        return account.profile.service.seconds(uniform(self.seed, "service", scene) if u is None else u)

    def rate(self, profile: str, now: float) -> RateInfo | None:
        """Return the rate-limit headers of an answer to a submit; None if the profile's answers have none."""
        account = self._accounts[profile]
        return rate_info(account.state, now) if account.profile.rate_headers else None

    def fault_of(self, call: Literal["poll", "fetch"], job: Job, now: float) -> Fault | None:
        """Return the fault that hits a poll or fetch of this job, or None."""
        return self.faults.find(call, job.profile, job.scene, job.prompt, now)

    def _advance(self, work: SharedWork, now: float) -> None:
        for job in work.advance(now):
            if job.cancelled is None:
                self._accounts[job.profile].state.release()

    def end_of(self, job: Job, now: float) -> float:
        """Return when a job ends, or has ended; with `load`, if no other comes."""
        if self.work is not None:
            self._advance(self.work, now)
            job.finish = self.work.end_of(job)
        return job.finish

    def poll(self, job: Job, now: float) -> JobState:
        """Return how far a job is at `now`."""
        self.end_of(job, now)
        if job.cancelled is not None:
            return JobState("cancelled", 0.0, 0.0)
        if now >= job.finish:
            return JobState("succeeded" if job.failure is None else "failed", 1.0, 0.0)
        if now < job.start:
            return JobState("queued", 0.0, job.finish - now)
        return JobState("running", (now - job.start) / (job.finish - job.start), job.finish - now)

    def cancel(self, job: Job, now: float) -> bool:
        """Cancel a job; False if it had ended.

        Jobs that wait only for a profile's capacity keep the start they were given; those in a group's queue move up.
        """
        if job.cancelled is not None or now >= self.end_of(job, now):
            return False
        job.cancelled = now
        account = self._accounts[job.profile]
        account.state.release()
        if account.group.queue is not None:
            self._move_up(account, account.group.queue, now)
        elif self.work is None and job.finish in account.busy:
            # its slot is free at once, or, if it never started, when it would have started
            account.busy[account.busy.index(job.finish)] = max(now, job.start)
            heapq.heapify(account.busy)
        return True

    def _move_up(self, account: Account, queue: JobQueue, now: float) -> None:
        """Plan the jobs of a queue that have not started again, in the order of acceptance; `account` lost one."""
        running, waiting = queue.clear(now)
        for name in {account.profile.name, *(job.profile for job in running + waiting)}:
            self._accounts[name].busy.clear()
        for job in running:
            self._accounts[job.profile].occupy(job.finish)
            queue.hold(job)
        for job in waiting:
            its_account = self._accounts[job.profile]
            seconds = self._seconds(its_account, job.scene)
            job.start = its_account.start(queue.admission(now), seconds)
            job.finish = job.start + seconds
            queue.hold(job)
        for each in (account.group, account.organisation):
            if each is not None:
                each.sort_again()

    def adopt(self, job: Job) -> None:
        """Go on with a job that was accepted before; it holds its slot, or its place in the queue, until its end."""
        account = self._accounts[job.profile]
        if account.group.queue is not None:
            account.group.queue.take(job, job.created)
        for part in parts_of(account.state):
            if part.cause == "concurrency":
                part.take(job.created)
        if account.holds:
            account.admitted(job)

    def expires(self, job: Job) -> float | None:
        """Return the run second from which on the result is gone, or None."""
        return None if self.expires_after is None else job.finish + self.expires_after
