"""The rules of the Trace Event Format, and of the viewers that read it, as checks of a file."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

__all__ = ["check_trace"]

MAX_TEXT = 300
PHASES = {"M", "X", "b", "e", "i", "s", "f", "C"}


def check_trace(path: Path) -> list[dict[str, Any]]:
    """Return the events of a trace that a viewer can draw as it is meant."""
    content = path.read_text(encoding="utf-8")
    assert content.startswith('{"displayTimeUnit":"ms","traceEvents":['), "the unit stands before the events"
    trace = json.loads(content, parse_constant=lambda name: 1 / 0)
    assert set(trace) == {"displayTimeUnit", "traceEvents", "otherData"}
    assert all(isinstance(value, str) for value in trace["otherData"].values())
    events: list[dict[str, Any]] = trace["traceEvents"]
    assert {event["ph"] for event in events} <= PHASES
    _names_and_times(events)
    _tracks(events)
    _slices_nest(events)
    _overlapping_slices_are_pairs(events)
    _arrows_end_in_slices(events)
    _instants_and_counters(events)
    return events


def _names_and_times(events: list[dict[str, Any]]) -> None:
    for event in events:
        assert isinstance(event["name"], str) and event["name"], event
        assert type(event["ts"]) is int and event["ts"] >= 0, "whole microseconds"
        assert type(event.get("dur", 0)) is int and event.get("dur", 0) >= 0
        assert ("dur" in event) == (event["ph"] == "X")
        assert isinstance(event.get("args", {}), dict)
        for text in (event["name"], *event.get("args", {}).values()):
            assert len(str(text)) <= MAX_TEXT and "\n" not in str(text)
    times = [event["ts"] for event in events if event["ph"] != "M"]
    assert times == sorted(times)


def _tracks(events: list[dict[str, Any]]) -> None:
    """Processes and threads have names before they are used, and numbers that Perfetto does not confuse."""
    names: dict[str, dict[int, Any]] = defaultdict(dict)
    process_of: dict[int, int] = {}
    for event in events:
        pid, tid = event["pid"], event["tid"]
        assert type(pid) is int and type(tid) is int and pid > 0 and tid > 0, "0 is the idle thread"
        assert process_of.setdefault(tid, pid) == pid, "a thread's number is of one process"
        if event["ph"] == "M":
            key = pid if event["name"].startswith("process") else tid
            assert key not in names[event["name"]], "named once"
            names[event["name"]][key] = next(iter(event["args"].values()))
        else:
            assert pid in names["process_name"] and tid in names["thread_name"], event
    first = next((at for at, event in enumerate(events) if event["ph"] != "M"), 0)
    assert all(event["ph"] != "M" for event in events[first:])
    assert names["process_name"].keys() == names["process_sort_index"].keys()
    assert names["thread_name"].keys() == names["thread_sort_index"].keys()
    assert {tid for tid, pid in process_of.items() if tid == pid} == names["process_name"].keys(), "main threads only"


def _slices_nest(events: list[dict[str, Any]]) -> None:
    """On a thread, a slice lies within the one that is open, or begins after its end; as Perfetto's stack has it."""
    stacks: dict[int, list[int]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            stack, start, end = stacks[event["tid"]], event["ts"], event["ts"] + event["dur"]
            while stack and stack[-1] <= start:
                stack.pop()
            assert not stack or end <= stack[-1], event
            stack.append(end)


def _overlapping_slices_are_pairs(events: list[dict[str, Any]]) -> None:
    open_ones: dict[tuple[str, str], dict[str, Any]] = {}
    seen = set()
    for event in events:
        if event["ph"] in "be":
            key = event["cat"], event["id"]
            assert isinstance(event["id"], str) and int(event["id"], 16) > 0
            if event["ph"] == "b":
                assert key not in seen, "an id is used once"
                seen.add(key)
                open_ones[key] = event
            else:
                begun = open_ones.pop(key)
                assert all(begun[name] == event[name] for name in ("pid", "tid", "name")), event
    assert not open_ones


def _arrows_end_in_slices(events: list[dict[str, Any]]) -> None:
    """An arrow begins in a slice, which comes before it in the file, and ends at the start of a later one."""
    last: dict[int, list[dict[str, Any]]] = defaultdict(list)
    begun: dict[int, dict[str, Any]] = {}
    for event in events:
        if event["ph"] == "X":
            last[event["tid"]].append(event)
        elif event["ph"] in "sf":
            inside = [each for each in last[event["tid"]][-4:] if each["ts"] <= event["ts"] <= each["ts"] + each["dur"]]
            assert inside, event
            assert type(event["id"]) is int and (event["cat"], event["name"]) == ("move", "move")
            if event["ph"] == "s":
                assert event["id"] not in begun
                begun[event["id"]] = event
            else:
                assert event["bp"] == "e" and event["ts"] == inside[-1]["ts"]
                start = begun.pop(event["id"])
                assert start["ts"] <= event["ts"] and start["pid"] != event["pid"]
    assert not begun, "every arrow ends"


def _instants_and_counters(events: list[dict[str, Any]]) -> None:
    for event in events:
        assert ("s" in event) == (event["ph"] == "i") and event.get("s", "t") == "t"
        if event["ph"] == "C":
            assert event["args"] and all(isinstance(value, int | float) for value in event["args"].values())
