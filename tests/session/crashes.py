"""Sessions that keep journals in one folder, and what a program that was killed then leaves behind.

A crash is a copy of the journal, taken while its session runs.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.fakes import FakeBackend, profiles
from vidgen_nb.core.model import Mode, Operation, Scene
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.ports import Profile
from vidgen_nb.run import Run, load_run
from vidgen_nb.session.session import Session, restore

S = TypeVar("S", Session, Controller)
PROMPTS = [f"prompt {k}" for k in range(1, 9)]


class Stuck(FakeBackend):
    """Submits of the scenes in `stuck` get no answer before `let_go()`."""

    def __init__(self, *args: Any, stuck: tuple[str, ...] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.stuck = set(stuck)
        self.polled: list[str] = []

    def let_go(self) -> None:
        """Let everything go on."""
        super().let_go()
        self.stuck.clear()

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Answer, or hang."""
        self.submits.append((scene.id, "left"))
        while scene.id in self.stuck:  # noqa: ASYNC110 - it is let go from another thread
            await asyncio.sleep(0.005)
        return await super().submit(scene, profile)

    async def poll(self, operation: Operation, profile: Profile) -> Any:
        """Note who is asked about."""
        self.polled.append(operation.id)
        return await super().poll(operation, profile)


class Place:
    """Makes sessions in one folder, and ends them with the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs, self.videos = folder / "runs", folder / "videos"
        self.sessions: list[Session | Controller] = []
        self.crashes = 0

    def session(self, backend: FakeBackend, count: int = 2, **options: Any) -> Session:
        """Make a session of `count` profiles that keeps journals."""
        given = profiles(*(f"p{k}" for k in range(1, count + 1)))
        options = {"speed": 20, "mode": Mode("test", 3, 3), "journal": self.runs, **options}
        return self.kept(Session(backend, given, output=self.videos, **options))

    def restored(self, path: Path, backend: FakeBackend | None = None, count: int = 2, **options: Any) -> Session:
        """Restore a session."""
        given = options.pop("profiles", None) or profiles(*(f"p{k}" for k in range(1, count + 1)))
        return self.kept(restore(path, backend or FakeBackend(), given, output=self.videos, **options))

    def kept(self, session: S) -> S:
        """Have a session end with the test."""
        self.sessions.append(session)
        return session

    def crash(self, session: Session, when: Callable[[Run], bool] = lambda _: True) -> Path:
        """Return what the session would leave behind if it were killed once something is on its journal."""
        path = session.journal
        assert path is not None
        for _ in range(2000):
            self.crashes += 1
            copy = self.folder / f"crash{self.crashes}.jsonl"
            shutil.copy(path, copy)
            if copy.read_bytes().endswith(b"\n") and when(load_run(copy)):
                return copy
            threading.Event().wait(0.005)
        raise AssertionError(f"it never came: {load_run(path).events}")

    def close(self) -> None:
        """End all."""
        for session in self.sessions:
            if isinstance(backend := session.runner.resources.backend, FakeBackend):
                backend.let_go()
            session.close()


def statuses(session: Session | Controller) -> dict[str, str]:
    """Return the status of each scene of the last run."""
    assert session.last_run is not None
    return {scene.id: scene.status for scene in session.last_run.scenes}


def such(**counts: int) -> Callable[[Run], bool]:
    """Return a function that says whether a run has that many scenes of each status."""

    def look(run: Run) -> bool:
        found = [scene.status for scene in run.scenes]
        return all(found.count(status) == count for status, count in counts.items())

    return look
