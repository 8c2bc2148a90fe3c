"""In which order a simulation's scenes are served: as they come, or by service time, which only a simulation knows.

Scenes that are all there at the start are sorted. Where some come later, each has a rank, and the scheduler's queue
orders those that wait by it: without preemption, shortest first is the discipline SJF (Phipps, 1956).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.errors import InputError
from vidgen_nb.provider.service import uniform

__all__ = ["Order", "ServingOrder", "check_order"]

Order = Literal["given", "shortest", "longest"]
_SIGNS: Final = {"given": 0, "shortest": 1, "longest": -1}


def check_order(order: str) -> None:
    """Raise `InputError` for an unknown order."""
    if order not in tuple(_SIGNS):  # whatever it is: a list, too
        raise InputError(f"order is 'given', 'shortest' or 'longest', not {order!r}")


class ServingOrder:
    """Who goes first in a simulation; `times`: when they come, in run seconds; empty: all at 0."""

    def __init__(self, order: Order, times: Sequence[float], seed: int, luck: Mapping[str, float]) -> None:
        self._sign = _SIGNS[order]
        self._is_ranked = self._sign != 0 and any(times)
        self._seed, self._luck = seed, luck

    def _rank(self, scene: Scene) -> float:
        """Return how long a scene takes among all, the quantile of its service time; minus that, if longest first."""
        known = self._luck.get(scene.id)
        return self._sign * (uniform(self._seed, "service", scene.id) if known is None else known)

    def added(self, scenes: Sequence[Scene]) -> Iterable[ev.Event]:
        """Return the events that add scenes, in the order in which they join the queue."""
        if self._is_ranked:
            return (ev.SceneAdded(scene, rank=self._rank(scene)) for scene in scenes)
        return map(ev.SceneAdded, sorted(scenes, key=self._rank) if self._sign else scenes)

    def requested(self, requests: Iterable[tuple[float, ev.Event]]) -> Iterable[tuple[float, ev.Event]]:
        """Return the requests; a scene that joins those with ranks has one, too."""
        for at, event in requests:
            if self._is_ranked and isinstance(event, ev.SceneAdded) and not event.single and event.rank is None:
                yield at, replace(event, rank=self._rank(event.scene))
            else:
                yield at, event
