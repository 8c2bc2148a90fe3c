"""What a backend says of a submit that has not left, and the driver's answer: whether it still may."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from vidgen_nb.errors import VidgenError

__all__ = ["Recalled", "about_to_connect", "about_to_leave", "on_leaving", "tells_when_it_leaves"]

S = TypeVar("S", bound=Callable[..., Any])


class Recalled(VidgenError):
    """A submit was called back before it left; the text says why."""


on_leaving: ContextVar[Callable[[bool], None] | None] = ContextVar("on_leaving", default=None)
"""What `about_to_connect` calls with False, and `about_to_leave` with True; a driver sets it for each submit."""


def about_to_connect() -> None:
    """Say that nothing of a submit is sent before `about_to_leave`; raises `Recalled` if it must not leave any more."""
    if (check := on_leaving.get()) is not None:
        check(False)


def about_to_leave() -> None:
    """Say that a submit leaves now; raises `Recalled`, for the driver, if it must not.

    It is the last thing before anything is sent, with no `await` in between: it is what a restore goes by.
    """
    if (check := on_leaving.get()) is not None:
        check(True)


def tells_when_it_leaves(submit: S) -> S:
    """Mark a backend's `submit`: whatever the scene, it calls `about_to_leave()` before it sends anything.

    A method that overrides it has no mark, unless it is decorated, too.
    """
    submit.tells_when_it_leaves = True  # type: ignore[attr-defined]
    return submit
