"""The live chart as a whole: the figure, its lanes' labels beside it, and a legend and a note below.

As with all widgets, only the session's loop writes to it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import ipywidgets as w

from vidgen_nb.analysis.limits.gauges import LimitGauges
from vidgen_nb.analysis.records.live_data import RecentData
from vidgen_nb.charts.drawing.palette import theme_of
from vidgen_nb.charts.gantt.lanes import QUEUE_PIXELS
from vidgen_nb.core import events as ev
from vidgen_nb.core.policy import Policy
from vidgen_nb.notebook.panel.chart.lane_facts import Account, lane_facts
from vidgen_nb.notebook.panel.chart.lanes import LaneColumn
from vidgen_nb.notebook.panel.chart.legend import legend_html
from vidgen_nb.notebook.panel.chart.live_gantt import SIDE_PIXELS, TOP_PIXELS, LiveGantt
from vidgen_nb.notebook.panel.control_binding import set_if_changed
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.notebook.panel.status.session_snapshot import SessionSnapshot
from vidgen_nb.provider.limits import Limit
from vidgen_nb.run import Run

__all__ = ["Chart"]

MAX_EVENTS_READ_AGAIN = 60_000
"""If a policy with other limits is set in a longer run, gauges stay with those that they had."""


class Chart:
    """`view` is what a page shows. What a hand does in it goes to the host's options and session."""

    def __init__(self, host: PanelHost, theme: str, on_follow: Callable[[bool], None]) -> None:
        self._host = host
        self.gantt = LiveGantt(
            theme,
            on_follow=lambda on: host.post(on_follow, on),
            on_shown=lambda: host.post(self.gantt.resend),
            on_select=lambda scene: host.post(self._act, {"select": scene}),
        )
        self.lanes = LaneColumn(lambda content: host.post(self._act, content))
        self.legend, self.note = w.HTML(), w.HTML()
        figure = w.Box([self.gantt.figure])
        figure.add_class("vg-chart-figure")
        plot = w.HBox([self.lanes, figure])
        plot.add_class("vg-chart-plot")
        self.view = w.VBox([plot, self.legend, self.note])
        self.view.add_class("vg-chart")
        for widget in (self.legend, self.note):
            widget.add_class("vg-chart-below")
        self.legend.add_class("vg-chart-legend")
        self._run: Run | None = None
        self._events_read = 0
        self._gauges = LimitGauges({})
        self._told: dict[str, Limit] = {}

    # -- what is read

    def read(self, run: Run | None, events: Sequence[ev.Event]) -> None:
        """Take in a run's new events."""
        told = {**self._host.limits, **_told_to(self._host.session.policy)}
        if run is not self._run:
            self._run, self._told, self._gauges, self._events_read = run, told, LimitGauges(told), 0
        elif told != self._told and self._events_read <= MAX_EVENTS_READ_AGAIN:
            self._told, self._gauges = told, LimitGauges(told)
            events = [] if run is None else run.events[: self._events_read + len(events)]
            self._events_read = 0
        self._events_read += len(events)
        gauges, self._gauges = self._gauges, LimitGauges({})  # if it fails, there are no gauges, and one error
        for event in events:
            gauges.observe(event)
        self._gauges = gauges

    # -- what is written

    def draw(self, window: RecentData | None, now: float | None, *, changed: bool) -> None:
        """Draw the latest part of a run, if it has changed or other profiles are known; without a run, empty lanes."""
        profiles = {name: profile.capacity for name, profile in self._host.run_options.known_profiles.items()}
        first = frozenset(self._host.session.cooling)
        if changed or profiles != self.gantt.profiles:
            self.gantt.profiles, self.gantt.first = profiles, first
            self.gantt.update(window, now)

    def show(self, feed: RunFeed, session: SessionSnapshot) -> None:
        """Write the lanes' labels, the legend and the note, for what is drawn."""
        rows = self.gantt.rows
        accounts = self._accounts(feed, session)
        self.lanes.show(
            lanes=[
                lane_facts(accounts[lane.profile], session.speed)
                | {"top": round(TOP_PIXELS + lane.top), "height": round(lane.bottom - lane.top)}
                for lane in rows.lanes
                if lane.profile in accounts
            ],
            height=int(self.gantt.figure._layout["height"]),  # noqa: SLF001 - plotly's own copy
            queue={"text": _queue_text(feed), "top": round(TOP_PIXELS), "height": round(QUEUE_PIXELS)},
            running=session.running,
            closed=session.closed,
        )
        set_if_changed(self.legend, "value", legend_html(rows, theme_of(self.gantt.theme)))
        set_if_changed(self.note, "value", escape(self.gantt.note))

    def _accounts(self, feed: RunFeed, session: SessionSnapshot) -> dict[str, Account]:
        window, options = feed.window, self._host.run_options
        in_use, known, cap = set(options.in_use), options.known_profiles, options.mode.max_generating
        generating, at_provider = Counter[str](), Counter[str]()
        outcomes: dict[str, dict[str, int]] = defaultdict(dict)
        if window is not None:
            generating.update(each.profile for each in window.attempts if each.slot_end is None)
            at_provider.update(each.profile for each in window.attempts if each.waits_at_provider)
            for (owner, outcome), number in window.tallies.items():
                outcomes[owner][str(outcome)] = number
        found: dict[str, Account] = {}
        for lane in self.gantt.rows.lanes:
            name = lane.profile
            profile = known.get(name)
            found[name] = Account(
                name=name,
                in_use=name in in_use,
                may_go=len(in_use) > 1,
                known=profile is not None,
                generating=generating[name],
                at_provider=at_provider[name],
                room=min((size for size in (profile and profile.capacity, cap) if size), default=None),
                seconds_left=session.cooling.get(name),
                latest=feed.cooldown(name),
                outcomes=outcomes[name],
                gauge=self._gauges.of(name, session.now),
            )
        return found

    # -- what a hand does

    def _act(self, content: dict[str, Any]) -> None:
        """Carry out what the page asks for."""
        session, options = self._host.session, self._host.run_options
        if "select" in content:
            scene, view = content["select"], self._host.view_options
            view.selected = None if scene == view.selected else scene
        elif "use" in content:
            name, on = str(content["use"]), bool(content["on"])
            options.in_use = [each for each in options.known_profiles if each in options.in_use or each == name] if on \
                else [each for each in options.in_use if each != name]  # fmt: skip
        elif "width" in content:
            self._resize(float(content["width"]) - 2 * SIDE_PIXELS)
            return
        elif "release" in content:
            session.release_cooldown(str(content["release"]))
        self._host.touch()

    def _resize(self, pixels: float) -> None:
        """Draw again for another width, if it matters: it decides which bars have room for an id."""
        before = self.gantt.plot_pixels
        if pixels > 0 and not 0.9 < pixels / before < 1.1:
            self.gantt.plot_pixels = pixels
            self.gantt.redraw()


def _told_to(policy: Policy) -> dict[str, Limit]:
    """Return the limits that a policy was given, such as `Paced(limits=...)`."""
    given = getattr(policy, "limits", None)
    return {name: each for name, each in given.items() if isinstance(each, Limit)} if isinstance(given, dict) else {}


def _queue_text(feed: RunFeed) -> str:
    waiting = feed.counts.scenes["waiting"]
    return f"{waiting:,} waiting" if waiting else "waiting"
