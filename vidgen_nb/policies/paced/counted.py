"""What a quota group's limit may be if refused submits use it up, as at OpenAI: learned when nothing else explains.

A sliding window then holds refused submits too, and a bucket owes a token for each. So the answers are read again with
every submit in the log, and the candidates that explain them all are what is believed from then on.
"""

from __future__ import annotations

from collections.abc import Sequence

from vidgen_nb.policies.paced.belief import Belief
from vidgen_nb.policies.paced.candidates import unused
from vidgen_nb.policies.paced.submit_log import SubmitLog

__all__ = ["MAX_ANSWERS", "belief_if_refusals_count"]

MIN_REFUSALS = 3
"""Fewer say nothing about whether they count."""
MAX_ANSWERS = 200
"""After more, a new kind of limit is not looked for."""


def belief_if_refusals_count(answers: Sequence[tuple[float, bool]]) -> Belief | None:
    """Return the belief in the limits that explain all answers, if each refused submit counts; None: there is none.

    `answers`: when each submit left, and whether it was accepted.
    """
    ordered = sorted(answers, key=lambda each: each[0])
    accepted = [was_accepted for _, was_accepted in ordered]
    if accepted.count(False) < MIN_REFUSALS or len(ordered) > MAX_ANSWERS:
        return None
    log, candidates = SubmitLog(), unused(accepted.index(False))
    for at, was_accepted in ordered:
        for each in candidates:
            if was_accepted:
                each.accepted(at, log.count, each.admits(log, at))
            else:
                each.refused(log, at)
        candidates = [each for each in candidates if not each.is_empty]
        log.add(at)
    return Belief(log, candidates, prices=2) if candidates else None
