"""What becomes of a controller whose cell is run again, once no variable refers to it.

IPython's history of outputs keeps a reference, so it would never be collected: a demo would leave a thread and a server
behind each time its cell is run.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Protocol

__all__ = ["register_controller"]


class Orphan(Protocol):
    """What may lose its variable."""

    def orphaned(self) -> None:
        """Called when its cell was run again and no variable of the notebook refers to it any more."""


_by_cell: dict[str, list[tuple[str, weakref.ref[Orphan]]]] = {}
"""For each cell, what its runs made: the id of the message that ran it, and the controller."""
_registered: weakref.WeakSet[Orphan] = weakref.WeakSet()


def register_controller(controller: Orphan) -> None:
    """Note which cell made a controller; after the cell, tell those of its earlier runs that have no variable left.

    Outside a notebook, or where it does not say which cell it runs, nothing happens.
    """
    if controller in _registered:
        return
    _registered.add(controller)
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    kernel = getattr(shell, "kernel", None)
    if shell is None or kernel is None:
        return
    parent = kernel.get_parent()
    cell, message = parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")
    if cell is None:
        return
    entries = _by_cell.setdefault(cell, [])
    entries.append((message, weakref.ref(controller)))

    def after_cell(_result: Any) -> None:
        shell.events.unregister("post_run_cell", after_cell)
        referenced = _referenced_ids(shell.user_ns)
        for entry in [each for each in entries if each[0] != message]:
            earlier = entry[1]()
            if earlier is None or id(earlier) not in referenced:
                entries.remove(entry)
                if earlier is not None:
                    earlier.orphaned()

    shell.events.register("post_run_cell", after_cell)


def _referenced_ids(variables: Mapping[str, Any]) -> set[int]:
    """Return the ids of the values of the notebook's variables, and of what is in those containers and objects."""
    referenced: set[int] = set()
    for name, value in list(variables.items()):
        if name.startswith("_") or name in ("In", "Out", "exit", "quit"):
            continue
        referenced.add(id(value))
        if isinstance(value, Mapping):
            referenced.update(map(id, value.values()))
        elif isinstance(value, list | tuple | set | frozenset):
            referenced.update(map(id, value))
        elif hasattr(value, "__dict__") and not isinstance(value, ModuleType):
            referenced.update(map(id, vars(value).values()))
    return referenced
