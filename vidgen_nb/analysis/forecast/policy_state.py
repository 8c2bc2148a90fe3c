"""A policy with what it has learned in a run, to go on from there in a simulated one."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.core.policy import Policy

__all__ = ["keeping_its_state", "with_history"]


def with_history(
    policy: Policy, events: Iterable[ev.Event], unanswered: Iterable[ev.AttemptStarted], *, in_use: bool
) -> Policy:
    """Return a copy of a policy that has seen a run's events; submits without an answer will be sent again.

    `in_use`: it is the policy of the run itself, which has seen them already unless it begins each run as a copy.
    """
    copy = deepcopy(policy.for_run())
    if type(policy).observe is Policy.observe or (in_use and type(policy).for_run is Policy.for_run):
        return copy
    for event in events:
        copy.observe(event, event.at)
    lost = Transient("it is sent again")
    for sent in unanswered:
        copy.observe(ev.CallFailed(sent.scene, sent.number, "submit", lost, at=sent.at), sent.at)
        copy.observe(ev.SceneRequeued(sent.scene, sent.number, sent.profile, lost, lost.reason, at=sent.at), sent.at)
    return copy


def keeping_its_state(policy: Policy) -> Policy:
    """Return a copy that keeps what it has learned when a run begins."""
    copy = deepcopy(policy)
    object.__setattr__(copy, "for_run", lambda: copy)
    return copy
