"""Connections to a real Redis server: what is published, what is lost, what is put back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from tests.sharing.server import RedisServer
from vidgen_nb.sharing.port import AccountCooldown
from vidgen_nb.sharing.redis_connection import EXTEND_SCRIPT, RedisConnection
from vidgen_nb.sharing.redis_cooldowns import RedisCooldowns

KEY = "test:cooldown:x"


class Peer:
    """A line, and what came in on it."""

    def __init__(self, server: RedisServer, check_every: float = 0.1) -> None:
        self.heard: list[AccountCooldown] = []
        place = RedisCooldowns(server.url, namespace="test", check_every=check_every, timeout=0.3)
        self.connection: RedisConnection = place.join(self.heard.append)
        self.connection.watch({"x", "y"})

    def publish(self, left: float, reason: str = "429") -> None:
        """See a 429 on account x."""
        self.connection.publish(AccountCooldown("x", left, reason))


@asynccontextmanager
async def peers(server: RedisServer, count: int, check_every: float = 0.1) -> AsyncIterator[list[Peer]]:
    """Make some that are connected; no task is left behind."""
    before = asyncio.all_tasks()
    found = [Peer(server, check_every) for _ in range(count)]
    try:
        for peer in found:
            await peer.connection.ready()
        yield found
    finally:
        for peer in found:
            await peer.connection.aclose()
        await until(lambda: asyncio.all_tasks() <= before)  # redis-py hands connections back in tasks of its own


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for what happens in another process."""
    end = perf_counter() + seconds
    while not condition():
        assert perf_counter() < end, "it does not happen"
        await asyncio.sleep(0.005)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run it, with asyncio's own checks."""
    asyncio.run(main)


def left_on(server: RedisServer) -> int:
    """Return the milliseconds left of the key; below 0: it is not there."""
    return int(server.call("PTTL", KEY)[1:])


def test_one_tells_the_others_by_a_message_not_by_the_check(redis_server: RedisServer) -> None:
    """They receive who saw it and what is left; the publisher receives nothing."""

    async def main() -> None:
        async with peers(redis_server, 3, check_every=60.0) as (first, second, third):
            first.publish(30.0, "429 too many")
            await until(lambda: bool(second.heard and third.heard))
            (cooldown,) = second.heard
            assert 29 < cooldown.seconds_left <= 30
            assert cooldown.reason.startswith("429 too many; seen by ") and not cooldown.unusable
            await asyncio.sleep(0.05)
            assert first.heard == []
            assert 29_000 < left_on(redis_server) <= 30_001

    run(main())


def test_who_comes_later_hears_it_before_it_is_ready(redis_server: RedisServer) -> None:
    """And so does one that comes to have the account later."""

    async def main() -> None:
        async with peers(redis_server, 2) as (first, second):
            second.connection.watch(set())
            first.connection.publish(AccountCooldown("x", 30.0, "quota", unusable=True))
            await until(lambda: left_on(redis_server) > 0)
            async with peers(redis_server, 1) as (late,):
                assert [cooldown.unusable for cooldown in late.heard] == [True]
            assert second.heard == []
            second.connection.watch({"x"})
            await until(lambda: bool(second.heard))

    run(main())


def test_the_script_never_shortens(redis_server: RedisServer) -> None:
    """Not even a key that somebody made last for ever, which counts as none."""

    async def main() -> None:
        async with Redis.from_url(redis_server.url, protocol=2, decode_responses=True) as client:

            async def put(left: int, text: str) -> list[Any]:
                answer: Any = client.eval(EXTEND_SCRIPT, 1, KEY, left, text, "channel", "x")
                found: list[Any] = await answer
                return found

            assert await put(5000, "first") == [5000, "first"]
            left, text = await put(3000, "second")
            assert 4000 < left <= 5000 and text == "first"
            assert await put(9000, "third") == [9000, "third"]
            await client.set(KEY, "for ever")
            assert await put(7000, "fourth") == [7000, "fourth"]

    run(main())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(9)), st.lists(st.integers(2, 9).map(lambda k: 10.0 * k), min_size=9, max_size=9))
def test_three_peers_come_to_the_same_end(redis_server: RedisServer, order: list[int], lengths: list[float]) -> None:
    """Whoever publishes what in which order, each obeys the longest."""
    redis_server.call("FLUSHALL")

    async def main() -> None:
        async with peers(redis_server, 3, check_every=60.0) as found:
            for index in order:
                found[index % 3].publish(lengths[index])
                if index % 2:
                    await asyncio.sleep(0.001)

            def ends() -> list[float]:
                known = [peer.connection._replica._entries.get("x") for peer in found]
                return [
                    each.until - peer.connection._clock.now() for each, peer in zip(known, found, strict=True) if each
                ]

            began = perf_counter()
            # on a busy machine an answer takes long, and what was read is uncertain by that much
            await until(lambda: len(ends()) == 3 and max(ends()) - min(ends()) < 5)
            seen = ends()
            assert max(lengths) - (perf_counter() - began) - 1 < min(seen) <= max(seen) < max(lengths) + 5

    run(main())


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_a_lost_connection_is_said_once_and_caught_up_with(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    """What could not be published is published, what was missed is received, and what the server lost is put back."""

    async def main() -> None:
        async with peers(redis_server, 2) as (first, second):
            first.publish(50.0, "before")
            await until(lambda: bool(second.heard))
            (redis_server.kill if how == "killed" else redis_server.freeze)()
            await until(lambda: caplog.text.count("can't be used") == 2)
            first.connection.publish(AccountCooldown("y", 50.0, "meanwhile"))
            await asyncio.sleep(0.5)  # several attempts to connect
            assert len(second.heard) == 1
            assert caplog.text.count("can't be used") == 2
            (redis_server.start if how == "killed" else redis_server.thaw)()
            await until(lambda: any(cooldown.account == "y" for cooldown in second.heard))
            await until(lambda: caplog.text.count("is back after") == 2)
            await until(lambda: left_on(redis_server) > 40_000)

    with caplog.at_level(logging.WARNING, "vidgen_nb"):
        run(main())
    assert "evicted" not in caplog.text


def test_a_server_that_is_not_there_yet_holds_nobody_up(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection is ready at once, since there is nothing to wait for; when the server comes, it gets everything."""
    redis_server.kill()

    async def main() -> None:
        async with peers(redis_server, 1) as (peer,):
            peer.publish(30.0)
            assert redis_server.start()
            await until(lambda: left_on(redis_server) > 0)

    run(main())
    assert caplog.text.count("can't be used") == 1


@pytest.mark.parametrize("how", [("FLUSHALL",), ("DEL", KEY), ("PEXPIRE", KEY, "500"), ("SET", KEY, "x", "PX", "900")])
def test_what_the_server_loses_is_put_back_and_said(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture, how: tuple[str, ...]
) -> None:
    """Flushed, evicted, or overwritten: also when the one that saw the 429 has left; and nobody obeys it any less."""

    async def main() -> None:
        async with peers(redis_server, 1) as (second,):
            async with peers(redis_server, 1) as (first,):
                first.publish(30.0, "429 of the first")
                await until(lambda: bool(second.heard))
            redis_server.call(*how)
            await until(lambda: left_on(redis_server) > 20_000)
            assert b"429 of the first" in redis_server.call("GET", KEY)
            await until(lambda: "had lost 1 of them" in caplog.text)
            async with peers(redis_server, 1) as (third,):
                assert third.heard[0].seconds_left <= 30

    run(main())


def test_going_round_does_not_prolong_a_window(redis_server: RedisServer) -> None:
    """Three sessions that see it lost a dozen times put back what was there, and nothing longer."""

    async def main() -> None:
        async with peers(redis_server, 3, check_every=0.02) as found:
            found[0].publish(30.0)
            began = perf_counter()
            await until(lambda: all(peer.heard for peer in found[1:]))
            for _ in range(12):
                redis_server.call("FLUSHALL")
                await until(lambda: left_on(redis_server) > 0)
            left = left_on(redis_server) / 1000
            assert left <= 30.5 - (perf_counter() - began) + 0.5

    run(main())


def test_a_server_that_evicts_is_warned_of_and_nothing_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its memory is full and it evicts keys; the cooldowns persist all the same."""
    server = RedisServer(tmp_path, "--maxmemory", "3mb", "--maxmemory-policy", "allkeys-random")
    try:

        async def main() -> None:
            async with peers(server, 2) as (first, second):
                first.publish(60.0)
                await until(lambda: bool(second.heard))
                filler = "f" * 50_000
                for number in range(400):
                    server.call("SET", f"filler{number}", filler)
                    if left_on(server) < 0:
                        break
                await until(lambda: left_on(server) > 0)
                known = second.connection._replica._entries["x"]
                assert known.until - second.connection._clock.now() > 20

        run(main())
    finally:
        server.stop()
    assert "maxmemory-policy allkeys-random" in caplog.text


def test_what_others_write_under_our_keys_is_passed_over(redis_server: RedisServer) -> None:
    """A text that is not ours, bytes that are no text, a list, a key that never ends."""

    async def main() -> None:
        async with peers(redis_server, 1) as (peer,):
            for words in (("SET", KEY, "x", "PX", "50000"), ("SET", KEY, "[1]", "PX", "50000"), ("SET", KEY, "{}"),
                          ("LPUSH", "test:cooldown:y", "a"), ("PUBLISH", "test:cooldowns", "no such account"),
                          ("PUBLISH", "test:cooldowns", "x")):  # fmt: skip
                redis_server.call(*words)
            await asyncio.sleep(0.3)
            assert peer.heard == []
            peer.publish(60.0)
            await until(lambda: b"429" in redis_server.call("GET", KEY))

    run(main())


def test_at_the_close_what_was_just_seen_is_handed_over(redis_server: RedisServer) -> None:
    """A run that ends on a 429 leaves it to the others."""

    async def main() -> None:
        async with peers(redis_server, 1) as (peer,):
            peer.publish(30.0)
        assert left_on(redis_server) > 0

    run(main())


def test_a_close_does_not_wait_for_a_server_that_is_gone(redis_server: RedisServer) -> None:
    """It takes less than a second, even if there is something to send."""

    async def main() -> None:
        async with peers(redis_server, 1) as (peer,):
            redis_server.freeze()
            peer.publish(30.0)
            began = perf_counter()
        assert perf_counter() - began < 5

    run(main())


def test_a_password_is_sent_and_never_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong one is said without being quoted."""
    server = RedisServer(tmp_path)
    try:
        server.call("CONFIG", "SET", "requirepass", "planted-right")

        async def main(password: str) -> None:
            url = server.url.replace("redis://", f"redis://:{password}@")
            connection = RedisCooldowns(url, namespace="test").join(lambda _: None)
            connection.watch({"x"})
            await connection.ready()
            await connection.aclose()

        with caplog.at_level(logging.DEBUG):
            run(main("planted-right"))
            assert "can't be used" not in caplog.text
            run(main("planted-wrong"))
        assert caplog.text.count("can't be used (AuthenticationError") == 1
        assert "planted" not in caplog.text
    finally:
        server.stop()


@pytest.mark.parametrize("said", ["{plain}", "{quoted}", "{url}"])
def test_an_odd_server_that_quotes_the_password(said: str, caplog: pytest.LogCaptureFixture) -> None:
    """What it says reaches the log, the password does not."""
    plain, quoted = "pl@nted/secret", "pl%40nted%2Fsecret"

    async def scenario() -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            url = f"redis://:{quoted}@127.0.0.1:{port}/0"
            writer.write(f"-ERR no {said.format(plain=plain, quoted=quoted, url=url)} here\r\n".encode())
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            place = RedisCooldowns(f"redis://:{quoted}@127.0.0.1:{port}/0", timeout=1)
            connection = place.join(lambda _: None)
            await connection.ready()
            await connection.aclose()

    asyncio.run(scenario())
    assert "can't be used" in caplog.text and "[password] here" in caplog.text
    assert plain not in caplog.text and quoted not in caplog.text
