"""Parts of what was answered, each of which may have a limit of its own: before and after a moment, groups together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Final

from vidgen_nb.analysis.limits.submit_history import SubmitHistory

__all__ = ["shared_groups", "since", "until"]

MOST_GROUPS: Final = 6
"""Of so many groups every pair is tried; of more, only all together."""


def until(submits: SubmitHistory, moment: float) -> SubmitHistory:
    """Return what was answered until a moment."""
    return replace(
        submits,
        accepted=[each for each in submits.accepted if each[1] <= moment],
        in_doubt=[each for each in submits.in_doubt if each[1] <= moment],
        refused=[each for each in submits.refused if each.between[1] <= moment],
    )


def since(submits: SubmitHistory, moment: float, memory: float) -> SubmitHistory:
    """Return what was answered from a moment on, where limits remember `memory` seconds.

    What was accepted in that time before may have used up any of the limit, or none.
    """
    accepted = sorted(submits.accepted, key=lambda each: each[1])
    before = [each for each in accepted if each[1] < moment]
    known = [each for each in before if each[1] >= moment - memory]
    return replace(
        submits,
        accepted=accepted[len(before) :],
        in_doubt=[*known, *submits.in_doubt],
        refused=[
            replace(each, sure=each.sure - len(before), possible=each.possible - len(before) + len(known))
            for each in submits.refused
            if each.between[1] >= moment
        ],
    )


def shared_groups(groups: Mapping[str, SubmitHistory], explained: Collection[str]) -> Iterator[tuple[str, ...]]:
    """Yield groups that may share a limit, likely ones first: those with 429s, all groups, then pairs.

    `explained`: groups whose answers a limit of their own explains. Two of those are not tried as a pair: in a short
    run, some pair of many fits by chance.
    """
    limited = tuple(name for name, each in groups.items() if each.refused)
    if not limited or len(groups) < 2:
        return
    if len(limited) > 1:
        yield limited
    unexplained = [name for name in limited if name not in explained]
    if unexplained and len(limited) < len(groups):
        yield tuple(groups)
    if 2 < len(limited) <= MOST_GROUPS:
        yield from (pair for pair in combinations(limited, 2) if any(name in unexplained for name in pair))
