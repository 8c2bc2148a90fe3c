"""What a control is: a widget, a call to the session or its options, and a rule for when it is off.

A callback may come from any thread: it only posts. The session's loop, the one writer, carries the call out and brings
each widget in line with them, so that what a cell sets shows here too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from vidgen_nb.notebook.panel.host import PanelHost

__all__ = ["BoundControls", "Control", "answer_anywhere", "write"]

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


class BoundControls:
    """Controls by name."""

    def __init__(self, host: PanelHost) -> None:
        self.all: dict[str, Control] = {}
        self._host = host
        self._writer: int | None = None

    def __getitem__(self, name: str) -> Any:
        return self.all[name].widget

    def offer(self) -> None:
        """Bring the choices that widgets offer up to date."""

    # -- from a hand to the session

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
        widget.on_click(lambda _: self._host.post(self._press, call))

    def _press(self, call: Callable[[], Any]) -> None:
        try:
            call()
        finally:
            self._host.touch()

    def value(
        self,
        name: str,
        widget: Any,
        tip: str,
        off: Off,
        *,
        of: object = None,
        read: Callable[[], Any] | None = None,
        apply: Callable[[Any], Any] | None = None,
    ) -> None:
        """Add a widget that shows the property `name` of an object, and sets it when a hand changes the widget.

        `read` shows another value instead, and `apply` does something else with the one that was set.
        """
        read = read or (None if of is None else partial(getattr, of, name))
        call = apply or partial(setattr, of, name)
        control = self._add(name, Control(widget.description, widget, tip, off, read))

        def changed(change: dict[str, Any]) -> None:
            if threading.get_ident() != self._writer:  # else it is our own writing
                control.pending += 1
                self._host.post(self._take, control, call, change["new"])

        widget.observe(changed, names="value")

    def _take(self, control: Control, call: Callable[[Any], Any], value: Any) -> None:
        control.pending -= 1
        self._press(lambda: call(value))

    # -- from the session to the widgets, on its loop

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Mark what this thread writes as not by hand."""
        before, self._writer = self._writer, threading.get_ident()
        try:
            yield
        finally:
            self._writer = before

    def sync(self) -> None:
        """Bring all widgets up to date."""
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
        session = self._host.session
        if not session.is_closed or (session.is_running and control is self.all.get("cancel")):
            return ""
        return "this controller is closed"

    def reasons(self) -> str:
        """Return one line that says why controls are off."""
        off = [(each.label, each.off()) for each in self.all.values() if each.widget.disabled and not each.quiet]
        by_reason: dict[str, list[str]] = {}
        for label, reason in off:
            by_reason.setdefault(reason, []).append(label)
        return " · ".join(f"{', '.join(labels)}: {reason}" for reason, labels in by_reason.items() if reason)
