"""What becomes of a controller whose cell is run again, once no name refers to it any more.

IPython's history of outputs holds on to it, so that it is never collected: a demo would leave a thread and a server
behind with each run of its cell.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Protocol

__all__ = ["made"]


class Orphan(Protocol):
    """What may lose its name."""

    def orphaned(self) -> None:
        """The cell that made it was run again, and no variable of the notebook is bound to it any more."""


_made: dict[str, list[tuple[str, weakref.ref[Orphan]]]] = {}
"""By cell: the message that ran it, and what was made then."""
_known: weakref.WeakSet[Orphan] = weakref.WeakSet()


def made(controller: Orphan) -> None:
    """Note in which cell a controller was made, and tell those that earlier runs of it made and that have no name left.

    They are told after the cell. Outside a notebook that says which cell it runs, nothing happens.
    """
    if controller in _known:
        return
    _known.add(controller)
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    kernel = getattr(shell, "kernel", None)
    if shell is None or kernel is None:
        return
    parent = kernel.get_parent()
    cell, message = parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")
    if cell is None:
        return
    entries = _made.setdefault(cell, [])
    entries.append((message, weakref.ref(controller)))

    def after(_result: Any) -> None:
        shell.events.unregister("post_run_cell", after)
        named = _named(shell.user_ns)
        for entry in [each for each in entries if each[0] != message]:
            earlier = entry[1]()
            if earlier is None or id(earlier) not in named:
                entries.remove(entry)
                if earlier is not None:
                    earlier.orphaned()

    shell.events.register("post_run_cell", after)


def _named(variables: Mapping[str, Any]) -> set[int]:
    """Return the ids of what the notebook's variables are, and of what lies in the containers and objects there."""
    named: set[int] = set()
    for name, value in list(variables.items()):
        if name.startswith("_") or name in ("In", "Out", "exit", "quit"):
            continue
        named.add(id(value))
        if isinstance(value, Mapping):
            named.update(map(id, value.values()))
        elif isinstance(value, list | tuple | set | frozenset):
            named.update(map(id, value))
        elif hasattr(value, "__dict__") and not isinstance(value, ModuleType):
            named.update(map(id, vars(value).values()))
    return named
