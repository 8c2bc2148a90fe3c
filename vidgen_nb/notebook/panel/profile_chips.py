"""A chip for each profile, with its countdown and a button that ends its cooldown."""

from __future__ import annotations

from typing import Any

import ipywidgets as w

from vidgen_nb.notebook.panel.control_binding import answer_anywhere, write
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.notebook.panel.run_feed import Feed, Lane
from vidgen_nb.notebook.panel.status import State, chip
from vidgen_nb.plaintext import clean

__all__ = ["MOST", "Lanes"]

MOST = 40
"""Chips that are shown; the chart has as many lanes."""


class Lanes:
    """The profiles in use."""

    def __init__(self, host: PanelHost) -> None:
        self._host = host
        self.chips: dict[str, Any] = {}
        """A box of HTML and a button for each profile that was ever shown."""
        self._shown: list[str] = []
        self._more = w.HTML()
        self.root = w.Box(layout=w.Layout(flex_flow="row wrap", grid_gap="6px"))

    def show(self, feed: Feed, state: State) -> None:
        """Bring them up to date."""
        profiles, cooling = self._host.session.profiles, state.cooling or {}
        first = sorted(profiles, key=lambda name: name not in cooling)[:MOST]  # those that cool can be released
        shown = [name for name in profiles if name in set(first)]
        if shown != self._shown:
            self._shown = shown
            more = len(profiles) - len(shown)
            self._more.value = f'<div class="vg-note">and {more:,} more profiles</div>' if more else ""
            self.root.children = [*(self._chip(name) for name in shown), self._more]
        for name in shown:
            html, release = self.chips[name].children
            write(html, "value", chip(name, feed.lanes.get(name, Lane()), state, profiles[name].capacity))
            write(release, "disabled", state.closed or name not in cooling)

    def _chip(self, name: str) -> Any:
        if name not in self.chips:
            self.chips[name] = w.HBox(self._pair(name))
        return self.chips[name]

    def _pair(self, name: str) -> tuple[Any, Any]:
        host, shown = self._host, clean(name, 40)
        release = w.Button(
            description=f"Release {clean(name, 16)}", tooltip=f"End the cooldown of {shown}; off while it does not cool"
        )
        release.on_click(lambda _: host.post(host.session.release_cooldown, name))
        answer_anywhere(release)
        return w.HTML(), release
