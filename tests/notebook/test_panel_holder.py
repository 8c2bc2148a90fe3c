"""The panel of a controller: made once, written on the session's loop, and removed when nobody wants it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeBackend, profiles
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.notebook.panel_holder import PanelHolder


@pytest.fixture
def ctl(tmp_path: Path) -> Iterator[Controller]:
    """Give a controller, closed at the end."""
    ctl = Controller(FakeBackend(), profiles("p1"), output=tmp_path / "videos", journal=None, speed=20)
    yield ctl
    ctl.close()


def test_on_made_is_called_for_each_panel_that_is_made(ctl: Controller) -> None:
    """Not when the same one is shown again; a disposed panel is replaced by a new one."""
    made: list[PanelHolder] = []
    holder = PanelHolder(ctl, on_made=lambda: made.append(holder))
    root = holder.root
    assert holder.root is root and len(made) == 1
    holder.dispose()
    assert holder.panel is None and root.comm is None
    assert holder.root is not root and len(made) == 2
    holder.dispose()


def test_without_a_panel_nothing_needs_one(ctl: Controller) -> None:
    """Changes, a new loop and the end are none of its business then."""
    holder = PanelHolder(ctl)
    for call in (holder.touch, holder.changed, holder.loop_changed, holder.show_closed, holder.dispose):
        call()
    assert holder.panel is None


def test_post_is_carried_out_on_the_loop_and_after_its_end_at_once(ctl: Controller) -> None:
    """A panel that is still shown then can be looked at: tabs turn, and errors can be dismissed."""
    where: list[str] = []
    done = threading.Event()

    def note() -> None:
        where.append(threading.current_thread().name)
        done.set()

    ctl.post(note)
    assert done.wait(10)
    ctl.close()
    ctl.post(note)
    assert where == ["vidgen_nb session", threading.current_thread().name]
