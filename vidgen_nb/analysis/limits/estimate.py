"""Which limit does each quota group have? Estimated from what its submissions met, with an interval or a reason.

Every limit that explains all answers is kept (`feasible`), so the true one lies in the interval as long as it is one
token bucket, fixed or sliding window, unused when the run began and used by this run alone. Where that is in doubt,
there is no interval but a reason (`reasons`, `fit`). A limit that was never met is not estimated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from vidgen_nb.analysis.limits.candidates import LIMIT_TYPES, Candidate, explaining, likeliest
from vidgen_nb.analysis.limits.feasible import Evidence
from vidgen_nb.analysis.limits.fit import episodes
from vidgen_nb.analysis.limits.parts_of_history import shared_groups, since, until
from vidgen_nb.analysis.limits.reasons import doubt, headers_tell, rates
from vidgen_nb.analysis.limits.submit_history import SubmitHistory, submit_history
from vidgen_nb.analysis.limits.weighed import weighed_limits
from vidgen_nb.analysis.limits.weighed_reasons import check_weight, roundest, weighed_doubt, weighed_rates
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.plaintext import html_line, one_line
from vidgen_nb.provider.limit_states import EDGE
from vidgen_nb.provider.limits import Limit

__all__ = ["Candidate", "Estimates", "Interval", "LimitEstimate", "estimate_limits"]

RETRY_AFTER_SLACKS: Final = ((0.002, "true"), (1.001, "true, rounded up to whole seconds"))
"""By how many seconds a Retry-After may exceed the reset, and what that is called."""
CHANGE_STEPS: Final = 6
"""When a limit changed is told within a 64th of its 429s."""
CHANGE_EFFORT: Final = 50_000
"""A change is looked for as long as n times the answers are fewer."""


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
    is_counted: bool = False
    """Whether rate-limit headers show that nothing else uses the account.

    Else it is the limit left for this client: another one that takes a constant share can't be told from a smaller
    limit.
    """

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that explain every answer."""
        return tuple(dict.fromkeys(each.kind for each in self.candidates))

    @property
    def finding(self) -> str:
        """What it answers, in a sentence: which limit explains the 429s, and whether its kind can be told."""
        name = one_line(self.group, 60)
        if self.rate is None:
            return f"{name}: can't tell which limit explains its 429s: {self.reason}"
        kinds = [each.replace("_", " ") for each in self.kinds]
        said = f"{self.n} per {self.per} s, explains all {self.accepted} acceptances and {self.refused} 429s"
        if len(kinds) == 1:
            return f"{name}: a {kinds[0]}, {said}; no other kind does"
        return f"{name}: a {' or a '.join(kinds)}, {said}; which of them can't be told"

    @property
    def note(self) -> str:
        """Whose limit it is; empty: the account's, as nothing else uses it, or there is no estimate."""
        return "" if self.rate is None or self.is_counted else "the limit left for this client"

    def __str__(self) -> str:
        if self.rate is None:
            return f"{one_line(self.group, 60)}: can't tell: {self.reason}"
        kind = " or ".join(self.kinds).replace("_", " ")
        said = f"{one_line(self.group, 60)}: {kind}, {self.n} per {self.per} s: {self.rate} a second"
        return f"{said}, {self.note}" if self.note else said


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
            rows += (
                "<tr>"
                + "".join(f"<td>{html_line(each)}</td>" for each in (*shown, found.reason or found.note))
                + "</tr>"
            )
        return f"<table><tr>{head}</tr>{rows}</table>"

    def __repr__(self) -> str:
        return "\n".join(str(each) for each in dict.fromkeys(self.values()))


def estimate_limits(data: RunData, *, most: int | None = None, weight: str | None = None) -> Estimates:
    """Return what each profile's attempts reveal about its limit; profiles of one quota group share an estimate.

    Groups whose answers only make sense together share one, too. `most`: the largest n to try; None: no bound.
    `weight`: the limit counts this parameter of the scenes, such as "tokens"; then rate and n are in its unit, and
    groups are not put together.

    About linear in attempts. Where acceptances × n are very many (`feasible.EXACT_SPANS`), each n is first tried with
    the places alone where acceptances came fastest, in every part of the run. That is sound: it may keep an n that
    explains too little, never drop one that explains all. If few are left, they are then tried with all acceptances;
    else intervals may be somewhat too wide. A first 429 that comes after thousands of acceptances leaves that many n,
    which takes longer.
    """
    groups = submit_history(data.header, data.events, weight=weight)
    if weight is not None:
        check_weight(data.events, weight)
        weighed = {name: _estimate_weighed(group, weight) for name, group in groups.items()}
        by_profile = {name: weighed[group.group] for group in groups.values() for name in group.profiles}
        return Estimates({name: by_profile[name] for name in data.profiles if name in by_profile})
    found = {name: estimate_group(group, most) for name, group in groups.items()}
    for names in shared_groups(groups, {name for name, each in found.items() if each.candidates}):
        together = submit_history(data.header, data.events, together=names)[names[0]]
        together.group = " and ".join(one_line(name, 60) for name in names)
        if not _explain(together, most)[1]:  # its reasons would not be read
            continue
        joint = estimate_group(together, most)
        apart = [name for name in names if found[name].candidates]
        if len(apart) < len(names):
            found.update(dict.fromkeys(names, joint))
        else:
            found.update({name: _either(found[name], joint) for name in names})
        break
    named = {name: found[group.group] for group in groups.values() for name in group.profiles}
    return Estimates({name: named[name] for name in data.profiles if name in named})


def _either(alone: LimitEstimate, joint: LimitEstimate) -> LimitEstimate:
    """Return an estimate that can't tell whether a group's limit is its own."""
    if alone.rate is None:
        return alone
    shared = f": {joint.n} per {joint.per} s" if joint.rate else ""
    reason = (
        f"{alone.n} per {alone.per} s of its own explain every answer, and so does one limit that {joint.group} "
        f"share{shared}; if they are one account, give them one quota_group"
    )
    return replace(alone, kind=None, rate=None, n=None, per=None, limit=None, reason=reason)


def estimate_group(submits: SubmitHistory, most: int | None = None, *, whole: bool = True) -> LimitEstimate:
    """Return what one quota group's submits reveal about its limit; `whole`: they are all there are."""
    evidence, candidates, used = _explain(submits, most)
    met = _met(evidence, candidates)
    capped = most is not None and evidence.most > most
    reason = doubt(submits, evidence, candidates, met=met, used=used, capped=capped)
    effort = evidence.most * (len(submits.accepted) + len(submits.refused))
    if whole and submits.refused and not candidates and not capped and effort < CHANGE_EFFORT:
        reason = _changed(submits) or reason
    rate = n = per = limit = None
    if not reason:
        best, length = likeliest(candidates)
        rate = Interval(best.n / length, *rates(candidates))
        n = Interval(best.n, min(each.n for each in candidates), max(each.n for each in candidates))
        per = Interval(length, min(each.low for each in candidates), max(each.high for each in candidates))
        limit = best.limit(length)
    kinds = {each.kind for each in candidates}
    return LimitEstimate(
        submits.group, tuple(submits.profiles), kinds.pop() if len(kinds) == 1 and limit else None,
        rate, n, per, limit, reason, candidates, len(submits.accepted), len(submits.refused), met, used,
        headers_tell(submits, candidates),
    )  # fmt: skip


def _estimate_weighed(submits: SubmitHistory, weight: str) -> LimitEstimate:
    """Return what one group's submits reveal about a limit of what they weigh."""
    found = weighed_limits(submits)
    met = episodes(submits)
    candidates = tuple(Candidate(each.kind, max(1, round(each.low)), each.shortest, each.longest) for each in found)
    rate = n = per = limit = None
    if not (reason := weighed_doubt(submits, found, weight, met=met)):
        best, size = roundest(found)
        rate = Interval(size / best.per, *weighed_rates(found))
        n = Interval(size, min(each.low for each in found), max(each.high for each in found))
        per = Interval(best.per, min(each.shortest for each in found), max(each.longest for each in found))
        limit = LIMIT_TYPES[best.kind](size, per=best.per, weight=weight)
    kinds = {each.kind for each in found}
    return LimitEstimate(
        submits.group, tuple(submits.profiles), kinds.pop() if len(kinds) == 1 and limit else None,
        rate, n, per, limit, reason, candidates, len(submits.accepted), len(submits.refused), met, "used",
    )  # fmt: skip


def _changed(submits: SubmitHistory) -> str:
    """Return when a limit must have changed, and from what to what; empty: it didn't, or nothing shows it."""
    moments = sorted({each.between[1] for each in submits.refused})
    first, last = 0, len(moments)
    for _ in range(CHANGE_STEPS):
        if (middle := (first + last) // 2) > first:
            known = _explain(until(submits, moments[middle - 1]), None)[1]
            first, last = (middle, last) if known else (first, middle)
    if not first or last == len(moments):
        return ""
    before = estimate_group(until(submits, moments[first - 1]), whole=False)
    if before.per is None or before.per.high == math.inf:
        return ""
    after = estimate_group(since(submits, moments[last - 1], 2 * before.per.high), whole=False)
    if after.rate is None:
        return ""
    return (
        f"no single limit explains every answer; one that changed at about {moments[last - 1]:.0f} s does, from "
        f"{before.rate} to {after.rate} a second, or there are several"
    )


def _explain(submits: SubmitHistory, most: int | None) -> tuple[Evidence, tuple[Candidate, ...], str]:
    """Trust Retry-After as far as the answers allow, and return the limits that explain them all."""
    if any(each.retry_after is not None for each in submits.refused):
        for slack, used in RETRY_AFTER_SLACKS:
            evidence = Evidence(submits, slack)
            if candidates := explaining(evidence, most):
                return evidence, candidates, used
    evidence = Evidence(submits, None)
    return evidence, explaining(evidence, most), "not used"


def _met(evidence: Evidence, candidates: tuple[Candidate, ...]) -> int:
    """Count the moments at which a 429 met a limit that an earlier moment had used up in part."""
    largest = max((each.n for each in candidates), default=1)
    moments = {
        moment
        for k, moment in evidence.refusals
        if k >= largest and moment - evidence.possible[k - largest] > EDGE
    }  # fmt: skip
    return len(moments)
