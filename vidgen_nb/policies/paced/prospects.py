"""How many of the scenes to come will probably go to each quota group: what it can gain by learning its limit.

Those that wait are known. If scenes came while others were under way, more will probably come: as many again as came
that way so far, as is to be expected of a thing of which nothing is known but how long it has lasted (Gott 1993).
"""

from __future__ import annotations

__all__ = ["Prospects"]


class Prospects:
    """The scenes to come, divided among the groups by their paces."""

    __slots__ = ("_begun", "_known", "_paces", "_total", "accepted", "expected", "scenes")

    def __init__(self) -> None:
        self.scenes = self.accepted = 0
        self.expected = 0
        """Scenes that were not added yet, but probably will be."""
        self._begun = False
        self._paces: list[float] = []
        """By number of the group, in submits per second; 0 as long as nothing is known."""
        self._known, self._total = 0, 0.0

    def new_group(self) -> int:
        """Return the number of a new group."""
        self._paces.append(0.0)
        return len(self._paces) - 1

    def added(self) -> None:
        """A scene was added."""
        self.scenes += 1
        self.expected += self._begun

    def sent(self) -> None:
        """A scene was submitted: those that are added from now on came later."""
        self._begun = True

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
        """Return a group's share of the scenes to come, and `burst` more if it may take so many at once.

        Groups of unknown pace count like the mean of the others.
        """
        scenes = self.waiting + self.expected
        share, pace = scenes / len(self._paces), self._paces[group]
        if pace > 0 < self._total:
            share *= pace * self._known / self._total
        return min(share + burst, scenes)
