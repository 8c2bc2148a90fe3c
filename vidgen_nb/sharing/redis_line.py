"""One session's line to a Redis server.

Theory of operation. A window is a string key that expires with it, so that the server's own clock measures what is
left, and nobody's wall clock matters. A script sets it if that makes it longer (R6), and names the account on a
channel. A message only says where to look: whoever hears it reads the key, so that a late message can't prolong
anything.

Every `check_every` seconds all keys are read. What was missed on the channel is heard then; what the server has lost
(evicted, flushed, restarted) is put back, by whichever peer sees it first, whoever had published it.

One task keeps the connections: subscribe, then read all, then tell what is unsent, then serve; on any failure, over
again. Until then everything goes by what is known here.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import secrets
import socket
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from vidgen_nb.clock import Clock
from vidgen_nb.plaintext import clean
from vidgen_nb.ports import Secret
from vidgen_nb.sharing.knowledge import Knowledge
from vidgen_nb.sharing.port import Heard, Window

__all__ = ["RedisLine"]

log = logging.getLogger("vidgen_nb")

PUT = """
local left = redis.call('PTTL', KEYS[1])
if left < tonumber(ARGV[1]) then
  left = tonumber(ARGV[1])
  redis.call('SET', KEYS[1], ARGV[2], 'PX', left)
  redis.call('PUBLISH', ARGV[3], ARGV[4])
end
return {left, redis.call('GET', KEYS[1])}
"""
"""Milliseconds, text, channel, account: set the window if that makes it longer; return what stands there then."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Wall seconds between two attempts to connect."""
FAREWELL = 0.5
"""Wall seconds for what is unsent at the close."""
REMIND = 60.0
"""Wall seconds between two warnings that the server loses keys."""


class RedisLine:
    """Lives on the loop that it was made on.

    `where`: the server's address as it may be shown. `heard`: is told of windows that peers opened. The others are the
    settings of `RedisCooldowns`.
    """

    def __init__(
        self, url: Secret, heard: Heard, *, where: str, namespace: str, check_every: float, timeout: float
    ) -> None:
        self._url = url
        self._where = where
        self._namespace = namespace
        self._check_every = check_every
        self._timeout = timeout
        self._clock = Clock()
        peer = f"{socket.gethostname()}/{os.getpid()}"
        self._knowledge = Knowledge(self._clock.now, secrets.token_hex(8), peer, heard)
        self._channel = f"{namespace}:cooldowns"
        self._changed = asyncio.Event()
        """Something is to be sent, or accounts are to be read."""
        self._named: set[str] = set()
        """Accounts that a message has named: their keys are to be read."""
        self._look = True
        """All keys are to be read."""
        self._all_sent = asyncio.Event()
        self._all_sent.set()
        self._ready = asyncio.Event()
        self._lost_at: float | None = None
        self._reminded = -math.inf
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        """Of the connection that stands."""
        self._task = asyncio.get_running_loop().create_task(self._live(), name="vidgen_nb shared cooldowns")

    # -- for the session

    @property
    def is_ready(self) -> bool:
        """Whether what the others know was read, or can't be."""
        return self._ready.is_set()

    async def ready(self) -> None:
        """Wait for that."""
        await self._ready.wait()

    def watch(self, accounts: Collection[str]) -> None:
        """Hear of these accounts from now on."""
        if not self._knowledge.accounts >= frozenset(accounts):
            self._look = True
            self._changed.set()
        self._knowledge.accounts = frozenset(accounts)

    def publish(self, window: Window) -> None:
        """Tell the others, now or once the server is back."""
        if self._knowledge.publish(window):
            self._all_sent.clear()
            self._changed.set()

    async def aclose(self) -> None:
        """Wait a moment until all is sent, and leave."""
        try:
            if self._lost_at is None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(FAREWELL):
                        await self._all_sent.wait()
        finally:
            # in Python 3.11 a cancel can get lost in asyncio.wait_for, which redis-py sends through: then say it again
            self._closing = True
            self._changed.set()
            while pending := [task for task in (self._task, *self._tasks) if not task.done()]:
                for task in pending:
                    task.cancel()
                await asyncio.wait(pending, timeout=FAREWELL)

    # -- the connection

    async def _live(self) -> None:
        pause = FIRST_PAUSE
        while not self._closing:
            try:
                async with self._client() as client, client.pubsub() as messages:
                    await messages.subscribe(self._channel)
                    self._look = False
                    await self._read(client, self._knowledge.accounts)
                    await self._send(client)
                    await self._back(client)
                    pause = FIRST_PAUSE
                    async with asyncio.TaskGroup() as tasks:
                        works = self._listen(messages), self._serve(client, messages)
                        self._tasks = [tasks.create_task(work) for work in works]
            except* Exception as group:  # noqa: BLE001 - whatever it is, the run goes on without
                self._lost(group)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _client(self) -> Redis:
        return Redis.from_url(
            self._url.reveal(),
            decode_responses=True,
            encoding_errors="replace",
            protocol=2,
            socket_timeout=self._timeout,
            socket_connect_timeout=self._timeout,
            retry=Retry(NoBackoff(), 0),  # the pauses are ours
        )

    async def _listen(self, messages: Any) -> None:
        while True:
            message = await messages.get_message(timeout=2 * self._check_every + self._timeout)
            if message is None:
                raise ConnectionError("no sign of life on the channel")
            if message["type"] == "message" and message["data"] in self._knowledge.accounts:
                self._named.add(message["data"])
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
            named, self._named = self._named, set()
            await self._read(client, named)
            if self._look or loop.time() >= next_check:
                self._look = False
                next_check = loop.time() + self._check_every
                await self._read(client, self._knowledge.accounts)
                await self._send(client)
                self._remind()
                await messages.ping()

    async def _back(self, client: Redis) -> None:
        """The line stands: say so if it was lost, and look whether the server may drop what it is told."""
        self._knowledge.missing = 0
        if self._lost_at is not None:
            away = self._clock.now() - self._lost_at
            log.warning("shared cooldowns: %s is back after %.1f s; caught up", self._where, away)
            self._lost_at = None
        elif not self._ready.is_set():
            memory: dict[str, Any] = {}
            with suppress(RedisError):  # a user who may not ask
                memory = await client.info("memory")
            if memory.get("maxmemory") and memory.get("maxmemory_policy", "noeviction") != "noeviction":
                log.warning(
                    "shared cooldowns: %s drops keys when its memory is full (maxmemory-policy %s); what is lost is "
                    "put back within %g s, but only while a session that knows it runs. Better: noeviction",
                    self._where,
                    clean(str(memory["maxmemory_policy"])),
                    self._check_every,
                )
        self._ready.set()

    def _lost(self, group: BaseExceptionGroup) -> None:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if self._lost_at is None:
            self._lost_at = self._clock.now()
            log.warning(
                "shared cooldowns: %s can't be used (%s: %s); until then this session goes by what it knows itself",
                self._where,
                type(error).__name__,
                clean(str(error)),
            )
        self._ready.set()

    # -- windows

    async def _send(self, client: Redis) -> None:
        """Tell what the server does not know."""
        for account, known in self._knowledge.unsent():
            asked = self._clock.now()
            left = math.ceil((known.surely - asked) * 1000)
            if left > 0:
                put: Any = client.eval(PUT, 1, self._key(account), left, known.text, self._channel, account)
                found = await put
                known.sent = True
                self._saw(account, found[0], found[1], asked)
        if not self._knowledge.unsent():
            self._all_sent.set()

    async def _read(self, client: Redis, accounts: Iterable[str]) -> None:
        """Look at what the server has."""
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
            self._saw(account, left, text, asked)

    def _saw(self, account: str, left: object, text: object, asked: float) -> None:
        seconds = left / 1000 if isinstance(left, int) and left > 0 and isinstance(text, str) else 0.0
        self._knowledge.saw(account, seconds, str(text), asked)

    def _remind(self) -> None:
        now, lost = self._clock.now(), self._knowledge.missing
        self._knowledge.missing = 0
        if lost and now > self._reminded + REMIND:
            self._reminded = now
            log.warning(
                "shared cooldowns: %s had lost %d of them (evicted or flushed?); they were put back",
                self._where,
                lost,
            )

    def _key(self, account: str) -> str:
        return f"{self._namespace}:cooldown:{account}"
