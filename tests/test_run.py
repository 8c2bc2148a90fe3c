"""A run as a user holds it: live, saved, loaded, tabled, drawn."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

from tests.core.harness import World
from tests.fakes import FakeBackend
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import Permanent
from vidgen_nb.errors import FileFormatError, InputError
from vidgen_nb.ports import Profile
from vidgen_nb.run import Run, load_run
from vidgen_nb.session.session import Session


def world_and_run() -> tuple[World, Run]:
    """Return a scheduler with a scene that moved and one that was not finished, and the live view of it."""
    world = World(profiles=2, scenes=2)
    run = Run({"run": "r1"}, world.scheduler.events)
    world.sleep_until(1)
    world.limit("s1", retry_after=4.0)
    world.accept("s1")
    return world, run


def test_a_run_is_a_live_view() -> None:
    """Records and numbers grow while events are appended; records asked for before stay what they were."""
    world, run = world_and_run()
    before = run.attempts
    assert run.ended is None
    assert run.metrics().scenes == {"generating": 1, "submitting": 1}
    world.sleep_until(9)
    world.finish("s1")
    world.accept("s2")
    world.finish("s2")
    assert [attempt.end for attempt in before] == [1.0, None, None]
    assert [attempt.end for attempt in run.attempts] == [1.0, 9.0, 9.0]
    assert run.metrics().scenes == {"succeeded": 2}
    assert run.ended == "settled"
    assert run.data is run.data


def test_save_and_load(tmp_path: Path) -> None:
    """What comes back has the same header, events and records."""
    _, run = world_and_run()
    loaded = load_run(run.save(tmp_path / "run.jsonl"))
    assert (loaded.header, loaded.events) == (run.header, list(run.events))
    for table in ("scenes", "attempts", "cooldowns", "moves"):
        assert getattr(loaded, table) == getattr(run, table)
    assert loaded.metrics() == run.metrics()


def test_a_file_with_a_line_missing(tmp_path: Path) -> None:
    """For a file edited by hand, the error names the event without its scene; any other file is refused on loading."""
    _, run = world_and_run()
    path = run.save(tmp_path / "run.jsonl")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if '"SceneAdded"' not in line), encoding="utf-8")
    with pytest.raises(InputError, match=r"AttemptStarted, is about 's1', which was never added"):
        _ = load_run(path).attempts
    with pytest.raises(FileFormatError, match="can't be read"):
        load_run(tmp_path / "missing.jsonl")


def test_frames_have_the_fields_of_the_records() -> None:
    """Each table is a DataFrame with a column for each field, in order, also when it has no rows."""
    _, run = world_and_run()
    empty = Run({}, [])
    for table in ("scenes", "attempts", "cooldowns", "moves"):
        rows = getattr(run, table)
        frame = run.to_frame(table)
        assert list(frame.columns) == [column.name for column in fields(rows[0])]
        assert len(frame) == len(rows)
        assert list(empty.to_frame(table).columns) == list(frame.columns)
        assert len(empty.to_frame(table)) == 0
    attempts = run.to_frame()
    assert list(attempts["outcome"][:1]) == ["rate_limited"]
    assert attempts["retry_after"].dtype == float
    assert isinstance(attempts, pd.DataFrame)
    with pytest.raises(InputError, match="no table 'events': choose one of scenes, attempts, cooldowns, moves"):
        run.to_frame("events")


def test_trails() -> None:
    """A scene's way in one line; a scene without an attempt has an empty one, an unknown scene is an error."""
    world, run = world_and_run()
    world.feed(ev.Paused())
    world.add("s3")
    assert run.trail("s1") == "p1✕429→p2…"
    assert run.trail("s3") == ""
    with pytest.raises(InputError, match="no scene has the id 's9'"):
        run.trail("s9")


def test_repr() -> None:
    """Which run, how its scenes stand, whether it is over."""
    world, run = world_and_run()
    assert repr(run) == "<Run r1: 2 running; not ended>"
    world.feed(ev.Stopped())
    world.fail("s2", Permanent("no"))
    world.finish("s1")
    assert repr(run) == "<Run r1: 1 succeeded, 1 failed; settled>"
    assert repr(Run({}, [])) == "<Run : no scenes; not ended>"


def test_charts() -> None:
    """A run draws itself, also while it is open and when it is empty."""
    for run in (world_and_run()[1], Run({}, [])):
        assert isinstance(run.gantt(), go.Figure)
        assert run.svg().lstrip().startswith("<svg")


KEY = "sk-planted-1234567890"


def test_no_key_is_in_a_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The key of a profile that a whole session used is neither in its file, its log, its records nor its chart."""

    async def use_the_key(_scene: Scene, profile: Profile) -> None:
        assert profile.api_key.reveal() == KEY

    backend = FakeBackend(submit=use_the_key)
    with caplog.at_level("DEBUG"), Session(backend, [Profile("p1", KEY)], output=tmp_path) as session:
        run = session.run_blocking(["a lighthouse"])
        shown = [repr(session), repr(run), repr(run.data), repr(run.events), run.svg(), caplog.text]
    assert run.metrics().scenes == {"succeeded": 1}
    assert not any(KEY in text for text in shown)
    assert KEY not in run.save(tmp_path / "run.jsonl").read_text(encoding="utf-8")
