"""Closing and opening gates: the cooldowns of quota groups, and profiles out of the rotation (R1, R6, R11, R18)."""

from __future__ import annotations

import math

from vidgen_nb.core.context import Context
from vidgen_nb.core.events import CooldownEnded, CooldownStarted
from vidgen_nb.core.profiles.rotation import Rotation
from vidgen_nb.core.state import Gate

__all__ = ["Gates"]


class Gates:
    """Closes gates, and opens them when their time is over."""

    def __init__(self, context: Context, rotation: Rotation) -> None:
        self._context = context
        self._rotation = rotation

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
        """Close a gate until a time; a gate that is closed already never opens earlier for that (R6)."""
        if gate.closed and until <= gate.until:
            return
        if not gate.closed:
            gate.closed, gate.blocked, gate.closed_at = True, True, now
        gate.until = until
        gate.reason = reason
        gate.unusable = gate.unusable or unusable or until == math.inf
        if until < math.inf:
            self._context.timers.at(until, self._open_if_due, (gate, until))
        self._context.record(
            CooldownStarted(gate.name, gate.is_own, profile, gate.member_names(), until, reason, scene, gate.unusable),
            now,
        )
        self._rotation.reoffer()

    def open(self, gate: Gate, now: float) -> None:
        """Open a closed gate; one probe goes through first (R18)."""
        if gate.closed:
            gate.until = min(gate.until, now)
            gate.closed, gate.unusable, gate.probe_due = False, False, True
            gate.blocked = gate.probe is not None
            gate.opens_when_heard = None
            self._context.record(CooldownEnded(gate.name, gate.is_own, gate.member_names()), now)
            self._rotation.offer_all(gate.members)

    def _open_if_due(self, closing: tuple[Gate, float], now: float) -> None:
        gate, until = closing
        if gate.until == until:  # else its end has moved
            self.open(gate, now)

    def probe_answered(self, gate: Gate, *, accepted: bool) -> None:
        """An accepted probe lets everyone through the gate; otherwise another probe goes next."""
        gate.probe, gate.blocked = None, gate.closed
        gate.probe_due = not accepted
        self._rotation.offer_all(gate.members)
