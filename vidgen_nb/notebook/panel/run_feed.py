"""What the panel knows of a run: counts and the latest lines, kept up to date from its events.

An update costs what is new, whatever the run's length: the panel of a run of 50,000 attempts is as quick as any.
"""

from __future__ import annotations

import math
import sys
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from vidgen_nb.analysis.records.cooldowns import CoolingClock
from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import RateLimited, Unwritable
from vidgen_nb.plaintext import clean
from vidgen_nb.recording.runlog import RunLog
from vidgen_nb.run import Run

__all__ = ["RING", "SETTLED", "Feed", "Lane"]

SETTLED = ("succeeded", "failed", "held", "cancelled")
RING = 200
"""Log lines, and events, that the panel keeps."""


@dataclass
class Lane:
    """One profile so far."""

    running: int = 0
    ok: int = 0
    attempts: int = 0
    limited: int = 0
    until: float = -math.inf
    scene: str | None = None
    """Whose 429 began the latest cooldown."""
    retry_after: float | None = None
    reason: str = ""
    unusable: bool = False


class Lines(RunLog):
    """The run's log as lines of text, whatever the level of the logger."""

    def lines(self, events: Sequence[ev.Event]) -> list[str]:
        """Return a line for each event that has one."""
        found = ((event, self._all[type(event)](event)) for event in events if type(event) in self._all)
        return [f"[{event.at:7.1f} s] {clean(line[1])}" for event, line in found if line is not None]


class Feed:
    """Reads a run's events as they come; another run begins anew, but for the log."""

    def __init__(self) -> None:
        self.log: deque[str] = deque(maxlen=RING)
        self.run: Run | None = None
        self._begin(None)

    def _begin(self, run: Run | None) -> None:
        self.run = run
        self.seen = 0
        self.events: deque[str] = deque(maxlen=RING)
        self.status: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self.lanes: dict[str, Lane] = {}
        self.cooling = CoolingClock()
        self.on: dict[str, str] = {}
        """The profile that each scene was tried on last."""
        self.videos: dict[str, str | None] = {}
        """The file of each scene that succeeded, in the order in which they did."""
        self.limited = self.attempts = self.moves = 0
        self.first: float | None = None
        """When the first attempt began since the run was started, or gone on with."""
        self.done_before = 0
        """Scenes that had settled then."""
        self.ended: str | None = None
        self.restored = False
        """It was taken up again, and Run has not been pressed since."""
        self.held: dict[str, str] = {}
        """Why each scene that is held is, and what to do, in the order in which it came to that."""
        self.unwritten: dict[str, str] = {}
        """Why the results of scenes under way can't be written, where they can't."""
        self._lines = Lines()

    def pull(self, run: Run | None, most: int = sys.maxsize) -> Sequence[ev.Event]:
        """Take in what is new, at most so many events, and return it."""
        if run is not self.run:
            self._begin(run)
        if run is None:
            return ()
        new = run.events[self.seen : min(len(run.events), self.seen + most)]
        self.seen += len(new)
        for event in new:
            self._take(event)
        latest = new[-4 * RING :]
        self.log.extend(self._lines.lines(latest))
        self.events.extend(f"{event.at:9.2f} s  {clean(_event(event))}" for event in latest[-RING:])
        return new

    def _take(self, event: ev.Event) -> None:
        self.cooling.take(event)
        match event:
            case ev.ProfileAdded():
                self.lane(event.profile)
            case ev.SceneAdded():
                self._set(event.scene.id, "queued")
                self.ended = None
            case ev.RunStarted():
                self.ended = self.first = None
                self.restored = False
                self.done_before = sum(self.counts[name] for name in SETTLED)
            case ev.AttemptStarted():
                self._started(event)
            case ev.Fetched():
                self.lane(self.on[event.scene]).ok += self.status.get(event.scene) == "running"
                self._settled(event.scene, "succeeded")
                self.videos.pop(event.scene, None)  # so that the latest comes last
                self.videos[event.scene] = event.path
            case ev.SceneSettled():
                self._rate_limited(event)
                self._settled(event.scene, event.status)
                if event.status == "held":
                    self.held[event.scene] = event.reason
            case ev.CallFailed(outcome=Unwritable(reason=why)):
                self.unwritten[event.scene] = why
            case ev.SceneRequeued():
                self._requeued(event)
            case ev.CooldownStarted():
                self._cooling(event)
            case ev.CooldownEnded():
                for name in event.profiles:
                    self.lane(name).until = -math.inf
            case ev.RunEnded():
                self.ended = event.reason
            case ev.RunRestored():
                self.restored = True
            case _:
                pass

    def lane(self, name: str) -> Lane:
        """Return a profile's lane."""
        return self.lanes.setdefault(name, Lane())

    def _set(self, scene: str, status: str) -> None:
        old = self.status.get(scene)
        if old is not None:
            self.counts[old] -= 1
            self.held.pop(scene, None)
            self.unwritten.pop(scene, None)
        self.status[scene] = status
        self.counts[status] += 1

    def _started(self, event: ev.AttemptStarted) -> None:
        self.moves += self.on.get(event.scene, event.profile) != event.profile
        self.on[event.scene] = event.profile
        self.attempts += 1
        lane = self.lane(event.profile)
        lane.attempts += 1
        lane.running += 1
        self.first = event.at if self.first is None else self.first
        self._set(event.scene, "running")

    def _settled(self, scene: str, status: str) -> None:
        if self.status.get(scene) == "running":
            self.lane(self.on[scene]).running -= 1
        self._set(scene, status)

    def _requeued(self, event: ev.SceneRequeued) -> None:
        self._rate_limited(event)
        self._settled(event.scene, "queued")

    def _rate_limited(self, event: ev.SceneRequeued | ev.SceneSettled) -> None:
        """Count a 429; where its scene was cancelled, or was too late, it settles instead of waiting again."""
        if self.status.get(event.scene) == "running" and isinstance(event.outcome, RateLimited):
            lane = self.lane(self.on[event.scene])
            lane.limited += 1
            lane.scene, lane.retry_after = event.scene, event.outcome.retry_after
            self.limited += 1

    def _cooling(self, event: ev.CooldownStarted) -> None:
        for name in event.profiles:
            lane = self.lane(name)
            lane.until, lane.reason, lane.unusable = event.until, event.reason, event.unusable
            lane.scene = event.scene or lane.scene


def _event(event: ev.Event) -> str:
    """Return an event's name and its short fields; prompts and parameters are left out."""
    names = [name for name in getattr(type(event), "__slots__", ()) if name != "at"]
    return " ".join([type(event).__name__, *filter(None, (_field(event, name) for name in names))])


def _field(event: ev.Event, name: str) -> str:
    value = getattr(event, name)
    if value is None or name in ("operation", "artifact", "policy"):
        return ""
    if name == "scene":
        value = getattr(value, "id", value)
    if name in ("outcome", "mode"):
        value = getattr(value, "reason", getattr(value, "name", value))
    return f"{name}={value:.2f}" if isinstance(value, float) else f"{name}={value}"
