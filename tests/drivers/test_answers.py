"""Answers of a user's own backend are checked before they are recorded."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeBackend, profiles
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Artifact, Operation, RateInfo, Scene
from vidgen_nb.core.outcomes import RateLimited, Transient
from vidgen_nb.ports import BackendError, Profile, Progress
from vidgen_nb.recording.runfile import read_run
from vidgen_nb.session.session import Session

GOOD = Operation("job-1")


class Odd(FakeBackend):
    """Answers each call of one phase with the same thing, or raises it."""

    def __init__(self, phase: str, answer: Any) -> None:
        super().__init__()
        self.phase, self.answer = phase, answer
        if phase == "cancel":
            self.hold.add("s001")

    def told(self, phase: str, otherwise: Any) -> Any:
        """Return the answer."""
        if phase == self.phase and isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if phase == self.phase else otherwise

    async def submit(self, scene: Scene, profile: Profile) -> Any:
        """Answer."""
        return self.told("submit", await super().submit(scene, profile))

    async def poll(self, operation: Operation, profile: Profile) -> Any:
        """Answer."""
        return self.told("poll", await super().poll(operation, profile))

    async def cancel(self, operation: Operation, profile: Profile) -> Any:
        """Answer."""
        self.let_go()
        return self.told("cancel", await super().cancel(operation, profile))


@pytest.mark.parametrize(
    ("phase", "answer", "says"),
    [
        ("submit", None, "submit returned None: it returns an Operation"),
        ("submit", "job-1", "submit returned a value of the type str"),
        ("submit", Operation(7), "id or backend is not a text, but a value of the type int"),  # type: ignore[arg-type]
        ("submit", Operation(""), "id or backend is not a text"),
        ("submit", replace(GOOD, poll_after="5"), "submit says poll_after='5', which is not a number"),  # type: ignore[arg-type]
        ("submit", replace(GOOD, urls={"status": 5}), "urls are not texts"),  # type: ignore[dict-item]
        ("submit", replace(GOOD, rate="10/min"), "not a RateInfo"),  # type: ignore[arg-type]
        ("submit", replace(GOOD, rate=RateInfo(reset=float("nan"))), "reset=nan, which is not a number"),
        ("poll", None, "poll returned None: it returns a Progress"),
        ("poll", Progress("running", "50%"), "progress='50%', which is not a number"),  # type: ignore[arg-type]
        ("poll", Progress("running", True), "progress=True, which is not a number"),
        ("poll", Progress("running", poll_after=float("inf")), "poll_after=inf, which is not a number"),
        ("poll", Progress("succeeded"), "neither an artifact nor an outcome"),
        ("poll", Progress("succeeded", artifact="https://x"), "not an Artifact"),  # type: ignore[arg-type]
        ("poll", Progress("succeeded", artifact=Artifact("public", 5)), "not a text"),  # type: ignore[arg-type]
        ("poll", Progress("failed", outcome="no"), "not one of vidgen_nb.core.outcomes"),  # type: ignore[arg-type]
        ("poll", Progress("failed", outcome=Transient(5)), "a reason that is not a text"),  # type: ignore[arg-type]
        ("cancel", "yes", "cancel returned a value of the type str: it returns one of cancelled"),
    ],
)
def test_a_wrong_answer_is_a_bug_of_the_backend(phase: str, answer: Any, says: str, tmp_path: Path) -> None:
    """It is raised as soon as it comes in, and the run's journal can still be read."""
    with Session(Odd(phase, answer), profiles("p1"), output=tmp_path, journal=tmp_path / "runs", speed=50) as session:
        session.start(["a prompt"])
        if phase == "cancel":
            while not any(isinstance(event, ev.Accepted) for event in session.last_run.events):  # type: ignore[union-attr]
                time.sleep(0.001)  # a submit that has not left would be called back
            session.cancel()
        with pytest.raises(TypeError, match=says):
            session.wait(20)
        path = session.journal
    assert path is not None
    assert read_run(path)[1]


@pytest.mark.parametrize("outcome", ["429", RateLimited("5"), Transient(None)])  # type: ignore[arg-type]
def test_a_failure_that_is_none(outcome: Any, tmp_path: Path) -> None:
    """A submit that failed in a way that nobody understands may have been accepted."""
    error = BackendError(Transient(""))
    error.outcome = outcome
    backend = Odd("submit", error)
    with Session(backend, profiles("p1"), output=tmp_path, journal=tmp_path / "runs", speed=50) as session:
        run = session.run_blocking(["a prompt"])
    assert [scene.status for scene in run.scenes] == ["held"]
