"""The sentence and the numbers of the status strip."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from vidgen_nb.analysis.forecast.predict import Prediction
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Operation, RetryPolicy, Scene
from vidgen_nb.notebook.panel.chart.live_gantt import LiveGantt
from vidgen_nb.notebook.panel.status.run_counts import ProfileCounts, RunCounts
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.notebook.panel.status.status_strip import SessionSnapshot, sentence, status_html, time_left
from vidgen_nb.notebook.panel.tabs.attempts import AttemptsTable
from vidgen_nb.run import Run

RUNNING = SessionSnapshot(running=True)


def test_sentences_of_a_running_session() -> None:
    """Running, paused, stopping, closing, all profiles cooling, no room on the disk, closed."""
    feed = RunFeed()
    busy = {"p1": ProfileCounts(running=1), "p2": ProfileCounts(running=1)}
    feed.counts = RunCounts(scenes=Counter(waiting=5, running=2), profiles=busy)
    assert sentence(feed, RUNNING) == "2 scenes running on 2 profiles; 5 waiting."
    paused, stopping = replace(RUNNING, paused=True), replace(RUNNING, stopping=True)
    assert sentence(feed, paused) == "Paused: nothing new is submitted; 2 scenes running; 5 waiting."
    assert sentence(feed, stopping) == "Stopping: 2 scenes are still running and will settle; 5 stay waiting."
    closing = replace(RUNNING, closing=True)
    assert sentence(feed, closing) == "Closing: 2 scenes are still running; Cancel all cancels what has not settled."
    idle = {"p1": ProfileCounts(), "p2": ProfileCounts()}
    feed.counts = RunCounts(scenes=Counter(waiting=5), profiles=idle)
    cooling = replace(RUNNING, cooling={"p1": 3.2, "p2": 9.0})
    assert sentence(feed, cooling) == "All profiles are cooling; p1 is back first, in 4 s; 5 waiting."
    feed.unwritten["s1"] = "can't write to 'videos': No space left on device"
    assert sentence(feed, cooling) == (
        "1 finished video can't be saved, so nothing new is submitted: "
        "can't write to 'videos': No space left on device."
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
    assert sentence(feed, RUNNING) == "2 scenes running on 1 profile, 1 of them queued at the provider; 1 waiting."
    assert "2 scenes running, 1 of them queued at the provider; 1 waiting" in sentence(feed, paused)
    assert feed.window is not None
    table, chart = AttemptsTable(), LiveGantt()
    table.show(feed.window.attempts)
    assert [row[6] for row in table.rows] == ["… running", "… queued at the provider"]
    chart.update(feed.window, 20.0)
    (pale,) = chart.figure.select_traces({"meta": "queued"})
    assert len(pale.x) == 1 and pale.showlegend and "queued at the provider for" in pale.hovertext[0]
    timed.append(ev.Progressed("s2", 1, "running", at=15.0))
    feed.pull(run)
    assert sentence(feed, RUNNING) == "2 scenes running on 1 profile; 1 waiting."


def test_the_sentence_of_a_cooldown_names_what_began_it() -> None:
    """The profile, the scene that got the 429, that it is waiting, and how many others are cooling."""
    events: list[ev.Event] = [ev.ProfileAdded(name, None, name) for name in ("p1", "p2", "p3")]
    events += [ev.SceneAdded(Scene("s1", "x")), ev.RunStarted(), ev.AttemptStarted("s1", 1, "p1", "free")]
    events += [ev.CooldownStarted("p1", False, "p1", ("p1",), 30.0, "429", "s1")]
    feed = RunFeed()
    feed.pull(Run({}, events))
    cooling = replace(RUNNING, cooling={"p1": 30.0, "p2": 5.0})
    assert sentence(feed, cooling) == "p1 is cooling for 30 s more after a 429 on s1; 1 more profile is cooling."
    feed.cooldown("p1").unusable = True
    assert sentence(feed, replace(cooling, cooling={"p1": 30.0})).startswith("p1 is out of the rotation after a 429")


def test_what_a_restored_run_says() -> None:
    """Before it, that there is one; then what is running at the provider, and what to do about held scenes."""
    feed = RunFeed()
    before = sentence(feed, SessionSnapshot(chosen=3, restorable=True))
    assert before == "The last run did not finish: Restore last run continues it; Run starts a new one with 3 scenes."
    events: list[ev.Event] = [ev.ProfileAdded("p1"), *(ev.SceneAdded(Scene(f"s{k}", "x")) for k in range(1, 8))]
    events += [ev.AttemptStarted(f"s{k}", 1, "p1", "free") for k in range(1, 7)]
    events += [ev.SceneSettled(f"s{k}", 1, "p1", "held", f"look <{k}>") for k in range(1, 6)]
    events += [ev.RunRestored(0.0, 1.0, 0, RetryPolicy(), "hold", 10.0)]
    run = Run({}, events)
    feed.pull(run)
    assert sentence(feed, SessionSnapshot()) == (
        "The run is restored: 0 of 7 scenes succeeded, 1 still running at the provider (5 held, 1 waiting). "
        "Run continues it."
    )
    html = status_html(feed, SessionSnapshot())
    assert "s5: look &lt;5&gt;." in html and "s3: look" in html and "s2: look" not in html and "2 more are" in html
    events += [ev.RunStarted(), ev.SceneAdded(Scene("s5", "x"))]
    feed.pull(run)
    assert not feed.restored and "s5" not in feed.held


def test_time_left_at_the_pace_so_far() -> None:
    """In run seconds and in wall seconds; nothing while nobody can tell."""
    feed = RunFeed()
    assert time_left(feed, replace(RUNNING, now=10)) == ""
    feed.first_attempt_at = 0.0
    feed.counts = RunCounts(scenes=Counter(succeeded=4, waiting=6))
    assert time_left(feed, replace(RUNNING, now=20, speed=10)) == "about 30 s left (3 s at 10×)"
    assert time_left(feed, replace(RUNNING, now=20)) == "about 30 s left"


def test_time_left_as_predicted() -> None:
    """With the interval; once the predicted end is past, the pace is asked again."""
    prediction = Prediction(20.0, 5, 90.0, 100.0, 125.0, 40)
    session = SessionSnapshot(now=40.0, running=True, speed=20.0, prediction=prediction)
    assert time_left(RunFeed(), session) == "about 60 s left (3 s at 20×): 50 to 85 s in 4 of 5 cases"
    assert time_left(RunFeed(), replace(session, now=101.0)) == ""
    assert time_left(RunFeed(), replace(session, paused=True)) == ""
