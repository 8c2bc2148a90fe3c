"""Those who wait for a run: each is told once, of what they wait for."""

from __future__ import annotations

import pytest

from vidgen_nb.run import Run
from vidgen_nb.session.live.waiters import Waiters

RUN = Run({}, [])


def test_a_scene_settles_before_the_run_ends() -> None:
    """Who waits for a scene is told when it settles, who waits for the end is not."""
    waiters = Waiters(RUN)
    scene, end = waiters.add("s1"), waiters.add(None)
    waiters.settle({"s2"})
    assert not scene.done()
    waiters.settle({"s1"})
    assert scene.result(0) is RUN and not end.done() and waiters
    waiters.end(None)
    assert end.result(0) is RUN and not waiters


def test_an_error_reaches_everybody_who_still_waits() -> None:
    """One who has cancelled does not disturb the others, nor is it kept."""
    waiters = Waiters(RUN)
    gone, there = waiters.add(None), waiters.add("s1")
    assert gone.cancel()
    waiters.end(ValueError("broken"))
    with pytest.raises(ValueError, match="broken"):
        there.result(0)


def test_a_run_that_is_over() -> None:
    """Its future is done at once, with the run or with the error that ended it."""
    waiters = Waiters(RUN)
    assert waiters.done(None).result(0) is RUN and not waiters
    with pytest.raises(ValueError, match="broken"):
        waiters.done(ValueError("broken")).result(0)
