"""Runs as files: what comes back, and what damaged or foreign files say."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.harness import World
from tests.recording.test_codec import ANY_EVENT
from vidgen_nb.core import events as ev
from vidgen_nb.core.events import Event
from vidgen_nb.core.model import Scene
from vidgen_nb.errors import FileFormatError
from vidgen_nb.recording.runfile import FORMAT, event_line, header_line, read_run, write_run

HEADER = {"run": "r1", "mode": {"name": "normal"}, "max_wait": "inf"}


@settings(deadline=None, max_examples=50)
@given(events=st.lists(ANY_EVENT, max_size=8))
def test_a_run_comes_back(events: list[Event]) -> None:
    """Header and events are the same after writing and reading, whatever texts are in them."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_run(Path(folder) / "deep" / "run.jsonl", HEADER, events)
        assert read_run(path) == (HEADER, events)


def test_the_file_is_readable_utf8_a_line_for_each_event(tmp_path: Path) -> None:
    """Text is written as it is; only a line with half a surrogate pair, which UTF-8 can't encode, is escaped."""
    prompts = ["ein Leuchtturm – 灯台", "line\nbreak\u2028\x1b[31m", "half \ud83d"]
    scenes = [Scene(f"s{index}", prompt) for index, prompt in enumerate(prompts)]
    path = write_run(tmp_path / "run.jsonl", HEADER, [ev.SceneAdded(scene, at=0.0) for scene in scenes])
    lines = path.read_bytes().decode("utf-8").split("\n")
    assert len(lines) == 5
    assert "灯台" in lines[1]
    assert r"half \ud83d" in lines[3]
    assert [event.scene for event in read_run(path)[1] if isinstance(event, ev.SceneAdded)] == scenes


def test_a_header_of_any_backend_can_be_saved(tmp_path: Path) -> None:
    """A setting that JSON can't hold is saved as its text, so the run is not lost."""
    path = write_run(tmp_path / "run.jsonl", {"backend": {"folder": Path("x"), "wait": float("inf")}}, [])
    assert read_run(path)[0] == {"backend": {"folder": repr(Path("x")), "wait": "inf"}}


def test_an_existing_file_is_replaced_only_when_complete(tmp_path: Path) -> None:
    """When the events end in an error, the old file is untouched and nothing else is left."""
    path = write_run(tmp_path / "run.jsonl", {"run": "old"}, [])

    def broken() -> Iterator[Event]:
        yield ev.Paused(at=1.0)
        assert read_run(path)[0] == {"run": "old"}
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        write_run(path, {"run": "new"}, broken())
    assert read_run(path)[0] == {"run": "old"}
    write_run(path, {"run": "new"}, [])
    assert read_run(path)[0] == {"run": "new"}
    assert list(tmp_path.iterdir()) == [path]


HEAD = json.dumps({"vidgen_nb_run": FORMAT}) + "\n"


@pytest.mark.parametrize(
    ("content", "line", "column", "text"),
    [
        ("", 1, 1, "not a run of vidgen_nb"),
        ("id,prompt\ns1,dawn\n", 1, 1, "not a run of vidgen_nb"),
        ("[1]\n", 1, None, "not a run of vidgen_nb"),
        ('{"cells": []}\n', 1, None, "no 'vidgen_nb_run'"),
        ('{"vidgen_nb_run": true}\n', 1, None, "no 'vidgen_nb_run'"),
        ('{"vidgen_nb_run": 0}\n', 1, None, "not a run of vidgen_nb"),
        ('{"vidgen_nb_run": -5}\n', 1, None, "not a run of vidgen_nb"),
        ('{"vidgen_nb_run": 1.0}\n', 1, None, "not a run of vidgen_nb"),
        (b"\x89PNG\r\n\x1a\n", None, None, "not UTF-8 text"),
        (json.dumps({"vidgen_nb_run": FORMAT + 1}), 1, None, "newer vidgen_nb .* upgrade"),
        (HEAD + '{"event": "Paused", "at": 1}\n{"event": "Paused", "at"\n', 3, 25, "not JSON: Expecting ':'"),
        (HEAD + '{"event": "Paused", "at": NaN}\n', 2, None, "NaN is not a JSON number"),
        (HEAD + '{"event": "Paused", "at": ' + "9" * 5000 + "}\n", 2, None, "not JSON"),
        (HEAD + '{"event": "Paused", "at": ' + "9" * 400 + "}\n", 2, None, "at: .* too large"),
        (HEAD + "[" * 100_000 + "\n", 2, None, "not JSON"),
        (HEAD + '"Paused"\n', 2, None, "expected a JSON object, not str"),
        (HEAD + "\n" + '{"event": "Vanished", "at": 1}', 3, None, "unknown event 'Vanished'"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_run(tmp_path: Path, content: Any, line: int, column: int, text: str) -> None:
    """Foreign, empty, binary, newer and damaged files: a FileFormatError with file, line and column."""
    path = tmp_path / "it.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FileFormatError, match=text) as caught:
        read_run(path)
    assert (caught.value.path, caught.value.line, caught.value.column) == (str(path), line, column)


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    """A missing file and a folder say so."""
    with pytest.raises(FileFormatError, match=r"(can't be read: |is a folder)"):
        read_run(tmp_path / name)


def test_a_file_that_went_through_an_editor(tmp_path: Path) -> None:
    """A byte order mark and Windows line ends do no harm."""
    events = World(profiles=1, scenes=2).scheduler.events
    path = write_run(tmp_path / "run.jsonl", HEADER, events)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_run(path) == (HEADER, events)


@given(events=st.lists(ANY_EVENT, max_size=12))
@settings(max_examples=100, deadline=None)
def test_many_lines_are_those_of_each(events: list[Event]) -> None:
    """Whatever happened, a file has the same bytes as a journal that writes one line after the other."""
    with tempfile.TemporaryDirectory() as folder:
        written = write_run(Path(folder) / "run.jsonl", {}, events).read_bytes()
    assert written == header_line({}) + b"".join(map(event_line, events))


@pytest.mark.parametrize(
    "odd",
    [
        ev.SceneAdded(Scene("s1", 'a,{"event":1}', like=[1, {"event": 2}, {"event": "x"}]), at=1.0),
        ev.SceneAdded(Scene("s1", "half \ud800"), at=1.0),
        ev.CooldownImposed("p1", float("inf"), "no credit", at=1.0),
    ],
)
def test_lines_that_need_care(tmp_path: Path, odd: Event) -> None:
    """Parameters that look like an event, half a surrogate pair, and no known end."""
    events = [ev.RunStarted(at=0.0), odd, ev.Stopped(at=2.0)]
    written = write_run(tmp_path / "run.jsonl", {}, events).read_bytes()
    assert written == header_line({}) + b"".join(map(event_line, events))
    assert read_run(tmp_path / "run.jsonl")[1] == events
