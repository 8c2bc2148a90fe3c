"""A run that was off for an hour: that hour is named, and counts as nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import FakeBackend, profiles
from vidgen_nb.analysis.records.cooldowns import CoolingClock
from vidgen_nb.analysis.records.idle_time import idle_spans
from vidgen_nb.analysis.records.live_window import Recent
from vidgen_nb.analysis.records.off_time import off_spans, without
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import RetryPolicy, Scene
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session

PROMPTS = [f"prompt {k}" for k in range(1, 9)]
OFF = 3600.0


def restored(folder: Path) -> Run:
    """Run, break off, restore."""
    first = FakeBackend(hold=frozenset(["s005", "s006"]))
    session = Session(first, profiles("p1", "p2"), output=folder, journal=folder / "runs", speed=20, mode="boost")
    for profile in session.profiles:
        session.set_capacity(profile, 1)
    session.start(PROMPTS)
    while not session.last_run or sum(scene.status == "succeeded" for scene in session.last_run.scenes) < 3:
        pass
    session.abandon()
    session.close()
    again = Session.restore(folder / "runs", FakeBackend(), profiles("p1", "p2"), output=folder)
    with again:
        return again.run_blocking()


def later(run: Run, seconds: float) -> Run:
    """Return the run with its restore, and all after it, so much later."""
    index = next(k for k, event in enumerate(run.events) if isinstance(event, ev.RunRestored))
    while type(run.events[index - 1]) in (ev.Stopped, ev.AttemptAbandoned, ev.SceneSettled, ev.CooldownReleased):
        index -= 1
    events = list(run.events[:index])
    for event in run.events[index:]:
        moved = replace(event)
        moved.at = event.at + seconds  # type: ignore[misc]
        events.append(moved)
    return Run(run.header, events)


def test_time_off_is_left_out_or_named(tmp_path: Path) -> None:
    """Slot time, cooldowns and what-if are those of the run without its hour off, and metrics name the hour."""
    at_once = restored(tmp_path)
    run = later(at_once, OFF)
    (span,) = off_spans(run.events)
    metrics, before = run.metrics(), at_once.metrics()
    assert metrics.off == pytest.approx(before.off + OFF) == span[1] - span[0]
    assert "in which no program ran it" in repr(metrics)
    assert metrics.split is not None and before.split is not None and metrics.makespan and before.makespan
    assert metrics.split.off == pytest.approx(metrics.off / metrics.makespan, rel=1e-3)
    for name in ("ok", "wasted", "idle_empty", "idle_waiting"):
        now = getattr(metrics.split, name) / (1 - metrics.split.off)
        then = getattr(before.split, name) / (1 - before.split.off)
        assert now == pytest.approx(then, abs=1e-6), name
    assert sum(getattr(metrics.split, name) for name in metrics.split.__dataclass_fields__) == pytest.approx(1)
    for name in ("queue_length", "arrival_rate", "goodput", "cooldown_duty", "stranded"):
        assert getattr(metrics, name) == pytest.approx(getattr(before, name), rel=1e-6), name
    for now, then in ((metrics.flow, before.flow), (metrics.wait, before.wait), (metrics.queued, before.queued)):
        assert now is not None and then is not None
        assert dict(now.values) == pytest.approx(dict(then.values), abs=1e-6)
    assert metrics.queue_length == pytest.approx((metrics.arrival_rate or 0.0) * (metrics.queue_time or 0.0))
    assert metrics.makespan == pytest.approx(before.makespan + OFF)
    recent = Recent()
    recent(run.events)
    for idle in (idle_spans(run.data, run.data.end), recent.data().idle_spans()):
        assert not any(start < span[1] and span[0] < stop for spans in idle.values() for start, stop in spans), idle
    simulated = run.what_if(capacity=1)
    assert simulated.data.end < 60


def test_cutting_out() -> None:
    """Times after a span move forward by its length; those in it fall together."""
    cut = without([(10.0, 20.0), (30.0, 31.0)])
    assert [cut(t) for t in (5.0, 10.0, 15.0, 20.0, 25.0, 40.0)] == [5.0, 10.0, 10.0, 10.0, 15.0, 29.0]
    assert without([])(7.0) == 7.0 and off_spans([]) == []


RESTORED = ev.RunRestored(0.0, 1.0, 0, RetryPolicy(), "hold", 3600.0)


def at(event: ev.Event, seconds: float) -> ev.Event:
    """Return the event, at that time."""
    event.at = seconds  # type: ignore[misc]  # events are frozen for everyone else
    return event


def test_the_restore_says_when_the_last_program_recorded_its_last_event() -> None:
    """A long quiet stretch before the end, in which a cooldown ran out, does not count as time off."""
    quiet: list[ev.Event] = [at(ev.RunStarted(), 1.0), at(ev.CooldownEnded("a", False, ("a",)), 700.0)]
    assert off_spans([*quiet, at(replace(RESTORED, off_since=700.0), 800.0)]) == [(700.0, 800.0)]
    assert off_spans([*quiet, at(replace(RESTORED), 800.0)]) == [(1.0, 700.0)]  # an old file doesn't say so


def test_a_run_restored_twice_and_at_its_very_beginning() -> None:
    """Each time off is one span; a program that died before it recorded anything else, and one restored at once."""
    events = [at(ev.ProfileAdded("a", 1), 0.0), at(ev.RunStarted(), 0.0), at(replace(RESTORED, off_since=0.0), 50.0),
              at(ev.RunStarted(), 50.0), at(ev.Stopped(), 60.0), at(replace(RESTORED, off_since=50.0), 60.0),
              at(replace(RESTORED, off_since=60.0), 60.0)]  # fmt: skip
    run, recent = Run({}, events), Recent()
    for event in events:
        recent((event,))
    assert run.data.off == recent.data().off == [(0.0, 60.0)]
    assert run.metrics().off == 60 and run.metrics().goodput is None


def test_a_cooldown_that_spans_the_time_off() -> None:
    """It counts while a program ran, in the metrics and in the panel, wherever the restore lies."""
    for ends_at in (95.0, 110.0):
        events: list[ev.Event] = [
            at(ev.ProfileAdded("a", 1), 0.0), at(ev.RunStarted(), 0.0), at(ev.SceneAdded(Scene("s", "x")), 0.0),
            at(ev.CooldownStarted("a", False, "a", ("a",), ends_at, "429"), 10.0),
        ]  # fmt: skip
        end = at(ev.CooldownEnded("a", False, ("a",)), max(100.0, ends_at))
        restored = at(replace(RESTORED, off_since=20.0), 100.0)
        events += [end, restored] if ends_at < 100 else [restored, end]
        events.append(at(ev.RunEnded(ev.EndReason.STOPPED), 200.0))
        metrics, clock = Run({}, events).metrics(), CoolingClock()
        for event in events:
            clock.take(event)
        (row,) = metrics.profiles
        assert clock.seconds("a", 200.0) == row.cooldown == (10.0 if ends_at < 100 else 20.0)
        assert row.cooldown_duty == row.cooldown / (200 - 80)
        assert row.split is not None and row.split.cooling * 200 == pytest.approx(row.cooldown)
        assert row.split.off * 200 == pytest.approx(80)


def test_events_without_a_restore_have_no_time_off(tmp_path: Path) -> None:
    """The metrics say nothing of it."""
    with Session(FakeBackend(), profiles("p1"), output=tmp_path, speed=20) as session:
        run = session.run_blocking(PROMPTS)
    assert run.metrics().off == 0 and "no program ran" not in repr(run.metrics())
