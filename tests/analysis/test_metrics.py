"""Numbers of a run, computed by hand."""

from __future__ import annotations

import math

import pytest

from vidgen_nb.analysis.metrics import Metrics, ProfileMetrics, measure, trail, union
from vidgen_nb.analysis.records import AttemptRecord, CooldownRecord, MoveRecord, RunData, SceneRecord, build


def attempt(scene: str, profile: str, start: float, end: float | None, outcome: str | None) -> AttemptRecord:
    """Return an attempt; its number does not matter here."""
    return AttemptRecord(scene, 1, profile, 0.0, start, end, outcome, None, None)


def scene(name: str, status: str, end: float | None) -> SceneRecord:
    """Return a scene of which only status and end matter."""
    return SceneRecord(name, "x", status, 1, None, 0.0, 0.0, end, None, None)


def test_a_small_run() -> None:
    """Three scenes on two profiles in 40 s: counts, makespan, shares, cooldowns cut at the end."""
    data = RunData(
        header={}, events=[], profiles=["a", "b", "idle"],
        scenes=[scene("s1", "succeeded", 20.0), scene("s2", "succeeded", 36.0), scene("s3", "failed", 40.0)],
        attempts=[
            attempt("s1", "a", 0.0, 2.0, "rate_limited"),
            attempt("s1", "b", 2.0, 20.0, "succeeded"),
            attempt("s2", "b", 4.0, 36.0, "succeeded"),
            attempt("s3", "b", 36.0, 40.0, "permanent"),
        ],
        cooldowns=[
            CooldownRecord("a", "a", 2.0, 32.0, "429"),
            CooldownRecord("a", "a", 30.0, math.inf, "no credit"),
        ],
        moves=[MoveRecord("s1", "a", "b", 2.0)],
        end=40.0,
        capacities={"a": None, "b": 4, "idle": None},
    )  # fmt: skip
    assert measure(data) == Metrics(
        scenes={"succeeded": 2, "failed": 1}, attempts=4, rate_limited=1, moves=1, makespan=36.0,
        profiles=[
            ProfileMetrics("a", scenes=0, attempts=1, rate_limited=1, cooldown=38.0, utilisation=0.0),
            ProfileMetrics("b", scenes=2, attempts=3, rate_limited=0, cooldown=0.0, utilisation=(18 + 32) / (4 * 40)),
            ProfileMetrics("idle", scenes=0, attempts=0, rate_limited=0, cooldown=0.0, utilisation=0.0),
        ],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("spans", "end", "capacity", "share"),
    [
        ([(0, 10), (10, 20)], 20.0, None, 1.0),  # one after the other: one slot
        ([(0, 10), (5, 15)], 20.0, None, 0.5),  # two at once
        ([(0, 10), (5, None)], 20.0, None, 0.25),  # one that runs still holds its slot
        ([(0, 10)], 20.0, 2, 0.25),
        ([(5, 5)], 20.0, None, 0.0),
        ([], 0.0, 3, 0.0),
    ],
)
def test_utilisation(spans: list[tuple[float, float | None]], end: float, capacity: int | None, share: float) -> None:
    """Of the profile's slots; without a capacity, of the most attempts that it had at once."""
    attempts = [attempt("s", "a", start, stop, "succeeded" if stop is not None else None) for start, stop in spans]
    data = RunData({}, [], ["a"], [], attempts, [], [], end, {"a": capacity})
    assert measure(data).profiles[0].utilisation == share


def test_an_empty_run() -> None:
    """Nothing succeeded: no makespan, and no division by zero."""
    assert measure(build({}, [])) == Metrics({}, 0, 0, 0, None, [])


def test_union_counts_overlaps_once() -> None:
    """Windows may touch, overlap, contain each other, and come in any order."""
    assert union([]) == 0.0
    assert union([(5, 9), (0, 2), (1, 3), (3, 4), (6, 7)]) == 8.0


def test_trails() -> None:
    """A mark for each outcome that a reader looks for, a word for the others."""
    tries = [
        ("A", "rate_limited"), ("B", "transient"), ("C", "ambiguous"), ("A", "cancelled"), ("B", "succeeded"),
        ("C", None),
    ]  # fmt: skip
    assert trail(attempt("s", name, 0.0, 1.0, outcome) for name, outcome in tries) == (
        "A✕429→B✕transient→C?→A✕cancelled→B✓→C…"
    )
