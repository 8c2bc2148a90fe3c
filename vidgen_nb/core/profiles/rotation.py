"""Whose turn it is to submit (R3, R4).

A heap of turns stands for the round-robin: a profile's turn is its index, in this round or, if the cursor is past it,
in the next, which is `TURNS_PER_ROUND` more. A profile that comes up and is not eligible is dropped from the heap, and
offered again when something that could make it eligible has changed. So a pick costs O(log P).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from vidgen_nb.core.context import Context
from vidgen_nb.core.policy import is_later
from vidgen_nb.core.state import Gate, ProfileState

__all__ = ["Rotation"]

TURNS_PER_ROUND = 1 << 29
"""More than there are profiles."""


class Rotation:
    """The profiles in round-robin order, and who of them may be eligible."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.profiles: list[ProfileState] = []
        """By index, removed ones included."""
        self.offered: list[int] = []
        """Turns of the profiles that may be eligible, as a heap, always this list; empty: nobody is eligible."""
        self.held_back: dict[ProfileState, None] = {}
        """Profiles that the policy holds back until an answer or a job's end."""
        self.cursor = -1
        """Index of the profile that was chosen last."""

    # -- offers

    def offer(self, profile: ProfileState) -> None:
        """Put a profile into the rotation; whether it is eligible is checked when it comes up."""
        if not profile.offered:
            profile.offered = True
            index = profile.index
            heappush(self.offered, index if index > self.cursor else index + TURNS_PER_ROUND)

    def offer_all(self, profiles: Iterable[ProfileState]) -> None:
        """Offer several profiles."""
        for profile in profiles:
            self.offer(profile)

    def offer_held_back(self) -> None:
        """Offer the profiles that the policy held back until an answer or a job's end."""
        held_back, self.held_back = self.held_back, {}
        self.offer_all(held_back)

    def reoffer(self) -> None:
        """One profile less may submit: a policy that ranks profiles may now allow others that it held back."""
        if self._context.policy_ranks:
            self.offer_all(self.profiles)

    def rebuild(self) -> None:
        """Offer every profile again, without moving the cursor."""
        self.offered.clear()
        for profile in self.profiles:
            profile.offered = False
            self.offer(profile)

    # -- picking

    def pick(
        self, avoid: set[Gate] | None, now: float, fits: Callable[[ProfileState], bool] | None = None
    ) -> ProfileState | None:
        """Return the profile that takes the next scene, or None; it is no longer offered.

        One behind a gate of `avoid` is chosen only if no other may submit; one that does not fit, never.
        """
        if self._context.policy_ranks:
            return self._pick_earliest_finish(avoid, now, fits)
        offered, chosen = self.offered, None
        passed: list[ProfileState] = []
        """Those that are offered again."""
        while offered:
            turn = heappop(offered)
            if turn >= TURNS_PER_ROUND:  # the next round is this one from now on, for all that are left
                turn -= TURNS_PER_ROUND
                offered[:] = [each - TURNS_PER_ROUND for each in offered]
            profile = self.profiles[turn]
            profile.offered = False
            try:
                eligible = self.is_eligible(profile, now)
            except BaseException:  # a user's policy: its errors must not cost anyone a turn
                self.offer_all((profile, *passed))
                raise
            if not eligible:
                continue
            if fits is not None and not fits(profile):
                passed.append(profile)
            elif avoid and (profile.group in avoid or profile.own_gate in avoid):
                passed.append(profile)
                chosen = chosen or profile
            else:
                chosen = profile
                break
        if chosen is not None:
            self.cursor = chosen.index
        if passed:
            self.offer_all(each for each in passed if each is not chosen)
        return chosen

    def _pick_earliest_finish(
        self, avoid: set[Gate] | None, now: float, fits: Callable[[ProfileState], bool] | None
    ) -> ProfileState | None:
        """Return the eligible profile that the policy expects to finish first; among equals, the next in turn."""
        turns, policy = sorted(self.offered), self._context.policy
        free: list[ProfileState] = []
        best: tuple[bool, float] | None = None
        chosen: ProfileState | None = None
        for profile in [self.profiles[turn % TURNS_PER_ROUND] for turn in turns]:
            if not self.is_eligible(profile, now):
                profile.offered = False
                continue
            free.append(profile)
            if fits is not None and not fits(profile):
                continue
            avoided = bool(avoid) and (profile.group in avoid or profile.own_gate in avoid)  # type: ignore[operator]
            try:
                finish = policy.finish(profile.name, now)
                is_later(policy, "finish", finish, now)  # raises for anything but a time
            except BaseException as error:
                self._context.policy_fault = error
                raise
            rank = (avoided, finish)
            if best is None or rank < best:
                best, chosen = rank, profile
        self.offered.clear()
        if chosen is not None:
            self.cursor, chosen.offered = chosen.index, False
            free.remove(chosen)
        for profile in free:
            profile.offered = False
        self.offer_all(free)
        return chosen

    def is_eligible(self, profile: ProfileState, now: float) -> bool:
        """Say whether a profile may submit now; if only the policy forbids it, offer it again when it allows."""
        group, own_gate = profile.group, profile.own_gate
        if profile.active >= profile.limit or group.blocked or own_gate.blocked:
            return False
        if group.unanswered >= group.max_unanswered:
            group.withheld = True
            return False
        context = self._context
        if not context.policy_paces:
            return True
        try:
            earliest = context.policy.earliest(profile.name, now)
            must_wait = is_later(context.policy, "earliest", earliest, now)
        except BaseException as error:
            context.policy_fault = error
            raise
        if must_wait:
            if earliest == math.inf:
                self.held_back[profile] = None
            elif earliest != profile.paced_until:
                profile.paced_until = earliest
                context.timers.at(earliest, lambda each, _: self.offer(each), profile)
            return False
        return True
