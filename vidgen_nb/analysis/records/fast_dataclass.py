"""Fast construction of many frozen records."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, make_dataclass
from typing import Any, TypeVar

__all__ = ["collector_paused", "draft_class", "fast_constructor"]

T = TypeVar("T")


def draft_class(kind: type[Any]) -> Any:
    """Return a class like a slotted dataclass whose objects may be changed; set their `__class__` when complete."""
    return make_dataclass(kind.__name__, [each.name for each in fields(kind)], slots=True, eq=False)


def fast_constructor(kind: type[T]) -> Callable[..., T]:
    """Return a constructor for a frozen, slotted dataclass that takes all fields by position, in a quarter of the time.

    A frozen dataclass sets each field through `object.__setattr__`. So the object is made from a twin class with
    the same slots that is not frozen, and becomes a `kind` when it is complete: Python allows that for classes with
    the same layout.
    """
    twin = draft_class(kind)

    def make(*values: Any) -> T:
        made = twin(*values)
        made.__class__ = kind
        return made  # type: ignore[no-any-return]  # its class was changed

    return make


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector while many objects are made and none of them is garbage.

    It would scan all events of a run again and again, which takes half of the time. Afterwards the new objects count as
    old (freezing and unfreezing moves them there unread); otherwise the next allocation would have all of them scanned.
    """
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            if not gc.get_freeze_count():  # otherwise unfreezing would undo what someone else froze
                gc.freeze()
                gc.unfreeze()
            gc.enable()
