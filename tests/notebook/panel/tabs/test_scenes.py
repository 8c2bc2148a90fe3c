"""The table of scenes, without a browser: what it is sent, and what comes of what is asked."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from vidgen_nb.core.outcomes import Ambiguous, Permanent
from vidgen_nb.errors import InputError

if TYPE_CHECKING:
    from tests.notebook.panel.conftest import Desk

JPEG = b"\xff\xd8\xff" + bytes(100)


class Page:
    """A page that shows the table."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.rows: dict[str, dict[str, Any]] = {}
        self.answers: list[tuple[dict[str, Any], list[bytes]]] = []
        self.table = desk.panel.tabs.scenes.table
        self.table.send = self._receive
        self.ask(what="rows")

    def _receive(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        if content.get("what") != "rows":
            self.answers.append((content, buffers or []))
            return
        if content["reset"]:
            self.rows.clear()
        found = json.loads(gzip.decompress(buffers[0])) if buffers else content["rows"]
        self.rows.update({row["key"]: row for row in found})
        for key in content["removed"]:
            del self.rows[key]

    def ask(self, *buffers: bytes, **content: Any) -> dict[str, Any]:
        """Ask for something, let the panel be written, and return the answer."""
        self.table._handle_custom_msg({**content, "request": "1"}, list(buffers))
        self.desk.settle()
        return self.answers[-1][0] if self.answers else {}

    def statuses(self) -> dict[str, str]:
        """Return the status of each row."""
        return {row["key"]: row["status"] for row in sorted(self.rows.values(), key=lambda row: row["place"])}


@pytest.fixture
def page(desk: Desk) -> Page:
    """A page with the table of scenes."""
    return Page(desk)


def test_what_is_loaded_shows_before_it_runs(desk: Desk, page: Page) -> None:
    """As not run yet; once it runs there is one row for each, and what is loaded then stands before it."""
    assert page.rows == {}
    desk.set("prompts", "a fox\nan owl")
    assert page.statuses() == {"l:s001": "not run yet", "l:s002": "not run yet"}
    desk.click("run")
    desk.ctl.wait(10)
    desk.settle()
    assert page.statuses() == {"r:s001": "succeeded", "r:s002": "succeeded"}
    row = page.rows["r:s002"]
    assert (row["prompt"], row["account"], row["tries"]) == ("an owl", "p2", 1)
    desk.ctl.scenes = ["another fox"]
    desk.settle()
    assert page.statuses() == {"l:s001": "not run yet", "r:s001": "succeeded", "r:s002": "succeeded"}
    page.ask(what="run", keys=["l:s001"])
    desk.ctl.wait(10)
    desk.settle()
    assert page.statuses() == {"r:s001": "succeeded"}
    assert page.rows["r:s001"]["prompt"] == "another fox"


def test_many_scenes_are_sent_compressed_and_then_only_what_changes(desk: Desk, page: Page) -> None:
    """2,000 rows come at once; an edit sends one."""
    desk.ctl.scenes = [f"prompt {number}" for number in range(2000)]
    desk.settle()
    assert len(page.rows) == 2000
    page.rows.clear()
    desk.ctl.edit_scene("s0007", prompt="edited")
    desk.settle()
    assert [row["prompt"] for row in page.rows.values()] == ["edited"]


def test_editing(desk: Desk, page: Page) -> None:
    """What is wrong is said of its field; a parameter keeps its kind; the loaded scene and that of the run change."""
    desk.backend.script = lambda scene, profile, nth: Permanent("no") if nth == 1 else None
    desk.ctl.scenes = [{"prompt": "a fox", "seconds": 4, "size": "720"}]
    desk.click("run")
    desk.ctl.wait(10)
    desk.settle()
    key = ["r:s001"]
    opened = page.ask(what="open", keys=key)
    assert (opened["prompt"], opened["params"]) == ("a fox", [["seconds", "4"], ["size", "720"]])
    wrong = page.ask(what="check", keys=key, prompt=" ", params={"seconds": "-1", "size": "480"})
    assert wrong["errors"].keys() == {"prompt", "seconds"}
    assert wrong["errors"]["prompt"] == "An empty prompt: say what to generate"
    assert page.ask(what="save", keys=key, prompt=" ", params={})["errors"]
    assert desk.ctl.scenes[0].prompt == "a fox"
    assert page.ask(what="save", keys=key, prompt="an owl", params={"seconds": "8", "size": "480", "fps": "24"})["ok"]
    assert desk.ctl.scenes[0].prompt == page.rows["r:s001"]["prompt"] == "an owl"
    assert dict(desk.ctl.scenes[0].params) == {"seconds": 8, "size": "480", "fps": 24}
    assert page.statuses() == {"r:s001": "failed"}
    page.ask(what="save", keys=key, prompt=None, params={"fps": ""})
    page.ask(what="run_again", keys=key)
    desk.ctl.wait(10)
    desk.settle()
    assert page.statuses() == {"r:s001": "succeeded"}
    assert dict(desk.backend._scenes["s001"].params) == {"seconds": 8, "size": "480"}


def test_decisions_about_held_scenes(desk: Desk, page: Page) -> None:
    """The status says where to decide; a job that is not known is said; neither answer submits unasked."""
    desk.backend.script = lambda scene, profile, nth: Ambiguous("HTTP 502") if nth == 1 else None
    desk.ctl.run_blocking(["a lighthouse", "a harbour"])
    desk.settle()
    assert "2 scenes are in doubt: decide in Scenes." in desk.panel.rows.sentence.value
    assert page.statuses() == {"r:s001": "held", "r:s002": "held"}
    assert "502" in page.rows["r:s001"]["note"]
    assert "Look it up on p1" in page.ask(what="made", keys=["r:s001"], job="")["error"]
    assert "in doubt" in page.ask(what="run_again", keys=["r:s001"])["error"]
    assert len(desk.backend.submits) == 2
    assert page.ask(what="made", keys=["r:s001"], job="s001")["ok"]
    desk.ctl.wait(10)
    assert len(desk.backend.submits) == 2
    page.ask(what="submit_again", keys=["r:s002"])
    desk.ctl.wait(10)
    desk.settle()
    assert page.statuses() == {"r:s001": "succeeded", "r:s002": "succeeded"}
    assert "in doubt" not in desk.panel.rows.sentence.value
    assert desk.panel.errors.html.value == ""


def test_selected_everywhere_and_cancelled(desk: Desk, page: Page) -> None:
    """A row selects its scene in the chart, and one chosen elsewhere is highlighted; several are cancelled at once."""
    desk.backend.hold = {"s001", "s002", "s003"}
    desk.ctl.scenes = ["a fox", "an owl", "a harbour"]
    desk.click("run")
    page.ask(what="select", scene="s002")
    assert desk.ctl.selected == "s002" == page.table.highlighted
    desk.ctl.selected = "s003"
    desk.settle()
    assert page.table.highlighted == "s003"
    page.ask(what="cancel", keys=["r:s001", "r:s003"])
    while list(page.statuses().values()).count("cancelled") < 2:
        desk.settle()
    desk.backend.let_go()
    desk.ctl.wait(10)
    desk.settle()
    assert page.statuses() == {"r:s001": "cancelled", "r:s002": "succeeded", "r:s003": "cancelled"}


def test_stills(desk: Desk, page: Page) -> None:
    """A page gets the first part of a video, and hands over the still that it has drawn; the next one gets that."""
    desk.backend.video = b"\0\0\0\x18ftypmp42" + bytes(2000)
    desk.ctl.run_blocking(["a fox"])
    desk.settle()

    def asked(**content: Any) -> tuple[dict[str, Any], list[bytes]]:
        page.answers.clear()
        page.ask(what="still", key="r:s001", **content)
        while not page.answers:
            desk.settle()
        return page.answers[0]

    answer, buffers = asked(whole=False)
    assert (answer["part"], answer["whole"], buffers) == (True, True, [desk.backend.video])
    page.ask(b"no picture", what="keep_still", key="r:s001")
    page.ask(JPEG, what="keep_still", key="r:s001")
    for _ in range(1000):
        answer, buffers = asked(whole=False)
        if answer.get("still"):
            break
    assert buffers == [JPEG]
    page.ask(what="play", keys=["r:s001"])
    assert desk.ctl.video == "s001"
    assert desk.panel.tabs.root.selected_index == 4


def test_a_closed_session_is_only_looked_at(desk: Desk, page: Page) -> None:
    """Nothing can be asked of its scenes, and the table says so."""
    desk.ctl.run_blocking(["a fox"])
    desk.ctl.close()
    assert page.table.disabled == "this controller is closed"
    with pytest.raises(InputError):
        desk.ctl.edit_scene("nobody", prompt="x")
