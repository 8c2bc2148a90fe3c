"""One session's replica of the cooldowns in a remote store, with what the store still lacks. Pure: time is passed in.

Reading takes time, so the end of a cooldown that was read lies between two bounds. The session obeys the later one. If
the store loses the cooldown, it is put back with the earlier one, so that passing it around never prolongs it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from vidgen_nb.sharing.port import AccountCooldown, CooldownListener
from vidgen_nb.sharing.stored_cooldown import StoredCooldown, parse_stored

__all__ = ["CooldownReplica", "ReplicaEntry"]

log = logging.getLogger("vidgen_nb")

ROUNDING_TOLERANCE_SECONDS = 0.005
"""How much shorter than ours the store's cooldown may be before it counts as lost: the store counts milliseconds."""


@dataclass
class ReplicaEntry:
    """A cooldown; its times are by this session's own clock."""

    text: str
    """As it is stored."""
    until: float
    """The end that the session obeys."""
    stored_until: float
    """The end in the store is not before this."""
    sent: bool
    """Whether the store has it, as far as we know."""


class CooldownReplica:
    """Cooldowns by account. `now` returns wall seconds; `publisher` and `peer` are this session's names in the store.

    `on_cooldown` is called with what others published. `accounts`: those that this session uses. `lost_count`: how many
    cooldowns the store was found to have lost.
    """

    def __init__(self, now: Callable[[], float], publisher: str, peer: str, on_cooldown: CooldownListener) -> None:
        self._now = now
        self._publisher = publisher
        self._peer = peer
        self._on_cooldown = on_cooldown
        self._entries: dict[str, ReplicaEntry] = {}
        self.accounts: frozenset[str] = frozenset()
        self.lost_count = 0

    def publish(self, cooldown: AccountCooldown) -> bool:
        """Add a cooldown that this session saw; return whether the store must be told."""
        end = self._now() + cooldown.seconds_left
        entry = self._entries.get(cooldown.account)
        if entry is not None and entry.stored_until >= end:
            return False
        text = StoredCooldown(self._publisher, self._peer, cooldown.reason, cooldown.unusable).text()
        until = end if entry is None else max(end, entry.until)
        self._entries[cooldown.account] = ReplicaEntry(text, until, end, sent=False)
        return True

    def unsent(self) -> list[tuple[str, ReplicaEntry]]:
        """Return what the store does not have yet, by account."""
        now = self._now()
        self._entries = {account: entry for account, entry in self._entries.items() if entry.until > now}
        return [
            (account, entry) for account, entry in self._entries.items() if not entry.sent and entry.stored_until > now
        ]

    def reconcile(self, account: str, left: float, text: str, asked: float) -> None:
        """Compare with what the store has for an account: `left` seconds, asked for at that time; 0: nothing.

        A longer cooldown is adopted. A shorter one means that the store has lost ours, and must be told again.
        """
        now = self._now()
        entry = self._entries.get(account)
        if left and (entry is None or asked + left > entry.until):
            self._adopt(account, text, now + left, asked + left)
        elif entry is not None and entry.sent and now + left + ROUNDING_TOLERANCE_SECONDS < entry.stored_until:
            entry.sent = False
            self.lost_count += 1

    def _adopt(self, account: str, text: str, until: float, stored_until: float) -> None:
        found = parse_stored(text)
        if found is None:
            log.debug("shared cooldowns: the entry of account %s was not written by vidgen_nb: ignored", account)
        elif found.publisher != self._publisher and account in self.accounts:
            self._entries[account] = ReplicaEntry(text, until, stored_until, sent=True)
            reason = f"{found.reason}; seen by {found.peer}"
            try:
                self._on_cooldown(AccountCooldown(account, until - self._now(), reason, found.unusable))
            except Exception:  # whatever it is, the connection must survive it
                log.exception("a shared cooldown could not be applied")
