"""Scenes whose prompt or parameters are changed during a run (R15)."""

from __future__ import annotations

import pytest

from tests.core.harness import World
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Submit
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import Permanent
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import InputError


def test_what_waits_is_submitted_as_it_is_now() -> None:
    """A waiting scene keeps its place, and is submitted with its new prompt; a replay leads to the same."""
    made = World(profiles=1, scenes=2, start=False)
    made.feed(ev.SceneEdited(Scene("s1", "a calmer sea", seconds=8)))
    (submit,) = [each for each in made.feed(ev.RunStarted()) if isinstance(each, Submit)]
    assert submit.scene == Scene("s1", "a calmer sea", seconds=8)
    again = Scheduler.replay(made.scheduler.events, **made.settings)
    assert again.events == made.scheduler.events
    assert again.scenes["s1"].scene == submit.scene
    assert build({}, made.scheduler.events).scenes[0].prompt == "a calmer sea"


def test_what_runs_is_not_disturbed() -> None:
    """One that runs can't be edited, nor one that is not there."""
    made = World(profiles=1, scenes=1)
    for scene in ("s1", "nobody"):
        with pytest.raises(InputError, match="can't be edited now"):
            made.feed(ev.SceneEdited(Scene(scene, "x")))


def test_what_is_settled_stays_so() -> None:
    """It is queued again only when it is run again."""
    made = World(profiles=1, scenes=1)
    made.feed(ev.CallFailed("s1", 1, "submit", Permanent("no")))
    made.feed(ev.SceneEdited(Scene("s1", "x")))
    assert made.status("s1") == "failed"
    assert made.scheduler.unsettled == 0
