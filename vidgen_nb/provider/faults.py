"""What can go wrong at a provider: one `Fault` says what, for whom, and how often.

Fault("rate", profile="p1", nth=3)                     p1's third submit is refused
Fault("rate", scene="s005", nth=1, retry_after=30)     s005's first submit, on any profile
Fault("overload", probability=0.05)                    one submit in twenty
Fault("overload", start=20, end=40)                    an outage of 20 s
Fault("content", prompt={"a bad idea"}.__contains__)   prompts of a set
Fault("rate", call="poll", nth=2)                      the second poll of all
Fault("cut_off", scene="s001", nth=1)                  s001's first download
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal, get_args

from vidgen_nb.errors import InputError
from vidgen_nb.provider.service import uniform

__all__ = ["Call", "Fault", "FaultKind", "Faults", "Occasion", "RefusalKind"]

RefusalKind = Literal["rate", "concurrency", "day_quota", "credit", "auth", "overload", "content", "bad_request"]
"""A call is refused; it has no effect."""
JobFault = Literal["lost_answer", "job_failure", "job_content", "job_empty"]
"""A job is accepted but the answer is lost, or it fails at its end: by itself, for its content, or without a video."""
FetchFault = Literal["expired", "slow", "cut_off", "wrong_type"]
"""A result is gone, takes `seconds`, ends in the middle, or is not a video."""

FaultKind = Literal[RefusalKind, JobFault, FetchFault]
Call = Literal["submit", "poll", "fetch"]
Occasion = Literal["submit", "poll", "fetch", "accept"]

_REFUSALS: Final = get_args(RefusalKind)
_JOB_FAULTS: Final = get_args(JobFault)
_FETCH_FAULTS: Final = get_args(FetchFault)
_KINDS: Final = (*_REFUSALS, *_JOB_FAULTS, *_FETCH_FAULTS)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a provider fails, for whom, and how often; all conditions must be true.

    Raises `InputError` for an unknown kind or a value outside its range.
    """

    kind: FaultKind
    _: KW_ONLY
    profile: str | None = None
    """Only on this profile."""
    scene: str | None = None
    """Only for this scene id (or prompt, where a client sends no id)."""
    prompt: Callable[[str], bool] | None = None
    """Only for prompts for which this returns True."""
    start: float = 0.0
    """Only from this run second on."""
    end: float = math.inf
    """Only before this run second."""
    nth: int | None = None
    """Only this one of the calls that match all of the above, counted from 1; None: each of them."""
    probability: float = 1.0
    """Of striking if all else matches; drawn from (seed, fault, profile, scene, count) alone."""
    retry_after: float | None = None
    """Seconds the refusal asks to wait; None: it doesn't say."""
    seconds: float = 30.0
    """How long a `slow` fetch takes."""
    call: Call = "submit"
    """Which call a refusal answers; faults of jobs and fetches have theirs."""

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise InputError(f"unknown fault {self.kind!r}: choose one of {', '.join(_KINDS)}")
        if self.call not in get_args(Call):
            raise InputError(f"fault {self.kind!r}: call is one of {', '.join(get_args(Call))}, not {self.call!r}")
        if self.nth is not None and (isinstance(self.nth, bool) or not isinstance(self.nth, int) or self.nth < 1):
            raise InputError(f"fault {self.kind!r}: nth is a whole number from 1 up, or None, not {self.nth!r}")
        if not 0 <= self.probability <= 1:
            raise InputError(f"fault {self.kind!r}: probability lies between 0 and 1, not {self.probability!r}")
        for name, value in (("retry_after", self.retry_after), ("seconds", self.seconds)):
            if value is not None and not 0 <= value < math.inf:
                raise InputError(f"fault {self.kind!r}: {name} is a finite number from 0 up, not {value!r}")
        if not self.start < self.end:
            raise InputError(f"fault {self.kind!r}: start ({self.start!r}) must lie before end ({self.end!r})")

    @property
    def occasion(self) -> Occasion:
        """When it can strike: at a call, or when a job is accepted."""
        if self.kind in _REFUSALS:
            return self.call
        return "accept" if self.kind in _JOB_FAULTS else "fetch"

    def matches(self, profile: str, scene: str, prompt: str, now: float) -> bool:
        """Say whether the fault is meant for this call."""
        return (
            (self.profile is None or self.profile == profile)
            and (self.scene is None or self.scene == scene)
            and self.start <= now < self.end
            and (self.prompt is None or self.prompt(prompt))
        )


class _CountedFault:
    """A fault, and how often it could have struck."""

    __slots__ = ("fault", "matches", "number", "times")

    def __init__(self, fault: Fault, number: int) -> None:
        self.fault = fault
        self.number = number
        self.matches = 0
        self.times: Counter[tuple[str, str]] = Counter()

    def strikes(self, seed: object, profile: str, scene: str) -> bool:
        """Count a matching call, and say whether the fault strikes it."""
        self.matches += 1
        if self.fault.nth is not None and self.matches != self.fault.nth:
            return False
        if self.fault.probability >= 1:
            return True
        self.times[profile, scene] += 1
        draw = uniform(seed, "fault", self.number, profile, scene, self.times[profile, scene])
        return draw < self.fault.probability


class Faults:
    """The faults of one provider, with their counts; more can be added while it runs.

    Every fault that matches a call counts it; the first one that strikes is the answer.
    """

    __slots__ = ("_number", "_seed", "watched")

    def __init__(self, faults: Iterable[Fault], seed: object) -> None:
        self._seed = seed
        self._number = 0
        self.watched: dict[Occasion, tuple[_CountedFault, ...]] = {}
        """The faults by what they can strike."""
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Add a fault from now on; its counts start now."""
        if not isinstance(fault, Fault):
            raise InputError(f"faults are given as Fault(...), not {fault!r}")
        self._number += 1
        before = self.watched.get(fault.occasion, ())
        self.watched[fault.occasion] = (*before, _CountedFault(fault, self._number))

    def clear(self) -> None:
        """Remove all faults."""
        self.watched.clear()

    def __len__(self) -> int:
        return self._number

    def find(self, occasion: Occasion, profile: str, scene: str, prompt: str, now: float) -> Fault | None:
        """Return the fault that strikes this call, or None."""
        if occasion not in self.watched:
            return None
        found: Fault | None = None
        for counted in self.watched[occasion]:
            if counted.fault.matches(profile, scene, prompt, now):
                struck = counted.strikes(self._seed, profile, scene)
                if struck and found is None:
                    found = counted.fault
        return found
