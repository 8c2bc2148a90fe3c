"""Cooldowns shared by the sessions of one process: the default."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Collection
from dataclasses import replace

from vidgen_nb.clock import Clock
from vidgen_nb.sharing.port import Heard, Window

__all__ = ["IN_PROCESS", "LocalCooldowns"]


class LocalCooldowns:
    """A board in memory; sessions on any thread and loop may share one."""

    salt = ""
    """Nothing leaves the process."""

    def __init__(self) -> None:
        self._clock = Clock()
        self._lock = threading.Lock()
        self._board: dict[str, tuple[float, Window]] = {}
        """By account: the end by the clock, and what is said of it."""
        self._lines: weakref.WeakSet[LocalLine] = weakref.WeakSet()
        """A session that was dropped without a close is not kept alive from here."""

    def join(self, heard: Heard) -> LocalLine:
        """Open a line, on the running loop."""
        line = LocalLine(self, heard)
        with self._lock:
            self._lines.add(line)
        return line

    def leave(self, line: LocalLine) -> None:
        """Tell a line nothing more."""
        with self._lock:
            self._lines.discard(line)

    def put(self, window: Window, sender: LocalLine) -> None:
        """Note a window, if it is longer than what is known, and tell the other lines."""
        now = self._clock.now()
        with self._lock:
            known = self._board.get(window.account)
            if known is not None and known[0] >= now + window.left:
                return
            self._board = {name: each for name, each in self._board.items() if each[0] > now}
            self._board[window.account] = (now + window.left, window)
            others = [line for line in self._lines if line is not sender]
        for line in others:
            line.tell(window.account)

    def get(self, account: str) -> Window | None:
        """Return what is left of an account's window; None: nothing is."""
        with self._lock:
            end, window = self._board.get(account, (0.0, None))
        left = end - self._clock.now()
        return replace(window, left=left) if window is not None and left > 0 else None

    def __repr__(self) -> str:
        return "LocalCooldowns()"


class LocalLine:
    """One session's line to the board."""

    is_ready = True

    def __init__(self, board: LocalCooldowns, heard: Heard) -> None:
        self._board = board
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._accounts: frozenset[str] = frozenset()

    async def ready(self) -> None:
        """Return: the board is always at hand."""

    def watch(self, accounts: Collection[str]) -> None:
        """Hear of these accounts; of new ones at once."""
        new, self._accounts = frozenset(accounts) - self._accounts, frozenset(accounts)
        for account in sorted(new):
            self._hear(account)

    def publish(self, window: Window) -> None:
        """Tell the others."""
        self._board.put(window, self)

    def tell(self, account: str) -> None:
        """Look at an account, on the line's own loop; from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._hear, account)
        except RuntimeError:  # that loop is closed
            self._board.leave(self)

    async def aclose(self) -> None:
        """Leave."""
        self._accounts = frozenset()
        self._board.leave(self)

    def _hear(self, account: str) -> None:
        window = self._board.get(account) if account in self._accounts else None
        if window is not None:
            self._heard(replace(window, reason=f"{window.reason}; seen by another session of this process"))


IN_PROCESS = LocalCooldowns()
"""What sessions share that are given nothing else: an account is an account, whichever cell made the session."""
