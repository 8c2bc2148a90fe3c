"""What a provider deals with: accounts, jobs and refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from vidgen_nb.core.model import record
from vidgen_nb.core.money import Price, as_price
from vidgen_nb.errors import InputError
from vidgen_nb.provider.faults import RefusalKind
from vidgen_nb.provider.limits import Limit, queues_over
from vidgen_nb.provider.service import Constant, Service

__all__ = ["Job", "JobFailure", "JobState", "Organisation", "Refused", "SimulatedProfile", "default_key"]

JobFailure = Literal["internal", "content", "empty"]


@dataclass(frozen=True, slots=True)
class Organisation:
    """What accounts belong to: its limit applies to all of them together, on top of each account's own.

    A client is not told: a refusal looks the same whichever limit is behind it, as at OpenAI and Google, where limits
    of an organisation or a project stand above its keys. Raises `InputError` for an impossible name or limit; of jobs
    in a queue only a profile's own limit may be made (`Concurrency(n, over="queue")`).

    >>> team = Organisation("team", TokenBucket(20, per=60))
    >>> profiles = [SimulatedProfile(name, TokenBucket(8, per=60), organisation=team) for name in "abc"]
    """

    name: str
    limit: Limit

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise InputError(f"an organisation needs a non-empty text as its name, not {self.name!r}")
        if not isinstance(self.limit, Limit):
            raise InputError(f"organisation {self.name!r}: limit is one such as TokenBucket, not {self.limit!r}")
        if queues_over(self.limit) is not None:
            raise InputError(f"organisation {self.name!r}: jobs queue at a profile's limit, not at an organisation's")


@dataclass(frozen=True, slots=True)
class SimulatedProfile:
    """One account at a simulated provider.

    Raises `InputError` for an impossible name, limit, service or capacity.
    """

    name: str
    limit: Limit | None = None
    """The limit of its quota group; None: there is none."""
    service: Service = field(default_factory=lambda: Constant(60))
    """How long its jobs take."""
    capacity: int | None = None
    """Jobs it generates at once; further ones wait in its queue. None: no bound."""
    retry_after: bool = True
    """Whether its refusals tell the true reset."""
    quota_group: str | None = None
    """Profiles with the same group share one limit. Default: the profile alone."""
    api_key: str = field(default="", repr=False)
    """Default: `sk-emulated-<name>`."""
    rate_headers: bool = False
    """Whether answers to submits have rate-limit headers, if the limit is a single bucket or window of requests."""
    organisation: Organisation | None = None
    """What it belongs to with other profiles, whose limit comes on top; None: nothing."""
    price: Price | None = None
    """What a job costs: also as a number per job, such as 0.40, or a text such as `"0.10/s"`; None: not known."""

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
        if self.organisation is not None and not isinstance(self.organisation, Organisation):
            raise InputError(
                f"profile {self.name!r}: organisation is Organisation(name, limit), or None: {self.organisation!r}"
            )
        group = self.quota_group
        if group is not None and (not isinstance(group, str) or not group.strip()):
            raise InputError(f"profile {self.name!r}: quota_group is a non-empty text, or None, not {group!r}")
        for name in ("retry_after", "rate_headers"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"profile {self.name!r}: {name} is True or False, not {getattr(self, name)!r}")
        object.__setattr__(self, "price", as_price(self.price, f"profile {self.name!r}: price"))
        if not self.api_key:
            object.__setattr__(self, "api_key", default_key(self.name))


def default_key(name: str) -> str:
    """Return the key of a profile that is given none; anybody who knows its name can guess it."""
    return f"sk-emulated-{_plain(name)}"


def _plain(name: str) -> str:
    """Return a name in characters that every client can send, different for different names."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-.") else f"_{ord(c):x}_" for c in name)


@record
class Refused:
    """A call that was refused."""

    cause: RefusalKind
    retry_after: float | None = None
    """Seconds the provider asks to wait; None: it doesn't say."""
    reset: float | None = None
    """Seconds until it would really be admitted; None if that depends on running jobs or is unknown."""
    reason: str = ""
    """What is wrong with the request, if it can never be accepted."""


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
    """Whether the answer to its submit is lost, so that the client never learns of the job."""
    cancelled: float | None = None
    """When it was cancelled, if it was."""


@record
class JobState:
    """What a poll finds."""

    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: float
    """0 to 1."""
    remaining: float
    """Seconds until its end; 0 if it has ended."""
