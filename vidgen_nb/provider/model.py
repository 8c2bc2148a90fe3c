"""What a provider is asked about: its accounts, jobs and refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from vidgen_nb.core.model import record
from vidgen_nb.errors import InputError
from vidgen_nb.provider.faults import RefusalKind
from vidgen_nb.provider.limits import Limit
from vidgen_nb.provider.service import Constant, Service

__all__ = ["Job", "JobFailure", "JobState", "Refused", "SimulatedProfile"]

JobFailure = Literal["internal", "content", "empty"]


@dataclass(frozen=True, slots=True)
class SimulatedProfile:
    """One account at a simulated provider.

    Raises `InputError` for a name, limit, service or capacity that can't be.
    """

    name: str
    limit: Limit | None = None
    """What its quota group is allowed; None: everything."""
    service: Service = field(default_factory=lambda: Constant(60))
    """How long its jobs take."""
    capacity: int | None = None
    """Jobs it generates at once; more wait in its queue. None: no bound."""
    retry_after: bool = True
    """Whether its refusals tell the true reset."""
    quota_group: str | None = None
    """Profiles that name the same group share one limit. Default: the profile alone."""
    api_key: str = field(default="", repr=False)
    """Default: `sk-emulated-<name>`."""
    rate_headers: bool = False
    """Whether answers to submits tell what is left of the limit, where that is one bucket or window."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise InputError(f"a simulated profile needs a non-empty text as its name, not {self.name!r}")
        if self.limit is not None and not isinstance(self.limit, Limit):
            raise InputError(f"profile {self.name!r}: limit is a limit such as TokenBucket, or None: {self.limit!r}")
        if not isinstance(self.service, Service):
            raise InputError(f"profile {self.name!r}: service is one such as Constant(60), not {self.service!r}")
        whole = isinstance(self.capacity, int) and not isinstance(self.capacity, bool)
        if self.capacity is not None and (not whole or self.capacity < 1):
            raise InputError(f"profile {self.name!r}: capacity is a whole number from 1 up, not {self.capacity!r}")
        if not self.api_key:
            object.__setattr__(self, "api_key", f"sk-emulated-{_plain(self.name)}")


def _plain(name: str) -> str:
    """Return a name in letters that every client can send, different for different names."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-.") else f"_{ord(c):x}_" for c in name)


@record
class Refused:
    """A call that was refused."""

    cause: RefusalKind
    retry_after: float | None = None
    """Seconds the provider says to wait, or None: it doesn't say."""
    reset: float | None = None
    """Seconds after which it would really be admitted, or None where that depends on running jobs or nobody knows."""


@dataclass(slots=True, eq=False)
class Job:
    """An accepted job. Times are seconds of the run."""

    number: int
    """From 1, in the order of acceptance."""
    profile: str
    scene: str
    prompt: str
    created: float
    start: float
    finish: float
    failure: JobFailure | None = None
    """Why it will fail at `finish`; None: it succeeds."""
    lost: bool = False
    """Whether the answer to its submit is lost: the client never learns of the job."""
    cancelled: float | None = None
    """When it was cancelled, if it was."""


@record
class JobState:
    """What a poll finds."""

    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: float
    """0 to 1."""
    remaining: float
    """Seconds until its end; 0 when it has ended."""
