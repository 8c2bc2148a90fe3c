"""Which slot of its profile each attempt holds, and how many there are: each takes the first one that is free.

An attempt that ends at the moment at which another starts leaves it its slot. Only where events are read one by one
can the start come first; the two then have slots of their own.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Sequence

from vidgen_nb.analysis.records.model import AttemptRecord

__all__ = ["SlotAllocator", "most_at_once", "pack_slots"]


class SlotAllocator:
    """Gives each attempt the first slot of its profile that is free; it has it until the provider is done with it."""

    def __init__(self) -> None:
        self.of: dict[int, int] = {}
        """The slot of each attempt, by its place; whoever forgets an attempt deletes it here."""
        self.used: dict[str, int] = {}
        """How many each profile ever had."""
        self._spare: dict[str, list[int]] = defaultdict(list)

    def take(self, place: int, profile: str) -> None:
        """Give a slot to an attempt that starts."""
        spare = self._spare[profile]
        slot = heapq.heappop(spare) if spare else self.used.get(profile, 0)
        self.used[profile] = max(slot + 1, self.used.get(profile, 0))
        self.of[place] = slot

    def give_back(self, place: int, profile: str) -> None:
        """Free the slot of an attempt that ended."""
        heapq.heappush(self._spare[profile], self.of[place])


def pack_slots(attempts: Sequence[AttemptRecord]) -> list[int]:
    """Return the slot of each attempt; they are in order of their start. A download takes none. O(n log n)."""
    slots = SlotAllocator()
    running: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for place, attempt in enumerate(attempts):
        others = running[attempt.profile]
        while others and others[0][0] <= attempt.start:
            slots.give_back(heapq.heappop(others)[1], attempt.profile)
        slots.take(place, attempt.profile)
        heapq.heappush(others, (math.inf if attempt.slot_end is None else attempt.slot_end, place))
    return [slots.of[place] for place in range(len(attempts))]


def most_at_once(starts: Sequence[float], ends: Sequence[float]) -> int:
    """Return the most attempts of a profile at once: the slots that `pack_slots` needs for it. Both are sorted."""
    most = running = ended = 0
    for start in starts:
        while ends[ended] <= start:
            ended, running = ended + 1, running - 1
        running += 1
        most = max(most, running)
    return most
