"""How many of the scenes that wait will probably go to each quota group: what it can gain by learning its limit."""

from __future__ import annotations

__all__ = ["Prospects"]


class Prospects:
    """The scenes still to come, divided among the groups by their paces."""

    __slots__ = ("_known", "_paces", "_total", "accepted", "scenes")

    def __init__(self) -> None:
        self.scenes = self.accepted = 0
        self._paces: list[float] = []
        """By number of the group, in submits per second; 0 as long as nothing is known."""
        self._known, self._total = 0, 0.0

    def new_group(self) -> int:
        """Return the number of a new group."""
        self._paces.append(0.0)
        return len(self._paces) - 1

    def note_pace(self, group: int, pace: float) -> None:
        """Note a group's likely pace; 0: it is no longer known."""
        before, self._paces[group] = self._paces[group], pace
        self._known += (pace > 0) - (before > 0)
        self._total = self._total + pace - before if self._known else 0.0

    @property
    def waiting(self) -> int:
        """The scenes that wait or have no answer yet."""
        return max(self.scenes - self.accepted, 0)

    def scenes_to_come(self, group: int, burst: int = 0) -> float:
        """Return a group's share of the scenes that wait, and `burst` more if it may take so many at once.

        Groups of unknown pace count like the mean of the others.
        """
        share, pace = self.waiting / len(self._paces), self._paces[group]
        if pace > 0 < self._total:
            share *= pace * self._known / self._total
        return min(share + burst, self.waiting)
