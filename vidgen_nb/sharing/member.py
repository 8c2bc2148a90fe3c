"""A session's part in the sharing: what it tells the others, and what it has heard that its scheduler does not know.

It tells of 429s and of a day's quota, which are the account's. What is local stays local: a bad key or an empty purse
(the other kernel's key may be mended already, and finding out costs nothing), repeated transient failures (of this
machine's network, perhaps), windows without a known end (nobody would take them back), a policy's pause of profiles
that saw no 429, and a release by hand (windows never become shorter).
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
from vidgen_nb.sharing.port import Line, SharedCooldowns, Window

__all__ = ["Member"]

log = logging.getLogger("vidgen_nb")

PATIENCE = 0.3
"""Wall seconds that a first run waits, at most, for what the others know."""
LONGEST = 366 * 86400.0
"""Wall seconds; a longer window is told as this."""


class Member:
    """Lives on the session's loop, but for its making. `on_news` is called when there is something to take in."""

    def __init__(self, shared: SharedCooldowns, backend: Backend, on_news: Callable[[], None]) -> None:
        self._shared = shared
        self._backend = backend
        self._on_news = on_news
        self._clock = Clock()
        self._line: Line | None = None
        self._accounts: dict[str, str] = {}
        """By the profile's name; also of profiles that were removed, whose 429s still come in."""
        self._watched: dict[str, list[Profile]] = {}
        """By account: the profiles that have it now, one of each quota group."""
        self._windows: dict[str, tuple[float, Window]] = {}
        """Heard, by account: the end by the clock, and what is said of it."""
        self._told: dict[Profile, float] = {}
        """The end of the last window that the scheduler was told of."""

    # -- coming and going

    def join(self) -> None:
        """Open the line, unless it is open."""
        if self._line is None:
            self._line = self._shared.join(self._heard)
            self._line.watch(self._watched.keys())

    @property
    def is_open(self) -> bool:
        """Whether the line is open."""
        return self._line is not None

    @property
    def is_ready(self) -> bool:
        """Whether `ready` would return at once."""
        return self._line is not None and self._line.is_ready

    async def ready(self) -> None:
        """Wait until what the others know was read; not for long."""
        self.join()
        if self._line is not None and not self._line.is_ready:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._line.ready()
            except TimeoutError:
                log.warning("shared cooldowns: no answer yet from %r; the run begins without", self._shared)

    async def aclose(self) -> None:
        """Hand over what was published, and leave."""
        line, self._line = self._line, None
        if line is not None:
            await line.aclose()

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
        self._watched = {account: list(groups.values()) for account, groups in watched.items()}
        kept = {profile for profiles in self._watched.values() for profile in profiles}
        self._told = {profile: end for profile, end in self._told.items() if profile in kept}
        if self._line is not None:
            self._line.watch(self._watched.keys())

    # -- telling

    def observer(self, clock: Clock) -> Callable[[Sequence[ev.Event]], None]:
        """Return the observer that tells the others of a run with this clock."""

        def tell(events: Sequence[ev.Event]) -> None:
            for event in events:
                if type(event) is ev.CooldownStarted:
                    self._publish(event, clock.wall(event.until - clock.now()))

        return tell

    def _publish(self, event: ev.CooldownStarted, left: float) -> None:
        account = self._accounts.get(event.profile)
        # without a scene it was imposed, and not seen here: what the others have told is no news to them
        seen_here = event.scene is not None and not event.alone and event.profile in event.profiles
        if account is not None and self._line is not None and seen_here and 0 < left < math.inf:
            self._line.publish(Window(account, min(left, LONGEST), event.reason, event.unusable))

    # -- hearing

    def _heard(self, window: Window) -> None:
        end = self._clock.now() + window.left
        if end > self._windows.get(window.account, (0.0, None))[0]:
            self._windows[window.account] = (end, window)
            self._on_news()

    def news(self) -> Iterator[tuple[Profile, float, Window]]:
        """Yield what the scheduler was not told yet: a profile of the group, wall seconds left, and the window."""
        now = self._clock.now()
        self._windows = {account: each for account, each in self._windows.items() if each[0] > now}
        for account, (end, window) in self._windows.items():
            for profile in self._watched.get(account, ()):
                if end > self._told.get(profile, -math.inf):
                    self._told[profile] = end
                    yield profile, end - now, window
