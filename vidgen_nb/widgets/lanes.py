"""A chip for each profile, with its countdown and a button that ends its cooldown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w

from vidgen_nb.plaintext import clean
from vidgen_nb.widgets.bound import answer_anywhere, write
from vidgen_nb.widgets.feed import Feed, Lane
from vidgen_nb.widgets.status import State, chip

if TYPE_CHECKING:
    from vidgen_nb.controller import Controller

__all__ = ["MOST", "Lanes"]

MOST = 40
"""Chips that are shown; the chart has as many lanes."""


class Lanes:
    """The profiles in use."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.chips: dict[str, tuple[Any, Any]] = {}
        """HTML and button of each profile."""
        self._more = w.HTML()
        self.root = w.Box(layout=w.Layout(flex_flow="row wrap", grid_gap="6px"))

    def show(self, feed: Feed, state: State) -> None:
        """Bring them up to date."""
        profiles = self._controller.profiles
        shown = list(profiles)[:MOST]
        if list(self.chips) != shown:
            self._rebuild(shown, len(profiles) - len(shown))
        for name, (html, release) in self.chips.items():
            write(html, "value", chip(name, feed.lanes.get(name, Lane()), state, profiles[name].capacity))
            write(release, "disabled", state.closed or name not in (state.cooling or {}))

    def _rebuild(self, names: list[str], more: int) -> None:
        old, self.chips = self.chips, {name: self._chip(name) for name in names}
        self._more.value = f'<div class="vg-note">and {more:,} more profiles</div>' if more else ""
        self.root.children = [*(w.HBox(pair) for pair in self.chips.values()), self._more]
        for pair in old.values():
            for each in pair:
                each.close()

    def _chip(self, name: str) -> tuple[Any, Any]:
        ctl, shown = self._controller, clean(name, 40)
        release = w.Button(description="Release", tooltip=f"End the cooldown of {shown}; off while it does not cool")
        release.on_click(lambda _: ctl.post(ctl.release_cooldown, name))
        answer_anywhere(release)
        return w.HTML(), release
