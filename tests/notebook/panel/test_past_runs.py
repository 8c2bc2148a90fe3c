"""The picker of past runs: the list, a report, and files that are damaged."""

from __future__ import annotations

import gzip
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from vidgen_nb.dashboard import past_runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.notebook.panel.conftest import Desk

PROMPTS = ["a lighthouse", "a harbour"]


def until(desk: Desk, is_so: Callable[[], Any]) -> None:
    """Wait for work in the background."""
    for _ in range(2000):
        desk.settle()
        if is_so():
            return
        threading.Event().wait(0.005)
    raise TimeoutError


def test_a_report_is_opened_and_closed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read before the entry is pressed; a run's report is sent as a whole page, and kept nowhere."""
    desk.ctl.run_blocking(PROMPTS)
    desk.ctl.run_blocking(PROMPTS[:1])
    with monkeypatch.context() as patch:
        patch.delattr(past_runs, "_newest")
        desk.settle()
    picker = desk.panel.past_runs
    assert not picker.root.children and picker.root.layout.display == "none"
    desk.click("past_runs")
    until(desk, lambda: picker.view.runs)
    assert picker.root.layout.display is None and desk.ctl.past_runs_shown
    assert [row[2:] for row in picker.view.runs] == [["1 of 1", "", "done"], ["2 of 2", "", "done"]]
    assert picker.view.note == "" and picker.view.chosen == -1

    sent: list[tuple[Any, Any]] = []
    monkeypatch.setattr(picker.view, "send", lambda content, buffers=None: sent.append((content, buffers)))
    picker.view._handle_custom_msg({"open": 1}, [])
    until(desk, lambda: sent)
    ((content, (page,)),) = sent
    run = desk.ctl.runs[1]
    assert content == {"report": run.path.stem} and picker.view.chosen == 1 and picker.view.trouble == ""
    assert gzip.decompress(page).startswith(b"<!doctype html>")
    assert desk.ctl.past_run is not None and desk.ctl.past_run.path == run.path

    picker.view._handle_custom_msg({"close": True}, [])
    desk.settle()
    assert picker.root.layout.display == "none" and not desk.ctl.past_runs_shown


def test_a_damaged_file_is_said_to_be_so_and_hides_no_other(desk: Desk) -> None:
    """One damaged at its start is named below the list, one damaged further on says so when it is opened."""
    desk.ctl.run_blocking(PROMPTS)
    (whole,) = desk.ctl.runs
    first, *rest = whole.path.read_bytes().splitlines(keepends=True)
    whole.path.with_name("torn.jsonl").write_bytes(first[:20])
    whole.path.with_name("worse.jsonl").write_bytes(b"".join([first, b"{}\n", *rest]))
    desk.ctl.show_past_runs(next(each for each in desk.ctl.runs if each.path.name == "worse.jsonl"))
    view = desk.panel.past_runs.view
    until(desk, lambda: view.runs and "can't be shown" in view.trouble)
    assert view.chosen >= 0 and len(view.runs) == 2
    assert view.note == "Damaged, or no run: torn.jsonl."
    desk.ctl.show_past_runs(whole)
    until(desk, lambda: view.trouble == "")
    assert view.chosen >= 0


def test_without_a_folder_it_says_why(desk: Desk) -> None:
    """As each control does."""
    desk.ctl.runner.resources = replace(desk.ctl.runner.resources, journals=None)
    desk.settle()
    assert desk.panel.controls["past_runs"].tooltip.endswith("Unavailable: runs are not recorded here")
    desk.ctl.show_past_runs()
    desk.settle()
    assert desk.panel.past_runs.view.note == "Runs are not recorded here."
