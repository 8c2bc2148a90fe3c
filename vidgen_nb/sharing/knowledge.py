"""What one peer knows of the windows in a store elsewhere, and what the store is to be told. Pure: time is passed in.

What was read lies between two bounds, for reading took some time: the session obeys the later one, and what is put
back into the store, should it lose it, goes by the earlier one; so that passing it round never prolongs a window.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from vidgen_nb.sharing.port import Heard, Window
from vidgen_nb.sharing.stored import Stored, stored

__all__ = ["Knowledge", "Known"]

log = logging.getLogger("vidgen_nb")

SLACK = 0.005
"""Seconds by which the store may have less than we know before that counts as lost: it counts milliseconds."""


@dataclass
class Known:
    """A window; times by the peer's own clock."""

    text: str
    """As it is stored."""
    until: float
    """The end that the session obeys."""
    surely: float
    """The store's own end is not before this."""
    sent: bool
    """Whether the store has it, as far as we know."""


class Knowledge:
    """Windows by account. `now` returns wall seconds; `line` and `peer` are this peer's names in the store."""

    def __init__(self, now: Callable[[], float], line: str, peer: str, heard: Heard) -> None:
        self._now = now
        self._line = line
        self._peer = peer
        self._heard = heard
        self._known: dict[str, Known] = {}
        self.accounts: frozenset[str] = frozenset()
        """Those that the session has."""
        self.missing = 0
        """Windows that the store was found to have lost."""

    def publish(self, window: Window) -> bool:
        """Note what was seen here; say whether it is news to the store."""
        end = self._now() + window.left
        known = self._known.get(window.account)
        if known is not None and known.surely >= end:
            return False
        text = Stored(self._line, self._peer, window.reason, window.unusable).text()
        until = end if known is None else max(end, known.until)
        self._known[window.account] = Known(text, until, end, sent=False)
        return True

    def unsent(self) -> list[tuple[str, Known]]:
        """Return what the store is to be told."""
        now = self._now()
        self._known = {account: known for account, known in self._known.items() if known.until > now}
        return [(account, known) for account, known in self._known.items() if not known.sent and known.surely > now]

    def saw(self, account: str, left: float, text: str, asked: float) -> None:
        """Take in what the store has of an account, in seconds, asked for at that time; 0: nothing.

        Where that is less than we know, the store has lost it, and is to be told again.
        """
        now = self._now()
        known = self._known.get(account)
        if left and (known is None or asked + left > known.until):
            self._take(account, text, now + left, asked + left)
        elif known is not None and known.sent and now + left + SLACK < known.surely:
            known.sent = False
            self.missing += 1

    def _take(self, account: str, text: str, until: float, surely: float) -> None:
        found = stored(text)
        if found is None:
            log.debug("shared cooldowns: what stands under account %s is none of ours", account)
        elif found.line != self._line and account in self.accounts:
            self._known[account] = Known(text, until, surely, sent=True)
            reason = f"{found.reason}; seen by {found.peer}"
            try:
                self._heard(Window(account, until - self._now(), reason, found.unusable))
            except Exception:  # whatever it is, the line stays
                log.exception("a shared cooldown could not be taken over")
