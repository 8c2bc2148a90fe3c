"""What a control is: a widget, a call to the session or its options, and a rule that says when it is unavailable.

A callback may come on any thread, so it only posts the call. The session's loop, the widgets' one writer, makes the
call and then brings every widget up to date, so that the panel also shows what a cell sets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from vidgen_nb.notebook.panel.host import PanelHost

__all__ = ["BoundControls", "Control", "always_enabled", "receive_while_blocked", "set_if_changed"]

DisabledReason = Callable[[], str]


@dataclass
class Control:
    """One control."""

    label: str
    widget: Any
    help: str
    disabled_reason: DisabledReason
    """Why it is disabled now; empty: it is enabled."""
    read: Callable[[], Any] | None = None
    """The value to show; None: it is a button."""
    reason_in_tooltip_only: bool = False
    pending_changes: int = 0
    """Changes by hand that the loop has not applied yet; until then, nothing else writes to the widget."""
    last_error: str = ""
    """What last went wrong in showing it, so that it is reported once."""


def receive_while_blocked(widget: Any) -> None:
    """Let the kernel handle a widget's messages while a cell blocks its main thread.

    ipykernel 7.4 sends a comm's messages to the subshell that last published on it. For a widget made in a cell that is
    the main one. The attribute is private to ipykernel, so it is set only if it exists.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda data, default: default  # noqa: SLF001


def set_if_changed(widget: Any, name: str, value: Any) -> None:
    """Set a trait if its value differs: what does not change is not sent to the page."""
    if getattr(widget, name) != value:
        setattr(widget, name, value)


def always_enabled() -> str:
    """Return no reason: the control is never disabled."""
    return ""


class BoundControls:
    """Controls by name."""

    def __init__(self, host: PanelHost) -> None:
        self.by_name: dict[str, Control] = {}
        self._host = host
        self._writing_thread: int | None = None

    def __getitem__(self, name: str) -> Any:
        return self.by_name[name].widget

    def update_choices(self) -> None:
        """Bring the choices that widgets offer up to date."""

    # -- from the user to the session

    def _add(self, name: str, control: Control) -> Control:
        control.widget.tooltip = control.help
        control.widget.add_class(f"vg-{name.replace('_', '-')}")
        self.by_name[name] = control
        receive_while_blocked(control.widget)
        return control

    def add_button(
        self,
        name: str,
        widget: Any,
        tip: str,
        call: Callable[[], Any],
        disabled_reason: DisabledReason,
        *,
        reason_in_tooltip_only: bool = False,
    ) -> None:
        """Add a button; pressing it makes the call."""
        control = Control(
            widget.description, widget, tip, disabled_reason, reason_in_tooltip_only=reason_in_tooltip_only
        )
        self._add(name, control)
        widget.on_click(lambda _: self._host.post(self._make_call, call))

    def _make_call(self, call: Callable[[], Any]) -> None:
        try:
            call()
        finally:
            self._host.touch()

    def add_value(
        self,
        name: str,
        widget: Any,
        tip: str,
        disabled_reason: DisabledReason,
        *,
        of: object = None,
        read: Callable[[], Any] | None = None,
        apply: Callable[[Any], Any] | None = None,
    ) -> None:
        """Add a widget that shows the property `name` of an object, and sets it when the user changes the widget.

        `read` returns another value to show, and `apply` does something else with the value that was set.
        """
        read = read or (None if of is None else partial(getattr, of, name))
        call = apply or partial(setattr, of, name)
        control = self._add(name, Control(widget.description, widget, tip, disabled_reason, read))

        def on_change(change: dict[str, Any]) -> None:
            if threading.get_ident() != self._writing_thread:  # otherwise we have written it ourselves
                control.pending_changes += 1
                self._host.post(self._apply_change, control, call, change["new"])

        widget.observe(on_change, names="value")

    def _apply_change(self, control: Control, call: Callable[[Any], Any], value: Any) -> None:
        control.pending_changes -= 1
        self._make_call(lambda: call(value))

    # -- from the session to the widgets, on its loop

    @contextmanager
    def own_writes(self) -> Iterator[None]:
        """Mark what this thread writes to widgets as our own: no user has changed them."""
        before, self._writing_thread = self._writing_thread, threading.get_ident()
        try:
            yield
        finally:
            self._writing_thread = before

    def sync(self) -> None:
        """Bring all widgets up to date."""
        with self.own_writes():
            self.update_choices()
            errors = [error for control in self.by_name.values() if (error := self._sync_control(control)) is not None]
        if errors:
            raise errors[0]

    def _sync_control(self, control: Control) -> Exception | None:
        """Bring one up to date. If that fails, as with a setting of a user's own policy, the error is reported once."""
        try:
            reason = self._closed_reason(control) or control.disabled_reason()
            set_if_changed(control.widget, "disabled", bool(reason))
            tooltip = f"{control.help}. Unavailable: {reason}" if reason else control.help
            set_if_changed(control.widget, "tooltip", tooltip)
            if control.read is not None and not control.pending_changes:
                set_if_changed(control.widget, "value", control.read())
        except Exception as error:  # noqa: BLE001 - the others are shown all the same
            before, control.last_error = control.last_error, repr(error)
            return error if control.last_error != before else None
        return None

    def _closed_reason(self, control: Control) -> str:
        session = self._host.session
        if not session.is_closed or (session.is_running and control is self.by_name.get("cancel")):
            return ""
        return "this controller is closed"

    def disabled_reasons(self) -> str:
        """Return one line that says which controls are disabled, and why."""
        labels: dict[str, list[str]] = {}
        for control in self.by_name.values():
            if control.widget.disabled and not control.reason_in_tooltip_only:
                labels.setdefault(control.disabled_reason(), []).append(control.label)
        return " · ".join(f"{', '.join(names)}: {reason}" for reason, names in labels.items() if reason)
