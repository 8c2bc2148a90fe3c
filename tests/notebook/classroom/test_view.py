"""The teacher's view without a browser: lanes, numbers and marks are what the emulator has seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.emulator.seen import SeenProvider
from vidgen_nb.notebook.classroom.view import ClassView
from vidgen_nb.recording.journal import Journal


class Lesson:
    """A class whose time the test moves; nothing goes over HTTP."""

    def __init__(self, students: int = 30, **options: Any) -> None:
        self.now = 0.0
        room = vg.class_profiles(students, service=vg.Constant(10), **options)
        self.emulator = vg.Emulator(room, clock=Clock(monotonic=lambda: self.now))
        self.names = [each.name for each in room]
        self.view: ClassView = vg.watch(self.emulator)

    @property
    def provider(self) -> SeenProvider:
        """What is behind the emulator."""
        return self.emulator.provider

    def head(self) -> str:
        """Return the numbers above the lanes, as text."""
        self.view.page.show(self.view._source.read())
        return str(self.view.page.head.value)

    def label(self, name: str) -> str:
        """Return what stands beside a lane."""
        gantt = self.view.page.gantt
        assert gantt is not None
        (found,) = (text for text in gantt.figure.layout.yaxis.ticktext if text.startswith(name))
        return str(found)


def test_everybody_has_a_lane_before_anybody_has_come() -> None:
    """Thirty named lanes fit a screen, and the common limit is full."""
    lesson = Lesson()
    head = lesson.head()
    assert "0 of 30 have submitted" in head
    assert "60 of 60 submits left" in head
    gantt = lesson.view.page.gantt
    assert gantt is not None
    assert [lane.profile for lane in gantt.rows.lanes] == lesson.names
    assert gantt.figure.layout.height <= 600


def test_the_numbers_are_those_of_what_was_seen() -> None:
    """Who has submitted, what became of it, and marks beside each name; nobody's lane counts as idle for another's."""
    lesson = Lesson(limit=vg.TokenBucket(3, per=60))
    for name, scene in (("student01", "a"), ("student01", "b"), ("student02", "a"), ("student03", "a")):
        lesson.provider.submit(name, scene, 0, "a lighthouse")
    lesson.now = 15
    head = lesson.head()
    for words in ("3 of 30 have submitted", "3 succeeded", "1 waiting", "1 refusal (429)", "0 of 3 submits left"):
        assert words in head
    assert lesson.label("student01") == "student01 2\u2009✓"
    assert lesson.label("student03") == "student03 1\u2009▲"
    assert lesson.label("student04") == "student04"
    gantt = lesson.view.page.gantt
    assert gantt is not None
    assert {bar.state for bar in gantt.rows.bars} == {"succeeded", "limited"}
    assert repr(lesson.view) == "<Class of 30: 3 succeeded, 1 waiting>"


def test_names_are_shown_as_text() -> None:
    """A name is somebody else's text."""
    room = vg.class_profiles(["<b>ada</b>", "ben$x$"])
    view = vg.watch(vg.Emulator(room))
    view.page.show(view._source.read())
    assert view.page.gantt is not None
    assert list(view.page.gantt.figure.layout.yaxis.ticktext) == ["&lt;b&gt;ada&lt;/b&gt;", "ben&#36;x&#36;"]


def test_the_file_of_an_emulator_in_a_terminal(tmp_path: Path) -> None:
    """It is followed while it grows, and has ended when nobody writes it."""
    lesson, path = Lesson(3), tmp_path / "class.jsonl"
    journal = Journal.create(path, {"run": "class", "started": "2026-01-01T00:00:00+00:00", "speed": 10.0})
    lesson.provider.submit("student02", "a", 1)
    journal.append(lesson.provider.seen(2))
    journal.release()
    view = vg.watch(path)
    view.update()
    view.page.show(view._source.read())
    assert "1 of 3 have submitted · ended" in view.page.head.value
    assert [type(event) for event in view.run.events][-1] is ev.Accepted


@pytest.mark.parametrize("what", [None, 3, "nowhere.jsonl", Path("nowhere")])
def test_what_cannot_be_watched(what: Any) -> None:
    """Said at once, with what to give instead."""
    with pytest.raises(vg.InputError, match="vidgen-nb emulator --class 30"):
        vg.watch(what)


def test_a_file_that_is_no_run(tmp_path: Path) -> None:
    """Any other file is refused, too."""
    (tmp_path / "a.jsonl").write_text("{}\n")
    with pytest.raises(vg.FileFormatError):
        vg.watch(tmp_path / "a.jsonl")
