"""Cooldowns shared by the sessions of one process: the default."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Collection
from dataclasses import replace

from vidgen_nb.clock import Clock
from vidgen_nb.sharing.port import AccountCooldown, CooldownListener

__all__ = ["IN_PROCESS", "LocalCooldowns"]


class LocalCooldowns:
    """Cooldowns in memory; sessions on any thread and loop may share one such object."""

    salt = ""
    """None needed: nothing leaves the process."""

    def __init__(self) -> None:
        self._clock = Clock()
        self._lock = threading.Lock()
        self._cooldowns: dict[str, tuple[float, AccountCooldown]] = {}
        """By account: the end by the clock, and the cooldown."""
        self._connections: weakref.WeakSet[LocalConnection] = weakref.WeakSet()
        """Weak, so that a session that was dropped without a close is not kept alive from here."""

    def join(self, on_cooldown: CooldownListener) -> LocalConnection:
        """Connect on the running loop."""
        connection = LocalConnection(self, on_cooldown)
        with self._lock:
            self._connections.add(connection)
        return connection

    def leave(self, connection: LocalConnection) -> None:
        """Notify this connection no more."""
        with self._lock:
            self._connections.discard(connection)

    def publish(self, cooldown: AccountCooldown, sender: LocalConnection) -> None:
        """Keep a cooldown if it is longer than the known one, and notify the other connections."""
        now = self._clock.now()
        with self._lock:
            known = self._cooldowns.get(cooldown.account)
            if known is not None and known[0] >= now + cooldown.seconds_left:
                return
            self._cooldowns = {name: each for name, each in self._cooldowns.items() if each[0] > now}
            self._cooldowns[cooldown.account] = (now + cooldown.seconds_left, cooldown)
            others = [connection for connection in self._connections if connection is not sender]
        for connection in others:
            connection.notify(cooldown.account)

    def remaining(self, account: str) -> AccountCooldown | None:
        """Return what is left of an account's cooldown, or None."""
        with self._lock:
            end, cooldown = self._cooldowns.get(account, (0.0, None))
        left = end - self._clock.now()
        return replace(cooldown, seconds_left=left) if cooldown is not None and left > 0 else None

    def __repr__(self) -> str:
        return "LocalCooldowns()"


class LocalConnection:
    """One session's connection to the cooldowns in memory."""

    is_ready = True

    def __init__(self, shared: LocalCooldowns, on_cooldown: CooldownListener) -> None:
        self._shared = shared
        self._on_cooldown = on_cooldown
        self._loop = asyncio.get_running_loop()
        self._accounts: frozenset[str] = frozenset()

    async def ready(self) -> None:
        """Return at once: there is nothing to wait for."""

    def watch(self, accounts: Collection[str]) -> None:
        """Listen to these accounts; what is known of new ones is delivered at once."""
        new, self._accounts = frozenset(accounts) - self._accounts, frozenset(accounts)
        for account in sorted(new):
            self._deliver(account)

    def publish(self, cooldown: AccountCooldown) -> None:
        """Send a cooldown to the others."""
        self._shared.publish(cooldown, self)

    def notify(self, account: str) -> None:
        """Have an account's cooldown delivered on this connection's own loop; from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._deliver, account)
        except RuntimeError:  # that loop is closed
            self._shared.leave(self)

    async def aclose(self) -> None:
        """Disconnect."""
        self._accounts = frozenset()
        self._shared.leave(self)

    def _deliver(self, account: str) -> None:
        cooldown = self._shared.remaining(account) if account in self._accounts else None
        if cooldown is not None:
            reason = f"{cooldown.reason}; seen by another session of this process"
            self._on_cooldown(replace(cooldown, reason=reason))


IN_PROCESS = LocalCooldowns()
"""What sessions share by default: an account is the same account, whichever cell made the session."""
