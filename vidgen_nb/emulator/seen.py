"""What a service sees of its accounts, as the events of a run: the charts of a run then show everybody at once.

Theory of operation. A scene of an account is a scene of this run, named `account/scene`, with a lane for its account.
Submits are noted as they come. That a job has begun or ended is not asked for by anybody, so it is looked up when
somebody reads the events, and put in order of time with the submits since. What a service can't see is not in it: the
cooldowns of its clients, and whether a client fetches what is done. A scene has succeeded once its job is done.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Artifact, Operation, RateInfo, Scene
from vidgen_nb.core.outcomes import Cancelled, Failure, Permanent
from vidgen_nb.provider import Job, Provider, Refused
from vidgen_nb.provider.failures import failure
from vidgen_nb.provider.rate import rate_info
from vidgen_nb.provider.weights import NOTHING

__all__ = ["MAX_SEEN", "SeenProvider"]

MAX_SEEN: Final = 100_000
"""Submits that are noted; of later ones there are no events."""
MAX_NAME_CHARS, MAX_PROMPT_CHARS = 120, 400
"""Of a scene's name and its prompt: more of them is not kept."""
_DONE: Final = Artifact("inline")


@dataclass(slots=True)
class _Open:
    """A job that has not ended yet, as far as the events say."""

    scene: str
    number: int
    job: Job
    queued: bool
    """Whether the events say that it waits in the provider's queue."""


class SeenProvider(Provider):
    """A provider that notes what its accounts do; requests and readers may be on different threads."""

    def __init__(self, *given: Any, **options: Any) -> None:
        self._lock = threading.RLock()
        self._new: list[ev.Event] = []
        """Since the events were last read."""
        self._events: list[ev.Event] = []
        self._under_way: list[_Open] = []
        self._busy: set[str] = set()
        """Scenes with a job that has not ended."""
        self._settled: set[str] = set()
        self._tries: Counter[str] = Counter()
        self._submits = 0
        self._read_until = 0.0
        """The run second of the latest reading: nothing is noted before it."""
        super().__init__(*given, **options)
        for name, profile in self.profiles.items():
            group = profile.quota_group or ""
            self._new.append(ev.ProfileAdded(name, profile.capacity, group, profile.price, at=0.0))
        self._new.append(ev.RunStarted(at=0.0))

    @property
    def is_full(self) -> bool:
        """Whether so much was submitted that no more is noted."""
        return self._submits > MAX_SEEN

    def seen(self, now: float) -> list[ev.Event]:
        """Return the events up to `now`, in order; the list is the same one each time, and grows."""
        with self._lock:
            self._look_at_jobs(now)
            self._read_until = max(self._read_until, now)
            self._new.sort(key=attrgetter("at"))  # stable: what belongs together stays in order
            self._events += self._new
            self._new.clear()
            return self._events

    def left(self, profile: str, now: float) -> RateInfo | None:
        """Return what an account's limit would admit now; None where it is no single bucket or window."""
        with self._lock:
            return rate_info(self._accounts[profile].state, now)

    # -- what accounts do

    def submit(
        self, profile: str, scene: str, now: float, prompt: str = "", params: Mapping[str, Any] = NOTHING
    ) -> Job | Refused:
        """Accept a scene or refuse it, as any provider, and note it."""
        with self._lock:
            answer = super().submit(profile, scene, now, prompt, params)
            self._submits += 1
            if not self.is_full:
                self._note(profile, scene, prompt, max(now, self._read_until), answer)
            return answer

    def cancel(self, job: Job, now: float) -> bool:
        """Cancel a job; False if it had ended."""
        with self._lock:
            return super().cancel(job, now)

    def end_of(self, job: Job, now: float) -> float:
        """Return when a job ends, or has ended; with `load`, if no other comes."""
        with self._lock:
            return super().end_of(job, now)

    # -- events

    def _note(self, profile: str, scene: str, prompt: str, now: float, answer: Job | Refused) -> None:
        name = self._name(f"{profile}/{scene[:MAX_NAME_CHARS]}", now)
        if name not in self._tries or name in self._settled:
            self._new.append(
                ev.SceneAdded(Scene(name, (prompt if prompt.strip() else name)[:MAX_PROMPT_CHARS]), at=now)
            )
            self._settled.discard(name)
        self._tries[name] += 1
        number = self._tries[name]
        self._new.append(ev.AttemptStarted(name, number, profile, "submitted", at=now))
        if isinstance(answer, Refused):
            self._refused(name, number, profile, now, answer)
            return
        self._new.append(ev.Accepted(name, number, Operation(str(answer.number), "emulated"), at=now))
        if queued := answer.start > now:
            self._new.append(ev.Progressed(name, number, "queued", at=now))
        self._busy.add(name)
        self._under_way.append(_Open(name, number, answer, queued))

    def _name(self, name: str, now: float) -> str:
        """Return a scene's name; "(2)" is added if a job of that name is under way, such as an earlier kernel's."""
        if name in self._busy:
            self._look_at_jobs(now)
        found, count = name, 1
        while found in self._busy:
            count += 1
            found = f"{name} ({count})"
        return found

    def _refused(self, name: str, number: int, profile: str, now: float, answer: Refused) -> None:
        outcome = failure(answer.cause, answer.retry_after, reason=answer.reason)
        self._new.append(ev.CallFailed(name, number, "submit", outcome, at=now))
        if isinstance(outcome, Permanent):
            self._new.append(ev.SceneSettled(name, number, profile, "failed", outcome.reason, outcome, at=now))
            self._settled.add(name)
        else:
            # when its client comes back is the client's own affair, and no other account can take the scene
            event = ev.SceneRequeued(name, number, profile, outcome, outcome.reason, not_before=math.inf, at=now)
            self._new.append(event)

    def _look_at_jobs(self, now: float) -> None:
        """Note which jobs have begun or ended since."""
        still: list[_Open] = []
        for each in self._under_way:
            job = each.job
            end = self.end_of(job, now) if job.cancelled is None else job.cancelled
            if each.queued and job.start <= min(now, end):
                each.queued = False
                self._new.append(ev.Progressed(each.scene, each.number, "running", at=job.start))
            if end > now:
                still.append(each)
            else:
                self._ended(each, end)
        self._under_way = still

    def _ended(self, ended: _Open, at: float) -> None:
        scene, number, job = ended.scene, ended.number, ended.job
        self._busy.discard(scene)
        self._settled.add(scene)
        if job.cancelled is None and job.failure is None:
            self._new += [ev.Generated(scene, number, _DONE, at=at), ev.Fetched(scene, number, at=at)]
            return
        status: ev.SettledStatus = "failed"
        why: Failure
        if job.cancelled is not None:
            why, status = Cancelled(), "cancelled"
        else:
            why = failure("job_failure" if job.failure in (None, "internal") else job.failure, None)
        self._new.append(ev.JobFailed(scene, number, why, at=at))
        self._new.append(ev.SceneSettled(scene, number, job.profile, status, why.reason, why, at=at))
