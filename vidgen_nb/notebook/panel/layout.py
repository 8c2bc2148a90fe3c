"""Where things stand: a toolbar, a row with mode, scenes and progress, and what opens above them when it is asked for.

Nothing in the two rows changes its place or size while a run goes on. Menus and the drawer lie above the page, and
their widgets are made when they are first opened.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as w

from vidgen_nb.notebook.panel.controls import VIEW, Controls
from vidgen_nb.notebook.panel.option_controls import DRAWER, DRAWER_NOTES

__all__ = ["Rows"]

MENUS = {
    "vg-stop-menu": ("stop", "cancel"),
    "vg-more-menu": ("restore_last_run", "retry_failed", "export", "past_runs", *VIEW),
}
"""The class of each menu, and what is in it."""


class Rows:
    """The rows above the chart."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self.state, self.progress, self.sentence, self.spoken = (w.HTML() for _ in range(4))
        for name in ("state", "progress", "sentence", "spoken"):
            getattr(self, name).add_class(f"vg-{name}-box")
        self._popovers = {name: _box(name, "vg-popover") for name in (*MENUS, "vg-drawer")}
        self.root = self._arranged()
        self.root.add_class("vg-rows")

    def _arranged(self) -> Any:
        c, popovers = self._controls, self._popovers
        buttons = _box("vg-buttons", children=[c["run"], c["paused"], _box("vg-split", children=[
            c["stop"], _opener("vg-open-stop", "▾"), popovers["vg-stop-menu"]]),
            c["restore_last_run"], c["raise_cap"], c["cancel"]])  # fmt: skip
        icons = _box("vg-icons", children=[
            c["speed"], _opener("vg-open-drawer", "⚙"), popovers["vg-drawer"],
            _opener("vg-open-more", "⋯"), popovers["vg-more-menu"]])  # fmt: skip
        scenes = _box("vg-choice", children=[c["kind"], c["span"], c["scene"]])
        return w.VBox([
            _box("vg-toolbar", children=[buttons, self.state, icons]),
            _box("vg-toolbar", children=[c["mode"], scenes, self.progress, self.sentence]),
            self.spoken,
        ])  # fmt: skip

    def fill(self, name: str) -> None:
        """Make what is in a menu or the drawer, if it has not been opened before."""
        popover, c = self._popovers[name], self._controls
        if popover.children:
            return
        if name in MENUS:
            popover.children = [c[each] for each in MENUS[name]]
        else:
            popover.children = [
                child
                for heading, names in DRAWER.items()
                if not all(c.control(each).is_out() for each in names)
                for child in self._part(heading, names)
            ]

    def _part(self, heading: str, names: tuple[str, ...]) -> list[Any]:
        """Return a part of the drawer: its heading, its controls, and what there is to say of it."""
        note = DRAWER_NOTES.get(heading)
        below = [w.HTML(f'<div class="vg-note">{note}</div>')] if note else []
        return [w.HTML(f'<div class="vg-heading">{heading}</div>'), *(self._controls[each] for each in names), *below]

    def at_cap(self, *, shown: bool) -> None:
        """Show what discards the rest beside what raises the cap."""
        (self.root.add_class if shown else self.root.remove_class)("vg-at-cap")


def _box(*classes: str, children: Any = ()) -> Any:
    box = w.Box(children)
    for name in classes:
        box.add_class(name)
    return box


def _opener(name: str, sign: str) -> Any:
    """Return a button that opens a menu or the drawer, on the page alone."""
    button = w.Button(description=sign)
    button.add_class(name)
    button.add_class("vg-opener")
    return button
