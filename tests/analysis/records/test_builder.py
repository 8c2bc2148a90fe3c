"""Records of a run: from runs of the scheduler, and checked against the audit's picture on random ones."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit import LIVE, SETTLED
from tests.core.harness import BOOST, World, names
from vidgen_nb.analysis.records.builder import AttemptRecord, CooldownRecord, MoveRecord, RunData, build
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Cancel, Fetch, Poll, Submit
from vidgen_nb.core.model import Artifact, Mode, Operation, RetryPolicy, Scene
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown


def records(world: World) -> RunData:
    """Return the records of what happened so far."""
    return build({}, list(world.scheduler.events))


def windows(world: World) -> list[tuple[str, float, float]]:
    """Return the cooldowns as (profile, start, end)."""
    return [(window.profile, window.start, window.end) for window in records(world).cooldowns]


def test_a_scene_that_moves() -> None:
    """Attempts know since when the scene waited, how they ended and what the server asked; the move is at the start."""
    world = World(profiles=2, scenes=2)
    world.sleep_until(1)
    world.limit("s1", retry_after=4.0)
    world.sleep_until(2)
    world.accept("s1")
    world.sleep_until(9)
    world.finish("s1")
    data = records(world)
    assert data.attempts == [
        AttemptRecord("s1", 1, "p1", 0.0, 0.0, 1.0, "rate_limited", "429", 4.0),
        AttemptRecord("s1", 2, "p2", 1.0, 1.0, 9.0, "succeeded", None, None, 2.0, 2.0, 9.0),
        AttemptRecord("s2", 1, "p2", 0.0, 2.0, None, None, None, None),
    ]
    assert data.moves == [MoveRecord("s1", "p1", "p2", 1.0)]
    assert data.cooldowns == [CooldownRecord("p1", "p1", 1.0, 31.0, "429")]
    first, second = data.scenes
    assert (first.status, first.attempts, first.profile, first.queued, first.start, first.end, first.path) == (
        "succeeded", 2, "p2", 0.0, 0.0, 9.0, "s1.mp4",
    )  # fmt: skip
    assert (second.status, second.start, second.end, second.error) == ("submitting", 2.0, None, None)
    assert (data.profiles, data.capacities, data.end) == (["p1", "p2"], {"p1": None, "p2": None}, 9.0)


def test_how_attempts_and_scenes_end() -> None:
    """An attempt has the provider's word, its scene what follows from it."""
    world = World(profiles=6, scenes=5, mode=BOOST)
    world.fail("s1", Permanent("content policy"))
    world.fail("s2", Ambiguous("lost"))
    world.fail("s3", ProfileUnusable("no credit", "credit"))
    world.fail("s4", Transient("HTTP 503", 2.0))
    world.accept("s5")
    world.feed(ev.CancelRequested("s5"))
    world.feed(ev.CancelAnswered("s5", 1, "cancelled"))
    data = records(world)
    ends = {(a.scene, a.number): (a.outcome, a.reason, a.retry_after) for a in data.attempts}
    assert ends == {
        ("s1", 1): ("permanent", "content policy", None),
        ("s2", 1): ("ambiguous", "lost", None),
        ("s3", 1): ("unusable", "no credit", None),
        ("s3", 2): (None, None, None),
        ("s4", 1): ("transient", "HTTP 503", 2.0),
        ("s5", 1): ("cancelled", "cancelled by the user", None),
    }
    assert [scene.status for scene in data.scenes] == ["failed", "held", "submitting", "queued", "cancelled"]
    assert data.scenes[0].error == "content policy"
    assert "run the scene again" in str(data.scenes[1].error)


def test_an_attempt_keeps_its_429_when_the_scene_is_cancelled_or_too_late() -> None:
    """A scene cancelled while its submit is unanswered, or over its deadline, does not hide that this was a 429."""
    world = World(profiles=2, scenes=2, mode=BOOST, retry=RetryPolicy(deadline=20))
    world.feed(ev.CancelRequested("s1"))
    world.limit("s1", retry_after=3.0)
    world.sleep_until(21)
    world.limit("s2")
    data = records(world)
    assert [(s.status, a.outcome, a.reason) for s, a in zip(data.scenes, data.attempts, strict=True)] == [
        ("cancelled", "rate_limited", "429"),
        ("failed", "rate_limited", "429"),
    ]
    assert data.scenes[0].error == "cancelled by the user"


def test_a_poll_that_fails_ends_no_attempt() -> None:
    """The job goes on at the provider: one attempt, from its submit to its result."""
    world = World(profiles=2, scenes=1)
    world.accept("s1")
    world.sleep_until(0.5)
    world.feed(ev.CallFailed("s1", 1, "poll", Transient("HTTP 503")))
    world.sleep_until(30)
    world.finish("s1")
    assert [(a.start, a.end, a.outcome) for a in records(world).attempts] == [(0.0, 30.0, "succeeded")]


@pytest.mark.parametrize(
    ("words", "began", "seconds"),
    [
        ([(2, "queued"), (5, "queued"), (9, "running")], 9.0, 8.0),  # from the acceptance to the first other word
        ([(2, "running"), (5, "running")], 1.0, 0.0),  # it began as it was accepted
        ([(2, "running"), (5, "queued"), (9, "running")], 1.0, 0.0),  # it had begun before
        ([(2, "queued"), (5, "running"), (9, "queued")], 5.0, 4.0),
        ([(2, "queued")], 20.0, 19.0),  # it began between two polls: at the latest when its result was there
        ([], 1.0, 0.0),
    ],
)
def test_time_in_the_queue_of_the_provider(words: list[tuple[float, str]], began: float, seconds: float) -> None:
    """From the acceptance of a job that polls find queued, to the first poll that finds it otherwise."""
    world = World(profiles=1, scenes=1)
    world.sleep_until(1)
    world.accept("s1")
    for at, word in words:
        world.sleep_until(at)
        world.command(Poll, "s1")
        world.feed(ev.Progressed("s1", 1, word))
    (attempt,) = records(world).attempts
    still = words[-1:] == [(2, "queued")]
    assert (attempt.accepted, attempt.began) == (1.0, None if still else began)
    world.sleep_until(20)
    world.finish("s1")
    (attempt,) = records(world).attempts
    assert (attempt.accepted, attempt.began, attempt.end) == (1.0, began, 20.0)
    assert attempt.queued_at_provider == seconds


def test_a_job_that_fails_in_the_queue_of_the_provider() -> None:
    """It never began: all its time there is waiting; the next attempt knows nothing of it."""
    world = World(profiles=2, scenes=1)
    world.accept("s1")
    world.sleep_until(3)
    world.command(Poll, "s1")
    world.feed(ev.Progressed("s1", 1, "queued"))
    world.sleep_until(8)
    world.feed(ev.JobFailed("s1", 1, RateLimited()))
    world.sleep_until(9)
    world.accept("s1")
    first, second = records(world).attempts
    assert (first.accepted, first.began, first.end, first.queued_at_provider) == (0.0, None, 8.0, 8.0)
    assert (second.accepted, second.began, second.queued_at_provider) == (9.0, 9.0, 0.0)


def test_a_scene_that_is_run_again_by_hand() -> None:
    """Numbers go on, the failure is forgotten, and it waits from when it was added again."""
    world = World(profiles=2, scenes=1)
    world.fail("s1", Permanent("refused"))
    world.sleep_until(5)
    world.feed(ev.SceneAdded(Scene("s1", "a better prompt")))
    world.feed(ev.RunStarted())
    (scene,) = records(world).scenes
    assert (scene.prompt, scene.status, scene.error, scene.end) == ("a better prompt", "submitting", None, None)
    assert (scene.queued, scene.start, scene.attempts) == (0.0, 0.0, 2)
    assert [(a.number, a.queued, a.start) for a in records(world).attempts] == [(1, 0.0, 0.0), (2, 5.0, 5.0)]


def test_a_stopped_run_and_scenes_cancelled_in_the_queue() -> None:
    """What never started has no start; a scene cancelled in the queue has an end and no attempt."""
    world = World(profiles=1, scenes=3)
    world.feed(ev.CancelRequested("s2"))
    world.feed(ev.Stopped())
    world.fail("s1", Permanent("no"))
    assert [(s.status, s.start, s.attempts) for s in records(world).scenes] == [
        ("failed", 0.0, 1), ("cancelled", None, 0), ("queued", None, 0),
    ]  # fmt: skip


def test_a_cooldown_window_for_each_member_and_its_end_moves() -> None:
    """A group's window shows on each of its profiles; a later 429 moves the end of all, it adds no window."""
    world = World({"p1": (None, "team"), "p2": (None, "team"), "p3": (None, "")}, scenes=2, mode=BOOST)
    world.limit("s1")
    assert windows(world) == [("p1", 0, 30), ("p2", 0, 30)]
    world.sleep_until(8)
    world.limit("s2")
    assert windows(world) == [("p1", 0, 38), ("p2", 0, 38)]
    world.sleep_until(50)
    assert windows(world) == [("p1", 0, 38), ("p2", 0, 38)]
    assert {window.group for window in records(world).cooldowns} == {"team"}


def test_windows_follow_profiles_that_come_and_go() -> None:
    """Who joins a cooling group cools from then on; who is removed has a window no more."""
    world = World({"p1": (None, "team"), "p2": (None, "team")}, scenes=1)
    world.limit("s1")
    world.sleep_until(10)
    world.feed(ev.ProfileAdded("p3", None, "team"))
    world.sleep_until(12)
    world.feed(ev.ProfileRemoved("p2"))
    world.sleep_until(20)
    world.feed(ev.ProfileAdded("p2", None, "team"))
    world.sleep_until(40)
    assert windows(world) == [("p1", 0, 30), ("p2", 0, 12), ("p3", 10, 30), ("p2", 20, 30)]


def test_windows_released_by_hand_of_the_group_and_of_the_profile_alone() -> None:
    """The two gates of a profile have windows of their own; a release ends both at that time."""
    world = World({"p1": (None, "team"), "p2": (None, "team")})
    world.feed(ev.CooldownImposed("p1", 30.0, "429"))
    world.feed(ev.CooldownImposed("p1", math.inf, "no credit", alone=True, unusable=True))
    assert windows(world) == [("p1", 0, 30), ("p2", 0, 30), ("p1", 0, math.inf)]
    world.sleep_until(7)
    world.feed(ev.CooldownReleased("p1"))
    assert windows(world) == [("p1", 0, 7), ("p2", 0, 7), ("p1", 0, 7)]


def test_global_pause_cools_everyone() -> None:
    """Every profile has a window of the same length, whoever got the 429."""
    world = World(profiles=3, scenes=1, policy=GlobalPause(9))
    world.limit("s1")
    assert windows(world) == [("p1", 0, 9), ("p2", 0, 9), ("p3", 0, 9)]


@pytest.mark.parametrize(
    "event",
    [
        ev.AttemptStarted("s9", 1, "p1", "?", at=1.0),
        ev.AttemptStarted("s1", 1, "p9", "?", at=1.0),
        ev.Fetched("s9", 1, at=1.0),
    ],
)
def test_events_that_do_not_belong_together(event: ev.Event) -> None:
    """A run file with lines missing says which event is about what was never added."""
    added = [ev.ProfileAdded("p1", at=0.0), ev.SceneAdded(Scene("s1", "x"), at=0.0)]
    with pytest.raises(InputError, match=r"event 3 of this run, \w+, is about '[sp]9', which was never added"):
        build({}, [*added, event])


def test_no_events() -> None:
    """A run that has not begun has nothing, and no length."""
    assert build({"run": "r"}, []) == RunData({"run": "r"}, [], [], [], [], [], [], 0.0)


# -- random runs

OUTCOMES = st.sampled_from(
    [None, RateLimited(), RateLimited(2.0), Transient("503"), Permanent("no"), Ambiguous("lost"),
     ProfileUnusable("key"), ProfileUnusable("quota", "day_quota", 40.0)]
)  # fmt: skip
JOBS = st.sampled_from(
    ["queued", "running", "done", "limited", "broken", "cancelled", "poll 503", "poll 429", "poll 401"]
)
USER = st.sampled_from(["cancel", "again", "stop", "go", "toggle", "release", "pause", "unpause", "add"])


class RandomRun:
    """A world in which hypothesis draws what users and providers do."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw = data.draw
        self.world = World(
            {"p1": (None, "team"), "p2": (1, "team"), "p3": (2, "")},
            scenes=4,
            mode=data.draw(st.sampled_from([BOOST, Mode("two", max_submitting=2)])),
            policy=data.draw(st.sampled_from([PerProfileCooldown(5, honour_retry_after=True), GlobalPause(5)])),
            retry=RetryPolicy(max_failures=2, deadline=data.draw(st.sampled_from([None, 30.0]))),
        )

    def run(self, steps: int) -> World:
        """Do that many things."""
        for _ in range(steps):
            if self.draw(st.integers(0, 3)) == 0:
                self.user(self.draw(USER))
            elif self.world.open:
                self.answer()
            else:
                self.world.sleep_until(self.world.now + self.draw(st.sampled_from([0.5, 3.0, 6.0])))
        return self.world

    def user(self, what: str) -> None:
        """Do what a user may do."""
        world, scenes = self.world, self.world.scheduler.scenes
        name = self.draw(st.sampled_from(names("s", 4)))
        if what == "again" and scenes[name].status in SETTLED:
            world.feed(ev.SceneAdded(Scene(name, "again"), single=True))
        elif what == "add":
            world.add(f"s{len(scenes) + 1}")
        elif what == "toggle":
            removed = world.scheduler.roster.profiles["p2"].removed
            world.feed(ev.ProfileAdded("p2", 1, "team") if removed else ev.ProfileRemoved("p2"))
        elif what not in ("again", "toggle"):
            world.feed({
                "cancel": ev.CancelRequested(name), "stop": ev.Stopped(), "go": ev.RunStarted(), "pause": ev.Paused(),
                "unpause": ev.Unpaused(), "release": ev.CooldownReleased("p1"),
            }[what])  # fmt: skip

    def answer(self) -> None:
        """Let the provider answer one of the open commands."""
        command = self.draw(st.sampled_from(self.world.open))
        self.world.open.remove(command)
        scene, number, feed = command.scene.id, command.number, self.world.feed
        match command:
            case Submit():
                outcome = self.draw(OUTCOMES)
                job = Operation("job", poll_after=self.draw(st.sampled_from([0.0, 1.0])))
                feed(ev.CallFailed(scene, number, "submit", outcome) if outcome else ev.Accepted(scene, number, job))
            case Poll():
                feed({
                    "queued": ev.Progressed(scene, number, "queued"),
                    "running": ev.Progressed(scene, number, "running"),
                    "done": ev.Generated(scene, number, Artifact("with_key")),
                    "limited": ev.JobFailed(scene, number, RateLimited()),
                    "broken": ev.JobFailed(scene, number, Permanent("content")),
                    "cancelled": ev.JobFailed(scene, number, Cancelled()),
                    "poll 503": ev.CallFailed(scene, number, "poll", Transient("503")),
                    "poll 429": ev.CallFailed(scene, number, "poll", RateLimited()),
                    "poll 401": ev.CallFailed(scene, number, "poll", ProfileUnusable("key")),
                }[self.draw(JOBS)])  # fmt: skip
            case Fetch():
                feed(ev.Fetched(scene, number, "x.mp4"))
            case Cancel():
                feed(ev.CancelAnswered(scene, number, self.draw(st.sampled_from(["cancelled", "unsupported"]))))


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_records_agree_with_the_audit(data: st.DataObject) -> None:
    """In any run: status, profile and number of attempts of each scene, which attempts run, moves, windows."""
    world = RandomRun(data).run(60)
    found, audit = records(world), world.audit
    last = {event.scene: event.profile for event in world.events(ev.AttemptStarted)}
    assert {s.id: (s.status, s.attempts, s.profile) for s in found.scenes} == {
        name: (view.status, view.number, last.get(name)) for name, view in audit.scenes.items()
    }
    assert len(found.attempts) == len(world.submitted()) == sum(s.attempts for s in found.scenes)
    for scene in found.scenes:
        tries = [a for a in found.attempts if a.scene == scene.id]
        assert [a.number for a in tries] == list(range(1, len(tries) + 1))
        assert all(a.queued <= a.start and (a.end is None) == (a.outcome is None) for a in tries)
        assert all(a.end is not None and a.end <= b.queued for a, b in pairwise(tries))
        for each in tries:
            times = [each.queued, each.start, each.accepted, each.began, each.end]
            known = [at for at in times if at is not None]
            assert known == sorted(known) and (each.began is None or each.accepted is not None)
        assert (bool(tries) and tries[-1].end is None) == (scene.status in LIVE)
        assert (scene.end is not None) == (scene.status in SETTLED)
        moved = [(a.profile, b.profile, b.start) for a, b in pairwise(tries) if a.profile != b.profile]
        assert moved == [(m.from_profile, m.to_profile, m.at) for m in found.moves if m.scene == scene.id]
    cooling = {name for name in audit.profiles if not audit.profiles[name].removed and not all(
        audit.gate(key).open for key in audit.gates_of(name))}  # fmt: skip
    assert {w.profile for w in found.cooldowns if w.end > found.end} <= cooling
    assert cooling <= {w.profile for w in found.cooldowns if w.end >= found.end}
