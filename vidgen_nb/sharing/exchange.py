"""A session's exchange of cooldowns with others: what it publishes, and what it received for its scheduler to apply.

It publishes 429s and exhausted daily quotas, which belong to the account. What is local stays local: a bad key or
missing credit (the other kernel may have a new key already, and finding out costs nothing), repeated transient failures
(perhaps of this machine's network), cooldowns without a known end (nobody would ever release them), a policy's pause of
profiles that saw no 429, and a release by hand (shared cooldowns never become shorter).
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.sharing.accounts import account_of
from vidgen_nb.sharing.port import AccountCooldown, Connection, SharedCooldowns

__all__ = ["CooldownExchange"]

log = logging.getLogger("vidgen_nb")

FIRST_READ_TIMEOUT_SECONDS = 0.3
"""Wall seconds that a first run waits, at most, for the cooldowns of the others."""
MAX_COOLDOWN_SECONDS = 366 * 86400.0
"""Wall seconds; a longer cooldown is published with this length."""


class CooldownExchange:
    """Lives on the session's loop once it is made. `on_change` is called when there is a cooldown to apply."""

    def __init__(self, shared: SharedCooldowns, backend: Backend, on_change: Callable[[], None]) -> None:
        self._shared = shared
        self._backend = backend
        self._on_change = on_change
        self._clock = Clock()
        self._connection: Connection | None = None
        self._accounts: dict[str, str] = {}
        """By profile name; also of removed profiles, whose 429s still come in."""
        self._profiles_by_account: dict[str, list[Profile]] = {}
        """The profiles that use the account now, one of each quota group."""
        self._received: dict[str, tuple[float, AccountCooldown]] = {}
        """By account: the end by the clock, and the cooldown that another session published."""
        self._passed_on: dict[Profile, float] = {}
        """The end of the last cooldown that the scheduler was given."""

    # -- connecting

    def connect(self) -> None:
        """Connect, unless connected."""
        if self._connection is None:
            self._connection = self._shared.join(self._on_cooldown)
            self._connection.watch(self._profiles_by_account.keys())

    @property
    def is_connected(self) -> bool:
        """Whether `connect` was called, and not `aclose` since."""
        return self._connection is not None

    @property
    def is_ready(self) -> bool:
        """Whether `ready` would return at once."""
        return self._connection is not None and self._connection.is_ready

    async def ready(self) -> None:
        """Wait until the cooldowns of the others have been read, but not for long."""
        self.connect()
        if self._connection is not None and not self._connection.is_ready:
            try:
                async with asyncio.timeout(FIRST_READ_TIMEOUT_SECONDS):
                    await self._connection.ready()
            except TimeoutError:
                log.warning("shared cooldowns: no answer yet from %r; the run begins without it", self._shared)

    async def aclose(self) -> None:
        """Send what was published, and disconnect."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()

    def watch(self, profiles: Iterable[Profile]) -> None:
        """Share the accounts of these profiles from now on."""
        watched: dict[str, dict[str, Profile]] = {}
        for profile in profiles:
            account = account_of(profile, self._backend, self._shared.salt)
            if account is not None:
                self._accounts[profile.name] = account
                watched.setdefault(account, {}).setdefault(profile.quota_group or profile.name, profile)
            else:
                self._accounts.pop(profile.name, None)
        self._profiles_by_account = {account: list(groups.values()) for account, groups in watched.items()}
        kept = {profile for profiles in self._profiles_by_account.values() for profile in profiles}
        self._passed_on = {profile: end for profile, end in self._passed_on.items() if profile in kept}
        if self._connection is not None:
            self._connection.watch(self._profiles_by_account.keys())

    # -- publishing

    def observer(self, clock: Clock) -> Callable[[Sequence[ev.Event]], None]:
        """Return an observer of a run with this clock, which publishes the run's cooldowns."""

        def publish(events: Sequence[ev.Event]) -> None:
            if ev.CooldownStarted not in map(type, events):  # most events are others
                return
            for event in events:
                if type(event) is ev.CooldownStarted:
                    self._publish(event, clock.wall(event.until - clock.now()))

        return publish

    def _publish(self, event: ev.CooldownStarted, left: float) -> None:
        account = self._accounts.get(event.profile)
        # one without a scene was imposed by hand, or by another session, which knows it already
        seen_here = event.scene is not None and not event.alone and event.profile in event.profiles
        if account is not None and self._connection is not None and seen_here and 0 < left < math.inf:
            self._connection.publish(
                AccountCooldown(account, min(left, MAX_COOLDOWN_SECONDS), event.reason, event.unusable)
            )

    # -- receiving

    def _on_cooldown(self, cooldown: AccountCooldown) -> None:
        end = self._clock.now() + cooldown.seconds_left
        if end > self._received.get(cooldown.account, (0.0, None))[0]:
            self._received[cooldown.account] = (end, cooldown)
            self._on_change()

    def pending(self) -> Iterator[tuple[Profile, float, AccountCooldown]]:
        """Yield what the scheduler must still apply: a profile of the group, wall seconds left, and the cooldown."""
        now = self._clock.now()
        self._received = {account: each for account, each in self._received.items() if each[0] > now}
        for account, (end, cooldown) in self._received.items():
            for profile in self._profiles_by_account.get(account, ()):
                if end > self._passed_on.get(profile, -math.inf):
                    self._passed_on[profile] = end
                    yield profile, end - now, cooldown
