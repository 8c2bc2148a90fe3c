"""How many submits each profile's limit would have admitted, over the time of a run whose limits are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from vidgen_nb.analysis.limits.gauges import LimitGauges
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.core import events as ev
from vidgen_nb.provider.described import profile_from

__all__ = ["limit_levels"]

_SAMPLES: Final = 3_000
"""Readings at regular moments, of all profiles together: buckets fill up by themselves."""
_MOMENTS: Final = 300
"""At most so many moments."""


def limit_levels(data: RunData) -> Iterator[tuple[str, float, float]]:
    """Yield (profile, run seconds, level) where a level has changed; nothing of a live run, whose limits are guesses.

    Levels are read at regular moments, and of a profile whenever its limit has counted a submit.
    """
    backend = data.header.get("backend") or {}
    if backend.get("name") != "simulated":
        return
    limits = {
        each.name: each.limit for each in map(profile_from, backend.get("profiles") or ()) if each.limit is not None
    }
    known = {name: None for name in data.profiles if name in limits}
    gauges, last = LimitGauges(limits), dict[str, float]()
    count = max(1, min(_MOMENTS, _SAMPLES // max(1, len(known))))
    moments = [data.end * place / count for place in range(count, -1, -1)]
    submitted: dict[str, str] = {}

    def read(profiles: Iterable[str], at: float) -> Iterator[tuple[str, float, float]]:
        for profile in profiles:
            level = gauges.of(profile, at).level
            if level is not None and last.get(profile) != (level := round(level, 3)):
                last[profile] = level
                yield profile, at, level

    for event in data.events:
        while moments and moments[-1] < event.at:
            yield from read(known, moments.pop())
        gauges.observe(event)
        if isinstance(event, ev.AttemptStarted):
            submitted[event.scene] = event.profile
        elif isinstance(event, ev.Accepted) or (isinstance(event, ev.CallFailed) and event.phase == "submit"):
            profile = submitted.pop(event.scene, "")
            yield from read([profile] if profile in known else [], event.at)
