"""What a journal hears of a submit that leaves, and what happens where it can't be written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.drivers.harness import Stage, driven_backend, play
from tests.fakes import FakeBackend
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Operation, Scene
from vidgen_nb.errors import JournalError
from vidgen_nb.ports import Profile, about_to_connect, about_to_leave, tells_when_it_leaves


class Notes:
    """A journal on a disk that is quick; it keeps what it hears, in order."""

    def __init__(self, *, refuses: str = "") -> None:
        self.stored = 0
        self.error: Exception | None = None
        self.heard: list[str] = []
        self._refuses = refuses
        self.stage: Stage

    def append(self, events: Sequence[ev.Event]) -> None:
        """Store at once, and say so a turn later."""
        self.stored += len(events)
        self.heard += [f"began {each.scene}" for each in events if isinstance(each, ev.AttemptStarted)]
        self._call_driver()

    def _call_driver(self) -> None:
        asyncio.get_running_loop().call_soon(lambda: self.stage.driver.release_stored())

    def note_left(self, scene: str, number: int) -> None:
        """Note it, or fail."""
        if scene == self._refuses:
            self.error = JournalError("j.jsonl", "the disk is full")
            self._call_driver()
            raise self.error
        self.heard.append(f"{scene} leaves")


class Telling(FakeBackend):
    """Waits for a connection, and says when it has one."""

    @tells_when_it_leaves
    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Say how far it is, and submit."""
        about_to_connect()
        await asyncio.sleep(1.0)
        about_to_leave()
        self.notes.heard.append(f"{scene.id} is sent")
        return await super().submit(scene, profile)

    notes: Notes


class Overridden(Telling):
    """One of a user, who has put something before the submit, and knows nothing of marks."""

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Look at the scene, and submit."""
        self.notes.heard.append(f"{scene.id} is given")
        return await super().submit(scene, profile)


class Forgetful(FakeBackend):
    """Has the mark, and does not tell."""

    @tells_when_it_leaves
    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Submit."""
        self.notes.heard.append(f"{scene.id} is sent")
        return await super().submit(scene, profile)

    notes: Notes


def heard(kind: type[Any], notes: Notes, scenes: int = 1, raises: type[Exception] | None = None) -> Stage:
    """Run scenes, one at a time, and return the stage."""

    async def scenario() -> None:
        backend: Any = driven_backend(0.1)
        backend.__class__ = kind
        backend.notes, backend.max_submits = notes, 1
        notes.stage = Stage(backend, scenes=scenes, journal=notes)
        if raises is None:
            await notes.stage.run()
        else:
            with pytest.raises(raises):
                await notes.stage.run()

    play(scenario())
    return notes.stage


def test_it_is_noted_when_it_leaves() -> None:
    """Not when it begins to wait for a connection."""
    heard(Telling, notes := Notes())
    assert notes.heard == ["began s1", "s1 leaves", "s1 is sent"]


def test_a_backend_that_does_not_say_so_is_noted_when_it_is_called() -> None:
    """Whatever it says in its calls: a method that overrides one with the mark has none."""
    heard(Overridden, notes := Notes())
    assert notes.heard == ["began s1", "s1 leaves", "s1 is given", "s1 is sent"]


def test_one_that_forgets_to_tell_is_believed_once() -> None:
    """As a later version of an HTTP library might make of ours: from then on it is noted before the call."""
    heard(Forgetful, notes := Notes(), 3)
    assert notes.heard == [
        "began s1", "s1 is sent", "began s2", "s2 leaves", "s2 is sent", "began s3", "s3 leaves", "s3 is sent",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [Telling, Overridden])
def test_what_cannot_be_noted_does_not_leave(kind: type[Any]) -> None:
    """The disk is full at that moment: the scene waits again, what has left is finished, the run raises the error."""
    stage = heard(kind, notes := Notes(refuses="s2"), 3, JournalError)
    assert "s2 is sent" not in notes.heard
    assert stage.statuses() == {"s1": "succeeded", "s2": "queued", "s3": "queued"}
