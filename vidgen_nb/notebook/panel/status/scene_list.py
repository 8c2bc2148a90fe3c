"""Every scene of an open run as a record, kept up to date from its events, and which of them have changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from vidgen_nb.analysis.records.builder import Builder, records_of
from vidgen_nb.analysis.records.model import SceneRecord
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.core.money import amount_text
from vidgen_nb.core.spending import Spending

__all__ = ["SceneList"]


class SceneList(Builder):
    """All scenes of a run, however long it is; of its attempts, only those that run.

    Hand it the events in order. An update costs as much as its new events.
    """

    def __init__(self) -> None:
        super().__init__()
        self._moves = deque(maxlen=0)
        self.given: dict[str, Scene] = {}
        """The scenes as they were added or edited last, by id, in the order in which they were first added."""
        self.spending = Spending()
        """What each has cost."""
        self.edits = 0
        """How often `given` has changed."""
        self._changed: dict[str, None] = {}

    def __call__(self, events: Sequence[ev.Event]) -> None:
        """Take in new events (an observer)."""
        for event in events:
            self.spending.take(event)
            if (handler := self._handlers.get(type(event))) is None:
                continue
            handler(event)
            about: Any = getattr(event, "scene", None)
            if isinstance(about, Scene):
                self.given[about.id] = about
                self.edits += 1
                about = about.id
            if about in self.given:
                self._changed[about] = None

    def take_changed(self) -> list[SceneRecord]:
        """Return the scenes that have changed since this was last asked."""
        names, self._changed = self._changed, {}
        return records_of(SceneRecord, (self._scenes[name] for name in names))

    def cost(self, scene: str) -> str | None:
        """Return what was spent on a scene, as people read it; None: nothing is known to be."""
        amount = self.spending.spent_by_scene.get(scene)
        return amount_text(amount, self.spending.currency) if amount else None

    def all(self) -> list[SceneRecord]:
        """Return all scenes."""
        return records_of(SceneRecord, self._scenes.values())

    def _attempt_started(self, attempt: Any) -> None:
        """Keep none but those that run."""

    def _window_opened(self, window: Any) -> None:
        """Keep no cooldown."""
