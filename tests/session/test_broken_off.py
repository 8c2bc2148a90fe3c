"""Bugs of backends and policies: the run breaks off, and nothing that was paid for is lost by it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeBackend, profiles
from vidgen_nb.core.model import Mode, Operation
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown, GroupView, Policy
from vidgen_nb.errors import SessionError
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.ports import Profile, Progress
from vidgen_nb.session.session import Session, restore

PROMPTS = [f"prompt {k}" for k in range(1, 7)]


class Tripping(FakeBackend):
    """Trips when it asks about a job of `over`."""

    over: tuple[str, ...] = ("s001",)

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Answer, or trip."""
        if operation.id in self.over:
            raise TypeError("a bug")
        return await super().poll(operation, profile)


class Buggy(Policy):
    """Trips at the first 429."""

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Trip."""
        raise ZeroDivisionError("mine")


def made(backend: FakeBackend, folder: Path, **options: Any) -> Session:
    """Make a session that keeps a journal."""
    return Session(backend, profiles("p1", "p2"), journal=folder / "runs", output=folder, speed=20, **options)


def taken_up(backend: FakeBackend, folder: Path, **options: Any) -> Session:
    """Restore its run."""
    return restore(folder / "runs", backend, profiles("p1", "p2"), output=folder, **options)


def statuses(session: Session | Controller) -> Counter[str]:
    """Count the scenes of the last run."""
    assert session.last_run is not None
    return Counter(scene.status for scene in session.last_run.scenes)


def test_a_job_that_can_not_be_asked_about_is_asked_about_after_a_restore(tmp_path: Path) -> None:
    """The bug is raised, with what to do; another backend gets all of it, and nothing is submitted twice."""
    first, second = Tripping(), FakeBackend()
    with made(first, tmp_path) as session, pytest.raises(TypeError, match="a bug") as caught:
        session.run_blocking(PROMPTS)
    assert "restore('" in caught.value.__notes__[0] and "goes on with the run" in caught.value.__notes__[0]
    with taken_up(second, tmp_path) as again:
        again.run_blocking()
        assert statuses(again) == {"succeeded": 6}
    assert sorted(name for name, _ in first.submits + second.submits) == [f"s00{k}" for k in range(1, 7)]


def test_a_job_that_trips_again_after_a_restore_is_held(tmp_path: Path) -> None:
    """It stands in nobody's way for ever: the next `run()` goes on with the rest, and its id is told."""
    with made(Tripping(), tmp_path, mode=Mode("one by one", 1, 1)) as session, pytest.raises(TypeError):
        session.run_blocking(PROMPTS)
    with taken_up(Tripping(), tmp_path) as again:
        with pytest.raises(TypeError):
            again.run_blocking()
        assert statuses(again)["held"] == 1 and statuses(again)["queued"] > 0
        assert again.run_blocking().ended == "settled"
        assert statuses(again) == {"succeeded": 5, "held": 1}
        assert again.last_run is not None
        assert "after it was accepted as 's001'" in (again.last_run.scenes[0].error or "")


def test_a_bug_in_a_policy_loses_no_job(tmp_path: Path) -> None:
    """What was accepted is fetched; a restore with another policy goes on, and nothing is submitted twice."""
    limited = RateLimited(5.0, cause="rate", reason="429")
    first = FakeBackend(lambda scene, *_: limited if scene == "s003" else None)
    with made(first, tmp_path, policy=Buggy()) as session, pytest.raises(ZeroDivisionError):
        session.run_blocking(PROMPTS)
    assert session.last_run is not None
    fetched = {scene.id for scene in session.last_run.scenes if scene.status == "succeeded"}
    assert fetched == {name for name, _ in first.submits} - {"s003"}
    second = FakeBackend()
    with taken_up(second, tmp_path, policy=PerProfileCooldown()) as again:
        again.run_blocking()
        assert statuses(again) == {"succeeded": 6}
    accepted = {name for name, _ in first.submits} - {"s003"}
    assert accepted and not accepted & {name for name, _ in second.submits}


def test_run_does_not_begin_anew_what_was_broken_off(tmp_path: Path) -> None:
    """A press of Run would pay a second time: it says what goes on with the run, and Restore last run does."""
    backend = Tripping()
    ctl = Controller(backend, profiles("p1", "p2"), journal=tmp_path / "runs", output=tmp_path, speed=20)
    with ctl:
        ctl.scenes = PROMPTS
        with pytest.raises(TypeError):
            ctl.run_blocking()
        with pytest.raises(SessionError, match="was broken off: restore"):
            ctl.start()
        assert "Restore last run continues it" in ctl.problem and ctl.no_restore == ""
        assert ctl.panel and ctl._panel_holder.panel is not None
        shown = ctl._panel_holder.panel
        ctl.runner.loop.call(shown.ticker.update_now)
        assert "Restore last run asks again about its jobs" in shown.rows.spoken.value
        assert shown.controls["run"].disabled and not shown.controls["restore_last_run"].disabled
        backend.over = ()
        ctl.restore_last_run()
        assert ctl.run_blocking().ended == "settled" and statuses(ctl) == {"succeeded": 6}
    assert len(backend.submits) == 6
