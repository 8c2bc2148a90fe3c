"""The checks of traces find planted faults: each rule of the format can fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vidgen_nb as vg
from tests.exports.trace_rules import check_trace

Events = list[dict[str, Any]]
RUN = vg.simulate(24, vg.demo_profiles(), mode="boost", latency=0.4)


def first(events: Events, phase: str) -> dict[str, Any]:
    """Return the first event of a phase."""
    return next(each for each in events if each["ph"] == phase)


def without(events: Events, found: dict[str, Any]) -> None:
    """Take an event out."""
    events.remove(found)


def late_parent(events: Events) -> None:
    """Put a slice behind what lies in it."""
    at = next(place for place, each in enumerate(events) if each.get("cat") == "attempt")
    inside = next(place for place in range(at, len(events)) if events[place].get("cat") == "part")
    events[at], events[inside] = events[inside], events[at]


FAULTS: dict[str, Callable[[Events], Any]] = {
    "a time in seconds": lambda events: first(events, "X").update(ts=0.4),
    "a negative duration": lambda events: first(events, "X").update(dur=-1),
    "an order": lambda events: events[-1].update(ts=0),
    "a slice over the next one": lambda events: first(events, "X").update(dur=40_000_000),
    "a part before its whole": late_parent,
    "no name of a thread": lambda events: without(events, next(e for e in events if e["name"] == "thread_name")),
    "no name of a process": lambda events: without(events, next(e for e in events if e["name"] == "process_name")),
    "the idle thread": lambda events: first(events, "X").update(tid=0),
    "a thread of two processes": lambda events: first(events, "X").update(pid=1),
    "an arrow without an end": lambda events: without(events, first(events, "f")),
    "an arrow without a beginning": lambda events: without(events, first(events, "s")),
    "an arrow of two names": lambda events: first(events, "f").update(name="moved"),
    "an arrow that is not bound": lambda events: first(events, "f").update(bp="x"),
    "an arrow outside of slices": lambda events: first(events, "s").update(tid=1, pid=1),
    "a window without an end": lambda events: without(events, first(events, "e")),
    "an id used twice": lambda events: [each.update(id="0x1") for each in events if each["ph"] in "be"],
    "an instant without a scope": lambda events: first(events, "i").pop("s"),
    "a counter that is text": lambda events: first(events, "C").update(args={"scenes": "many"}),
    "a whole prompt": lambda events: first(events, "X").update(name="fox " * 1000),
    "an unknown phase": lambda events: first(events, "X").update(ph="Q"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, tmp_path: Path) -> None:
    """A good trace with one thing wrong is no good trace."""
    path = RUN.to_perfetto(tmp_path / "trace.json")
    trace = json.loads(path.read_text())
    FAULTS[fault](trace["traceEvents"])
    path.write_text(json.dumps(trace, separators=(",", ":")))
    with pytest.raises((AssertionError, KeyError)):
        check_trace(path)


@pytest.mark.parametrize("content", ['{"traceEvents":[]}', '{"displayTimeUnit":"ms","traceEvents":[{"ts":NaN}]}', "[]"])
def test_other_files_are_no_traces(content: str, tmp_path: Path) -> None:
    """Neither without its unit first, nor with what JSON does not know."""
    (tmp_path / "t.json").write_text(content)
    with pytest.raises((AssertionError, ArithmeticError)):
        check_trace(tmp_path / "t.json")
