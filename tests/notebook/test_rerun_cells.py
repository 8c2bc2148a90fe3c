"""What running a cell again does to the controller that it made before."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from vidgen_nb.notebook import rerun_cells as cells


class Made:
    """Something that a cell made."""

    lost = 0

    def orphaned(self) -> None:
        """Count."""
        self.lost += 1


class Notebook:
    """As much of IPython and ipykernel as is used here."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}
        self.callbacks: list[Callable[[Any], None]] = []
        self.events = SimpleNamespace(
            register=lambda _name, callback: self.callbacks.append(callback),
            unregister=lambda _name, callback: self.callbacks.remove(callback),
        )
        self.kernel = SimpleNamespace(get_parent=lambda: self.parent)
        self.parent: dict[str, Any] = {}

    def run(self, cell: str | None, body: Callable[[], None]) -> None:
        """Run a cell."""
        self.parent = {"metadata": {"cellId": cell} if cell else {}, "header": {"msg_id": object()}}
        body()
        for callback in list(self.callbacks):
            callback(None)
        assert self.callbacks == []

    def make(self, name: str) -> Made:
        """Do what `name = Controller(...)` does."""
        made = Made()
        cells.register_controller(made)
        cells.register_controller(made)
        self.user_ns["_1"] = self.user_ns[name] = made
        return made


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """A notebook in which nothing was run."""
    made = Notebook()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: made))
    monkeypatch.setattr(cells, "_by_cell", {})
    return made


def test_the_previous_one_is_told_once(book: Notebook) -> None:
    """Once its variable refers to the next one; the history of outputs does not count."""
    made: list[Made] = []
    for _ in range(3):
        book.run("a", lambda: made.append(book.make("ctl")))
    assert [each.lost for each in made] == [1, 1, 0]


def test_one_that_still_has_a_variable_is_left_alone(book: Notebook) -> None:
    """Until no variable is left, and the cell is run once more."""
    made: list[Made] = []
    book.run("a", lambda: made.append(book.make("ctl")))
    for holder in (made[0], [made[0]], {"a": made[0]}, SimpleNamespace(a=made[0])):
        book.user_ns["kept"] = holder
        book.run("a", lambda: made.append(book.make("ctl")))
        assert made[0].lost == 0
    del book.user_ns["kept"]
    book.run("a", lambda: made.append(book.make("ctl")))
    assert [each.lost for each in made] == [1] * 5 + [0]


def test_others_are_left_alone(book: Notebook) -> None:
    """Two made by the same run of a cell, those of other cells, and those of a cell without an id (nbclient)."""
    made: list[Made] = []
    book.run("a", lambda: made.extend([book.make("ctl"), book.make("ctl")]))
    for cell in ("b", None, None):
        book.run(cell, lambda: made.append(book.make("ctl")))
    assert [each.lost for each in made] == [0] * 5
