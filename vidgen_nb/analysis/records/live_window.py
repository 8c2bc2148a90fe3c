"""What a live chart needs of an open run, however long it is: its latest attempts and a few counts.

An observer keeps it up to date with O(log n) work per event. Only the session's loop may read it. It holds the window,
sums of what is older, and the scenes that are not settled or have an attempt in the window; of others, how they stand.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import Any

from vidgen_nb.analysis.records.bounded_series import BoundedSpans, BoundedSteps, BoundedSums
from vidgen_nb.analysis.records.builder import Builder, records_of
from vidgen_nb.analysis.records.hand_marks import MAX_LIVE_MARKS, HandMarks
from vidgen_nb.analysis.records.live_data import COOLDOWN, OlderSums, RecentData, SumKey
from vidgen_nb.analysis.records.model import AttemptRecord, CooldownRecord, SceneRecord
from vidgen_nb.analysis.records.off_time import OffTime
from vidgen_nb.analysis.records.run_state import SubmissionGate
from vidgen_nb.analysis.records.slots import SlotAllocator
from vidgen_nb.analysis.records.timeline import plus_provider_queues
from vidgen_nb.core import events as ev

__all__ = ["COOLDOWN", "MAX_LIVE_ATTEMPTS", "OlderSums", "Recent", "RecentData", "SumKey"]

MAX_LIVE_ATTEMPTS = 500
"""Bars that a browser can easily redraw twice a second."""
MAX_OLDER_SUMS = 400
"""Sums kept of what is older: few enough to be joined at each redraw."""


class Recent(Builder):
    """The latest attempts of a run: all running ones, and as many of the last ended ones as fit in `limit`.

    Hand it the events in order (`session.observe(recent)`), and `clear` it before those of another run.
    """

    def __init__(self, limit: int = MAX_LIVE_ATTEMPTS) -> None:
        self.limit = limit
        self.clear()  # this initialises the builder, too

    def clear(self) -> None:
        """Forget everything."""
        Builder.__init__(self)
        self._moves = deque(maxlen=self.limit)
        self._ended: dict[int, AttemptRecord] = {}
        """Ended attempts by index, in order of their end."""
        self._places: dict[str, int] = {}
        """The index of each scene's running attempt."""
        self._count, self._moved, self._since, self._at = 0, 0, 0.0, 0.0
        self._statuses: Counter[str] = Counter()
        self._tallies: Counter[tuple[str, str | None]] = Counter()
        self._past: BoundedSums[SumKey] = BoundedSums(MAX_OLDER_SUMS)
        self._kept: Counter[str] = Counter()
        """How many attempts of a scene are in the window."""
        self._settled_scenes: dict[str, tuple[str, str | None]] = {}
        """Status and last profile of forgotten settled scenes; equal pairs are one object."""
        self._equal_fates: dict[tuple[str, str | None], tuple[str, str | None]] = {}
        self._slots, self._hands = SlotAllocator(), HandMarks(MAX_LIVE_MARKS)
        self._busy: Counter[str] = Counter()
        """Attempts of each profile that have not ended."""
        self._waiting = BoundedSteps(4 * self.limit)
        self._not_before: dict[str, float] = {}
        """Ends of the back-offs of scenes that wait."""
        self._records: dict[str, SceneRecord] = {}
        """Records of scenes that have not changed since."""
        self._timers: list[tuple[float, str]] = []
        """The same as a heap; some entries are outdated."""
        self._gate, self._off = SubmissionGate(), OffTime()
        self._backlog = BoundedSpans(4 * self.limit)
        self._taken: dict[str, BoundedSpans] = {}
        self._present: set[str] = set()

    def __call__(self, events: Sequence[ev.Event]) -> None:
        """Take in new events (an observer)."""
        for event in events:
            self._at = event.at
            self._end_back_offs(event.at)
            scene = self._scenes.get(event.scene) if isinstance(event, _ABOUT_A_SCENE) else None
            before = scene.status if scene is not None else ""
            if (handler := self._handlers.get(type(event))) is not None:
                handler(event)
            if scene is not None:
                self._records.pop(scene.id, None)
                if scene.status != before:
                    self._status_changed(scene.id, before, scene.status)
                self._forget(scene.id)
            self._gate.take(event)
            self._off.take(event)
            self._hands.take(event)
            self._backlog.set(event.at, not self._gate.is_shut and self._statuses["queued"] > len(self._not_before))

    def data(self) -> RecentData:
        """Return the window as records. O(limit log limit)."""
        self._sum_up_cooldowns()
        under_way = records_of(AttemptRecord, (self._running[scene] for scene in self._places))
        running = dict(zip(self._places.values(), under_way, strict=True))
        attempts = dict(sorted((self._ended | running).items()))
        ids = dict.fromkeys(attempt.scene for attempt in attempts.values())
        return RecentData(
            header={},
            events=(),
            profiles=list(self._capacities),
            scenes=self._scene_records(ids),
            attempts=list(attempts.values()),
            cooldowns=records_of(CooldownRecord, (each for each in self._windows if each.end > self._since)),
            moves=list(self._moves),
            end=self._at,
            capacities=dict(self._capacities),
            off=self._off.spans,
            marks=list(self._hands.marks),
            since=self._since,
            started=self._count,
            moved=self._moved,
            statuses={name: count for name, count in self._statuses.items() if count},
            tallies=dict(self._tallies),
            history=self._past.all(),
            places=list(attempts),
            slots=[self._slots.of[place] for place in attempts],
            used=dict(self._slots.used),
            waiting=plus_provider_queues(self._waiting.after(self._since), attempts.values()),
            backlog=self._backlog.between(self._since, self._at),
            taken={name: spans.between(self._since, self._at) for name, spans in self._taken.items()},
        )

    def status_of(self, scene: str) -> tuple[str, str | None]:
        """Return a scene's status and its last profile, also if it left the window; "" if there is no such scene."""
        known = self._scenes.get(scene)
        return (known.status, known.profile) if known is not None else self._settled_scenes.get(scene, ("", None))

    def _scene_records(self, ids: Iterable[str]) -> list[SceneRecord]:
        """Return records of scenes; most are the same objects as the last time."""
        known, names = self._records, list(ids)
        new = [name for name in names if name not in known]
        known.update(zip(new, records_of(SceneRecord, (self._scenes[name] for name in new)), strict=True))
        self._records = {name: known[name] for name in names}
        return list(self._records.values())

    # -- scenes and their queue

    def _scene_added(self, event: ev.SceneAdded) -> None:
        name = event.scene.id
        before, profile = self.status_of(name)
        self._settled_scenes.pop(name, None)
        super()._scene_added(event)
        self._scenes[name].profile = profile
        self._records.pop(name, None)
        self._status_changed(name, before, "queued")

    def _asked_again(self, event: ev.AskedAgain) -> None:
        super()._asked_again(event)
        self._status_changed(event.scene.id, "queued", "generating")

    def _forget(self, name: str) -> None:
        """Forget a scene that is settled and has no attempt in the window, except for how it stands."""
        scene = self._scenes.get(name)
        if scene is not None and scene.end is not None and name not in self._kept:
            fate = scene.status, scene.profile
            self._settled_scenes[name] = self._equal_fates.setdefault(fate, fate)
            del self._scenes[name]
            self._records.pop(name, None)

    def _requeued(self, event: ev.SceneRequeued) -> None:
        super()._requeued(event)
        if event.not_before is not None and event.not_before > event.at:
            self._not_before[event.scene] = event.not_before
            heapq.heappush(self._timers, (event.not_before, event.scene))

    def _end_back_offs(self, at: float) -> None:
        while self._timers and self._timers[0][0] <= at:
            until, scene = heapq.heappop(self._timers)
            if self._not_before.get(scene) == until:
                del self._not_before[scene]
                self._backlog.set(until, not self._gate.is_shut)

    def _status_changed(self, scene: str, before: str, after: str) -> None:
        """Count a scene whose status has changed."""
        if before:
            self._statuses[before] -= 1
        self._statuses[after] += 1
        if after != "queued":
            self._not_before.pop(scene, None)
        if "queued" in (before, after):
            self._waiting.set(self._at, self._statuses["queued"])

    # -- attempts

    def _started(self, event: ev.AttemptStarted) -> None:
        self._moved += self._scenes[event.scene].profile not in (None, event.profile)
        super()._started(event)

    def _attempt_started(self, attempt: Any) -> None:
        place = self._places[attempt.scene] = self._count
        self._count += 1
        self._kept[attempt.scene] += 1
        self._slots.take(place, attempt.profile)
        self._busy[attempt.profile] += 1
        self._note_taken(attempt.profile)
        self._forget_oldest_attempts()

    def _attempt_ended(self, attempt: Any) -> None:
        place = self._places.pop(attempt.scene)
        attempt.__class__ = AttemptRecord  # it is complete
        self._ended[place] = attempt
        self._tallies[attempt.profile, attempt.outcome] += 1
        if attempt.generated is None:
            self._slots.give_back(place, attempt.profile)
        self._busy[attempt.profile] -= 1
        self._note_taken(attempt.profile)
        self._forget_oldest_attempts()

    def _slot_freed(self, attempt: Any) -> None:
        self._slots.give_back(self._places[attempt.scene], attempt.profile)

    def _forget_oldest_attempts(self) -> None:
        """Forget the attempt that ended first if there are too many."""
        if self._ended and len(self._ended) + len(self._places) > self.limit:
            oldest = next(iter(self._ended))
            record = self._ended.pop(oldest)
            self._since = record.end or 0.0
            self._past.add(self._since, (record.profile, record.outcome), 1)
            del self._slots.of[oldest]
            self._kept[record.scene] -= 1
            if not self._kept[record.scene]:
                del self._kept[record.scene]
                self._forget(record.scene)

    # -- profiles

    def _profile_added(self, event: ev.ProfileAdded) -> None:
        super()._profile_added(event)
        self._present.add(event.profile)
        if event.profile not in self._taken:
            self._taken[event.profile] = BoundedSpans(4 * self.limit)
            self._taken[event.profile].set(0.0, True)
        self._note_taken(event.profile)

    def _profile_removed(self, event: ev.ProfileRemoved) -> None:
        super()._profile_removed(event)
        self._present.discard(event.profile)
        self._note_taken(event.profile)

    def _note_taken(self, profile: str) -> None:
        """Note whether a profile runs something or is absent."""
        self._taken[profile].set(self._at, profile not in self._present or self._busy[profile] > 0)

    def _window_opened(self, window: Any) -> None:
        super()._window_opened(window)
        if len(self._windows) > 4 * self.limit:
            self._sum_up_cooldowns(2 * self.limit)

    def _sum_up_cooldowns(self, most: int | None = None) -> None:
        """Sum up cooldowns that are over and have left the window, and the oldest if there are more than `most`."""
        still = self._cooldowns.open_windows()
        early = 0 if most is None else len(self._windows) - most
        kept: list[Any] = []
        for index, window in enumerate(self._windows):
            if id(window) in still or (window.end > self._since and index >= early) or window.end > self._at:
                kept.append(window)
            else:
                self._past.spread(window.start, window.end, (window.profile, COOLDOWN))
        self._windows = kept


_ABOUT_A_SCENE = (ev.AttemptStarted, ev.Accepted, ev.Generated, ev.Fetched, ev.SceneRequeued, ev.SceneSettled)
