"""The profiles of a run, their slots, and the gates that stand before them (R1, R6, R18)."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable

from vidgen_nb.core.context import Context
from vidgen_nb.core.events import CooldownImposed
from vidgen_nb.core.money import Price
from vidgen_nb.core.outcomes import ProfileUnusable
from vidgen_nb.core.profiles.gates import Gates
from vidgen_nb.core.profiles.rotation import Rotation
from vidgen_nb.core.state import Gate, ProfileState, SceneState
from vidgen_nb.errors import InputError

__all__ = ["Roster"]


class Roster:
    """All profiles by name, and the quota groups that they form; `rotation` says whose turn it is."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.profiles: dict[str, ProfileState] = {}
        self.groups: dict[str, Gate] = {}
        self.rotation = Rotation(context)
        self.gates = Gates(context, self.rotation)

    def __getitem__(self, name: str) -> ProfileState:
        try:
            return self.profiles[name]
        except KeyError:
            known = ", ".join(sorted(self.profiles)) or "none"
            raise InputError(f"no profile is named {name!r}; there are: {known}") from None

    def __len__(self) -> int:
        return sum(not profile.removed for profile in self.profiles.values())

    def add(self, name: str, capacity: int | None, group: str, now: float, price: Price | None = None) -> ProfileState:
        """Add a profile, or bring a removed one back; a bad key from before it was removed is forgotten."""
        profile = self.profiles.get(name)
        key = group or name
        self.check_group(name, group)
        self.check_currency(name, price)
        gate = self.groups.setdefault(key, Gate(key, shared=bool(group)))
        if profile is None:
            profile = ProfileState(name, len(self.profiles), capacity, gate)
            self.profiles[name] = profile
            self.rotation.profiles.append(profile)
        elif not profile.removed:
            raise InputError(f"profile {name!r} is already there: give each profile its own name")
        else:
            profile.group.members.remove(profile)
            profile.group, profile.capacity, profile.removed = gate, capacity, False
            self.gates.open(profile.own_gate, now)
            profile.own_gate.strikes = 0
        gate.members.append(profile)
        profile.price = price
        self.set_limit(profile)
        return profile

    def check_currency(self, name: str, price: Price | None) -> None:
        """Raise `InputError` where a price is in another currency than those before: sums would mean nothing."""
        currency = self._context.spending.currency
        if price is not None and currency and price.currency != currency:
            raise InputError(
                f"profile {name!r} has a price in {price.currency}, and the others in {currency}: give all in one"
            )

    def check_group(self, name: str, group: str) -> None:
        """Raise `InputError` where a quota group and a profile outside it have the same name."""
        key = group or name
        if key in self.groups and self.groups[key].shared != bool(group):
            raise InputError(f"{key!r} can't be a quota group's name and that of a profile outside it: use two names")

    def set_limit(self, profile: ProfileState) -> None:
        """Apply the profile's capacity and the mode's cap."""
        at_once = [bound for bound in (profile.capacity, self._context.mode.max_generating) if bound is not None]
        profile.limit = 0 if profile.removed else min(at_once, default=math.inf)
        self.rotation.offer(profile)

    # -- slots and probes

    def probe(self, profile: ProfileState, scene: SceneState) -> None:
        """Make a submission that leaves now the probe of every gate that waits for one."""
        scene.probing = tuple(gate for gate in profile.gates if gate.probe_due)
        for gate in scene.probing:
            gate.probe, gate.blocked = scene, True

    def submit_answered(self, scene: SceneState, accepted: bool) -> ProfileState:
        """Settle what the submit probed, offer its profile again, and return it."""
        profile = scene.profile
        assert profile is not None  # noqa: S101 - its submit has just been answered
        if scene.probing:
            for gate in scene.probing:
                self.gates.probe_answered(gate, accepted=accepted)
            scene.probing = ()
        group = scene.counted_at
        group.unanswered -= 1
        group.max_unanswered += accepted
        if group.withheld:
            group.withheld = False
            self.rotation.offer_all(group.members)
        if self._context.policy_paces:
            self.rotation.offer(profile)  # what the policy learned may let it submit earlier
            self.rotation.offer_held_back()
        return profile

    def free(self, profile: ProfileState) -> None:
        """Count an attempt that no longer generates."""
        profile.active -= 1
        rotation = self.rotation
        if not profile.group.withheld:
            rotation.offer(profile)
        if rotation.held_back:
            rotation.offer_held_back()

    # -- what is closed

    def take_out(self, profile: ProfileState, outcome: ProfileUnusable, now: float, scene: str) -> Gate:
        """Take a profile out of the rotation (R11), and return the gate that closed for that."""
        # a daily quota is the group's; a bad key or missing credit is the profile's own
        gate = profile.group if outcome.cause == "day_quota" else profile.own_gate
        until = math.inf if outcome.retry_after is None else now + max(1.0, outcome.retry_after)
        self.gates.close(gate, until, now, profile=profile.name, reason=outcome.reason, scene=scene, unusable=True)
        return gate

    def seconds_closed(self, now: float) -> dict[str, float]:
        """Return the seconds left for each profile in the rotation that has a closed gate."""
        ends = {p.name: max(p.group.until, p.own_gate.until) for p in self.profiles.values() if not p.removed}
        return {name: end - now for name, end in ends.items() if end > now}

    def windows(self, now: float, names: Container[str] | None = None) -> list[CooldownImposed]:
        """Return what is still closed, with times counted from now, as it can be imposed on another scheduler.

        With `names`, only the windows of these profiles, each named after one of them.
        """
        profiles = [p for p in self.profiles.values() if not p.removed and (names is None or p.name in names)]
        gates = {gate: profile.name for profile in profiles for gate in profile.gates}
        return [
            CooldownImposed(name, gate.until - now, gate.reason, gate.is_own, gate.unusable)
            for gate, name in gates.items()
            if gate.closed and gate.until > now
        ]

    def all_closed(self, now: float) -> bool:
        """Say whether there are profiles in the rotation, and all of them cool or are unusable."""
        profiles = [p for p in self.profiles.values() if not p.removed]
        return bool(profiles) and all(p.group.until > now or p.own_gate.until > now for p in profiles)

    def usable_again(self, now: float) -> float:
        """Return when the first profile comes back, in run seconds; `now` if one is usable, inf if none ever is."""
        first = math.inf
        for profile in self.profiles.values():
            if profile.removed:
                continue
            first = min(first, _back_at(profile, now))
            if first <= now:
                return now
        return first

    def usable(self, profiles: Iterable[ProfileState], now: float) -> list[ProfileState]:
        """Return those that are usable, or will be within `max_wait`."""
        latest = now + self._context.max_wait
        return [each for each in profiles if not each.removed and _back_at(each, now) <= latest]


def _back_at(profile: ProfileState, now: float) -> float:
    """Return when a profile is usable, in run seconds: `now` unless it is out of the rotation."""
    return max((gate.until for gate in profile.gates if gate.closed and gate.unusable), default=now)
