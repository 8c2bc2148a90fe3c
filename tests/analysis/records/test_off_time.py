"""A run that was off for an hour: that hour is named, and counts as nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import FakeBackend, profiles
from vidgen_nb.analysis.records.off_time import off_spans, without
from vidgen_nb.core import events as ev
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
    simulated = run.what_if(capacity=1)
    assert simulated.data.end < 60


def test_cutting_out() -> None:
    """Times after a span move forward by its length; those in it fall together."""
    cut = without([(10.0, 20.0), (30.0, 31.0)])
    assert [cut(t) for t in (5.0, 10.0, 15.0, 20.0, 25.0, 40.0)] == [5.0, 10.0, 10.0, 10.0, 15.0, 29.0]
    assert without([])(7.0) == 7.0 and off_spans([]) == []


def test_events_without_a_restore_have_no_time_off(tmp_path: Path) -> None:
    """The metrics say nothing of it."""
    with Session(FakeBackend(), profiles("p1"), output=tmp_path, speed=20) as session:
        run = session.run_blocking(PROMPTS)
    assert run.metrics().off == 0 and "no program ran" not in repr(run.metrics())
