"""What may stand in a folder of runs besides whole ones: none of it hides a run, or is waited for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.dashboard.test_dashboard import recorded
from vidgen_nb.core.events import AttemptStarted
from vidgen_nb.dashboard.followed_run import FollowedRun
from vidgen_nb.dashboard.past_runs import PastRuns
from vidgen_nb.dashboard.server import Dashboard
from vidgen_nb.recording.runfile import event_line, header_line, parse


@pytest.mark.parametrize(
    "put",
    [
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.symlink_to(path.name),
        lambda path: path.mkdir(),
        lambda path: os.mkfifo(path),
        lambda path: path.write_bytes(b"[" * 100_000),
    ],
    ids=["a link to nowhere", "a link to itself", "a folder", "a pipe", "a deep nest"],
)
def test_no_run_is_hidden(tmp_path: Path, put: Callable[[Path], Any]) -> None:
    """Whatever else has a name like a run's."""
    recorded("first", 1).save(tmp_path / "a.jsonl")
    put(tmp_path / "x.jsonl")
    assert [each.name for each in PastRuns(tmp_path)] == ["first"]


@pytest.mark.parametrize(
    "line",
    [
        b'{"event":"SceneAdded"}',
        b'{"event":"SceneAdded","scene":"s1"}',
        b'{"event":"SceneSettled","scene":[1],"status":"failed"}',
        b'{"event":"RunEnded"}',
        b'{"event":"Fetched"\xff',
        b'{"event":"SceneAdded","scene":' + b"[" * 100_000,
    ],
)
def test_a_damaged_line_leaves_its_run_in_the_list(tmp_path: Path, line: bytes) -> None:
    """Who opens it is told."""
    run = recorded("first", 1)
    (tmp_path / "a.jsonl").write_bytes(
        b"".join([header_line(run.header), *map(event_line, run.events), line, b"\n", b"{}\n"])
    )
    (past,) = PastRuns(tmp_path)
    assert past.scenes == {"succeeded": 5, "failed": 1}
    with Dashboard(tmp_path) as dashboard:
        state = httpx.get(f"{dashboard.url}runs/a.jsonl/state", timeout=30).json()
    assert state["error"]


def test_lines_that_do_not_belong_together(tmp_path: Path) -> None:
    """Of a file that lost one, the page says that it may be damaged, and the list goes on."""
    run = recorded("first", 1)
    lost = next(event for event in run.events if isinstance(event, AttemptStarted))
    (tmp_path / "a.jsonl").write_bytes(
        b"".join([header_line(run.header), *(event_line(event) for event in run.events if event is not lost)])
    )
    with Dashboard(tmp_path) as dashboard:
        assert "may be damaged" in httpx.get(f"{dashboard.url}runs/a.jsonl/state", timeout=30).json()["error"]
        assert httpx.get(dashboard.url, timeout=30).status_code == 200


@pytest.mark.parametrize("name", [b"\xff\xfe.jsonl", b"<b>'\"&%2e%2e?#.jsonl", "ü 😀.jsonl".encode()])
def test_any_file_name_can_be_opened(tmp_path: Path, name: bytes) -> None:
    """Also one that is no UTF-8; nothing in it is markup."""
    try:
        recorded("first", 1).save(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    except OSError:
        pytest.skip("this file system has no such names")
    with Dashboard(tmp_path) as dashboard:
        page = httpx.get(dashboard.url, timeout=30)
        (link,) = [part.split("'")[0] for part in page.text.split("<a href='")[1:]]
        assert page.status_code == 200 and "<b>" not in page.text
        assert httpx.get(f"{dashboard.url}{link}/state", timeout=30).json()["events"] > 0


def test_pages_that_ask_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event is read once, however many look."""
    run = recorded("first", 1)
    run.save(tmp_path / "a.jsonl")
    followed, counts = FollowedRun(tmp_path / "a.jsonl"), list[int]()
    others = [threading.Thread(target=lambda: counts.append(len(followed.read().events))) for _ in range(3)]

    def parse_while_others_ask(name: str, content: bytes) -> Any:
        for each in others:
            if each.ident is None:
                each.start()
        others[0].join(0.1)
        return parse(name, content)

    monkeypatch.setattr("vidgen_nb.dashboard.followed_run.parse", parse_while_others_ask)
    counts.append(len(followed.read().events))
    for each in others:
        each.join()
    assert counts == [len(run.events)] * 4
