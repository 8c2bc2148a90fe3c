"""A program is killed while submits wait to leave: a restore queues their scenes again, and holds those that left."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.audit import audit
from tests.session.crashes import PROMPTS, Place, Stuck, statuses, such
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, Operation, Scene
from vidgen_nb.ports import Profile, about_to_connect, about_to_leave, tells_when_it_leaves
from vidgen_nb.recording.left_lines import this_boot
from vidgen_nb.session.session import Session

pytestmark = pytest.mark.skipif(not this_boot(), reason="this system does not tell when it was started")


class Waiting(Stuck):
    """Submits of the scenes in `waiting` get no connection before `let_go()`."""

    def __init__(self, *args: str, stuck: tuple[str, ...] = (), hold: frozenset[str] = frozenset()) -> None:
        super().__init__(stuck=stuck, hold=hold)
        self.waiting = set(args)

    def let_go(self) -> None:
        """Let everything go on."""
        super().let_go()
        self.waiting.clear()

    @tells_when_it_leaves
    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Wait for a connection, and submit."""
        about_to_connect()
        while scene.id in self.waiting:  # noqa: ASYNC110 - it is let go from another thread
            await asyncio.sleep(0.005)
        about_to_leave()
        return await super().submit(scene, profile)


def killed(place: Place) -> tuple[Session, Path]:
    """Leave a run of eight: one done, one accepted, two sent, the others on their way to a connection."""
    sent = ("s004", "s006")
    backend = Waiting("s003", "s005", "s007", "s008", stuck=sent, hold=frozenset(["s002"]))
    session = place.session(backend, mode=BOOST)
    session.start(PROMPTS)
    crash = place.crash(session, lambda run: such(succeeded=1, generating=1, submitting=6)(run) and all(
        f'{{"left":"{scene}"'.encode() in (session.journal or Path()).read_bytes() for scene in sent))  # fmt: skip
    return session, crash


def test_what_each_scene_becomes(place: Place) -> None:
    """What had not left waits again, in front and in the original order, and is made once; what had left is held."""
    _, crash = killed(place)
    later = Waiting()
    again = place.restored(crash, later)
    assert statuses(again) == {
        "s001": "succeeded", "s002": "generating", "s003": "queued", "s004": "held", "s005": "queued", "s006": "held",
        "s007": "queued", "s008": "queued",
    }  # fmt: skip
    again.start([Scene("s009", "another")])
    run = again.wait(10)
    assert [scene for scene, to in later.submits if to == "left"] == ["s003", "s005", "s007", "s008", "s009"]
    assert run.metrics().scenes == {"succeeded": 7, "held": 2}
    assert all("killed" not in (scene.error or "") for scene in run.scenes)
    audit(run.events, BOOST)


def test_the_reason_is_on_record(place: Place) -> None:
    """An event says so, and the next restore reads the same run."""
    _, crash = killed(place)
    again = place.restored(crash, Waiting())
    assert again.last_run is not None
    given_up = {e.scene: e.sent for e in again.last_run.events if isinstance(e, ev.AttemptAbandoned)}
    assert given_up == {"s003": False, "s004": True, "s005": False, "s006": True, "s007": False, "s008": False}
    requeued = {e.scene: e.outcome.reason for e in again.last_run.events if isinstance(e, ev.SceneRequeued)}
    assert set(requeued.values()) == {"the program ended before it was sent"}
    before = statuses(again)
    again.close()
    third = place.restored(crash, Waiting())
    assert statuses(third) == before
    assert third.run_blocking().metrics().scenes == {"succeeded": 6, "held": 2}


def test_killed_while_it_is_restored(place: Place) -> None:
    """At whatever byte the next program's own records end, the one after it comes to the same."""
    _, crash = killed(place)
    content = crash.read_bytes()
    first = place.restored(crash, Waiting())
    wanted = statuses(first)
    first.close()
    whole = crash.read_bytes()
    assert whole.startswith(content)
    for length in range(len(content), len(whole) + 1, 13):
        crash.write_bytes(whole[:length])
        again = place.restored(crash, Waiting())
        assert statuses(again) == wanted
        again.close()


def test_killed_again_after_the_restore(place: Place) -> None:
    """The second program's submits are told apart as the first one's were."""
    _, crash = killed(place)
    again = place.restored(crash, Waiting("s003", "s005", stuck=("s007",)))
    again.start()
    second = place.crash(again, lambda run: such(submitting=3)(run) and b'{"left":"s007"' in crash.read_bytes())
    third = place.restored(second, Waiting())
    assert {scene for scene, status in statuses(third).items() if status == "held"} == {"s004", "s006", "s007"}
    assert third.run_blocking().metrics().scenes == {"succeeded": 5, "held": 3}


def test_what_had_not_left_is_not_billed(place: Place) -> None:
    """`max_billed` counts the two that were accepted and the two that may have been; there is room for one more."""
    _, crash = killed(place)
    later = Waiting()
    run = place.restored(crash, later, max_billed=5).run_blocking()
    assert run.ended == "max_billed"
    assert [scene for scene, to in later.submits if to == "left"] == ["s003"]


def test_a_profile_that_is_left_out(place: Place) -> None:
    """Its jobs are held; what had not left goes to another one."""
    _, crash = killed(place)
    again = place.restored(crash, Waiting(), without=["p1", "p2"], profiles=[Profile("p9", "sk-planted-9")])
    assert statuses(again)["s002"] == "held"
    assert again.run_blocking().metrics().scenes == {"succeeded": 5, "held": 3}


@pytest.mark.parametrize("lost", [rb'\{"left.*\n', rb'(?<="left_lines":").*(?=")'], ids=["an older file", "restarted"])
def test_where_nothing_is_known_all_are_held(place: Place, lost: bytes) -> None:
    """A journal of an earlier version, or of before the machine was started: a second submit could be billed."""
    _, crash = killed(place)
    content, count = re.subn(lost, b"", crash.read_bytes())
    assert count
    crash.write_bytes(content)
    again = place.restored(crash, Waiting())
    assert again.run_blocking().metrics().scenes == {"succeeded": 2, "held": 6}


def test_broken_off_is_as_good_as_killed(place: Place) -> None:
    """In this session, and for whoever restores the run."""
    session, _ = killed(place)
    session.abandon()
    found = statuses(session)
    assert [scene for scene, status in found.items() if status == "held"] == ["s002", "s004", "s006"]
    session.restore_last_run()
    assert statuses(session) == {**found, "s002": "generating"}
    backend = session.runner.resources.backend
    assert isinstance(backend, Waiting)
    backend.let_go()
    assert session.run_blocking().metrics().scenes == {"succeeded": 6, "held": 2}
