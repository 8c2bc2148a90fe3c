"""Many frozen records in little time."""

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
    """Return a constructor for a frozen, slotted dataclass that takes all fields, by place, in a quarter of the time.

    A frozen dataclass sets each field through `object.__setattr__`. So the object is made as one of a twin class that
    has the same slots and is not frozen, and becomes a `kind` when it is complete: Python allows that for classes of
    one layout.
    """
    twin = draft_class(kind)

    def make(*values: Any) -> T:
        made = twin(*values)
        made.__class__ = kind
        return made  # type: ignore[no-any-return]  # it is one now

    return make


@contextmanager
def collector_paused() -> Iterator[None]:
    """Hold back the garbage collector while much is made of which nothing is garbage.

    It would look through all events of a run again and again: half of the time. What was made counts as old afterwards
    (frozen and thawed, it is moved there unread), or the first thing made next would have all of it looked through.
    """
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            if not gc.get_freeze_count():  # else thawing would undo what someone else froze
                gc.freeze()
                gc.unfreeze()
            gc.enable()
