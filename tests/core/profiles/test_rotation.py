"""The rotation: fair, and fast however many profiles there are."""

from __future__ import annotations

import heapq
from random import Random
from unittest.mock import Mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vidgen_nb.core.context import Context
from vidgen_nb.core.model import BOOST, PollSchedule, RetryPolicy
from vidgen_nb.core.profiles.roster import Roster
from vidgen_nb.core.state import Gate, ProfileState
from vidgen_nb.policies.cooldowns import PerProfileCooldown


def roster_of(profiles: int, capacity: int | None = None) -> Roster:
    """Return a roster of profiles, each in a group of its own."""
    roster = Roster(Context(BOOST, PerProfileCooldown(), RetryPolicy(), PollSchedule(), "hold", 3600.0, Random(0)))
    for index in range(profiles):
        roster.add(f"p{index}", capacity, "", 0.0)
    return roster


def pick(roster: Roster, avoid: set[Gate]) -> ProfileState | None:
    """Return the profile that takes the next scene; it has room for more."""
    chosen = roster.rotation.pick(avoid, 0.0)
    if chosen is not None:
        roster.rotation.offer(chosen)
    return chosen


@given(profiles=st.integers(1, 9), picks=st.integers(0, 40))
def test_picks_are_strict_round_robin(profiles: int, picks: int) -> None:
    """R4: with everyone always eligible, each gets its turn before anyone gets a second one."""
    roster = roster_of(profiles)
    picked = [chosen.index for _ in range(picks) if (chosen := pick(roster, set()))]
    assert picked == [turn % profiles for turn in range(picks)]


@given(actions=st.lists(st.tuples(st.sampled_from(["pick", "avoid", "close", "open", "remove"]), st.integers(0, 2)),
                        max_size=60))  # fmt: skip
@example([("pick", 0), *[("close", each) for each in (0, 1, 2)], ("pick", 0), ("open", 0), ("open", 1), ("pick", 0)])
def test_the_next_eligible_one_in_turn_is_picked(actions: list[tuple[str, int]]) -> None:
    """R3, R4: whatever closes and opens, the next in turn is picked; one to avoid only if there is no other."""
    roster = roster_of(3)
    profiles = list(roster.profiles.values())
    cursor = -1
    for action, index in actions:
        profile = profiles[index]
        if action == "close":
            roster.gates.close(profile.group, 10.0, 0.0, profile=profile.name, reason="429")
        elif action == "open":
            roster.gates.open(profile.group, 0.0)
        elif action == "remove":
            if profile.removed:
                roster.add(profile.name, None, "", 0.0)
            else:
                profile.removed = True
                roster.set_limit(profile)
        else:
            avoid = {profile.group} if action == "avoid" else set()
            free = [each for each in profiles if not each.removed and each.group.until <= 0.0]
            wanted = [each for each in free if each.group not in avoid] or free
            turn = cursor
            expected = min(wanted, key=lambda each: (each.index - turn - 1) % 3, default=None)
            assert pick(roster, avoid) is expected
            cursor = expected.index if expected else cursor


@pytest.mark.parametrize("free", [1, 1000])
def test_a_pick_looks_at_few_profiles(free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """R4: of 1,000 profiles, the full ones are checked once, not again for every pick."""
    roster = roster_of(1000, capacity=1)
    for profile in list(roster.profiles.values())[free:]:
        profile.active = 1
    eligible = Mock(side_effect=roster.rotation.is_eligible)
    pop = Mock(side_effect=heapq.heappop)
    monkeypatch.setattr(roster.rotation, "is_eligible", eligible)
    monkeypatch.setattr("vidgen_nb.core.profiles.rotation.heappop", pop)
    for _ in range(500):
        chosen = roster.rotation.pick(None, 0.0)
        assert chosen is not None
        roster.rotation.offer(chosen)  # its job is over at once
    assert eligible.call_count <= 1500
    assert pop.call_count <= 1500
