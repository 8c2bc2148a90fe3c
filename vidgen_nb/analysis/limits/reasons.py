"""Why there is no estimate of a limit, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vidgen_nb.analysis.limits.candidates import Candidate
from vidgen_nb.analysis.limits.counted_refusals import Counted, counted_refusals
from vidgen_nb.analysis.limits.feasible import MIN_WINDOW_SECONDS, Evidence
from vidgen_nb.analysis.limits.fit import (
    broken_promises,
    episodes,
    jobs_at_once,
    possible,
    tells_resets,
    too_good,
    unexplained,
)
from vidgen_nb.analysis.limits.submit_history import SubmitHistory
from vidgen_nb.analysis.limits.two_limits import two_limits

__all__ = ["doubt", "few_tell", "headers_tell", "rates"]

MIN_MET: Final = 5
"""After so many encounters with a limit that was partly used up, an interval is given however wide it is."""
NARROW_FACTOR: Final = 1.2
"""An interval whose ends differ by no more than this factor is given with fewer encounters too."""
MIN_EPISODES: Final = 2
"""A Retry-After tells a length at once; but that n is all that is admitted must have been seen again."""
COUNTING_ODDS: Final = 0.1
"""How much likelier it is beforehand that refused submits count than that they don't."""


def rates(candidates: Sequence[Candidate]) -> tuple[float, float]:
    """Return the lowest and the highest rate."""
    return min(each.n / each.high for each in candidates), max(each.n / each.low for each in candidates)


def doubt(
    submits: SubmitHistory, evidence: Evidence, candidates: Sequence[Candidate], *, met: int, used: str, capped: bool
) -> str:
    """Return why there can be no estimate, or an empty text."""
    if not submits.refused:
        jobs = f"; {submits.crowded} 429s were about jobs at once" if submits.crowded else ""
        return f"no 429 over the rate; {len(submits.accepted)} submits were accepted{jobs}"
    if not candidates:
        if capped:
            return f"it admits more than was tried ({submits.group} had its first 429 late)"
        return _headers_differ(submits, ()) or _no_limit(submits, evidence)
    low, high = rates(candidates)
    if low <= 0:
        return f"too little was accepted after its 429s: they only show that it is at most {high:.3g} a second"
    if any(each.low <= MIN_WINDOW_SECONDS * 1.1 for each in candidates):
        return f"its limit had always recovered when it was tried again: it is at least {low:.3g} a second"
    between = f"between {low:.3g} and {high:.3g} a second"
    if met < MIN_MET and high > NARROW_FACTOR * low:
        return f"{few_tell(met)}: {between}"
    if headers := _headers_differ(submits, candidates):
        return f"{headers}; what is left for this client is {between}"
    return _misfit(submits, evidence, candidates, met=met, used=used, between=between)


def few_tell(met: int) -> str:
    """Say that too few 429s met a limit that was partly used up: one that was full, or unknown, tells little."""
    who = "none of its 429s tells" if not met else f"only {met} of its 429s {'tells' if met == 1 else 'tell'}"
    return f"{who} where its limit lies, and {MIN_MET} would do"


def headers_tell(submits: SubmitHistory, candidates: Sequence[Candidate]) -> bool:
    """Say whether the rate-limit headers show that one of these limits is the account's own."""
    headers = submits.headers
    tell = any(headers.tells(each.kind) for each in candidates)
    return tell and headers.describes and headers.excess <= 0 and _fit(submits, candidates)


def _fit(submits: SubmitHistory, candidates: Sequence[Candidate]) -> bool:
    return any(submits.headers.fit(each.kind, each.n, each.low, each.high) for each in candidates)


def _headers_differ(submits: SubmitHistory, candidates: Sequence[Candidate]) -> str:
    """Return in what the rate-limit headers say more than this run's submits show; empty: in nothing."""
    headers, elsewhere = submits.headers, "something else uses this account, or they are about another limit"
    if headers.excess > 0:
        return f"its rate-limit headers count {headers.excess} more than this run submitted meanwhile: {elsewhere}"
    if headers.describes and candidates and not _fit(submits, candidates):
        return f"its rate-limit headers don't fit what would explain its answers: {elsewhere}"
    return ""


def _misfit(
    submits: SubmitHistory, evidence: Evidence, candidates: Sequence[Candidate], *, met: int, used: str, between: str
) -> str:
    """Return why limits that explain every answer may be none, or an empty text."""
    if used != "not used":
        if met < MIN_MET and episodes(submits) < MIN_EPISODES:
            return f"it was reached only once; if nothing else uses this account, it is {between}"
        return ""
    if (jobs := jobs_at_once(submits)) is not None:
        return f"a limit of {jobs} jobs at once explains its 429s as well; if it is a rate, it is {between}"
    if broken := broken_promises(submits):
        return f"{broken} of its 429s came after the time that Retry-After named: something else uses this account"
    if tells_resets(submits):
        return f"its Retry-After fits no single limit: something else uses this account, or it has several; {between}"
    if too_good(candidates, evidence.most, met):
        return (
            f"hardly any limit explains every answer, and {met} 429s that met one in use are too few to have ruled out "
            f"the others: something else may use this account, or it has several limits; if not, it is {between}"
        )
    counted = counted_refusals(submits)
    if COUNTING_ODDS * possible(counted) > possible(candidates):
        return f"if refused submits count, {_counted(counted[0])} is likelier; if not, it is {between}"
    return ""


def _counted(limit: Counted) -> str:
    low, high = f"{limit.low:.3g}", f"{limit.high:.3g}"
    return f"a {limit.kind.replace('_', ' ')}, {limit.n} per {low if low == high else f'{low}–{high}'} s,"


def _no_limit(submits: SubmitHistory, evidence: Evidence) -> str:
    """Return what explains 429s that no single limit does, or how many of them the best one leaves unexplained."""
    none = "no single token bucket, fixed or sliding window explains every answer"
    if (jobs := jobs_at_once(submits)) is not None:
        return f"{none}; a limit of {jobs} jobs at once does: it is no rate"
    if broken := broken_promises(submits):
        return f"{none}: {broken} 429s came after the time that Retry-After named, so something else uses this account"
    if counted := counted_refusals(submits):
        return f"{none}; {_counted(counted[0])} does if refused submits count"
    if pair := two_limits(evidence):
        found = " and ".join(f"a {each.kind.replace('_', ' ')} of {each.n} per {each.per:.3g} s" for each in pair)
        return f"{none}; two at once do, {found}, or something else uses this account"
    kind, n, per, left = unexplained(evidence)
    refused = len(submits.refused)
    fit = refused - left
    best = (
        f"the best, a {kind.replace('_', ' ')} of {n} per {per:.3g} s" if fit else "one that admits what was accepted"
    )
    return (
        f"{none}: {fit} of {refused} 429s fit {best}; something else uses this account, it has several limits, "
        "refused submits count, or 429s come at random"
    )
