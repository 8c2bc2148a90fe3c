"""Which limit does each quota group have? Estimated from what its submissions met, with an interval or a reason.

Every limit that explains all answers is kept (`feasible`), so the true one lies in the interval as long as it is one
token bucket, fixed or sliding window, unused when the run began and used by this run alone. A limit that was never met
is not estimated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vidgen_nb.analysis.limits.candidates import Candidate, likeliest
from vidgen_nb.analysis.limits.feasible import MIN_WINDOW_SECONDS, Evidence, sliding_window, token_bucket
from vidgen_nb.analysis.limits.fixed_windows import fixed_window
from vidgen_nb.analysis.limits.submit_history import SubmitHistory, submit_history
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.plaintext import html_line, one_line
from vidgen_nb.provider.limit_states import EDGE
from vidgen_nb.provider.limits import Limit

__all__ = ["Candidate", "Estimates", "Interval", "LimitEstimate", "estimate_limits"]

MIN_MET: Final = 5
"""After so many encounters with a limit that was partly used up, an interval is given however wide it is."""
NARROW_FACTOR: Final = 1.2
"""An interval whose ends differ by no more than this factor is given with fewer encounters too."""
RETRY_AFTER_SLACKS: Final = ((0.002, "true"), (1.001, "true, rounded up to whole seconds"))
"""By how many seconds a Retry-After may exceed the reset, and what that is called."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and the interval it lies in."""

    value: float
    low: float
    high: float

    def __contains__(self, number: float) -> bool:
        return self.low <= number <= self.high

    def __str__(self) -> str:
        if f"{self.low:.3g}" == f"{self.high:.3g}":
            return f"{self.value:.3g}"
        return f"{self.value:.3g} ({self.low:.3g}–{self.high:.3g})"


PARAMETER_SETS: Final = {"token_bucket": token_bucket, "fixed_window": fixed_window, "sliding_window": sliding_window}


@dataclass(frozen=True, slots=True)
class LimitEstimate:
    """What a quota group's attempts reveal about its limit."""

    group: str
    profiles: tuple[str, ...]
    kind: str | None
    """`token_bucket`, `fixed_window` or `sliding_window`; None: several of them explain all answers, or none does."""
    rate: Interval | None
    """Admissions per second in the long run, n / per; None: can't tell, see `reason`."""
    n: Interval | None
    """How many it admits at once."""
    per: Interval | None
    """Seconds per n."""
    limit: Limit | None
    """The most likely one (`candidates`); None: can't tell."""
    reason: str
    """Why there is no estimate; empty: there is one."""
    candidates: tuple[Candidate, ...]
    """All limits that explain every answer."""
    accepted: int
    refused: int
    """429s because of the rate."""
    met: int
    """Moments at which a 429 met a limit that was partly used up before: the evidence of an estimate."""
    retry_after: str
    """Whether Retry-After was `true`, rounded, or `not used`."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that explain every answer."""
        return tuple(dict.fromkeys(each.kind for each in self.candidates))

    def __str__(self) -> str:
        if self.rate is None:
            return f"{one_line(self.group, 60)}: can't tell: {self.reason}"
        kind = " or ".join(self.kinds).replace("_", " ")
        return f"{one_line(self.group, 60)}: {kind}, {self.n} per {self.per} s: {self.rate} a second"


class Estimates(dict[str, LimitEstimate]):
    """The estimate of each profile, by its name."""

    def _repr_html_(self) -> str:
        """Return a table with a row for each profile."""
        heads = ("profile", "kind", "n", "per [s]", "rate [1/s]", "429s", "")
        head = "".join(f"<th>{name}</th>" for name in heads)
        rows = ""
        for name, found in self.items():
            cells = (
                one_line(name, 60),
                " or ".join(found.kinds).replace("_", " "),
                found.n,
                found.per,
                found.rate,
                found.refused,
            )
            shown = ("–" if each is None else str(each) for each in cells)
            rows += "<tr>" + "".join(f"<td>{html_line(each)}</td>" for each in (*shown, found.reason)) + "</tr>"
        return f"<table><tr>{head}</tr>{rows}</table>"

    def __repr__(self) -> str:
        return "\n".join(str(each) for each in dict.fromkeys(self.values()))


def estimate_limits(data: RunData, *, most: int | None = None) -> Estimates:
    """Return what each profile's attempts reveal about its limit; profiles of one quota group share an estimate.

    `most`: the largest n to try; None: no bound. O(n · attempts) in the worst case, usually O(attempts).
    """
    groups = submit_history(data.header, data.events)
    found = {name: estimate for group in groups.values() for name, estimate in _shared(group, most)}
    return Estimates({name: found[name] for name in data.profiles if name in found})


def _shared(group: SubmitHistory, most: int | None) -> Iterable[tuple[str, LimitEstimate]]:
    estimate = estimate_group(group, most)
    return ((name, estimate) for name in group.profiles)


def estimate_group(submits: SubmitHistory, most: int | None = None) -> LimitEstimate:
    """Return what one quota group's submits reveal about its limit."""
    evidence, candidates, used = _explain(submits, most)
    met = _met(evidence, candidates)
    reason = _doubt(submits, candidates, met, capped=most is not None and evidence.most > most)
    rate = n = per = limit = None
    if not reason:
        best, length = likeliest(candidates)
        rate = Interval(best.n / length, *_rates(candidates))
        n = Interval(best.n, min(each.n for each in candidates), max(each.n for each in candidates))
        per = Interval(length, min(each.low for each in candidates), max(each.high for each in candidates))
        limit = best.limit(length)
    kinds = {each.kind for each in candidates}
    return LimitEstimate(
        submits.group, tuple(submits.profiles), kinds.pop() if len(kinds) == 1 and limit else None,
        rate, n, per, limit, reason, candidates, len(submits.accepted), len(submits.refused), met, used,
    )  # fmt: skip


def _explain(submits: SubmitHistory, most: int | None) -> tuple[Evidence, tuple[Candidate, ...], str]:
    """Trust Retry-After as far as the answers allow, and return the limits that explain them all."""
    if any(each.retry_after is not None for each in submits.refused):
        for slack, used in RETRY_AFTER_SLACKS:
            evidence = Evidence(submits, slack)
            if candidates := _candidates(evidence, most):
                return evidence, candidates, used
    evidence = Evidence(submits, None)
    return evidence, _candidates(evidence, most), "not used"


def _candidates(evidence: Evidence, most: int | None) -> tuple[Candidate, ...]:
    largest = evidence.most if most is None else min(most, evidence.most)
    tolerance = 1e-9
    return tuple(
        Candidate(kind, n, low * (1 - tolerance), high * (1 + tolerance))
        for kind, lengths in PARAMETER_SETS.items()
        for n in range(1, largest + 1)
        for low, high in lengths(evidence, n)
    )


def _met(evidence: Evidence, candidates: tuple[Candidate, ...]) -> int:
    """Count the moments at which a 429 met a limit that an earlier moment had used up in part."""
    largest = max((each.n for each in candidates), default=1)
    moments = {
        moment
        for k, moment in evidence.refusals
        if k >= largest and moment - evidence.possible[k - largest] > EDGE
    }  # fmt: skip
    return len(moments)


def _rates(candidates: tuple[Candidate, ...]) -> tuple[float, float]:
    return min(each.n / each.high for each in candidates), max(each.n / each.low for each in candidates)


def _doubt(submits: SubmitHistory, candidates: tuple[Candidate, ...], met: int, *, capped: bool) -> str:
    """Return why there can be no estimate, or an empty text."""
    if not submits.refused:
        return f"no 429 over the rate; {len(submits.accepted)} submits were accepted"
    if not candidates:
        return (
            f"it admits more than was tried ({submits.group} had its first 429 late)"
            if capped
            else "no single token bucket, fixed or sliding window explains every answer"
        )
    low, high = _rates(candidates)
    if low <= 0:
        return f"too little was accepted after its 429s: they only show that it is at most {high:.3g} a second"
    if any(each.low <= MIN_WINDOW_SECONDS * 1.1 for each in candidates):
        return f"its limit had always recovered when it was tried again: it is at least {low:.3g} a second"
    if met < MIN_MET and high > NARROW_FACTOR * low:
        return f"{met} of its 429s met a limit that was partly used up: between {low:.3g} and {high:.3g} a second"
    return ""
