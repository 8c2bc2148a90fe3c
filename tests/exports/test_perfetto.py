"""Traces for Perfetto: what is in them, and every rule that its importer relies on, for all kinds of runs."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import vidgen_nb as vg
from tests.charts.foreign import hostile
from tests.charts.random_runs import random_runs
from tests.exports.trace_rules import check_trace
from vidgen_nb.analysis.records.timeline import queue_steps
from vidgen_nb.core import events as ev
from vidgen_nb.exports.perfetto import perfetto_events, write_perfetto
from vidgen_nb.exports.trace_tracks import micros

OLD = sorted((Path(__file__).parent.parent / "recording/data").rglob("*.jsonl"))
LIVE = vg.load_run(next(path for path in OLD if path.stem == "killed"))
DEMO = vg.simulate(24, vg.demo_profiles(), mode="boost", latency=0.4)


def events_of(run: Any, tmp_path: Path) -> list[dict[str, Any]]:
    """Return the events of a run's trace, which keeps all rules."""
    path = run.to_perfetto(tmp_path / "deep" / "trace.json")
    assert path == tmp_path / "deep" / "trace.json"
    return check_trace(path)


def of(events: list[dict[str, Any]], phase: str, kind: str = "") -> list[dict[str, Any]]:
    """Return the events of one phase and category."""
    return [each for each in events if each["ph"] == phase and (not kind or each.get("cat") == kind)]


def test_everything_is_in_it(tmp_path: Path) -> None:
    """A slice per attempt, an instant per 429, an arrow per move, a span per cooldown and per download."""
    events = events_of(DEMO, tmp_path)
    assert len(of(events, "X", "attempt")) == len(DEMO.attempts)
    assert len(of(events, "i", "429")) == sum(each.outcome == "rate_limited" for each in DEMO.attempts) > 0
    assert len(of(events, "s")) == len(of(events, "f")) == len(DEMO.moves) > 0
    assert len(of(events, "b", "cooldown")) == len(DEMO.cooldowns) > 0
    assert len(of(events, "b", "download")) == 24
    waiting = [(each["ts"] / 1e6, each["args"]["scenes"]) for each in of(events, "C") if each["name"] == "waiting"]
    assert waiting == [(pytest.approx(at, abs=1e-6), length) for at, length in queue_steps(DEMO.data, DEMO.data.end)]
    names = {each["args"]["name"] for each in events if each["name"] == "process_name"}
    assert names == {"alice", "bruno", "chiara", "delta", f"run {DEMO.header['run']}"}
    threads = Counter(each["args"]["name"] for each in events if each["name"] == "thread_name")
    assert threads["slot 1"] == 4 and threads["slot 3"] == 4 and threads["slot 4"] == 0


def test_times_and_words_are_those_of_the_records(tmp_path: Path) -> None:
    """Microseconds of the run; the parts of an attempt are in it; a 429 says how long it asked to wait."""
    events = events_of(DEMO, tmp_path)
    slices = of(events, "X", "attempt")
    assert [each["ts"] for each in slices] == [round(each.start * 1e6) for each in DEMO.attempts]
    first = DEMO.attempts[0]
    assert first.slot_end is not None and slices[0]["dur"] == round(first.slot_end * 1e6)
    assert slices[0]["name"] == "s001" and slices[0]["args"]["outcome"] == "succeeded"
    parts = [each["name"] for each in of(events, "X", "part") if each["tid"] == slices[0]["tid"]][:2]
    assert parts == ["submit", "generating"]
    limited = next(each for each in DEMO.attempts if each.outcome == "rate_limited")
    instant = of(events, "i", "429")[0]
    assert instant["name"] == f"429 {limited.scene}" and instant["ts"] == round((limited.end or 0) * 1e6)
    assert instant["args"]["Retry-After (s)"] == round(limited.retry_after or 0, 6)
    assert next(each for each in slices if each["args"]["outcome"] == "rate_limited")["name"] == f"{limited.scene} 429"


def test_a_counter_is_how_many_submits_a_limit_admits(tmp_path: Path) -> None:
    """It begins full, and whenever there is a 429 it has less than one left: that is why."""
    events = events_of(DEMO, tmp_path)
    pids = {each["args"]["name"]: each["pid"] for each in events if each["name"] == "process_name"}
    levels = {name: [(each["ts"], each["args"]["admits"]) for each in of(events, "C") if each["pid"] == pid]
              for name, pid in pids.items() if name in DEMO.data.profiles}  # fmt: skip
    assert {name: found[0][1] for name, found in levels.items()} == {"alice": 2, "bruno": 4, "chiara": 5, "delta": 30}
    refused = [each for each in DEMO.attempts if each.outcome == "rate_limited" and each.end is not None]
    for attempt in refused:
        before = [level for at, level in levels[attempt.profile] if at <= micros(attempt.end or 0)]
        assert before[-1] < 1, attempt
    assert not [each for each in of(events_of(LIVE, tmp_path), "C") if "admits" in each["args"]]


def test_the_providers_queue_is_told_apart(tmp_path: Path) -> None:
    """Jobs that wait at their provider have a part of their own."""
    queued = vg.SimulatedProfile("q", vg.Concurrency(2, over="queue"), vg.Constant(10))
    events = events_of(vg.simulate(6, [queued], mode="boost"), tmp_path)
    assert sum(each["name"] == "queued at the provider" for each in events) == 4
    assert sum(each["name"] == "generating" for each in events) == 6
    assert any("queued at the provider (s)" in each["args"] for each in of(events, "X", "attempt"))


def test_what_a_hand_did_and_time_off(tmp_path: Path) -> None:
    """Marks are instants of the run's own process."""
    requests = [(10.0, ev.Paused()), (20.0, ev.Unpaused()), (25.0, ev.CancelRequested("s005"))]
    events = events_of(vg.simulate(8, vg.demo_profiles(), requests=requests), tmp_path)
    said = [(each["ts"], each["name"]) for each in of(events, "i", "hand")]
    assert said == [
        (10_000_000, "paused: nothing new is submitted"),
        (20_000_000, "resumed"),
        (25_000_000, "cancelled s005"),
    ]


@pytest.mark.parametrize("path", OLD, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_recorded_runs(path: Path, tmp_path: Path) -> None:
    """Live, restored and unfinished runs that earlier versions wrote."""
    run = vg.load_run(path)
    events = events_of(run, tmp_path)
    assert len(of(events, "X", "attempt")) == len(run.attempts)
    assert sum(each["name"] == "no program ran" for each in events) == len(run.data.off)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_unfinished_runs(share: float, tmp_path: Path) -> None:
    """A run that is still going on ends its open slices at its last event, and its arrows do not hang."""
    run = vg.Run(DEMO.header, DEMO.events[: int(len(DEMO.events) * share)])
    events = events_of(run, tmp_path)
    running = [each for each in of(events, "X", "attempt") if each["args"]["outcome"] == "running"]
    assert len(running) == sum(each.end is None for each in run.attempts) > 0
    assert all(each["ts"] + each["dur"] <= round(run.data.end * 1e6) for each in running)


def test_nothing_and_almost_nothing(tmp_path: Path) -> None:
    """A run without scenes, or with its first event only, is a trace, too."""
    assert events_of(vg.simulate(0, vg.demo_profiles()), tmp_path)
    assert [each["ph"] for each in events_of(vg.Run({}, []), tmp_path) if each["ph"] != "M"] == ["C"]
    assert events_of(vg.Run(DEMO.header, DEMO.events[:30]), tmp_path)


def test_cooldowns_without_an_end(tmp_path: Path) -> None:
    """A refused key has none: its span ends with the run, and JSON knows no infinity."""
    profiles = [
        vg.SimulatedProfile("good", None, vg.Constant(5), 1),
        vg.SimulatedProfile("bad", None, vg.Constant(5), 1),
    ]
    events = events_of(vg.simulate(4, profiles, faults=[vg.Fault("auth", profile="bad")]), tmp_path)
    (window,) = of(events, "b", "cooldown")
    assert window["name"] == "out of the rotation" and window["args"]["until (s)"] == "not known"


@pytest.mark.parametrize("few", [12, pytest.param(50, marks=pytest.mark.long)])
def test_random_runs(few: int, tmp_path: Path) -> None:
    """Reruns by hand, overlapping cooldowns, restores: all keep the rules, and nothing is lost."""
    for run in islice(random_runs(tmp_path), few):
        events = events_of(run, tmp_path)
        assert len(of(events, "X", "attempt")) == len(run.attempts)
        assert len(of(events, "s")) == len(run.moves)


def test_clients_share_one_trace(tmp_path: Path) -> None:
    """Each client's profiles are processes of their own, by name, over one axis."""
    found = vg.simulate_clients(3, 4, vg.demo_profiles(2), policy="ExponentialCooldown")
    events = check_trace(found.to_perfetto(tmp_path / "clients.json"))
    names = [each["args"]["name"] for each in events if each["name"] == "process_name"]
    assert [name for name in names if name.endswith("alice")] == [f"client {n}: alice" for n in (1, 2, 3)]
    assert len(of(events, "X", "attempt")) == found.calls
    assert {each["name"] for each in of(events, "C")} == {"waiting"}, (
        "one client does not know what the limits have left"
    )
    assert set(json.loads((tmp_path / "clients.json").read_text())["otherData"]) == {"runs"}


def test_foreign_text_and_long_prompts(tmp_path: Path) -> None:
    """Prompts, names and reasons are shortened and on one line; half a character does not break the file."""
    long = vg.Scene("s\ud800", "a fox " * 5000 + "\n\u202e</script>")
    run = vg.simulate([long], [vg.SimulatedProfile("p\x00\n", None, vg.Constant(3))])
    assert "\u202e" not in json.dumps(events_of(run, tmp_path), ensure_ascii=False)
    path = write_perfetto(tmp_path / "hostile.json", {"run": hostile(DEMO.data)})
    check_trace(path)
    assert path.stat().st_size < 120_000


def test_keys_are_not_in_it(tmp_path: Path) -> None:
    """Neither a profile's key nor its address is written."""
    profiles = [vg.SimulatedProfile("p", None, vg.Constant(3), api_key="sk-secret-123")]
    assert "sk-secret" not in vg.simulate(3, profiles).to_perfetto(tmp_path / "t.json").read_text()


def test_big_runs_stay_small(tmp_path: Path) -> None:
    """A file of few bytes for each attempt, an event each line."""
    profiles = [vg.SimulatedProfile(f"p{n}", vg.TokenBucket(30, per=60), vg.Constant(9), 8) for n in range(20)]
    run = vg.simulate(1_500, profiles, mode="boost")
    path = run.to_perfetto(tmp_path / "big.json")
    assert path.stat().st_size < 800 * len(run.attempts)
    lines = path.read_text().splitlines()
    assert len(lines) == len(perfetto_events({"": run.data})) + 2
