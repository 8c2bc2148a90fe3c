"""The sentence that says what is going on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Artifact, Operation, RetryPolicy, Scene
from vidgen_nb.notebook.panel.chart.live_gantt import LiveGantt
from vidgen_nb.notebook.panel.status.run_counts import ProfileCounts, RunCounts
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.notebook.panel.status.sentences import sentence, state_word
from vidgen_nb.notebook.panel.status.session_snapshot import SessionSnapshot
from vidgen_nb.notebook.panel.tabs.attempts import AttemptsTable
from vidgen_nb.run import Run

RUNNING = SessionSnapshot(running=True)


def test_sentences_of_a_running_session() -> None:
    """Running, paused, stopping, closing, all profiles cooling, no room on the disk, closed."""
    feed = RunFeed()
    busy = {"p1": ProfileCounts(running=1), "p2": ProfileCounts(running=1)}
    feed.counts = RunCounts(scenes=Counter(waiting=5, running=2), profiles=busy)
    assert sentence(feed, RUNNING) == "2 scenes run on 2 accounts; 5 wait."
    paused, stopping = replace(RUNNING, paused=True), replace(RUNNING, stopping=True)
    assert sentence(feed, paused) == "Paused: nothing new is submitted; 2 scenes still run, 5 wait."
    assert sentence(feed, stopping) == "Stopping: 2 scenes still run, 5 stay waiting."
    closing = replace(RUNNING, closing=True)
    assert sentence(feed, closing) == "Closing: 2 scenes still run. To end it now, cancel everything (beside Stop)."
    idle = {"p1": ProfileCounts(), "p2": ProfileCounts()}
    feed.counts = RunCounts(scenes=Counter(waiting=5), profiles=idle)
    cooling = replace(RUNNING, cooling={"p1": 3.2, "p2": 9.0})
    assert sentence(feed, cooling) == "No account is free; p1 is back first, in 4 s. 5 scenes wait."
    feed.unwritten["s1"] = "can't write to 'videos': No space left on device"
    assert sentence(feed, cooling) == (
        "1 finished video can't be saved, so nothing new is submitted: "
        "can't write to “videos”: No space left on device."
    )
    assert "closed" in sentence(feed, SessionSnapshot(closed=True))


def test_the_sentence_tells_of_jobs_that_wait_at_their_provider() -> None:
    """How many of the running scenes are queued there, as long as they are."""
    events: list[ev.Event] = [ev.ProfileAdded("p1"), *(ev.SceneAdded(Scene(f"s{k}", "x")) for k in range(1, 4))]
    events.append(ev.RunStarted())
    for name in ("s1", "s2"):
        events += [ev.AttemptStarted(name, 1, "p1", "free"), ev.Accepted(name, 1, Operation(name))]
    events += [ev.Progressed("s1", 1, "running"), ev.Progressed("s2", 1, "queued")]
    feed, paused = RunFeed(), replace(RUNNING, paused=True)
    timed = [replace(event, at=float(at)) for at, event in enumerate(events)]
    run = Run({}, timed)
    feed.pull(run)
    assert sentence(feed, RUNNING) == "2 scenes run on 1 account, 1 of them queued at the provider; 1 waits."
    assert "2 scenes still run, 1 of them queued at the provider; 1 waits" in sentence(feed, paused)
    assert feed.window is not None
    table, chart = AttemptsTable(), LiveGantt()
    table.show(feed.window.attempts)
    assert [row[6] for row in table.rows] == ["… running", "… queued at the provider"]
    chart.update(feed.window, 20.0)
    (pale,) = chart.figure.select_traces({"meta": "queued"})
    assert len(pale.x) == 1 and pale.showlegend and "queued at the provider for" in pale.hovertext[0]
    timed.append(ev.Progressed("s2", 1, "running", at=15.0))
    feed.pull(run)
    assert sentence(feed, RUNNING) == "2 scenes run on 1 account; 1 waits."


def test_the_sentence_of_a_cooldown_names_what_began_it() -> None:
    """The profile, the scene that got the 429, that it is waiting, and how many others are cooling."""
    events: list[ev.Event] = [ev.ProfileAdded(name, None, name) for name in ("p1", "p2", "p3")]
    events += [ev.SceneAdded(Scene("s1", "x")), ev.RunStarted(), ev.AttemptStarted("s1", 1, "p1", "free")]
    events += [ev.CooldownStarted("p1", False, "p1", ("p1",), 30.0, "429", "s1")]
    feed = RunFeed()
    feed.pull(Run({}, events))
    cooling = replace(RUNNING, cooling={"p1": 30.0, "p2": 5.0})
    assert sentence(feed, cooling) == "p1 rests 30 s after a 429 on s1; 1 more account rests."
    feed.cooldown("p1").unusable = True
    assert sentence(feed, replace(cooling, cooling={"p1": 30.0})).startswith("p1 is out, back in 30 s after a 429")


def test_what_a_restored_run_says() -> None:
    """Before it, that there is one; then what is running at the provider, and what to do about held scenes."""
    feed = RunFeed()
    before = sentence(feed, SessionSnapshot(chosen=3, restorable=True))
    assert before == "The last run did not finish: Restore last run continues it. Run starts a new one with 3 scenes."
    events: list[ev.Event] = [ev.ProfileAdded("p1"), *(ev.SceneAdded(Scene(f"s{k}", "x")) for k in range(1, 8))]
    events += [ev.AttemptStarted(f"s{k}", 1, "p1", "free") for k in range(1, 7)]
    events += [ev.SceneSettled(f"s{k}", 1, "p1", "held", f"look <{k}>") for k in range(1, 6)]
    events += [ev.RunRestored(0.0, 1.0, 0, RetryPolicy(), "hold", 10.0)]
    run = Run({}, events)
    feed.pull(run)
    assert sentence(feed, SessionSnapshot()) == (
        "Restored. 0 of 7 succeeded, 5 held, 1 waiting, 1 scene still runs at the provider. Run continues it. "
        "5 scenes are in doubt: decide in Scenes."
    )
    events += [ev.RunStarted(), ev.SceneAdded(Scene("s5", "x"))]
    feed.pull(run)
    assert not feed.restored and "s5" not in feed.held


def ended(reason: str, *more: ev.Event, done: int = 2, scenes: int = 24) -> RunFeed:
    """Return what is known of a run that has ended."""
    events: list[ev.Event] = [ev.ProfileAdded("p1"), *(ev.SceneAdded(Scene(f"s{k}", "x")) for k in range(scenes))]
    events.append(ev.RunStarted())
    for k in range(done):
        events += [ev.AttemptStarted(f"s{k}", 1, "p1", "free"), ev.Accepted(f"s{k}", 1, Operation("j"))]
        events += [ev.Generated(f"s{k}", 1, Artifact("a")), ev.Fetched(f"s{k}", 1, "x.mp4")]
    feed = RunFeed()
    feed.pull(Run({}, [*events, *more, ev.RunEnded(ev.EndReason(reason))]))
    return feed


def test_how_a_run_ended() -> None:
    """The end in a word or two, what is done, and what to do next; zeros are left out."""
    done = ended("settled", scenes=2)
    assert (state_word(done, SessionSnapshot()), sentence(done, SessionSnapshot())) == (
        "Done",
        "Done. 2 of 2 succeeded.",
    )
    left = ended("stopped")
    assert sentence(left, SessionSnapshot()) == (
        "Stopped. 2 of 24 succeeded, 22 waiting. Run continues with the 22 left."
    )
    dropped = [ev.SceneSettled(f"s{k}", 1, None, "cancelled", "as asked") for k in range(2, 24)]
    cancelled = ended("settled", ev.CancelRequested(), *dropped)
    assert state_word(cancelled, SessionSnapshot()) == "Cancelled"
    assert sentence(cancelled, SessionSnapshot()) == "Cancelled. 2 of 24 succeeded, 22 cancelled."


def test_at_the_spending_cap_it_says_what_can_be_done() -> None:
    """A run that the cap stopped does not go on by itself: the cap is raised, or the rest is discarded."""
    feed, session = ended("max_billed"), SessionSnapshot(left_over=22, cap=2, billed=2)
    assert state_word(feed, session) == "Cap reached"
    assert sentence(feed, session) == ("Spending cap reached (2 of 2). 22 scenes left: raise the cap or discard them.")
    raised = replace(session, cap=24)
    assert "Run continues with the 22 left" in sentence(feed, raised)
