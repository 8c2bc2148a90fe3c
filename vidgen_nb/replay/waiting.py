"""Which scenes wait at any time, and in which order: the spans of the timeline, with the queue's order (R2)."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.records.timeline import provider_spans, queued_spans
from vidgen_nb.charts.drawing.text import AT_PROVIDER
from vidgen_nb.core import events as ev

__all__ = ["Wait", "waits"]

_AT_THE_FRONT = "to the front of the queue"


@dataclass(frozen=True, slots=True)
class Wait:
    """A span in which a scene waited."""

    scene: str
    start: float
    end: float | None
    """None: it still does."""
    note: str = ""
    """What it waits for, if not only for its turn."""


def waits(data: RunData) -> list[Wait]:
    """Return all spans in which scenes waited, in the queue's order; those that are queued at a provider come last.

    First come single scenes, then those that an account has sent back, then all others; each of them by their ranks, or
    in the order in which they were added.
    """
    places, notes = _places(data)
    still = float("inf")
    ours = [
        Wait(scene, start, None if end == still else end, notes.get((scene, start), ""))
        for scene, start, end in zip(*queued_spans(data, still), strict=True)
    ]
    ours.sort(key=lambda wait: (places.get((wait.scene, wait.start), _LAST), wait.start))
    theirs = [
        Wait(scene, start, None if end == still else end, AT_PROVIDER)
        for scene, start, end in sorted(
            zip(*provider_spans(data.attempts, still), strict=True), key=lambda span: span[1]
        )
    ]
    return [*ours, *theirs]


_Place = tuple[bool, bool, float]
_LAST: _Place = (True, True, 0)


def _places(data: RunData) -> tuple[dict[tuple[str, float], _Place], dict[tuple[str, float], str]]:
    """Return the place in the queue's order, and a note, of each scene that began to wait at a time."""
    places: dict[tuple[str, float], _Place] = {}
    notes: dict[tuple[str, float], str] = {}
    latest: dict[str, tuple[bool, float]] = {}
    added = 0
    for event in data.events:
        if isinstance(event, ev.SceneAdded):
            added += 1
            order = added if event.rank is None else event.rank
            latest[event.scene.id] = event.single, order
            places[event.scene.id, event.at] = (not event.single, not event.single, order)
        elif isinstance(event, ev.SceneRequeued):
            single, order = latest.get(event.scene, (False, 0))
            places[event.scene, event.at] = (False, not single, order)
            if event.reason != _AT_THE_FRONT:
                notes[event.scene, event.at] = event.reason
    return places, notes
