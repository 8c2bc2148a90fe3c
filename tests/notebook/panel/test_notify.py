"""Being told of a run's end: only who asked for it, and only as long as the browser allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidgen_nb.notebook.panel.status import end_notice

if TYPE_CHECKING:
    import pytest

    from tests.notebook.panel.conftest import Desk


def test_only_who_asked_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off by default; a cell can switch it on as a hand can."""
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(end_notice, "MIN_SECONDS", 0.0)
    monkeypatch.setattr(desk.panel.page, "tell_end", lambda title, text: told.append((title, text)))
    for notify in (False, True):
        desk.ctl.notify = notify
        desk.backend.hold = {"s001"}
        desk.ctl.start(["a lighthouse"])
        desk.settle()
        desk.backend.let_go()
        desk.ctl.wait()
        desk.settle()
    assert told == [("1 of 1 succeeded", "Done. 1 of 1 succeeded.")]


def test_a_refusal_switches_it_off_in_words(desk: Desk) -> None:
    """Until it is switched on again."""
    desk.set("notify", value=True)
    assert desk.ctl.notify and desk.panel.page.notify
    desk.panel.page._handle_custom_msg({"refused": "blocked by the browser"}, [])
    desk.settle()
    box = desk.panel.controls["notify"]
    assert not desk.ctl.notify and not box.value and not desk.panel.page.notify
    assert box.description == "Notify me: blocked by the browser"
    desk.ctl.notify = True
    desk.settle()
    assert box.value and box.description == "Notify me when it ends"
