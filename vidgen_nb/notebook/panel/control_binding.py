"""What a control is: a widget, a call to the session or its options, and a rule that says when it is unavailable.

A callback may come on any thread, so it only posts the call. The session's loop, the widgets' one writer, makes the
call and then brings every widget up to date, so that the panel also shows what a cell sets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from vidgen_nb.errors import InputError
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.notebook.panel.panel_words import in_panel_words

__all__ = [
    "BoundControls",
    "Control",
    "Question",
    "always_enabled",
    "css_name",
    "receive_while_blocked",
    "set_if_changed",
]

DisabledReason = Callable[[], str]


@dataclass(frozen=True)
class Question:
    """What the page asks before a button does what it says; a cell's call is not asked about."""

    text: str
    yes: str
    """The answer that does it."""
    no: str = "No"
    danger: bool = False
    """It destroys something."""


@dataclass
class Control:
    """One control."""

    name: str
    label: str
    widget: Any
    help: str
    disabled_reason: DisabledReason
    """Why it is disabled now; empty: it is enabled."""
    read: Callable[[], Any] | None = None
    """The value to show; None: it is a button."""
    words: Callable[[], str] | None = None
    """What stands on it now; None: always its label."""
    is_hidden: Callable[[], bool] | None = None
    """Whether it is left out now, because it has no meaning; None: never."""
    question: Callable[[], Question | None] | None = None
    """What the page asks first."""
    pending_changes: int = 0
    """Changes by hand that the loop has not applied yet; until then, nothing else writes to the widget."""
    last_error: str = ""
    """What last went wrong in showing it, so that it is reported once."""
    reason: str = ""
    """Why it was disabled when it was last brought up to date."""
    holds: Callable[[], Any] | None = None
    """What it decides: when that has changed, what was wrong with the field is forgotten. None: as `read`."""
    wrong: str = ""
    """What is wrong with what stands in the field, which it keeps until it is right; empty: nothing is."""
    held_when_wrong: Any = None
    """What held when it was refused, and still does."""

    def is_out(self) -> bool:
        """Say whether it is left out now."""
        return self.is_hidden is not None and self.is_hidden()

    def refuse(self, error: InputError) -> None:
        """Keep what was entered, and why it can't be."""
        self.wrong = in_panel_words(error)
        self.held_when_wrong = self.held()

    def held(self) -> Any:
        """Return what holds now, whatever stands in the field."""
        read = self.holds or self.read
        return read() if read is not None else None


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


def css_name(name: str) -> str:
    """Return the class that a control's widget has on the page."""
    return f"vg-{name.replace('_', '-')}"


class BoundControls:
    """Controls by name. Those that are hidden at first are made when they are first asked for."""

    def __init__(self, host: PanelHost) -> None:
        self.by_name: dict[str, Control] = {}
        """Those that have been made."""
        self._host = host
        self._writing_thread: int | None = None
        self._builders: dict[str, Callable[[], None]] = {}

    def __getitem__(self, name: str) -> Any:
        return self.control(name).widget

    def control(self, name: str) -> Control:
        """Return a control; if it was not needed before, it is made now, and shows what it should."""
        if name not in self.by_name:
            earlier = set(self.by_name)
            self._builders[name]()
            self._bring_up_to_date([each for key, each in self.by_name.items() if key not in earlier])
        return self.by_name[name]

    def add_later(self, build: Callable[[], None], *names: str) -> None:
        """Have these controls made by `build` when the first of them is asked for."""
        self._builders |= dict.fromkeys(names, build)

    def update_choices(self) -> None:
        """Bring the choices that widgets offer up to date."""

    # -- from the user to the session

    def _add(self, control: Control) -> Control:
        control.widget.tooltip = control.help
        control.widget.add_class(css_name(control.name))
        self.by_name[control.name] = control
        receive_while_blocked(control.widget)
        return control

    def add_button(
        self, name: str, widget: Any, tip: str, call: Callable[[], Any], disabled_reason: DisabledReason, **more: Any
    ) -> None:
        """Add a button; pressing it makes the call. `more`: further fields of its `Control`."""
        self._add(Control(name, widget.description, widget, tip, disabled_reason, **more))
        widget.on_click(lambda _: self._host.post(self._make_call, call))

    def _make_call(self, call: Callable[[], Any]) -> None:
        try:
            call()
        finally:
            self.sync()  # during a run the next update may be half a second away
            self._host.touch()

    def add_value(
        self,
        name: str,
        widget: Any,
        tip: str,
        disabled_reason: DisabledReason = always_enabled,
        *,
        of: object = None,
        read: Callable[[], Any] | None = None,
        apply: Callable[[Any], Any] | None = None,
        label: str = "",
        **more: Any,
    ) -> None:
        """Add a widget that shows the property `name` of an object, and sets it when the user changes the widget.

        `read` returns another value to show, and `apply` does something else with the value that was set. `label`: for
        a widget whose label is not seen. `more`: further fields of its `Control`.
        """
        read = read or (None if of is None else partial(getattr, of, name))
        call = apply or partial(setattr, of, name)
        control = self._add(Control(name, label or widget.description, widget, tip, disabled_reason, read, **more))

        def on_change(change: dict[str, Any]) -> None:
            if threading.get_ident() != self._writing_thread:  # otherwise we have written it ourselves
                control.pending_changes += 1
                self._host.post(self._apply_change, control, call, change["new"])

        widget.observe(on_change, names="value")

    def _apply_change(self, control: Control, call: Callable[[Any], Any], value: Any) -> None:
        """Apply what was entered; what is wrong with it is said at the field."""
        control.pending_changes -= 1
        control.wrong = ""

        def apply() -> None:
            try:
                call(value)
            except InputError as error:
                control.refuse(error)

        self._make_call(apply)

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
        self._bring_up_to_date(list(self.by_name.values()))

    def _bring_up_to_date(self, controls: Sequence[Control]) -> None:
        with self.own_writes():
            self.update_choices()
            errors = [error for control in controls if (error := self._sync_control(control)) is not None]
        if errors:
            raise errors[0]

    def _sync_control(self, control: Control) -> Exception | None:
        """Bring one up to date. If that fails, as with a setting of a user's own policy, the error is reported once."""
        widget = control.widget
        try:
            control.reason = reason = self._closed_reason(control) or control.disabled_reason()
            set_if_changed(widget, "disabled", bool(reason))
            set_if_changed(widget, "tooltip", f"{control.help}. Unavailable: {reason}" if reason else control.help)
            if control.words is not None:
                set_if_changed(widget, "description", control.words())
            if control.is_hidden is not None:
                set_if_changed(widget.layout, "display", "none" if control.is_out() else None)
            if control.wrong and (reason or control.is_out() or control.held() != control.held_when_wrong):
                control.wrong = ""
            if control.read is not None and not control.pending_changes and not control.wrong:
                set_if_changed(widget, "value", control.read())
        except Exception as error:  # noqa: BLE001 - the others are shown all the same
            before, control.last_error = control.last_error, repr(error)
            return error if control.last_error != before else None
        return None

    def _closed_reason(self, control: Control) -> str:
        session = self._host.session
        if not session.is_closed or (session.is_running and control.name == "cancel"):
            return ""
        return "this controller is closed"

    def for_page(self) -> dict[str, Mapping[str, Any]]:
        """Return what the page needs of each control, by its class.

        Its name, why it is disabled, what is wrong with what stands in it, and what to ask first.
        """
        found: dict[str, Mapping[str, Any]] = {}
        for control in list(self.by_name.values()):
            question = control.question() if control.question is not None and not control.reason else None
            found[css_name(control.name)] = {
                "label": control.label if control.read is not None else "",
                "why": f"Unavailable: {control.reason}" if control.reason else "",
                "wrong": control.wrong,
                "ask": vars(question) if question is not None else None,
            }
        return found
