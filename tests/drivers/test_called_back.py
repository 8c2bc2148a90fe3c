"""A submit that was decided and has not left is called back by whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.drivers.harness import Stage, driven_backend, play
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, Scene
from vidgen_nb.ports import Profile, about_to_connect, about_to_leave

REQUESTS: dict[str, ev.Event] = {
    "stop": ev.Stopped("enough"),
    "pause": ev.Paused(),
    "cancel": ev.CancelRequested(None),
    "cooldown": ev.CooldownImposed("p1", 1000.0, "seen elsewhere"),
    "removed": ev.ProfileRemoved("p1"),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_what_waits_for_a_connection_is_called_back(request_: ev.Event) -> None:
    """The connections take a second; what the user asks for meanwhile counts, and nothing is bought."""
    sent: list[str] = []

    async def scenario() -> None:
        stage: Any = None

        async def leave(scene: Scene, _profile: Profile) -> None:
            if not stage.posted:
                stage.posted = True
                stage.driver.post(request_)
            about_to_leave()
            sent.append(scene.id)

        stage = Stage(driven_backend(1.0, submit=leave), scenes=3)
        stage.posted = False
        if isinstance(request_, ev.Paused | ev.CooldownImposed):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(stage.run(), 20)
        else:
            await stage.run()
        statuses = {state.status for state in stage.scheduler.scenes.values()}
        assert statuses == ({"cancelled"} if isinstance(request_, ev.CancelRequested) else {"queued"})

    play(scenario())
    assert not sent


@pytest.mark.parametrize(
    "request_", [ev.ModeChanged(Mode("one", 1)), ev.ProfileChanged("p1", 1)], ids=["mode", "capacity"]
)
def test_what_has_no_room_any_more_is_called_back(request_: ev.Event) -> None:
    """Three wait for a connection when a mode or a capacity of one begins to hold: one leaves, the rest later."""
    leaves: list[int] = []

    async def scenario() -> None:
        stage: Any = None

        async def leave(_scene: Scene, _profile: Profile) -> None:
            if not stage.posted:
                stage.posted = True
                stage.driver.post(request_)
            about_to_leave()
            leaves.append(stage.scheduler.submitting)

        stage = Stage(driven_backend(1.0, submit=leave), scenes=3)
        stage.posted = False
        await stage.run()
        assert set(stage.statuses().values()) == {"succeeded"}

    play(scenario())
    assert leaves == [1, 1, 1]


def test_no_more_are_decided_than_can_leave() -> None:
    """The backend has two connections for submits: a third submit is not decided before one is answered."""

    async def scenario() -> None:
        backend: Any = driven_backend(1.0)
        backend.max_submits = 2
        stage = Stage(backend, profiles=3, scenes=5)
        await stage.run()
        assert stage.backend.times("submit") == [0.0, 0.0, 1.0, 1.0, 2.0]

    play(scenario())


def test_until_one_is_accepted_no_more_are_decided_than_the_backend_lets_out() -> None:
    """The others are not in doubt if the program is killed meanwhile; once one is accepted, all go."""
    backend: Any = None

    async def accepted(_scene: Scene, _profile: Profile) -> None:
        backend.max_submits = None

    async def scenario() -> None:
        nonlocal backend
        backend = driven_backend(1.0, submit=accepted)
        backend.max_submits = 1
        stage = Stage(backend, profiles=3, scenes=5)
        await stage.run()
        assert backend.times("submit") == [0.0, 1.0, 1.0, 1.0, 1.0]

    play(scenario())


@pytest.mark.parametrize("kind", [ValueError, SystemExit, GeneratorExit])
def test_a_bug_before_anything_was_sent_leaves_no_scene_in_doubt(kind: type[BaseException]) -> None:
    """A key's function exits, say, or an image can't be read: `run` raises it, and the scene is still queued."""

    async def fail(_scene: Scene, _profile: Profile) -> None:
        about_to_connect()
        raise kind("a bug")

    async def scenario() -> None:
        stage = Stage(driven_backend(1.0, submit=fail), scenes=2)
        with pytest.raises(RuntimeError if kind is GeneratorExit else kind):
            await stage.run()
        assert set(stage.statuses().values()) == {"queued"}

    play(scenario())
