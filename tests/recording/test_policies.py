"""Recorded policies are rebuilt if their class is known and all their settings are recorded."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown, GroupView, Policy
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.policies.registry import RecordedPolicy, describe, from_description
from vidgen_nb.provider import Concurrency, FixedWindow, TokenBucket
from vidgen_nb.provider.described import limit_from_text
from vidgen_nb.recording.codec import plain
from vidgen_nb.recording.policies import resolve_policy


@dataclass(frozen=True)
class Waits(Policy):
    """A policy with a setting."""

    seconds: float = 3.0

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Wait."""
        return Cooldown("group", now + self.seconds)


class Hides(Policy):
    """A policy whose setting is not a field of a dataclass, so it is not recorded."""

    def __init__(self, seconds: float = 3.0) -> None:
        self.seconds = seconds

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Wait."""
        return Cooldown("group", now + self.seconds)


@pytest.mark.parametrize(
    "policy",
    [
        PerProfileCooldown(5),
        Waits(7),
        EarliestFinish(Waits(7)),
        Paced({"p1": TokenBucket(4, per=60) & Concurrency(3, over="queue"), "p2": FixedWindow(2, per=1.5)}, cap=30),
        EarliestFinish(Paced({"p1": TokenBucket(4, per=60)}), {"p1": 3}),
    ],
)
def test_as_it_was(policy: Policy) -> None:
    """The user's own classes, policies inside others, and given limits: the result is equal."""
    assert resolve_policy(from_description(plain(policy))) == policy


def test_what_cannot_be_made() -> None:
    """An unknown class, a setting that is not recorded, a limit of the user's own: the error says what to do."""
    for policy, why in (
        (RecordedPolicy("Gone"), "'Gone' of this run is not known here"),
        (RecordedPolicy("Hides"), "'Hides' of this run can't be rebuilt"),
        (RecordedPolicy("Waits", (("minutes", 1),)), "'Waits' of this run can't be rebuilt"),
        (RecordedPolicy("Paced", (("limits", {"p1": "Mine()"}), ("cap", 600.0))), "'Paced' of this run can't be"),
    ):
        with pytest.raises(InputError, match=rf"{why}.*pass policy="):
            resolve_policy(policy)
    assert describe(Hides(9)) == {"name": "Hides"}


@pytest.mark.parametrize(
    "text",
    ["", "4", "print(4)", "TokenBucket(4, per=60)", "TokenBucket(n=0, per=60)", "TokenBucket(n=4, per=", "os.abort()",
     "FixedWindow(n=TokenBucket(n=4, per=60), per=3)", "All(parts=())", "(" * 9999, None, 4, {"n": 3}, math.inf],
)  # fmt: skip
def test_texts_that_are_no_limit(text: object) -> None:
    """They are not turned into limits, and no code in them is run."""
    assert limit_from_text(text) is None
