"""Who may submit now: profiles in round-robin order, behind the gates of cooldowns (R1, R4, R6, R18).

A heap of turns stands for the round-robin: a profile's turn is its index, in this round or, if the cursor is past it,
in the next. A profile that is found not eligible is dropped from it and offered again when something that could make
it eligible has changed, so that a pick is O(log P).
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable
from heapq import heappop, heappush

from vidgen_nb.core.context import Context
from vidgen_nb.core.events import CooldownEnded, CooldownImposed, CooldownStarted
from vidgen_nb.core.policy import is_later
from vidgen_nb.core.state import Gate, ProfileState, SceneState
from vidgen_nb.errors import InputError

__all__ = ["Roster"]

ROUND = 1 << 32
"""Turns from one round to the next: more than there are profiles."""


class Roster:
    """All profiles, their gates, and whose turn it is."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.profiles: dict[str, ProfileState] = {}
        self.groups: dict[str, Gate] = {}
        self._by_index: list[ProfileState] = []
        self._round = 0  # its first turn
        self.offered: list[int] = []
        """Turns, as a heap: while it is empty nobody is eligible, and nobody need look."""
        self._held: dict[ProfileState, None] = {}
        """Those that the policy holds back until an answer or a job's end."""
        self.cursor = -1
        """Index of the profile that was chosen last."""

    def __getitem__(self, name: str) -> ProfileState:
        try:
            return self.profiles[name]
        except KeyError:
            known = ", ".join(sorted(self.profiles)) or "none"
            raise InputError(f"no profile is named {name!r}; there are: {known}") from None

    def add(self, name: str, capacity: int | None, group: str, now: float) -> ProfileState:
        """Add a profile, or bring a removed one back; a bad key of its first life is forgotten then."""
        profile = self.profiles.get(name)
        key = group or name
        self.check_group(name, group)
        gate = self.groups.setdefault(key, Gate(key, shared=bool(group)))
        if profile is None:
            profile = ProfileState(name, len(self._by_index), capacity, gate)
            self.profiles[name] = profile
            self._by_index.append(profile)
        elif not profile.removed:
            raise InputError(f"profile {name!r} is already there: give each profile its own name")
        else:
            profile.group.members.remove(profile)
            profile.group, profile.capacity, profile.removed = gate, capacity, False
            self.open(profile.own, now)
            profile.own.strikes = 0
        gate.members.append(profile)
        self.set_limit(profile)
        return profile

    def check_group(self, name: str, group: str) -> None:
        """Raise `InputError` for a quota group named like a profile outside it, or the other way round."""
        key = group or name
        if key in self.groups and self.groups[key].shared != bool(group):
            raise InputError(f"{key!r} can't be a quota group's name and that of a profile outside it: use two names")

    def set_limit(self, profile: ProfileState) -> None:
        """Take over the profile's capacity and the mode's cap."""
        bounds = (profile.capacity, self._context.mode.max_generating)
        profile.limit = min((bound for bound in bounds if bound is not None), default=math.inf)
        self.offer(profile)

    # -- the rotation

    def offer(self, profile: ProfileState) -> None:
        """Put a profile into the rotation; whether it is eligible is found out when it comes up."""
        if not profile.ready:
            profile.ready = True
            self._push(profile.index)

    def offer_all(self, profiles: Iterable[ProfileState]) -> None:
        """Offer several profiles."""
        for profile in profiles:
            self.offer(profile)

    def pick(self, avoid: set[Gate] | None, now: float) -> ProfileState | None:
        """Return the profile that takes the next scene, one that `avoid` does not name if there is one, or None."""
        if self._context.ranks:
            return self._pick_first_done(avoid, now)
        chosen: ProfileState | None = None
        skipped: list[ProfileState] = []
        offered = self.offered
        while offered:
            turn = heappop(offered)
            if turn >= self._round + ROUND:
                self._round += ROUND
            profile = self._by_index[turn - self._round]
            try:
                eligible = self.eligible(profile, now)
            except BaseException:  # a user's policy: the turn is not lost by its mistakes
                for each in (profile, *skipped):
                    self._push(each.index)
                raise
            if not eligible:
                profile.ready = False
            elif avoid and (profile.group in avoid or profile.own in avoid):
                skipped.append(profile)
            else:
                chosen = profile
                break
        else:
            chosen = skipped.pop(0) if skipped else None
        if chosen is not None:
            self.cursor = chosen.index
            if chosen.active + 1 < chosen.limit:
                heappush(offered, self._round + ROUND + chosen.index)
            else:
                chosen.ready = False  # its last slot is taken
        for profile in skipped:
            self._push(profile.index)
        return chosen

    def _pick_first_done(self, avoid: set[Gate] | None, now: float) -> ProfileState | None:
        """Return the eligible profile on which the policy sees a scene done first; of equal ones whose turn it is."""
        offered, policy = [self._by_index[turn % ROUND] for turn in sorted(self.offered)], self._context.policy
        free: list[ProfileState] = []
        best: tuple[bool, float] | None = None
        chosen: ProfileState | None = None
        for profile in offered:
            if not self.eligible(profile, now):
                profile.ready = False
                continue
            free.append(profile)
            avoided = bool(avoid) and (profile.group in avoid or profile.own in avoid)  # type: ignore[operator]
            done = policy.finish(profile.name, now)
            is_later(policy, "finish", done, now)  # says what is no time
            rank = (avoided, done)
            if best is None or rank < best:
                best, chosen = rank, profile
        if chosen is not None:
            self.cursor = chosen.index
        self.offered = []
        for profile in free:
            self._push(profile.index)
        return chosen

    def eligible(self, profile: ProfileState, now: float) -> bool:
        """Say whether a profile may submit now; where only the policy forbids it, come back when it allows."""
        group, own = profile.group, profile.own
        if (
            profile.active >= profile.limit
            or group.until > now
            or own.until > now
            or group.probe is not None
            or own.probe is not None
            or profile.removed
        ):
            return False
        context = self._context
        if not context.paces:
            return True
        earliest = context.policy.earliest(profile.name, now)
        if is_later(context.policy, "earliest", earliest, now):
            if earliest == math.inf:
                self._held[profile] = None
            elif earliest != profile.paced_until:
                profile.paced_until = earliest
                context.timers.at(earliest, lambda each, _: self.offer(each), profile)
            return False
        return True

    def fewer(self) -> None:
        """One profile less may submit: a policy that ranks them may let others that it held back."""
        if self._context.ranks:
            self.offer_all(self._by_index)

    def rebuild(self) -> None:
        """Offer everyone anew, with the cursor where it is."""
        self.offered = []
        for profile in self._by_index:
            profile.ready = False
            self.offer(profile)

    def _push(self, index: int) -> None:
        heappush(self.offered, self._round + index if index > self.cursor else self._round + ROUND + index)

    # -- gates

    def close(
        self,
        gate: Gate,
        until: float,
        now: float,
        *,
        profile: str,
        reason: str,
        scene: str | None = None,
        unusable: bool = False,
    ) -> None:
        """Close a gate until a time; never shorten a window that is open (R6)."""
        if gate.waiting and until <= gate.until:
            return
        if not gate.waiting:
            gate.waiting, gate.since = True, now
        gate.until = until
        gate.reason = reason
        gate.unusable = gate.unusable or unusable or until == math.inf
        if until < math.inf:
            self._context.timers.at(until, self._due, (gate, until))
        names = tuple(each.name for each in gate.members if not each.removed)
        self._context.record(
            CooldownStarted(gate.name, gate.alone, profile, names, until, reason, scene, gate.unusable),
            now,
        )
        self.fewer()

    def open(self, gate: Gate, now: float) -> None:
        """End a window; one probe goes through first (R18)."""
        if gate.waiting:
            gate.until = min(gate.until, now)
            gate.waiting, gate.unusable, gate.probe_due = False, False, True
            names = tuple(each.name for each in gate.members if not each.removed)
            self._context.record(CooldownEnded(gate.name, gate.alone, names), now)
            self.offer_all(gate.members)

    def _due(self, window: tuple[Gate, float], now: float) -> None:
        gate, until = window
        if gate.until == until:  # else its end has moved
            self.open(gate, now)

    # -- slots and probes

    def occupy(self, profile: ProfileState, scene: SceneState) -> None:
        """Count a submission that leaves now; it is the probe of gates that wait for one."""
        profile.active += 1
        if profile.group.probe_due or profile.own.probe_due:
            scene.probing = tuple(gate for gate in profile.gates if gate.probe_due)
            for gate in scene.probing:
                gate.probe = scene

    def answered(self, scene: SceneState, *, accepted: bool) -> None:
        """Take note of a probe's answer: accepted, its gates let everyone through; else they want another probe."""
        for gate in scene.probing:
            gate.probe = None
            gate.probe_due = not accepted
            self.offer_all(gate.members)
        scene.probing = ()
        if self._context.paces:
            assert scene.profile is not None  # noqa: S101 - its submit was under way
            self.offer(scene.profile)  # what the policy learned may let it submit earlier
            self._offer_held()

    def free(self, profile: ProfileState) -> None:
        """Count an attempt that does not generate any more."""
        profile.active -= 1
        self.offer(profile)
        if self._held:
            self._offer_held()

    def _offer_held(self) -> None:
        held, self._held = self._held, {}
        self.offer_all(held)

    def __len__(self) -> int:
        return sum(not profile.removed for profile in self._by_index)

    def closed(self, now: float) -> dict[str, float]:
        """Return the seconds left for each profile in the rotation that has a closed gate."""
        ends = {p.name: max(p.group.until, p.own.until) for p in self._by_index if not p.removed}
        return {name: end - now for name, end in ends.items() if end > now}

    def windows(self, now: float, names: Container[str] | None = None) -> list[CooldownImposed]:
        """Return what is still closed, with times counted from now, as it can be imposed on another scheduler.

        With `names`, a window is told of one of these profiles, and one that concerns none of them is left out.
        """
        profiles = [each for each in self._by_index if not each.removed and (names is None or each.name in names)]
        gates = {gate: profile.name for profile in profiles for gate in profile.gates}
        return [
            CooldownImposed(name, gate.until - now, gate.reason, gate.alone, gate.unusable)
            for gate, name in gates.items()
            if gate.waiting and gate.until > now
        ]

    def all_closed(self, now: float) -> bool:
        """Say whether every profile in the rotation cools or is unusable, and there is one."""
        open_ones = (p for p in self._by_index if not p.removed and p.group.until <= now and p.own.until <= now)
        return next(open_ones, None) is None and len(self) > 0

    def usable_again(self, now: float) -> float:
        """Return when the first profile comes back, in run seconds; `now` if one is usable, inf: none ever."""
        first = math.inf
        for profile in self._by_index:
            if profile.removed:
                continue
            back = max((gate.until for gate in profile.gates if gate.waiting and gate.unusable), default=now)
            first = min(first, back)
            if first <= now:
                return now
        return first
