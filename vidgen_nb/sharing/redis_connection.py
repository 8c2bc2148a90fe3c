"""One session's connection to a Redis server.

Theory of operation. A cooldown is a string key that expires with it, so that the server's own clock measures what is
left, and nobody's wall clock matters. A script sets the key if that makes the cooldown longer (R6), and publishes the
account's name on a channel. A message only says which key to read, so a late message can't prolong anything.

Every `check_every` seconds all keys are read. This finds what was missed on the channel. What the server has lost
(evicted, flushed, restarted) is put back by whichever session notices first, no matter who had published it.

One task keeps the connection: subscribe, read all keys, send what is unsent, then serve; after any failure it starts
over. While the server is away, the session uses what it knows itself.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import re
import secrets
import socket
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from vidgen_nb.clock import Clock
from vidgen_nb.plaintext import one_line
from vidgen_nb.ports import Secret
from vidgen_nb.sharing.port import AccountCooldown, CooldownListener
from vidgen_nb.sharing.replica import CooldownReplica

__all__ = ["RedisConnection"]

log = logging.getLogger("vidgen_nb")

EXTEND_SCRIPT = """
local left = redis.call('PTTL', KEYS[1])
if left < tonumber(ARGV[1]) then
  left = tonumber(ARGV[1])
  redis.call('SET', KEYS[1], ARGV[2], 'PX', left)
  redis.call('PUBLISH', ARGV[3], ARGV[4])
end
return {left, redis.call('GET', KEYS[1])}
"""
"""Arguments: milliseconds, text, channel, account. Extends the cooldown, never shortens it; returns what is stored."""

FIRST_RECONNECT_SECONDS, MAX_RECONNECT_SECONDS = 0.05, 1.0
"""Wall seconds between two attempts to connect: the first pause, doubled up to the second."""
CLOSE_TIMEOUT_SECONDS = 0.5
"""Wall seconds that closing waits for unsent cooldowns, and then for each round of cancelling."""
LOSS_WARNING_INTERVAL_SECONDS = 60.0
"""Wall seconds between two warnings that the server loses keys."""


class RedisConnection:
    """Lives on the loop on which it was made.

    `where`: the server's address without its password, for messages. `on_cooldown` is called with the cooldowns of
    other sessions. The others are the settings of `RedisCooldowns`.
    """

    def __init__(
        self,
        url: Secret,
        on_cooldown: CooldownListener,
        *,
        where: str,
        namespace: str,
        check_every: float,
        timeout: float,
    ) -> None:
        self._url = url
        self._where = where
        self._namespace = namespace
        self._check_every = check_every
        self._timeout = timeout
        self._clock = Clock()
        peer = f"{socket.gethostname()}/{os.getpid()}"
        self._replica = CooldownReplica(self._clock.now, secrets.token_hex(8), peer, on_cooldown)
        self._channel = f"{namespace}:cooldowns"
        self._changed = asyncio.Event()
        """Set when there is something to send or to read."""
        self._announced: set[str] = set()
        """Accounts that a message named: their keys must be read."""
        self._read_all_due = True
        """Whether all keys must be read."""
        self._all_sent = asyncio.Event()
        self._all_sent.set()
        self._ready = asyncio.Event()
        self._disconnected_at: float | None = None
        self._warned_at = -math.inf
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        """Of the current connection."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="vidgen_nb shared cooldowns")

    # -- for the session

    @property
    def is_ready(self) -> bool:
        """Whether the cooldowns of the others have been read, or can't be."""
        return self._ready.is_set()

    async def ready(self) -> None:
        """Wait until they have been read, or can't be."""
        await self._ready.wait()

    def watch(self, accounts: Collection[str]) -> None:
        """Listen to these accounts from now on."""
        if not self._replica.accounts >= frozenset(accounts):
            self._read_all_due = True
            self._changed.set()
        self._replica.accounts = frozenset(accounts)

    def publish(self, cooldown: AccountCooldown) -> None:
        """Send a cooldown to the others: now, or once the server is back."""
        if self._replica.publish(cooldown):
            self._all_sent.clear()
            self._changed.set()

    async def aclose(self) -> None:
        """Wait a moment for what is unsent, and disconnect."""
        try:
            if self._disconnected_at is None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                        await self._all_sent.wait()
        finally:
            # in Python 3.11 asyncio.wait_for, which redis-py uses to send, can swallow a cancel: so repeat it
            self._closing = True
            self._changed.set()
            while pending := [task for task in (self._task, *self._tasks) if not task.done()]:
                for task in pending:
                    task.cancel()
                await asyncio.wait(pending, timeout=CLOSE_TIMEOUT_SECONDS)

    # -- the connection

    async def _run(self) -> None:
        pause = FIRST_RECONNECT_SECONDS
        while not self._closing:
            try:
                async with self._client() as client, client.pubsub() as messages:
                    await messages.subscribe(self._channel)
                    self._read_all_due = False
                    await self._read(client, self._replica.accounts)
                    await self._send(client)
                    await self._connected(client)
                    pause = FIRST_RECONNECT_SECONDS
                    async with asyncio.TaskGroup() as tasks:
                        works = self._listen(messages), self._serve(client, messages)
                        self._tasks = [tasks.create_task(work) for work in works]
            except* Exception as group:  # noqa: BLE001 - whatever it is, the run continues without sharing
                self._disconnected(group)
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_RECONNECT_SECONDS)

    def _client(self) -> Redis:
        return Redis.from_url(
            self._url.reveal(),
            decode_responses=True,
            encoding_errors="replace",
            protocol=2,
            socket_timeout=self._timeout,
            socket_connect_timeout=self._timeout,
            retry=Retry(NoBackoff(), 0),  # we pause and retry ourselves
        )

    async def _listen(self, messages: Any) -> None:
        while True:
            message = await messages.get_message(timeout=2 * self._check_every + self._timeout)
            if message is None:
                raise ConnectionError("no sign of life on the channel")
            if message["type"] == "message" and message["data"] in self._replica.accounts:
                self._announced.add(message["data"])
                self._changed.set()

    async def _serve(self, client: Redis, messages: Any) -> None:
        loop = asyncio.get_running_loop()
        next_check = loop.time() + self._check_every
        while not self._closing:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(next_check):
                    await self._changed.wait()
            self._changed.clear()
            await self._send(client)
            announced, self._announced = self._announced, set()
            await self._read(client, announced)
            if self._read_all_due or loop.time() >= next_check:
                self._read_all_due = False
                next_check = loop.time() + self._check_every
                await self._read(client, self._replica.accounts)
                await self._send(client)
                self._warn_of_losses()
                await messages.ping()

    async def _connected(self, client: Redis) -> None:
        """Note the connection; say so if it had been lost, and warn if the server may evict our keys."""
        self._replica.lost_count = 0
        if self._disconnected_at is not None:
            away = self._clock.now() - self._disconnected_at
            log.warning("shared cooldowns: %s is back after %.1f s; caught up", self._where, away)
            self._disconnected_at = None
        elif not self._ready.is_set():
            memory: dict[str, Any] = {}
            with suppress(RedisError):  # this user may not ask
                memory = await client.info("memory")
            if memory.get("maxmemory") and memory.get("maxmemory_policy", "noeviction") != "noeviction":
                log.warning(
                    "shared cooldowns: %s drops keys when its memory is full (maxmemory-policy %s); a lost cooldown is "
                    "put back within %g s, but only while a session that knows it runs. Better use noeviction",
                    self._where,
                    one_line(_redacted(str(memory["maxmemory_policy"]), self._url)),
                    self._check_every,
                )
        self._ready.set()

    def _disconnected(self, group: BaseExceptionGroup) -> None:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if self._disconnected_at is None:
            self._disconnected_at = self._clock.now()
            log.warning(
                "shared cooldowns: %s can't be used (%s: %s); until then this session uses only its own cooldowns",
                self._where,
                type(error).__name__,
                one_line(_redacted(str(error), self._url)),
            )
        self._ready.set()

    # -- cooldowns

    async def _send(self, client: Redis) -> None:
        """Send what the server does not have."""
        for account, known in self._replica.unsent():
            asked = self._clock.now()
            left = math.ceil((known.stored_until - asked) * 1000)
            if left > 0:
                put: Any = client.eval(EXTEND_SCRIPT, 1, self._key(account), left, known.text, self._channel, account)
                found = await put
                known.sent = True
                self._reconcile(account, found[0], found[1], asked)
        if not self._replica.unsent():
            self._all_sent.set()

    async def _read(self, client: Redis, accounts: Iterable[str]) -> None:
        """Read these accounts' keys."""
        accounts = sorted(accounts)
        if not accounts:
            return
        asked = self._clock.now()
        async with client.pipeline() as pipe:
            for account in accounts:
                pipe.pttl(self._key(account))
                pipe.get(self._key(account))
            found = await pipe.execute(raise_on_error=False)
        for account, left, text in zip(accounts, found[::2], found[1::2], strict=True):
            self._reconcile(account, left, text, asked)

    def _reconcile(self, account: str, left: object, text: object, asked: float) -> None:
        seconds = left / 1000 if isinstance(left, int) and left > 0 and isinstance(text, str) else 0.0
        self._replica.reconcile(account, seconds, str(text), asked)

    def _warn_of_losses(self) -> None:
        now, lost = self._clock.now(), self._replica.lost_count
        self._replica.lost_count = 0
        if lost and now > self._warned_at + LOSS_WARNING_INTERVAL_SECONDS:
            self._warned_at = now
            log.warning(
                "shared cooldowns: %s had lost %d of them (evicted or flushed?); they were put back",
                self._where,
                lost,
            )

    def _key(self, account: str) -> str:
        return f"{self._namespace}:cooldown:{account}"


def _redacted(text: str, url: Secret) -> str:
    """Return what a server or library says without the address and its password: an odd server quotes them."""
    address = url.reveal()
    parts = urlsplit(address)
    passwords = [parts.password or "", dict(parse_qsl(parts.query)).get("password", "")]
    secrets_ = {address, *passwords, *map(unquote, passwords)}
    for secret in sorted({form for each in secrets_ for form in (each, repr(each)[1:-1], quote(each))}, key=len)[::-1]:
        if secret:
            text = re.sub(re.escape(secret), "[password]", text, flags=re.IGNORECASE)
    return text
