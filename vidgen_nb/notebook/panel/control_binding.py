"""How a control hangs together: a widget, a call to the controller, and a rule for when it is off.

A callback may come from any thread: it only posts. The session's loop, the one writer, carries the call out and brings
each widget in line with the controller, so that what a cell sets shows here too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidgen_nb.notebook.controller import Controller

__all__ = ["Bound", "Control", "answer_anywhere", "write"]

Off = Callable[[], str]


@dataclass
class Control:
    """One control."""

    label: str
    widget: Any
    help: str
    off: Off
    """Why it is off now; empty: it is on."""
    read: Callable[[], Any] | None = None
    """What it should show; None: a button."""
    quiet: bool = False
    """Only its tooltip says why it is off."""
    pending: int = 0
    """Changes by hand that the loop has not taken over yet: until then it is not written to."""
    told: str = ""
    """What went wrong with it last."""


def answer_anywhere(widget: Any) -> None:
    """Let a widget's messages be handled while a cell blocks the kernel's main thread.

    ipykernel 7.4 sends a comm's messages to the subshell that published on it last, which is the main one for a widget
    made in a cell. A private name of it, so only where it is there.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda data, default: default  # noqa: SLF001


def write(widget: Any, name: str, value: Any) -> None:
    """Set a trait, unless it is that already: what does not change is not sent."""
    if getattr(widget, name) != value:
        setattr(widget, name, value)


def never() -> str:
    """Say of a control that it is always on."""
    return ""


class Bound:
    """Controls by name, bound to a controller."""

    def __init__(self, controller: Controller) -> None:
        self.all: dict[str, Control] = {}
        self._controller = controller
        self._writer: int | None = None

    def __getitem__(self, name: str) -> Any:
        return self.all[name].widget

    def offer(self) -> None:
        """Bring the choices that widgets offer in line with the controller."""

    # -- from hand to controller

    def _add(self, name: str, control: Control) -> Control:
        control.widget.tooltip = control.help
        control.widget.add_class(f"vg-{name.replace('_', '-')}")
        self.all[name] = control
        answer_anywhere(control.widget)
        return control

    def button(
        self, name: str, widget: Any, tip: str, call: Callable[[], Any], off: Off, *, quiet: bool = False
    ) -> None:
        """Add a button whose press is `call`."""
        self._add(name, Control(widget.description, widget, tip, off, quiet=quiet))
        widget.on_click(lambda _: self._controller.post(self._press, call))

    def _press(self, call: Callable[[], Any]) -> None:
        try:
            call()
        finally:
            self._controller.touch()

    def value(
        self,
        name: str,
        widget: Any,
        tip: str,
        read: Callable[[], Any] | None,
        off: Off,
        apply: Callable[[Any], Any] | None = None,
    ) -> None:
        """Add a widget whose value is set to the controller, by `apply` or to the property of the same name."""
        control = self._add(name, Control(widget.description, widget, tip, off, read))
        call = apply or (lambda value: setattr(self._controller, name, value))

        def changed(change: dict[str, Any]) -> None:
            if threading.get_ident() != self._writer:  # else it is our own writing
                control.pending += 1
                self._controller.post(self._take, control, call, change["new"])

        widget.observe(changed, names="value")

    def _take(self, control: Control, call: Callable[[Any], Any], value: Any) -> None:
        control.pending -= 1
        self._press(lambda: call(value))

    # -- from controller to widget, on the session's loop

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Mark what this thread writes as not by hand."""
        before, self._writer = self._writer, threading.get_ident()
        try:
            yield
        finally:
            self._writer = before

    def sync(self) -> None:
        """Bring all widgets in line with the controller."""
        with self.writing():
            self.offer()
            failed = [error for control in self.all.values() if (error := self._sync(control)) is not None]
        if failed:
            raise failed[0]

    def _sync(self, control: Control) -> Exception | None:
        """Bring one in line; what can't be shown, such as a setting of a user's own policy, is said once."""
        try:
            reason = self._closed_to(control) or control.off()
            write(control.widget, "disabled", bool(reason))
            write(control.widget, "tooltip", f"{control.help}. Off now: {reason}" if reason else control.help)
            if control.read is not None and not control.pending:
                write(control.widget, "value", control.read())
        except Exception as error:  # noqa: BLE001 - the others are shown all the same
            told, control.told = control.told, repr(error)
            return error if control.told != told else None
        return None

    def _closed_to(self, control: Control) -> str:
        ctl = self._controller
        if not ctl.is_closed or (ctl.is_running and control is self.all.get("cancel")):
            return ""
        return "this controller is closed"

    def reasons(self) -> str:
        """Return one line that says why controls are off."""
        off = [(each.label, each.off()) for each in self.all.values() if each.widget.disabled and not each.quiet]
        by_reason: dict[str, list[str]] = {}
        for label, reason in off:
            by_reason.setdefault(reason, []).append(label)
        return " · ".join(f"{', '.join(labels)}: {reason}" for reason, labels in by_reason.items() if reason)
