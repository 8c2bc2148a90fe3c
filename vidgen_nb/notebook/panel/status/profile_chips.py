"""A chip for each profile, with its countdown and a button that ends its cooldown."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import ipywidgets as w

from vidgen_nb.notebook.panel.control_binding import receive_while_blocked, set_if_changed
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.notebook.panel.status.run_counts import ProfileCounts
from vidgen_nb.notebook.panel.status.run_feed import LatestCooldown, RunFeed
from vidgen_nb.notebook.panel.status.status_strip import SessionSnapshot
from vidgen_nb.plaintext import one_line

__all__ = ["MAX_CHIPS", "ProfileChips", "chip_html"]

MAX_CHIPS = 40
"""Profiles that have a chip; the chart has as many lanes."""


class ProfileChips:
    """The profiles in use."""

    def __init__(self, host: PanelHost) -> None:
        self._host = host
        self.chips: dict[str, Any] = {}
        """A box of HTML and a button for each profile that was ever shown."""
        self._shown: list[str] = []
        self._more = w.HTML()
        self.root = w.Box(layout=w.Layout(flex_flow="row wrap", grid_gap="6px"))

    def show(self, feed: RunFeed, session: SessionSnapshot) -> None:
        """Bring the chips up to date."""
        profiles, cooling = self._host.session.profiles, session.cooling
        first = sorted(profiles, key=lambda name: name not in cooling)[:MAX_CHIPS]  # cooling ones can be released
        shown = [name for name in profiles if name in set(first)]
        if shown != self._shown:
            self._shown = shown
            more = len(profiles) - len(shown)
            self._more.value = f'<div class="vg-note">and {more:,} more profiles</div>' if more else ""
            self.root.children = [*(self._chip(name) for name in shown), self._more]
        for name in shown:
            html, release = self.chips[name].children
            counts = feed.counts.profiles.get(name, ProfileCounts())
            text = chip_html(name, counts, feed.cooldown(name), cooling.get(name), profiles[name].capacity)
            set_if_changed(html, "value", text)
            set_if_changed(release, "disabled", session.closed or name not in cooling)

    def _chip(self, name: str) -> Any:
        if name not in self.chips:
            self.chips[name] = w.HBox([w.HTML(), self._release_button(name)])
        return self.chips[name]

    def _release_button(self, name: str) -> Any:
        host, shown = self._host, one_line(name, 40)
        release = w.Button(
            description=f"Release {one_line(name, 16)}",
            tooltip=f"End the cooldown of {shown}; unavailable while it is not cooling",
        )
        release.on_click(lambda _: host.post(host.session.release_cooldown, name))
        receive_while_blocked(release)
        return release


def chip_html(
    name: str, counts: ProfileCounts, latest: LatestCooldown, seconds_left: float | None, capacity: int | None
) -> str:
    """Return one profile's chip as HTML, with its countdown; `seconds_left` None: it is not cooling."""
    retry_after = reason = ""
    if seconds_left is None:
        word, colour = ("busy", "#56B4E9") if counts.running else ("ready", "#3A9A5B")
    else:
        word, colour = "unusable" if latest.unusable else "cooling", "#F0C05A"
        word += "" if math.isinf(seconds_left) else f" {math.ceil(seconds_left)} s"
        retry_after = "" if latest.retry_after is None else f" · Retry-After {math.ceil(latest.retry_after)} s"
        reason = escape(one_line(latest.reason, 120))
    room = "" if capacity is None else f" of {capacity}"
    return (
        f'<div class="vg-chip" title="{reason}"><span class="vg-dot" style="background:{colour}"></span>'
        f"<b>{escape(one_line(name, 24))}</b> {word}{retry_after}<br>"
        f"<small>{counts.running}{room} running · {counts.succeeded} succeeded · "
        f"{counts.rate_limited} × 429</small></div>"
    )
