"""Files of runs that earlier versions wrote: they load, replay, and are written in the same way today."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, RetryPolicy
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.recording.codec import read_as
from vidgen_nb.recording.policies import resolve_policy
from vidgen_nb.recording.runfile import event_line, read_run

FILES = sorted((Path(__file__).parent / "data").glob("*.jsonl"))


def replayed(header: dict[str, Any], events: list[ev.Event]) -> Scheduler:
    """Return a scheduler that replayed a file's events with the settings of its header."""
    return Scheduler.replay(
        events,
        mode=read_as(Mode, header["mode"]),
        policy=resolve_policy(read_as(Any, header["policy"])),
        retry=read_as(RetryPolicy, header["retry"]),
        on_ambiguous=header["on_ambiguous"],
        max_wait=header["max_wait"],
        max_billed=header.get("max_billed"),
        rng=Random(header["seed"]),
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_replays(path: Path) -> None:
    """Every decision follows from the record, and nothing is added to it."""
    header, events = read_run(path)
    scheduler = replayed(header, list(events))
    assert scheduler.events == events
    ends = [event.reason for event in events if isinstance(event, ev.RunEnded)]
    assert (scheduler.ended in ends) is (scheduler.ended is not None)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_events_are_written_as_before(path: Path) -> None:
    """Byte for byte, so that earlier versions can read new files, too."""
    _, events = read_run(path)
    assert [event_line(event) for event in events] == path.read_bytes().splitlines(keepends=True)[1:]


def test_a_field_keeps_its_old_name_in_files() -> None:
    """`RunRestored.hold_unknown_jobs` is `wary` there, as it was called first."""
    (path,) = (each for each in FILES if each.stem == "run-1-restored")
    (restored,) = (event for event in read_run(path)[1] if isinstance(event, ev.RunRestored))
    assert restored.hold_unknown_jobs
    assert b'"wary":true' in event_line(restored) and b"hold_unknown" not in event_line(restored)


def test_reasons_are_texts_everywhere() -> None:
    """An end reason is a member of an enum, and still equals, prints and shows itself as the recorded text."""
    reason = ev.EndReason.MAX_BILLED
    assert reason == "max_billed" and f"{reason}" == "max_billed" and repr(reason) == "'max_billed'"
    assert ev.Stopped().reason == "stopped by the user" and repr(ev.Stopped().reason) == "'stopped by the user'"
