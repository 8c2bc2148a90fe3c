"""A run as a trace for Perfetto (https://ui.perfetto.dev) and chrome://tracing, in the Trace Event Format (JSON).

What stands where. Process 1 is the run: how many scenes wait (a counter), what a hand did (instants), the time in which
no program ran. Each profile is a process of its own; of several runs, each run's profiles. Its threads are its slots,
with a slice for each attempt and, inside it, its parts: the submit, the wait in the provider's queue, the generation.
Cooldowns and downloads, which may overlap, are asynchronous slices beside them; each 429 is an instant on a thread of
its own, and each move an arrow (flow) from the abandoned attempt to the next. A simulated run knows its limits: there,
each profile has a counter of the submits that its limit would admit.

Rules of the format that the viewers rely on, each held by a test:

- times are whole microseconds, here of the run; events are in their order; the JSON is strict
- slices of one thread nest: a download takes no slot, so it must not be in the slot's thread
- an arrow starts and ends within slices, with one id, name and category; `"bp": "e"` binds its end to the slice
- Perfetto keys threads by their number alone, and 0 is the idle thread: numbers are unique in the trace and above 0
- what viewers call a process or a thread is in metadata events

Sources: "Trace Event Format" (Google), and the importer of Perfetto's trace processor.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from vidgen_nb.analysis.records.model import AttemptRecord, CooldownRecord, RunData
from vidgen_nb.analysis.records.slots import pack_slots
from vidgen_nb.analysis.records.timeline import queue_steps
from vidgen_nb.exports.limit_levels import limit_levels
from vidgen_nb.exports.trace_tracks import Process, Tracks, micros
from vidgen_nb.plaintext import one_line

__all__ = ["perfetto_events", "perfetto_lines", "write_perfetto"]

_NAME_CHARS: Final = 80
_TEXT_CHARS: Final = 200
"""Of a prompt or a reason: a trace is no place for whole prompts."""
_OUTCOMES: Final = {None: "running", "rate_limited": "429"}
"""What stands in a slice's name, where it is not the outcome's own name."""

Event = dict[str, Any]


def write_perfetto(path: str | os.PathLike[str], runs: Mapping[str, RunData]) -> Path:
    """Write a trace of runs, by name, and return its path; an existing file is replaced."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(perfetto_lines(runs))
    return target


def perfetto_lines(runs: Mapping[str, RunData]) -> Iterator[str]:
    """Yield a trace of runs that share one time axis, by name, as the lines of a JSON file; an event each.

    The unit of display comes first: Perfetto's importer does not look for it after the events.
    """
    encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
    yield '{"displayTimeUnit":"ms","traceEvents":[\n'
    before = ""
    for event in perfetto_events(runs):
        yield before + encode(event)
        before = ",\n"
    about = {name: _about(data) for name, data in runs.items()}
    first = next(iter(about.values()), {})
    yield f'\n],"otherData":{encode(first if len(about) == 1 else {"runs": encode(about)})}}}\n'


def perfetto_events(runs: Mapping[str, RunData]) -> list[Event]:
    """Return the events of a trace: names first, then all others in the order of their times."""
    tracks = Tracks()
    found: list[Event] = []
    for name, data in runs.items():
        found += _run_events(name if len(runs) > 1 else "", data, tracks)
    return [*tracks.names(), *sorted(found, key=lambda event: event["ts"])]  # stable: a slice before what is in it


def _about(data: RunData) -> dict[str, str]:
    """Return what is said of a run as a whole; texts, as the format wants."""
    header = data.header
    mode, policy = header.get("mode") or {}, header.get("policy") or {}
    told = {
        "run": header.get("run", ""), "started": header.get("started") or "", "mode": mode.get("name", ""),
        "policy": policy.get("name", ""), "seed": header.get("seed", ""), "seconds": round(data.end, 6),
        "written by": "vidgen_nb",
    }  # fmt: skip
    return {name: one_line(str(value), _NAME_CHARS) for name, value in told.items()}


def _run_events(prefix: str, data: RunData, tracks: Tracks) -> Iterator[Event]:
    """Yield the events of one run, slices in the order of their starts."""
    before = f"{one_line(prefix, 40)}: " if prefix else ""
    whole = tracks.process(before + one_line(f"run {data.header.get('run', '')}", _NAME_CHARS))
    yield from _whole_run(data, whole)
    profiles = {name: tracks.process(before + one_line(name, _NAME_CHARS)) for name in data.profiles}
    yield from _attempts(data, profiles, tracks)
    for name, at, level in limit_levels(data) if not prefix else ():  # other clients use the same limits
        yield _counter("its limit", "admits", at, level, profiles[name])
    for window in data.cooldowns:
        yield from _cooldown(window, data.end, profiles[window.profile], tracks)


def _whole_run(data: RunData, process: Process) -> Iterator[Event]:
    """Yield what is said of the run as a whole."""
    for at, length in queue_steps(data, data.end):
        yield _counter("waiting", "scenes", at, length, process)
    for mark in data.marks:
        text = one_line(mark.text, _TEXT_CHARS)
        yield {"ph": "i", "s": "t", "cat": "hand", "name": text, "ts": micros(mark.at), **process.track("by hand")}
    for start, end in data.off:
        yield _slice("no program ran", "off", start, end, process.track("no program"), {})


def _attempts(data: RunData, profiles: Mapping[str, Process], tracks: Tracks) -> Iterator[Event]:
    """Yield each attempt with its parts, its 429, its download, and the arrow to the next one elsewhere."""
    prompts = {scene.id: one_line(scene.prompt, _TEXT_CHARS) for scene in data.scenes}
    following: dict[str, AttemptRecord] = {}
    moved_to: dict[int, AttemptRecord] = {}
    for attempt in reversed(data.attempts):
        after = following.get(attempt.scene)
        if after is not None and after.profile != attempt.profile and attempt.end is not None:
            moved_to[id(attempt)] = after
        following[attempt.scene] = attempt
    arrows: dict[int, int] = {}
    for attempt, slot in zip(data.attempts, pack_slots(data.attempts), strict=True):
        process, track = profiles[attempt.profile], profiles[attempt.profile].track(f"slot {slot + 1}")
        end = data.end if attempt.slot_end is None else attempt.slot_end
        yield _slice(_attempt_name(attempt), "attempt", attempt.start, end, track, _attempt_args(attempt, prompts))
        if (arrow := arrows.pop(id(attempt), None)) is not None:
            yield {
                "ph": "f",
                "bp": "e",
                "id": arrow,
                "cat": "move",
                "name": "move",
                "ts": micros(attempt.start),
                **track,
            }
        yield from _parts(attempt, end, track)
        if (after := moved_to.get(id(attempt))) is not None:
            arrows[id(after)] = number = tracks.next_id()
            yield {"ph": "s", "id": number, "cat": "move", "name": "move", **_last_moment(attempt.start, end), **track}
        if attempt.outcome == "rate_limited" and attempt.end is not None:
            yield {
                "ph": "i", "s": "t", "cat": "429", "name": f"429 {one_line(attempt.scene, _NAME_CHARS)}",
                "ts": micros(attempt.end), **process.track("429s"), "args": _refusal_args(attempt),
            }  # fmt: skip
        if attempt.generated is not None:
            stop = data.end if attempt.end is None else attempt.end
            name = f"download {one_line(attempt.scene, _NAME_CHARS)}"
            yield from _overlapping(name, "download", attempt.generated, stop, process, tracks, {})


def _attempt_name(attempt: AttemptRecord) -> str:
    """Return a scene's id, and how the attempt ended if it did not succeed."""
    name = one_line(attempt.scene, _NAME_CHARS)
    return name if attempt.outcome == "succeeded" else f"{name} {_OUTCOMES.get(attempt.outcome, attempt.outcome)}"


def _attempt_args(attempt: AttemptRecord, prompts: Mapping[str, str]) -> dict[str, Any]:
    """Return what a viewer shows of an attempt that is selected."""
    told = {
        "scene": one_line(attempt.scene, _NAME_CHARS), "attempt": attempt.number,
        "outcome": attempt.outcome or "running", "prompt": prompts.get(attempt.scene, ""),
        "reason": one_line(attempt.reason or "", _TEXT_CHARS),
        "waited before it (s)": _seconds(attempt.start - attempt.queued),
        "queued at the provider (s)": _seconds(attempt.queued_at_provider),
    }  # fmt: skip
    return {name: value for name, value in told.items() if value not in ("", 0.0)}


def _refusal_args(attempt: AttemptRecord) -> dict[str, Any]:
    """Return what a 429 said."""
    asked = {} if attempt.retry_after is None else {"Retry-After (s)": _seconds(attempt.retry_after)}
    return {
        "scene": one_line(attempt.scene, _NAME_CHARS),
        "reason": one_line(attempt.reason or "", _TEXT_CHARS),
    } | asked


def _seconds(value: float) -> float:
    return round(value, 6)


def _parts(attempt: AttemptRecord, end: float, track: Mapping[str, int]) -> Iterator[Event]:
    """Yield the parts of an attempt that was accepted: submit, the provider's queue, generation."""
    if attempt.accepted is None:
        return
    began = end if attempt.began is None else attempt.began
    for name, start, stop in (
        ("submit", attempt.start, attempt.accepted),
        ("queued at the provider", attempt.accepted, began),
        ("generating", began, end),
    ):
        if micros(start) < micros(stop):
            yield _slice(name, "part", start, stop, track, {})


def _cooldown(window: CooldownRecord, end: float, process: Process, tracks: Tracks) -> Iterator[Event]:
    """Yield one window in which a profile rested; one that outlasts the run ends with it, and says until when."""
    known = math.isfinite(window.end)
    told = {
        "reason": one_line(window.reason, _TEXT_CHARS), "until (s)": _seconds(window.end) if known else "not known",
        **({"quota group": one_line(window.group, _NAME_CHARS)} if window.group not in ("", window.profile) else {}),
    }  # fmt: skip
    name = "out of the rotation" if window.unusable else "cooldown"
    if window.start <= end:
        stop = max(window.start, min(window.end, end))
        yield from _overlapping(name, "cooldown", window.start, stop, process, tracks, told)


def _counter(name: str, what: str, at: float, value: float, process: Process) -> Event:
    """Return the value of a process's counter from a moment on."""
    return {"ph": "C", "name": name, "ts": micros(at), **process.track(""), "args": {what: value}}


def _slice(name: str, kind: str, start: float, end: float, track: Mapping[str, int], args: Mapping[str, Any]) -> Event:
    """Return a slice of a thread."""
    at = micros(start)
    told = {"args": dict(args)} if args else {}
    return {"ph": "X", "cat": kind, "name": name, "ts": at, "dur": micros(end) - at, **track, **told}


def _overlapping(
    name: str, kind: str, start: float, end: float, process: Process, tracks: Tracks, args: Mapping[str, Any]
) -> Iterator[Event]:
    """Yield a slice that others may overlap: its beginning and its end, told by one number."""
    both = {"cat": kind, "id": f"0x{tracks.next_id():x}", "name": name, **process.track("")}
    yield {"ph": "b", "ts": micros(start), **both, "args": dict(args)}
    yield {"ph": "e", "ts": micros(end), **both}


def _last_moment(start: float, end: float) -> dict[str, int]:
    """Return the last microsecond that lies within a slice."""
    return {"ts": max(micros(start), micros(end) - 1)}
