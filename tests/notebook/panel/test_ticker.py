"""When the panel is written: soon after a change when it is idle, and twice a second during a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vidgen_nb.errors import SessionError
from vidgen_nb.notebook.panel.ticker import TOUCH_DELAY_SECONDS, UPDATE_INTERVAL_SECONDS, Ticker


class Desk:
    """A loop that goes on when the test says so, with a ticker on it."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Callable[[], Any]]] = []
        self.done: list[str] = []
        self.next_interval: float | None = None
        self.is_gone = False
        self.errors: list[Exception] = []
        steps = [lambda: self.done.append("read"), lambda: self.done.append("write")]
        self.ticker = Ticker(self.later, steps, lambda: self.next_interval, self.errors.append)

    def later(self, seconds: float, function: Callable[[], Any]) -> None:
        """Note what is due."""
        if self.is_gone:
            raise SessionError("gone")
        self.due.append((seconds, function))

    def turn(self) -> float:
        """Do what is due first, and return its delay."""
        seconds, function = self.due.pop(0)
        function()
        return seconds


def test_a_touch_is_shown_soon_and_then_nothing_is_due() -> None:
    """Each step is a call of its own; changes that come together are shown together."""
    desk = Desk()
    desk.ticker.touch()
    desk.ticker.touch()
    assert desk.turn() == TOUCH_DELAY_SECONDS
    assert desk.done == ["read"]
    assert desk.turn() == 0
    assert desk.done == ["read", "write"] and desk.due == [] and not desk.ticker.armed


def test_during_a_run_it_is_written_twice_a_second_however_often_it_is_touched() -> None:
    """More would keep the browser busy with drawing."""
    desk = Desk()
    desk.next_interval = UPDATE_INTERVAL_SECONDS
    desk.ticker.touch()
    for _ in range(3):
        waits = [desk.turn(), desk.turn()]
        desk.ticker.touch()
    assert waits == [UPDATE_INTERVAL_SECONDS, 0]
    desk.next_interval = None
    desk.ticker.touch()
    assert [desk.turn(), desk.turn()] == [UPDATE_INTERVAL_SECONDS, 0]


def test_a_touch_in_the_middle_is_not_lost() -> None:
    """What was read before the touch is read again."""
    desk = Desk()
    desk.ticker.touch()
    desk.turn()
    desk.ticker.touch()
    desk.turn()
    assert len(desk.due) == 1


def test_a_step_that_fails_stops_no_other() -> None:
    """Its error is reported, and the next update comes."""
    desk = Desk()

    def fails() -> None:
        raise ValueError("odd")

    desk.ticker._steps = [fails, lambda: desk.done.append("write")]
    desk.ticker.touch()
    desk.turn()
    desk.turn()
    assert desk.done == ["write"] and len(desk.errors) == 1


def test_without_a_loop_all_is_shown_immediately() -> None:
    """Nobody else writes any more; an update that had begun goes no further."""
    desk = Desk()
    desk.ticker.touch()
    desk.turn()
    desk.is_gone = True
    desk.ticker.loop_ended()
    assert desk.done == ["read", "read", "write"]
    desk.turn()
    assert desk.done == ["read", "read", "write"]
    desk.ticker.touch()
    assert desk.done == ["read", "read", "write", "read", "write"]
