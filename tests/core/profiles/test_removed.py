"""A profile that was removed while its key was bad, and is added again."""

from __future__ import annotations

import pytest

from tests.core.harness import World
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Poll
from vidgen_nb.core.outcomes import ProfileUnusable
from vidgen_nb.core.scheduler import Scheduler


@pytest.mark.parametrize("added_again", [True, False])
def test_it_can_be_replayed(added_again: bool) -> None:
    """Its key is refused when its job is asked about; whether it is added or its key is good again, replay agrees."""
    world = World({"p1": (1, "")}, scenes=1)
    world.accept("s1")
    world.feed(ev.ProfileRemoved("p1"))
    world.sleep_until(1.0)
    world.command(Poll, "s1")
    world.feed(ev.CallFailed("s1", 1, "poll", ProfileUnusable("the key expired", "auth", None)))
    if added_again:
        world.feed(ev.ProfileAdded("p1", None))
    else:
        world.sleep_until(600.0)
        world.feed(ev.Progressed("s1", 1, "running"))
    assert [each.profiles for each in world.events(ev.CooldownEnded)] == [("p1",) if added_again else ()]
    replayed = Scheduler.replay(list(world.scheduler.events), **world.settings)
    assert replayed.events == world.scheduler.events
