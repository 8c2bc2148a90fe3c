"""Who could have taken a scene: which accounts cool, are full or are out, event by event.

Two events may have the same time, so records alone do not tell what a decision found; the order of the events does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from vidgen_nb.analysis.records.cooldowns import CooldownReader
from vidgen_nb.core import events as ev
from vidgen_nb.plaintext import one_line

__all__ = ["Accounts", "name_list", "short_name"]

MAX_NAMES = 4
"""Accounts that a sentence names for one reason; it counts the others."""
NAME_CHARS = 40
_VERBS = {"cool": ("cools", "cool"), "full": ("is full", "are full"), "out": ("is out", "are out")}


class Accounts:
    """Reads a run's events in order."""

    def __init__(self, header: Mapping[str, Any]) -> None:
        mode = header.get("mode")
        cap = mode.get("max_generating") if isinstance(mode, Mapping) else None
        self._cap: int | None = cap if isinstance(cap, int) else None
        self._capacities: dict[str, int | None] = {}
        """Of the accounts that are part of the session."""
        self._places: dict[str, int] = {}
        """Their order."""
        self._full = set[str]()
        self._running: dict[str, str] = {}
        """The account of each scene whose attempt takes a slot."""
        self._active: dict[str, int] = defaultdict(int)
        self._cooldowns = CooldownReader(lambda window: None)
        self.rooms: dict[str, list[tuple[float, int | None]]] = defaultdict(list)
        """Per account how many attempts it may run at once, from when on: None: any number; 0: it gets nothing new."""

    def take(self, event: ev.Event) -> None:
        """Take in the next event, of any kind."""
        match event:
            case ev.ProfileAdded():
                self._places.setdefault(event.profile, len(self._places))
                self._capacities[event.profile] = event.capacity
                self._cooldowns.profile_added(event)
                self._note_room(event.profile, event.at)
            case ev.ProfileChanged():
                self._capacities[event.profile] = event.capacity
                self._note_room(event.profile, event.at)
            case ev.ProfileRemoved():
                self._capacities.pop(event.profile, None)
                self._full.discard(event.profile)
                self._cooldowns.profile_removed(event)
                self.rooms[event.profile].append((event.at, 0))
            case ev.ModeChanged():
                self._cap = event.mode.max_generating
                for profile in self._capacities:
                    self._note_room(profile, event.at)
            case ev.AttemptStarted():
                self._begin(event.scene, event.profile)
            case ev.AskedAgain():
                self._begin(event.scene.id, event.profile)
            case ev.Generated() | ev.SceneRequeued() | ev.SceneSettled() | ev.Fetched():
                if freed := self._running.pop(event.scene, ""):
                    self._active[freed] -= 1
                    self._note_full(freed)
            case ev.CooldownStarted():
                self._cooldowns.started(event)
            case ev.CooldownEnded():
                self._cooldowns.ended(event)
            case _:
                pass

    def _begin(self, scene: str, profile: str) -> None:
        self._running[scene] = profile
        self._active[profile] += 1
        self._note_full(profile)

    def _note_room(self, profile: str, at: float) -> None:
        room = min((size for size in (self._capacities[profile], self._cap) if size is not None), default=None)
        if not self.rooms[profile] or self.rooms[profile][-1][1] != room:
            self.rooms[profile].append((at, room))
        self._note_full(profile)

    def _note_full(self, profile: str) -> None:
        """Keep who is full up to date, so that a decision costs what its sentence says, however many accounts."""
        room = self.rooms[profile][-1][1] if self.rooms[profile] else None
        (self._full.add if room is not None and self._active[profile] >= room else self._full.discard)(profile)

    def others(self, chosen: str) -> tuple[str, bool]:
        """Say why accounts other than the chosen one could take nothing, and whether any of them could."""
        closed, places = self._cooldowns.closed(), self._places
        found = {
            "cool": [profile for profile, is_out in closed.items() if not is_out],
            "full": [profile for profile in self._full if profile not in closed],
            "out": [profile for profile, is_out in closed.items() if is_out],
        }
        blocked, parts = 0, []
        for state, (one, several) in _VERBS.items():
            names = sorted((each for each in found[state] if each in self._capacities and each != chosen),
                           key=places.__getitem__)  # fmt: skip
            blocked += len(names)
            if names:
                parts.append(f"{name_list(names)} {one if len(names) == 1 else several}")
        return ", ".join(parts), blocked < len(self._capacities) - (chosen in self._capacities)


def short_name(name: str) -> str:
    """Return the name of a scene or an account, cleaned and short enough for a sentence."""
    return one_line(name, NAME_CHARS)


def name_list(names: Iterable[str]) -> str:
    """Return names as a list in words: `alice, bruno and chiara`; of many, the first and how many more."""
    every = list(names)
    shown = [short_name(name) for name in every[: MAX_NAMES if len(every) <= MAX_NAMES else MAX_NAMES - 1]]
    if len(every) > len(shown):
        shown.append(f"{len(every) - len(shown):,} more")
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
