"""The latest part of a run: like the records of the whole for a short run, and small for a long one."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.records.test_builder import RandomRun
from tests.benchmarks.live_gantt import stream
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.analysis.records.idle_time import idle_spans as idle
from vidgen_nb.analysis.records.live_window import COOLDOWN, MAX_OLDER_SUMS, Recent, RecentData
from vidgen_nb.analysis.records.timeline import queue_steps, subtract, union
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import Permanent


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_a_short_run_is_as_its_records(data: st.DataObject) -> None:
    """Attempts, cooldowns, moves, scenes, slots, the queue and idle time of any run within the limit."""
    world = RandomRun(data).run(60)
    events = list(world.scheduler.events)
    recent = Recent()
    recent(events)
    found, whole = recent.data(), build({}, events)
    assert found.attempts == whole.attempts
    assert found.moves == whole.moves
    assert found.cooldowns == [window for window in whole.cooldowns if window.end > 0]
    assert found.statuses == dict(Counter(scene.status for scene in whole.scenes))
    tried = {attempt.scene for attempt in whole.attempts}
    # one that was cancelled without an attempt, and comes again, counts as new
    both = (found.scenes, [scene for scene in whole.scenes if scene.id in tried])
    first, second = (sorted(repr(replace(scene, queued=0.0)) for scene in scenes) for scenes in both)
    assert first == second
    assert [step for step in found.waiting if step[0] < whole.end] == queue_steps(whole, whole.end)[:-1]
    assert found.backlog == ready_spans(events, whole.end)
    taken: dict[tuple[str, int], float | None] = {}
    for attempt, slot in zip(found.attempts, found.slots, strict=True):  # `pack` may also free one in the same instant
        before = taken.get((attempt.profile, slot), 0.0)
        assert before is not None and before <= attempt.start
        taken[attempt.profile, slot] = attempt.end
    assert (found.profiles, found.capacities, found.end) == (whole.profiles, whole.capacities, whole.end)
    assert (found.older, found.started, found.moved) == (0, len(whole.attempts), len(whole.moves))


def ready_spans(events: list[ev.Event], end: float) -> list[tuple[float, float]]:
    """Return when anything could have been submitted: while a profile that never ran and never cooled would be idle."""
    spare = [ev.ProfileAdded("spare", at=0.0), *events]
    return idle(replace(build({}, spare), cooldowns=[]), end)["spare"]


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_what_leaves_the_window_is_summed_up(data: st.DataObject) -> None:
    """In any run: history and window together have all attempts and cooldowns, and counts are those of the run."""
    world = RandomRun(data).run(80)
    events = list(world.scheduler.events)
    recent = Recent(data.draw(st.integers(1, 6)))
    for at in range(0, len(events), 3):
        recent(events[at : at + 3])
        if at % 2:
            recent.data()
    found, whole = recent.data(), build({}, events)
    ended = Counter((a.profile, a.outcome) for a in whole.attempts if a.end is not None)
    inside = Counter((a.profile, a.outcome) for a in found.attempts if a.end is not None)
    sums: Counter[tuple[str, str | None]] = Counter()
    for each in found.history:
        sums.update(each.sums)
    assert inside + Counter({key: count for key, count in sums.items() if key[1] != COOLDOWN}) == ended == found.tallies
    assert sum(a.end is None for a in found.attempts) == sum(a.end is None for a in whole.attempts)
    for profile in whole.profiles:
        windows = [w for w in whole.cooldowns if w.profile == profile and math.isfinite(w.end)]
        left = [w for w in found.cooldowns if w.profile == profile and math.isfinite(w.end)]
        seconds = sum(w.end - w.start for w in windows)
        assert sum(w.end - w.start for w in left) + sums[profile, COOLDOWN] <= seconds + 1e-6
        over = sum(w.end - w.start for w in windows if w.end <= found.since)
        assert sums[profile, COOLDOWN] <= seconds + 1e-6
        assert sum(w.end - w.start for w in left) + sums[profile, COOLDOWN] >= seconds - over - 1e-6
    assert found.statuses == dict(Counter(scene.status for scene in whole.scenes))
    assert (found.started, found.moved) == (len(whole.attempts), len(whole.moves))


def fed(attempts: int, limit: int) -> tuple[RecentData, list[ev.Event]]:
    """Return what is left of a run of about that many attempts, and all its events."""
    recent, events = Recent(limit), [event for part in islice(stream(), attempts) for event in part]
    recent(events)
    return recent.data(), events


def test_a_long_run_keeps_its_end() -> None:
    """Whatever reaches beyond `since` is there, in order of start, with its slot; counts are of the whole run."""
    found, events = fed(3000, 100)
    whole = build({}, events)
    assert len(found.attempts) == 100
    assert found.attempts == [a for a in whole.attempts if a.end is None or a.end > found.since]
    assert found.cooldowns == [window for window in whole.cooldowns if window.end > found.since]
    assert (found.started, found.older, found.moved) == (
        len(whole.attempts), len(whole.attempts) - 100, len(whole.moves)
    )  # fmt: skip
    assert sum(found.tallies.values()) == sum(attempt.end is not None for attempt in whole.attempts)
    assert len(found.moves) <= 100
    assert found.waiting[-1][1] == queue_steps(whole, whole.end)[-1][1]


def test_idle_time_of_the_window_is_that_of_the_run() -> None:
    """A profile that ran nothing while scenes could have been submitted."""
    found, events = fed(400, 100)
    whole = idle(build({}, events), found.end)
    for profile, stretches in whole.items():
        cooling = [(window.start, window.end) for window in found.cooldowns if window.profile == profile]
        seen = subtract(union(found.backlog), union([*found.taken[profile], *cooling]))
        assert sum(stop - start for start, stop in seen if start > found.since) == pytest.approx(
            sum(stop - start for start, stop in stretches if start > found.since)
        )


def test_clear_begins_anew() -> None:
    """Another run of the session has its own times, so nothing of the one before may stay."""
    recent = Recent(50)
    events = [event for part in islice(stream(), 300) for event in part]
    recent(events)
    recent.clear()
    recent(events[:40])
    other = Recent(50)
    other(events[:40])
    assert recent.data() == other.data()


def kept(attempts: int) -> dict[str, int]:
    """Return how much of everything a window keeps after that many attempts, except names of settled scenes."""
    recent = Recent(100)
    for part in islice(stream(), attempts):
        recent(part)
    recent.data()
    found = {name: len(value) for name, value in vars(recent).items() if hasattr(value, "__len__")}
    assert len(set(map(id, recent._settled_scenes.values()))) <= 8  # equal fates are one object
    del found["_settled_scenes"]
    return found | {name: len(value) for name, value in vars(recent._slots).items()}


def test_what_is_kept_does_not_grow() -> None:
    """Scenes that are settled and out of the window are forgotten, except for their names; history is bounded."""
    early, late = kept(1_000), kept(8_000)
    assert late["_scenes"] <= 200
    assert all(count <= early[name] + 60 for name, count in late.items()), (early, late)
    found, _events = fed(8_000, 100)
    assert len(found.history) >= 4
    assert sum(len(each.sums) for each in found.history) <= MAX_OLDER_SUMS


def test_a_forgotten_scene_that_comes_back() -> None:
    """Its status and the profile it was on are still known: counts stay exact."""
    recent = Recent(2)
    events: list[ev.Event] = [ev.ProfileAdded("a", at=0.0), ev.ProfileAdded("b", at=0.0), ev.RunStarted(at=0.0)]
    for number in range(9):
        name, at = f"s{number}", float(number)
        end = (
            ev.SceneSettled(name, 1, "a", "failed", "no", Permanent("no"), at=at + 0.5)
            if number % 2
            else ev.Fetched(name, 1, at=at + 0.5)
        )
        events += [ev.SceneAdded(Scene(name, "p"), at=at), ev.AttemptStarted(name, 1, "a", "", at=at), end]
    recent(events)
    assert "s0" not in recent._scenes and "s1" not in recent._scenes
    events += [ev.SceneAdded(Scene(name, "again"), at=20.0) for name in ("s0", "s1")]
    events += [ev.AttemptStarted("s0", 2, "a", "", at=21.0), ev.AttemptStarted("s1", 2, "b", "", at=21.0)]
    events += [ev.Fetched("s1", 2, at=22.0)]
    recent(events[-5:])
    found, whole = recent.data(), build({}, events)
    assert found.statuses == {"succeeded": 5, "failed": 3, "submitting": 1}
    assert found.statuses == dict(Counter(scene.status for scene in whole.scenes))
    assert found.moved == len(whole.moves) == 1
