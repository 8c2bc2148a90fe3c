"""Sessions that share cooldowns, from the 429 of one to what the other submits."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import pytest

from tests.audit import audit
from tests.fakes import FakeBackend
from tests.sharing.server import RedisServer
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, Scene
from vidgen_nb.core.outcomes import Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.ports import Profile
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session
from vidgen_nb.sharing.local import LocalCooldowns
from vidgen_nb.sharing.port import AccountCooldown, SharedCooldowns
from vidgen_nb.sharing.redis_cooldowns import RedisCooldowns

SERVER = "https://api.example/v1"


def limit(first: Failure) -> FakeBackend:
    """Return a backend whose first answer is this; all else succeeds."""
    answers = [first]
    return FakeBackend(lambda *_: answers.pop() if answers else None)


def session_on(
    tmp_path: Path, shared: SharedCooldowns | None, backend: FakeBackend, *names: str, **options: Any
) -> Session:
    """Return a session whose profiles have the keys k0, k1, …, under any names."""
    profiles = [Profile(name, f"k{number}", base_url=SERVER) for number, name in enumerate(names)]
    options.setdefault("policy", PerProfileCooldown(60))
    return Session(backend, profiles, output=tmp_path, shared=shared, mode="boost", **options)


def imposed(run: Run | None) -> list[ev.CooldownImposed]:
    """Return the cooldowns that others published."""
    assert run is not None
    return [event for event in run.events if isinstance(event, ev.CooldownImposed)]


def waited(condition: Callable[[], object]) -> None:
    """Wait for what happens on another thread."""
    end = perf_counter() + 20
    while not condition():
        assert perf_counter() < end, "it does not happen"
        sleep(0.005)


@pytest.fixture(params=["local", "redis"])
def shared(request: pytest.FixtureRequest) -> SharedCooldowns:
    """Both places do the same."""
    if request.param == "local":
        return LocalCooldowns()
    server: RedisServer = request.getfixturevalue("redis_server")
    return RedisCooldowns(server.url, namespace="test")


def test_a_session_that_begins_knows_what_another_saw(tmp_path: Path, shared: SharedCooldowns) -> None:
    """Its first submit goes elsewhere, its log says whose 429 it was, and nothing is sent back to the first."""
    with session_on(tmp_path, shared, limit(RateLimited(reason="429 slow down")), "a", "b") as first:
        run = first.run_blocking(["one"])
        with session_on(tmp_path, shared, FakeBackend(), "x", "y") as second:
            other = second.run_blocking(["two", "three"])
            assert 50 < second.cooling["x"] <= 60
        assert {attempt.profile for attempt in other.attempts} == {"y"}
        (told,) = imposed(other)
        assert told.profile == "x" and told.reason.startswith("429 slow down; seen by ")
        assert imposed(run) == []
        audit(other.events, BOOST)


def test_a_run_under_way_is_told(tmp_path: Path, shared: SharedCooldowns) -> None:
    """Its timers are set for the end of the other session's cooldown: the waiting scene continues by itself."""
    held = FakeBackend(hold=frozenset({"s001"}))
    with (
        session_on(tmp_path, shared, held, "x", policy=PerProfileCooldown(1)) as second,
        session_on(tmp_path, shared, limit(RateLimited()), "a", policy=PerProfileCooldown(1)) as first,
    ):
        second.start(["one"])
        waited(lambda: held.submits)
        first.start(["bounced"])
        waited(lambda: imposed(second.last_run))
        second.add([Scene("later", "two")])
        assert [submit[0] for submit in held.submits] == ["s001"]
        held.let_go()
        run = second.wait(20)
        (told,) = imposed(run)
        later = next(event for event in run.events if isinstance(event, ev.AttemptStarted) and event.scene == "later")
        assert later.at >= told.until > told.at
        audit(run.events, BOOST)


def test_seconds_are_those_of_the_wall(tmp_path: Path, shared: SharedCooldowns) -> None:
    """60 s at speed 20 are 3 s for a session at speed 1."""
    with (
        session_on(tmp_path, shared, limit(RateLimited()), "a", "b", speed=20) as first,
        session_on(tmp_path, shared, FakeBackend(), "x", "y") as second,
    ):
        first.run_blocking(["one"])
        (told,) = imposed(second.run_blocking(["two"]))
        assert 0 < told.until - told.at <= 3.01


@pytest.mark.parametrize(
    ("failure", "is_told"),
    [
        (RateLimited(), True),
        (ProfileUnusable("quota of the day", "day_quota", 3600.0), True),
        (ProfileUnusable("quota of the day", "day_quota"), False),
        (ProfileUnusable("bad key", "auth"), False),
        (ProfileUnusable("no credit", "credit", 60.0), False),
        (Transient("503"), False),
        (Permanent("refused"), False),
    ],
)
def test_what_is_the_accounts_is_told_and_what_is_local_is_not(tmp_path: Path, failure: Failure, is_told: bool) -> None:
    """A 429, a day's quota with an end; no bad key, no trouble with the network, nothing without an end."""
    shared = LocalCooldowns()
    with session_on(tmp_path, shared, limit(failure), "a", "b") as first:
        first.run_blocking(["one"])
    with session_on(tmp_path, shared, FakeBackend(), "x", "y") as second:
        told = imposed(second.run_blocking(["two"]))
    assert [event.unusable for event in told] == [isinstance(failure, ProfileUnusable)] * is_told


def test_a_policys_pause_of_everything_is_its_own(tmp_path: Path) -> None:
    """The others receive the account that saw the 429."""
    shared = LocalCooldowns()
    with session_on(tmp_path, shared, limit(RateLimited()), "a", "b", policy=GlobalPause(1), speed=10) as first:
        first.run_blocking(["one"])
        with session_on(tmp_path, shared, FakeBackend(), "x", "y") as second:
            assert {event.profile for event in imposed(second.run_blocking(["two"]))} <= {"x"}


def test_a_release_by_hand_is_local(tmp_path: Path) -> None:
    """It applies in that session, which is not notified again, and nowhere else."""
    shared = LocalCooldowns()
    with (
        session_on(tmp_path, shared, limit(RateLimited()), "a", "b") as first,
        session_on(tmp_path, shared, FakeBackend(), "x", "y") as second,
    ):
        first.run_blocking(["one"])
        second.run_blocking(["two"])
        second.release_cooldown("x")
        assert second.cooling == {}
        second.run_blocking(["three"])
        assert second.cooling == {}
        assert list(first.cooling) == ["a"]


def test_profiles_that_come_later_are_told_too(tmp_path: Path) -> None:
    """Under any name; a quota group is shared as one."""
    shared = LocalCooldowns()
    with session_on(tmp_path, shared, limit(RateLimited()), "a", "b") as first:
        first.run_blocking(["one"])
    with session_on(tmp_path, shared, FakeBackend(), "x") as second:
        second.remove_profile("x") if len(second.profiles) > 1 else None
        second.add_profile(Profile("again", "k0", base_url=SERVER))
        second.add_profile(Profile("free", "k9", base_url=SERVER))
        run = second.run_blocking(["two"])
        assert {event.profile for event in imposed(run)} == {"x", "again"}
        assert {attempt.profile for attempt in run.attempts} == {"free"}


def test_what_a_session_was_told_goes_over_into_its_next_run_once(tmp_path: Path) -> None:
    """As what it saw itself."""
    shared = LocalCooldowns()
    with session_on(tmp_path, shared, limit(RateLimited()), "a", "b") as first:
        first.run_blocking(["one"])
    with session_on(tmp_path, shared, FakeBackend(), "x", "y") as second:
        runs = [second.run_blocking(["two"]) for _ in range(2)]
    assert [len(imposed(run)) for run in runs] == [1, 1]


def test_sessions_of_one_process_share_unless_told_otherwise(tmp_path: Path) -> None:
    """The default is a board in memory; a board of one's own shares with nobody."""
    key = f"k-{tmp_path.name}"  # nobody else in this process has it
    profile, others = Profile("a", key, base_url=SERVER), Profile("b", f"{key}-2", base_url=SERVER)
    with Session(limit(RateLimited()), [profile, others], output=tmp_path) as first:
        first.run_blocking(["one"])
        with Session(FakeBackend(), [profile, others], output=tmp_path) as second:
            assert [event.profile for event in imposed(second.run_blocking(["two"]))] == ["a"]
        with Session(FakeBackend(), [profile, others], output=tmp_path, shared=LocalCooldowns()) as third:
            assert imposed(third.run_blocking(["three"])) == []


def test_something_else_is_refused_and_not_quoted(tmp_path: Path) -> None:
    """For example an address with a password."""
    with pytest.raises(InputError, match="RedisCooldowns") as caught:
        session_on(tmp_path, "redis://:planted@127.0.0.1", FakeBackend(), "a")  # type: ignore[arg-type]
    assert "planted" not in str(caught.value)


def test_a_run_goes_on_while_the_server_is_killed(
    tmp_path: Path, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It neither waits nor fails, uses its own 429s, and publishes them once the server is back."""
    shared = RedisCooldowns(redis_server.url, namespace="test", check_every=0.1, timeout=0.3)
    backend = FakeBackend(lambda scene, profile, _: RateLimited() if (scene, profile) == ("bounced", "a") else None)
    with session_on(tmp_path, shared, backend, "a", "b") as first:
        first.run_blocking(["before"])
        redis_server.kill()
        waited(lambda: "can't be used" in caplog.text)
        run = first.run_blocking([Scene("bounced", "one"), Scene("other", "two"), Scene("third", "three")])
        assert {scene.status for scene in run.scenes} == {"succeeded"}
        assert list(first.cooling) == ["a"]
        assert redis_server.start()
        waited(lambda: "is back after" in caplog.text)
        with session_on(tmp_path, shared, FakeBackend(), "x", "y") as second:
            # once from the store, and once more where the first one tells of it at that moment
            assert {event.profile for event in imposed(second.run_blocking(["two"]))} == {"x"}
    assert caplog.text.count("can't be used") == 1


def test_a_server_that_does_not_answer_delays_a_first_run_by_a_moment(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """And the next one not at all; closing does not hang either."""
    redis_server.freeze()
    shared = RedisCooldowns(redis_server.url, namespace="test", timeout=30.0)
    with session_on(tmp_path, shared, FakeBackend(), "a") as session:
        began = perf_counter()
        session.run_blocking(["one"])
    assert perf_counter() - began < 10


def test_it_works_on_the_callers_loop_and_leaves_nothing_behind(tmp_path: Path, redis_server: RedisServer) -> None:
    """Also for one that was touched, and had its line on a thread, before."""
    shared = RedisCooldowns(redis_server.url, namespace="test")
    with session_on(tmp_path, shared, limit(RateLimited()), "a", "b") as first:
        first.run_blocking(["one"])

    async def main() -> None:
        second = session_on(tmp_path, shared, FakeBackend(), "x", "y")
        second.observe(lambda _: None)
        before = asyncio.all_tasks()
        async with second:
            run = await second.run(["two"])
            assert [event.profile for event in imposed(run)] == ["x"]
        await asyncio.sleep(0.1)  # redis-py hands connections back in tasks of its own
        assert asyncio.all_tasks() <= before

    asyncio.run(main())
    assert not [thread for thread in threading.enumerate() if thread.name == "vidgen_nb session"]


def test_a_session_that_was_never_closed_is_not_kept_alive(tmp_path: Path) -> None:
    """The board of the process holds on to nobody."""
    shared = LocalCooldowns()
    session: Session | None = session_on(tmp_path, shared, FakeBackend(), "a")
    assert session is not None
    session.run_blocking(["one"])
    session.close()
    session = None
    gc.collect()
    assert not list(shared._connections)


def test_no_key_reaches_the_server(tmp_path: Path, redis_server: RedisServer) -> None:
    """Not in a key, a value or a message; nor the profile's name."""
    shared = RedisCooldowns(redis_server.url, namespace="test")
    profile = Profile("planted-name", "sk-planted-key", base_url=SERVER, quota_group="planted-group")
    with Session(
        limit(RateLimited()), [profile], output=tmp_path, shared=shared, policy=PerProfileCooldown(1)
    ) as session:
        session.run_blocking(["planted-prompt"])
        with Session(FakeBackend(), [Profile("p", "sk-planted-2", base_url=SERVER)], output=tmp_path, shared=shared):
            shown = redis_server.call("KEYS", "*")
            for key in [connection for connection in shown.split(b"\r\n") if connection.startswith(b"test:")]:
                shown += redis_server.call("GET", key.decode())
    assert b"planted" not in shown


def test_the_line_is_told_only_of_what_was_seen(tmp_path: Path) -> None:
    """What was imposed on a session does not go out again, not even when the next run carries it over."""

    class Place:
        salt = ""

        def __init__(self) -> None:
            self.told: list[AccountCooldown] = []

        def join(self, heard: Callable[[AccountCooldown], None]) -> Any:
            return Connection(self, heard)

    class Connection:
        is_ready = True

        def __init__(self, place: Place, heard: Callable[[AccountCooldown], None]) -> None:
            self.place, self.heard = place, heard

        def watch(self, accounts: Sequence[str]) -> None:
            for account in list(accounts)[:1]:
                self.heard(AccountCooldown(account, 30.0, "429; seen by a test"))

        def publish(self, cooldown: AccountCooldown) -> None:
            self.place.told.append(cooldown)

        async def ready(self) -> None: ...

        async def aclose(self) -> None: ...

    place = Place()
    with session_on(tmp_path, place, FakeBackend(), "x", "y") as session:
        for _ in range(2):
            assert imposed(session.run_blocking(["one"]))
    assert place.told == []
