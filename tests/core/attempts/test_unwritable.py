"""Results that can't be written: nothing new is paid for meanwhile, and no result is lost."""

from __future__ import annotations

from tests.core.harness import World, names
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Fetch
from vidgen_nb.core.model import Artifact, RetryPolicy
from vidgen_nb.core.outcomes import Transient, Unwritable
from vidgen_nb.core.scheduler import Scheduler

FULL = Unwritable("can't write to 'videos': No space left on device")
NO_ROOM = "results can't be written"


def world(*, scenes: int = 3, retries: int = 3) -> World:
    """Return a world of two profiles with one slot each; s1 and s2 have been accepted, and s1's job is done."""
    made = World({"p1": (1, ""), "p2": (1, "")}, scenes, retry=RetryPolicy(retries))
    for scene in names("s", min(scenes, 2)):
        made.accept(scene)
    made.feed(ev.Generated("s1", 1, Artifact("with_key")))
    return made


def refuse(made: World, scene: str) -> None:
    """Answer the fetch of a scene, the one that is open or the next one, with a full disk."""
    while not any(isinstance(each, Fetch) and each.scene.id == scene for each in made.open):
        due = made.scheduler.next_wakeup()
        assert due is not None
        made.sleep_until(due)
    made.feed(ev.CallFailed(scene, made.command(Fetch, scene).number, "fetch", FULL))


def submits(made: World) -> list[str]:
    """Return which scenes have left."""
    return [each.scene for each in made.events(ev.AttemptStarted)]


def check_replay(made: World) -> None:
    """A replay gives the same state, and adds nothing."""
    again = Scheduler.replay(made.scheduler.events, **made.settings)
    assert again.events == made.scheduler.events
    assert {name: each.status for name, each in again.scenes.items()} == {
        name: each.status for name, each in made.scheduler.scenes.items()
    }


def test_nothing_is_submitted_until_it_is_written() -> None:
    """While s1's result waits, s3 does; it leaves once s1 is on disk."""
    made = World({"p1": (1, ""), "p2": (1, "")}, 2)
    made.accept("s1")
    made.accept("s2")
    made.feed(ev.Generated("s1", 1, Artifact("with_key")))
    refuse(made, "s1")
    made.add("s3")
    assert submits(made) == ["s1", "s2"]
    made.sleep_until(made.now + 100)
    made.command(Fetch, "s1")
    made.feed(ev.Fetched("s1", 1, "s1.mp4"))
    assert submits(made) == ["s1", "s2", "s3"]
    check_replay(made)


def test_the_run_ends_with_nothing_lost() -> None:
    """After as many tries as there are retries it is parked; running jobs continue, and so does the run, later."""
    made = world(scenes=2)
    refuse(made, "s1")
    made.add("s3")
    for _ in range(2):
        refuse(made, "s1")
    assert made.scheduler.ended is None  # s2 is under way still
    made.finish("s2")
    assert made.scheduler.ended == NO_ROOM
    states = made.scheduler.scenes
    assert [states[each].status for each in names("s", 2)] == ["fetching", "succeeded"]
    assert submits(made) == ["s1", "s2"]
    check_replay(made)

    made.feed(ev.RunStarted())
    made.command(Fetch, "s1")
    made.feed(ev.Fetched("s1", 1, "s1.mp4"))
    assert submits(made) == ["s1", "s2", "s3"]
    check_replay(made)


def test_still_no_room() -> None:
    """A run that continues too early ends in the same way, after as many tries."""
    made = world(scenes=1)
    for _ in range(2):
        for _ in range(3):
            assert made.scheduler.ended is None
            refuse(made, "s1")
        assert made.scheduler.ended == NO_ROOM
        made.feed(ev.RunStarted())
    check_replay(made)


def test_it_uses_up_no_failures() -> None:
    """Failures of the provider are counted separately."""
    made = world(scenes=1)
    for _ in range(2):
        refuse(made, "s1")
    made.sleep_until(made.now + 100)
    made.feed(ev.CallFailed("s1", made.command(Fetch, "s1").number, "fetch", Transient("HTTP 503")))
    assert made.scheduler.scenes["s1"].status == "fetching"


def test_what_is_left_can_be_cancelled() -> None:
    """Nobody fetches it any more; then the other scenes may be submitted."""
    made = world(scenes=1)
    for _ in range(3):
        refuse(made, "s1")
    made.feed(ev.CancelRequested("s1"))
    assert made.scheduler.scenes["s1"].status == "cancelled"
    made.add("s2")
    assert submits(made) == ["s1", "s2"]
    check_replay(made)


def test_restored_it_is_fetched_once() -> None:
    """A program that restores the run fetches each result once."""
    made = world(scenes=1)
    for _ in range(3):
        refuse(made, "s1")
    again = Scheduler.replay(made.scheduler.events, **made.settings)
    commands = again.handle(
        ev.RunRestored(epoch=0, retry=RetryPolicy(), on_ambiguous="hold", max_wait=9, speed=1, seed=0), 99
    )
    commands += again.handle(ev.RunStarted(), 100)
    assert [type(each) for each in commands] == [Fetch]
