"""Submits that wait for a connection, or for the journal's disk, when something happens: none leaves, none is lost.

The server is real, and so is HTTP; only `connect` waits until the test opens the gate.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from httpcore._backends.anyio import AnyIOBackend
from starlette.responses import JSONResponse, Response

from tests.gateways.harness import FAST_POLLS, SPEED, backend_of, session_of
from tests.gateways.servers import VllmOmni
from tests.gateways.video_server import KEY
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.clock import Clock
from vidgen_nb.errors import NoUsableProfile
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.ports import Profile
from vidgen_nb.recording.disk import GrowingFile
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session

SCENES = 6
PROMPTS = [f"prompt {k}" for k in range(SCENES)]


class Gate:
    """Where connections wait."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.free = 0
        """So many go through at once."""
        self.waiting = self.passed = 0

    def begin(self, session: Session, *, warm: bool, first: Callable[[], object] | None = None) -> None:
        """Start the run, and wait until its first submits wait: for a connection, or for the first one's answer.

        `warm`: the server has accepted something before, so that none waits for the first answer. `first`: called
        before, and one connection is there at once.
        """
        if warm:
            self.opened.set()
            session.run_blocking(["warm"])
            self.opened.clear()
        self.waiting = 0
        if first is not None:
            first()
            self.free = 1
        session.start(PROMPTS)
        until(lambda: self.waiting >= (3 if warm else 1))

    def open(self) -> None:
        """Let all go, and wait until what leaves then has arrived."""
        self.opened.set()
        time.sleep(0.25)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    clock = Clock()
    while not holds():
        assert clock.now() < 10
        time.sleep(0.005)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Put the gate before every connection."""
    found, connect = Gate(), AnyIOBackend.connect_tcp

    async def waits(self: AnyIOBackend, *args: Any, **options: Any) -> Any:
        if found.free:
            found.free -= 1
        else:
            found.waiting += 1
            while not found.opened.is_set():  # noqa: ASYNC110 - it is set from the test's thread
                await asyncio.sleep(0.002)
            found.passed += 1
        return await connect(self, *args, **options)

    monkeypatch.setattr(AnyIOBackend, "connect_tcp", waits)
    return found


@pytest.fixture
def server() -> Iterator[VllmOmni]:
    """Serve videos, and count what is bought."""
    with VllmOmni(speed=SPEED) as found:
        yield found


def statuses_of(session: Session) -> dict[str, int]:
    """Return how many scenes stand how."""
    assert session.last_run is not None
    return session.last_run.metrics().scenes


ACTIONS: dict[str, Callable[[Session], object]] = {
    "pause": Session.pause,
    "stop": Session.stop,
    "profile removed": lambda session: session.remove_profile("p0"),
    "abandon": Session.abandon,
}


@pytest.mark.parametrize(("warm", "journal"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("action", ACTIONS)
def test_what_a_user_asks_for_meanwhile(
    action: str, warm: bool, journal: bool, gate: Gate, server: VllmOmni, tmp_path: Path
) -> None:
    """Nothing leaves any more; all scenes wait again, none is held, and the next run or a restore makes each once."""
    options: dict[str, Any] = {"mode": "boost", **({"journal": tmp_path / "runs"} if journal else {})}
    with session_of(backend_of(server.base_url), tmp_path, **options) as session:
        gate.begin(session, warm=warm)
        ACTIONS[action](session)
        until(lambda: statuses_of(session) == {"queued": SCENES})
        gate.open()
        assert statuses_of(session) == {"queued": SCENES}
        assert len(server.made) == server.count("submit") == warm
        if action == "abandon" and journal:
            session.close()
            session = _restored(server, tmp_path)
        run = _go_on(session, action)
    assert run.metrics().scenes == {"succeeded": SCENES}
    assert server.jobs_by_prompt == dict.fromkeys([*PROMPTS, "warm"] if warm else PROMPTS, 1)


def _restored(server: VllmOmni, tmp_path: Path) -> Session:
    """Return the run, in another session."""
    return Session.restore(
        tmp_path / "runs", backend_of(server.base_url), [Profile("p0", KEY, quota_group="g0")],
        output=tmp_path / "videos", speed=SPEED,
    )  # fmt: skip


def _go_on(session: Session, action: str) -> Run:
    """Take the request back, and run the rest."""
    if action == "profile removed":
        session.add_profile(Profile("p9", KEY))
    elif action == "pause":
        session.unpause()
    with session:
        return session.run_blocking()


def test_max_billed_is_set_meanwhile(gate: Gate, server: VllmOmni, tmp_path: Path) -> None:
    """One more may be bought, and one more is; with the limit gone, the others are."""
    with session_of(backend_of(server.base_url), tmp_path, mode="boost") as session:
        gate.begin(session, warm=True)
        session.max_billed = 1
        gate.open()
        assert session.wait(10).ended == "max_billed"
        assert server.count("submit") == 2 and statuses_of(session) == {"succeeded": 1, "queued": SCENES - 1}
        session.max_billed = None
        assert session.run_blocking().metrics().scenes == {"succeeded": SCENES}
    assert server.jobs_by_prompt == dict.fromkeys([*PROMPTS, "warm"], 1)


@pytest.mark.parametrize("warm", [False, True])
def test_cancelled_meanwhile(warm: bool, gate: Gate, server: VllmOmni, tmp_path: Path) -> None:
    """The scene is cancelled at once, and not bought; the others are."""
    with session_of(backend_of(server.base_url), tmp_path, mode="boost") as session:
        gate.begin(session, warm=warm)
        assert session.last_run is not None
        session.cancel(next(each.id for each in session.last_run.scenes if each.prompt == "prompt 1"))
        until(lambda: statuses_of(session).get("cancelled") == 1)
        gate.open()
        run = session.wait(10)
    assert run.metrics().scenes == {"succeeded": SCENES - 1, "cancelled": 1}
    bought = [each for each in PROMPTS if each != "prompt 1"]
    assert server.jobs_by_prompt == dict.fromkeys([*bought, "warm"] if warm else bought, 1)


def test_the_session_is_closed_meanwhile(gate: Gate, server: VllmOmni, tmp_path: Path) -> None:
    """`with` ends: nothing is under way, so it does not wait for the connections."""
    with session_of(backend_of(server.base_url), tmp_path, mode="boost", journal=tmp_path / "runs") as session:
        gate.begin(session, warm=False)
        threading.Timer(0.2, gate.opened.set).start()  # were anything under way, it would be waited for
    gate.open()
    assert statuses_of(session) == {"queued": SCENES} and not server.made
    with _restored(server, tmp_path) as session:
        assert session.run_blocking().metrics().scenes == {"succeeded": SCENES}
    assert server.jobs_by_prompt == dict.fromkeys(PROMPTS, 1)


def too_many() -> Response:
    """Return a 429."""
    return JSONResponse(
        {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, 429, {"retry-after": "6000"}
    )


def bad_key() -> Response:
    """Return a 401."""
    return JSONResponse({"error": {"message": "no such key", "code": "invalid_api_key"}}, 401)


@pytest.mark.parametrize("answer", [too_many, bad_key])
def test_the_first_submit_is_refused_meanwhile(
    answer: Callable[[], Response], gate: Gate, server: VllmOmni, tmp_path: Path
) -> None:
    """One connection is there first: its 429 cools the group, its 401 takes the profile out; the rest stays."""
    policy = PerProfileCooldown(6000.0)
    with session_of(backend_of(server.base_url), tmp_path, mode="boost", policy=policy) as session:
        gate.begin(session, warm=True, first=lambda: server.fail("submit", answer, times=1))
        until(lambda: server.count("submit") == 2)
        until(lambda: bool(session.cooling))
        gate.open()
        if answer is bad_key:
            with pytest.raises(NoUsableProfile):
                session.wait(10)
        assert server.count("submit") == 2 and len(server.made) == 1
        assert statuses_of(session) == {"queued": SCENES}
        session.abandon()


class SlowDisk:
    """A disk that writes nothing until the test says so."""

    def __init__(self) -> None:
        self.ready, self.waits = threading.Event(), threading.Event()
        self.is_slow = False

    def append(self, write: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method that waits first."""

        def slow(*args: Any, **options: Any) -> Any:
            if self.is_slow:
                self.waits.set()
                assert self.ready.wait(10)
            return write(*args, **options)

        return slow


@pytest.mark.parametrize("action", ACTIONS)
def test_the_journals_disk_is_slow(
    action: str, server: VllmOmni, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No submit has left before its announcement is on disk; what is asked for until then counts."""
    disk = SlowDisk()
    monkeypatch.setattr(GrowingFile, "append", disk.append(GrowingFile.append))
    with session_of(backend_of(server.base_url), tmp_path, mode="boost", journal=tmp_path / "runs") as session:
        session.pause()
        session.start(PROMPTS)
        disk.is_slow = True
        session.unpause()
        assert disk.waits.wait(10)
        until(lambda: statuses_of(session).get("submitting", 0) == 1)  # no more before a first answer
        timer = threading.Timer(0.1, disk.ready.set)  # an abandon waits for the disk
        timer.start()
        ACTIONS[action](session)
        timer.join()
        until(lambda: statuses_of(session) == {"queued": SCENES})
        assert not server.made and not server.count("submit")
        if action == "abandon":
            session.close()
            session = _restored(server, tmp_path)
        run = _go_on(session, action)
    assert run.metrics().scenes == {"succeeded": SCENES}
    assert server.jobs_by_prompt == dict.fromkeys(PROMPTS, 1)


def test_killed_while_the_disk_is_waited_for(server: VllmOmni, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file does not know of the submits yet, and none has left: a restore of it makes each scene once."""
    disk = SlowDisk()
    monkeypatch.setattr(GrowingFile, "append", disk.append(GrowingFile.append))
    with session_of(backend_of(server.base_url), tmp_path, mode="boost", journal=tmp_path / "first") as session:
        session.pause()
        session.start(PROMPTS)
        until(lambda: PROMPTS[-1] in "".join(file.read_text() for file in (tmp_path / "first").glob("*.jsonl")))
        disk.is_slow = True
        session.unpause()
        assert disk.waits.wait(10)
        until(lambda: statuses_of(session).get("submitting", 0) == 1)  # no more before a first answer
        shutil.copytree(tmp_path / "first", tmp_path / "runs")  # as a kill would leave it
        threading.Timer(0.1, disk.ready.set).start()
        session.abandon()
    assert not server.count("submit")
    with _restored(server, tmp_path) as session:
        session.unpause()
        assert session.run_blocking().metrics().scenes == {"succeeded": SCENES}
    assert server.jobs_by_prompt == dict.fromkeys(PROMPTS, 1)


class PlainBackend(OpenAIVideos):
    """One of a user, which says nothing of how far its submits are."""

    async def submit(self, scene: Any, profile: Profile) -> Any:
        """Submit as the other does, in a task of its own: what it says of its connection is not heard."""
        from contextvars import Context

        return await asyncio.create_task(super().submit(scene, profile), context=Context())


def test_a_backend_that_says_nothing_of_its_connections(gate: Gate, server: VllmOmni, tmp_path: Path) -> None:
    """All that it was given counts as sent: abandoned meanwhile it is held, and never bought a second time."""
    backend = PlainBackend(server.base_url, poll=FAST_POLLS)
    with session_of(backend, tmp_path, mode="boost") as session:
        gate.begin(session, warm=False)
        until(lambda: statuses_of(session).get("submitting", 0) == 1)  # no more before a first answer
        session.abandon()
        gate.open()
    assert statuses_of(session) == {"held": 1, "queued": SCENES - 1}
