"""What a session and a place where cooldowns are shared agree on.

Only spans of wall time pass between them, never points in time: clocks and speeds of peers differ.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from vidgen_nb.core.model import record

__all__ = ["Heard", "Line", "SharedCooldowns", "Window"]


@record
class Window:
    """A time in which an account takes no submissions."""

    account: str
    """See `account_of`; not the key."""
    left: float
    """Wall seconds from now."""
    reason: str
    unusable: bool = False
    """Whether it is no mere cooldown but a day's quota that is used up."""


Heard = Callable[[Window], None]
"""Is told of a window that another peer knows, or that has become longer; runs on the session's loop."""


class Line(Protocol):
    """One session's connection to the place. Lives on the session's loop; nothing but `ready` and `aclose` waits."""

    @property
    def is_ready(self) -> bool:
        """Whether `ready` would return at once."""

    async def ready(self) -> None:
        """Return once what the others know was read, or can't be."""

    def watch(self, accounts: Collection[str]) -> None:
        """Hear of these accounts and no others from now on."""

    def publish(self, window: Window) -> None:
        """Tell the others; where they can't be reached now, as soon as they can."""

    async def aclose(self) -> None:
        """Hand over what was published, and leave."""


class SharedCooldowns(Protocol):
    """A place where cooldowns are shared. Windows there never become shorter (R6)."""

    @property
    def salt(self) -> str:
        """What names of accounts are hashed with: the same for all peers."""

    def join(self, heard: Heard) -> Line:
        """Open a line, on the running loop."""
