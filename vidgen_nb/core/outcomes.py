"""How an attempt, or one call of it, ended: classified by status and code, never by prose (R13).

A backend classifies; the scheduler decides what follows. `reason` is one short sentence for logs and tables, and never
contains a key.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from vidgen_nb.core.model import RateInfo, record

__all__ = [
    "Ambiguous",
    "Cancelled",
    "Failure",
    "Permanent",
    "ProfileUnusable",
    "RateLimited",
    "Transient",
    "Unwritable",
]


@record
class RateLimited:
    """A 429 for a rate, not for a quota: the quota group cools, the scene moves on (R1-R3)."""

    kind: ClassVar[str] = "rate_limited"
    retry_after: float | None = None
    """Seconds the server asked to wait, finite and not negative, or None if it did not say."""
    source: str = ""
    """The header that said so, such as `Retry-After` or `retry-after-ms`."""
    reason: str = "429"
    cause: Literal["rate", "concurrency"] = "rate"
    """`concurrency` if the server's code says that too many jobs run at once."""
    rate: RateInfo | None = None
    """The rate limit according to the answer's headers, or None."""


@record
class Transient:
    """A 5xx of the server itself, or a transport error before anything was sent: may be retried (R9)."""

    kind: ClassVar[str] = "transient"
    reason: str
    retry_after: float | None = None
    """Seconds the server asked to wait, or None."""
    local: bool = False
    """Whether this machine is what is in trouble, such as with too many open files: it counts against nobody."""


@record
class Permanent:
    """Would fail in the same way again: content policy, bad request, no such model (R10)."""

    kind: ClassVar[str] = "permanent"
    reason: str
    cause: Literal["content", "bad_request", "no_such_model", "no_result"] = "bad_request"


@record
class ProfileUnusable:
    """The profile can't be used: bad key, no credit, daily quota (R11)."""

    kind: ClassVar[str] = "unusable"
    reason: str
    cause: Literal["auth", "day_quota", "credit"] = "auth"
    retry_after: float | None = None
    """Seconds until it may be used again, or None if unknown."""


@record
class Ambiguous:
    """A submit that may have been accepted; sending it again could cost twice (R12)."""

    kind: ClassVar[str] = "ambiguous"
    reason: str


@record
class Cancelled:
    """The provider says that the job was cancelled."""

    kind: ClassVar[str] = "cancelled"
    reason: str = "cancelled"


@record
class Unwritable:
    """A result can't be written here, for example on a full disk: neither the job nor the profile failed."""

    kind: ClassVar[str] = "unwritable"
    reason: str


Failure = RateLimited | Transient | Permanent | ProfileUnusable | Ambiguous | Cancelled | Unwritable
