"""The interface between a session and a service through which sessions share cooldowns.

Only spans of wall time are exchanged, never points in time: the clocks and speeds of sessions differ.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from vidgen_nb.core.model import record

__all__ = ["AccountCooldown", "Connection", "CooldownListener", "SharedCooldowns"]


@record
class AccountCooldown:
    """A time in which an account takes no submissions."""

    account: str
    """From `account_of`; not the API key."""
    seconds_left: float
    """Wall seconds from now."""
    reason: str
    unusable: bool = False
    """Whether this is an exhausted daily quota and not a mere cooldown."""


CooldownListener = Callable[[AccountCooldown], None]
"""Called with each cooldown that another session published or extended; runs on the session's loop."""


class Connection(Protocol):
    """One session's connection to the service. Lives on the session's loop; only `ready` and `aclose` wait."""

    @property
    def is_ready(self) -> bool:
        """Whether `ready` would return at once."""

    async def ready(self) -> None:
        """Return once the cooldowns of the others have been read, or can't be."""

    def watch(self, accounts: Collection[str]) -> None:
        """Listen to these accounts, and to no others, from now on."""

    def publish(self, cooldown: AccountCooldown) -> None:
        """Send a cooldown to the others: now, or as soon as they can be reached."""

    async def aclose(self) -> None:
        """Send what is still unsent, and disconnect."""


class SharedCooldowns(Protocol):
    """A service through which sessions share cooldowns. A cooldown there never becomes shorter (R6)."""

    @property
    def salt(self) -> str:
        """The salt for hashing account names: the same for all sessions that share."""

    def join(self, on_cooldown: CooldownListener) -> Connection:
        """Connect on the running loop."""
