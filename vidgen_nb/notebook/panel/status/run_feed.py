"""What the panel knows of a run: its counts, its cooldowns and its latest log lines, kept up to date from its events.

An update costs as much as its new events, however long the run is: a run of 50,000 attempts is shown as fast as any.
"""

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from vidgen_nb.analysis.records.cooldowns import CoolingClock
from vidgen_nb.analysis.records.live_window import Recent, RecentData
from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import ProfileUnusable, RateLimited, Unwritable
from vidgen_nb.notebook.panel.panel_words import in_panel_words
from vidgen_nb.notebook.panel.status.run_counts import RunCounts
from vidgen_nb.notebook.panel.status.scene_list import SceneList
from vidgen_nb.plaintext import one_line
from vidgen_nb.recording.runlog import RunLog
from vidgen_nb.run import Run

__all__ = ["MAX_LINES", "LatestCooldown", "RunFeed"]

MAX_LINES = 200
"""Log lines that the panel keeps."""


@dataclass
class LatestCooldown:
    """The latest cooldown of a profile, and why it began."""

    until: float = -math.inf
    """In run seconds; inf: no end is known."""
    scene: str | None = None
    """The scene whose failure began it."""
    retry_after: float | None = None
    """Seconds that the server asked for in its latest 429."""
    reason: str = ""
    unusable: bool = False
    cause: str = ""
    """Of an unusable profile: `auth`, `day_quota` or `credit`; empty: none of these, or not known."""


class LogFormatter(RunLog):
    """The lines of a run's log as text, whatever the level of the logger."""

    def lines(self, events: Sequence[ev.Event]) -> list[str]:
        """Return a line for each event that has one."""
        found = ((event, self._all[type(event)](event)) for event in events if type(event) in self._all)
        return [f"[{event.at:7.1f} s] {one_line(in_panel_words(line[1]))}" for event, line in found if line is not None]


class RunFeed:
    """Reads a run's events as they come. Another run starts it afresh, except for the log."""

    def __init__(self) -> None:
        self.log: deque[str] = deque(maxlen=MAX_LINES)
        self.run: Run | None = None
        self._reset(None)

    def _reset(self, run: Run | None) -> None:
        self.run = run
        self._events_read = 0
        self._live_window = Recent()
        self._log_formatter = LogFormatter()
        self.window: RecentData | None = None
        """The latest part of the run, for the chart and the table; None: nothing has happened yet."""
        self.counts = RunCounts()
        self.scenes = SceneList()
        """Every scene, for the table."""
        self.cooldowns: dict[str, LatestCooldown] = {}
        """By profile."""
        self.cooling = CoolingClock()
        self.videos: dict[str, str | None] = {}
        """The file of each scene that succeeded, in the order of success."""
        self.first_attempt_at: float | None = None
        """When the first attempt began since the run was started or continued."""
        self.settled_before = 0
        """Scenes that had settled by then."""
        self.ended: str | None = None
        """Why the run ended; None: it goes on, or was broken off."""
        self.was_cancelled = False
        """Somebody cancelled everything that had not settled."""
        self.restored = False
        """It was restored, and Run has not been pressed since."""
        self.held: dict[str, str] = {}
        """For each held scene, why it is held and what to do; the latest comes last."""
        self.unwritten: dict[str, str] = {}
        """For each finished scene whose video can't be saved now, why."""

    def pull(self, run: Run | None, max_events: int = sys.maxsize) -> Sequence[ev.Event]:
        """Read the run's new events, `max_events` at most, and return them."""
        if run is not self.run:
            self._reset(run)
        if run is None:
            return ()
        new = run.events[self._events_read : min(len(run.events), self._events_read + max_events)]
        self._events_read += len(new)
        for event in new:
            self._read(event)  # first, because it asks the window what held before the event
            self._live_window((event,))
        self.scenes(new)
        if new:
            self.window = self._live_window.data()
            self.counts = RunCounts.of(self.window)
        self.log.extend(self._log_formatter.lines(new[-4 * MAX_LINES :]))
        return new

    def cooldown(self, profile: str) -> LatestCooldown:
        """Return a profile's latest cooldown."""
        return self.cooldowns.setdefault(profile, LatestCooldown())

    def status_of(self, scene: str) -> tuple[str, str | None]:
        """Return a scene's recorded status, and the profile of its latest attempt; "" if there is no such scene."""
        return self._live_window.status_of(scene)

    def _read(self, event: ev.Event) -> None:
        self.cooling.take(event)
        match event:
            case ev.SceneAdded() | ev.AskedAgain():
                self._forget_troubles(event.scene.id)
                self.ended = None
            case ev.RunStarted():
                self.ended = self.first_attempt_at = None
                self.restored = self.was_cancelled = False
                self.settled_before = RunCounts.of(self._live_window.data()).settled
            case ev.AttemptStarted():
                self._forget_troubles(event.scene)
                self.first_attempt_at = event.at if self.first_attempt_at is None else self.first_attempt_at
            case ev.Fetched():
                self._forget_troubles(event.scene)
                self.videos.pop(event.scene, None)  # so that the latest comes last
                self.videos[event.scene] = event.path
            case ev.SceneSettled() | ev.SceneRequeued():
                self._forget_troubles(event.scene)
                self._note_rate_limit(event)
                if isinstance(event, ev.SceneSettled) and event.status == "held":
                    self.held[event.scene] = event.reason
            case ev.CallFailed(outcome=Unwritable(reason=reason)):
                self.unwritten[event.scene] = reason
            case ev.CooldownStarted():
                self._note_cooldown(event)
            case ev.CooldownEnded():
                for name in event.profiles:
                    self.cooldown(name).until = -math.inf
            case ev.CancelRequested(scene=None):
                self.was_cancelled = True
            case ev.RunEnded():
                self.ended = event.reason
            case ev.RunRestored():
                self.restored = True
            case _:
                pass

    def _forget_troubles(self, scene: str) -> None:
        self.held.pop(scene, None)
        self.unwritten.pop(scene, None)

    def _note_rate_limit(self, event: ev.SceneRequeued | ev.SceneSettled) -> None:
        """Note which scene got a 429; one that was cancelled or past its deadline settles instead of waiting again."""
        if event.profile is not None and isinstance(event.outcome, RateLimited):
            cooldown = self.cooldown(event.profile)
            cooldown.scene, cooldown.retry_after, cooldown.cause = event.scene, event.outcome.retry_after, ""
        elif event.profile is not None and isinstance(event.outcome, ProfileUnusable):
            self.cooldown(event.profile).cause = event.outcome.cause

    def _note_cooldown(self, event: ev.CooldownStarted) -> None:
        for name in event.profiles:
            cooldown = self.cooldown(name)
            cooldown.until, cooldown.reason, cooldown.unusable = event.until, event.reason, event.unusable
            cooldown.scene = event.scene or cooldown.scene
