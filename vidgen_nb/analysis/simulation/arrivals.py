"""When scenes come: arrival processes, drawn from a run's seed.

The k-th draw of a process is the same in every run with the same seed, whatever else differs, and at another rate it is
the same share of the mean gap: runs with the same seed have the same luck in their arrivals, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

from vidgen_nb.analysis.validation import is_number, listed, plain_number, seconds, whole
from vidgen_nb.errors import InputError
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.provider.described import describe_profile, profile_from
from vidgen_nb.provider.service import Service, uniforms

__all__ = ["Arrivals", "Bursts", "Poisson", "Trace", "arrival_times", "arrivals_from", "describe_arrivals"]


class Arrivals:
    """An arrival process. One of your own overrides `times`."""

    def times(self, count: int, seed: int) -> list[float]:
        """Return when the first `count` scenes come, in run seconds and in order."""
        raise NotImplementedError


def _gaps(count: int, seed: int) -> list[float]:
    """Return the process's luck: a number between 0 and 1 for each gap."""
    return uniforms(seed, "arrival", last=range(count))


@dataclass(frozen=True)
class Poisson(Arrivals):
    """A Poisson process: `rate` scenes in `per` seconds on average, each independent of the others.

    >>> simulate(500, profiles, arrivals=Poisson(6, per=60))
    """

    rate: float
    per: float = 1.0

    def __post_init__(self) -> None:
        for name in ("rate", "per"):
            value = plain_number(getattr(self, name))
            if not is_number(value) or not 0 < value < math.inf:
                raise InputError(f"Poisson: {name} is a finite number above 0, not {value!r}")
            object.__setattr__(self, name, value)

    def times(self, count: int, seed: int) -> list[float]:
        """Return the sums of exponential gaps of mean `per / rate`."""
        mean = self.per / self.rate
        return list(accumulate(-mean * math.log1p(-u) for u in _gaps(count, seed)))


@dataclass(frozen=True)
class Bursts(Arrivals):
    """Batches: `size` scenes at once, the first at 0, then one burst `every` so many seconds.

    `every` may be a distribution such as `Exponential(60)`, from which each gap is drawn (batch Poisson arrivals then);
    with `size=1` and a number, scenes come regularly.
    """

    size: int
    every: float | Service

    def __post_init__(self) -> None:
        if whole("Bursts: size", plain_number(self.size)) < 1:
            raise InputError(f"Bursts: size is how many scenes come at once, 1 or more, not {self.size!r}")
        if not isinstance(self.every, Service):
            object.__setattr__(self, "every", seconds("Bursts: every", self.every, zero=False))

    def times(self, count: int, seed: int) -> list[float]:
        """Return each burst's time as often as it has scenes."""
        bursts = math.ceil(count / self.size)
        if isinstance(self.every, Service):
            starts = [0.0, *accumulate(self.every.all_seconds(_gaps(max(0, bursts - 1), seed)))]
        else:
            starts = [self.every * each for each in range(bursts)]
        return [at for at in starts for _ in range(self.size)][:count]


@dataclass(frozen=True)
class Trace(Arrivals):
    """Times that were recorded, in run seconds: `Trace(scene.queued for scene in run.scenes)`.

    Of more times than scenes, the first ones count. Nothing in it is random.
    """

    recorded: tuple[float, ...] = field(repr=False)

    def __init__(self, recorded: Iterable[float]) -> None:
        given = listed("Trace", recorded, "run seconds")
        object.__setattr__(self, "recorded", tuple(sorted(seconds("a time of a Trace", each) for each in given)))

    def times(self, count: int, seed: int) -> list[float]:
        """Return the first `count` times; `InputError` if there are fewer."""
        if count > len(self.recorded):
            raise InputError(f"this Trace has {len(self.recorded):,} times, for {count:,} scenes: give fewer scenes")
        return list(self.recorded[:count])


def arrival_times(arrivals: Any, count: int, seed: int) -> list[float]:
    """Return when each of so many scenes comes; `InputError` for what is no process and no list of run seconds.

    `arrivals`: a process, or a time for each scene.
    """
    if isinstance(arrivals, Arrivals):
        times = list(arrivals.times(count, seed))
        if len(times) != count:
            raise InputError(f"{arrivals!r} has {len(times):,} times for {count:,} scenes: `times` gives one for each")
        return [seconds("an arrival", at) for at in times]
    if isinstance(arrivals, type) and issubclass(arrivals, Arrivals):
        raise InputError(f"arrivals is a class: pass an instance of it, such as {arrivals.__name__}(…)")
    times = listed("arrivals", arrivals, "run seconds, one for each scene")
    if len(times) != count:
        raise InputError(f"arrivals has {len(times)} times for {count} scenes: give one for each")
    return [seconds("an arrival", at) for at in times]


_KINDS: Final[Mapping[str, type[Arrivals]]] = {"poisson": Poisson, "bursts": Bursts}


def describe_arrivals(arrivals: Any) -> dict[str, Any]:
    """Return a process that draws as plain data; empty for others: the times of their scenes are recorded anyway."""
    if isinstance(arrivals, Poisson):
        return {"kind": "poisson", "rate": arrivals.rate, "per": arrivals.per}
    if isinstance(arrivals, Bursts) and isinstance(arrivals.every, Service):
        service = describe_profile(SimulatedProfile("p", service=arrivals.every))["service"]
        return {"kind": "bursts", "size": arrivals.size, "every": service}
    return {}


def arrivals_from(data: Mapping[str, Any]) -> Arrivals:
    """Return the process that `describe_arrivals` described; `InputError` for an unknown one."""
    given = {name: each for name, each in data.items() if name != "kind"}
    if data.get("kind") not in _KINDS:
        raise InputError(f"the header of this run: arrivals of an unknown kind {data.get('kind')!r}")
    if "every" in given:
        given["every"] = profile_from({"name": "p", "service": given["every"]}).service
    return _KINDS[data["kind"]](**given)
