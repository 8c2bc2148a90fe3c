"""What the audit keeps of a run's money and of its failures: slow and simple, from events alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.core.money import Price
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Permanent, Transient

__all__ = ["MoneyView"]

OPEN, DOUBTFUL, SPENT, FREE = "open", "doubtful", "spent", "free"


@dataclass
class AttemptView:
    """What the events say of one attempt's cost."""

    profile: str
    cost: int | None
    state: str = OPEN


class MoneyView:
    """Every attempt with its cost; sums are made anew for each question."""

    def __init__(self, max_cost: float | None, pause_after: int | None) -> None:
        self.cap = max_cost
        self.pause_after = pause_after
        self.prices: dict[str, Price | None] = {}
        self.scenes: dict[str, Scene] = {}
        self.attempts: dict[str, list[AttemptView]] = {}
        self.failures: list[tuple[str, str, str | None]] = []
        """Kind, reason and scene; without a scene, one that ends a streak and does not count itself."""
        self.met: set[tuple[str, str, str]] = set()

    def total(self, *states: str) -> int:
        """Return the cost of the attempts that are so."""
        return sum(a.cost or 0 for each in self.attempts.values() for a in each if a.state in states)

    def left(self, *states: str) -> float:
        """Return what the cap leaves beside the attempts that are so, in millionths."""
        return float("inf") if self.cap is None else round(self.cap * 1_000_000) - self.total(*states)

    def cost(self, scene: str, profile: str) -> int | None:
        """Return what a scene costs on a profile; these tests have prices per job, and `seconds` as numbers."""
        price = self.prices.get(profile)
        if price is None:
            return None
        seconds = self.scenes[scene].params.get("seconds", price.seconds)
        if price.per_second and seconds is None:
            return None
        return round(price.per_job * 1_000_000) + round(round(price.per_second * 1_000_000) * float(seconds or 0))

    def fits(self, scene: str, profile: str, *states: str) -> bool:
        """Say whether a job keeps within the cap, beside the attempts that are so."""
        cost = self.cost(scene, profile)
        return self.cap is None or (cost is not None and cost <= self.left(*states))

    @property
    def streak(self) -> list[str]:
        """The scenes of the latest failures that have the same kind and reason."""
        same = list(self.failures)
        while same and same[0][:2] != same[-1][:2]:
            same.pop(0)
        for place in range(len(same) - 1, -1, -1):
            if same[place][:2] != same[-1][:2]:
                same = same[place + 1 :]
                break
        return list(dict.fromkeys(scene for *_, scene in same if scene is not None))

    def take(self, event: ev.Event) -> None:
        """Note an event."""
        match event:
            case ev.ProfileAdded(profile=name, price=price) | ev.PriceChanged(profile=name, price=price):
                self.prices[name] = price
            case ev.SceneAdded(scene=scene) | ev.SceneEdited(scene=scene):
                self.scenes[scene.id] = scene
            case ev.SpendingCapChanged():
                self.cap = event.max_cost
            case ev.AttemptStarted(scene=name, profile=profile, cost=cost):
                assert cost == self.cost(name, profile), f"another cost follows from the price: {event}"
                assert self.fits(name, profile, OPEN, DOUBTFUL, SPENT), f"R22: {event}"
                self.attempts.setdefault(name, []).append(AttemptView(profile, cost))
            case ev.AskedAgain(scene=scene):
                doubtful = [a for a in self.attempts.get(scene.id, []) if a.state == DOUBTFUL]
                if doubtful:
                    doubtful[-1].state = OPEN
            case ev.CallFailed(scene=name, phase="submit", outcome=outcome):
                self._end(name, DOUBTFUL if isinstance(outcome, Ambiguous) else FREE)
                if isinstance(outcome, Permanent):
                    self._failed(name, outcome)
            case ev.Generated(scene=name):
                self._end(name, SPENT)
                self.failures.clear()
            case ev.JobFailed(scene=name, outcome=outcome):
                self._end(name, SPENT if isinstance(outcome, Cancelled) else FREE)
                if isinstance(outcome, Permanent | Transient):
                    self._failed(name, outcome)
            case ev.AttemptAbandoned(scene=name, sent=False):
                self._end(name, FREE)
            case ev.SceneSettled(scene=name, status=status):
                self._end(name, DOUBTFUL if status == "held" else SPENT)
            case ev.RunStarted() | ev.SameFailureRepeated() | ev.BillingLimitReached() | ev.SpendingCapReached():
                self.failures.clear()

    def _failed(self, scene: str, outcome: Permanent | Transient) -> None:
        unquoted = re.sub(r"\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)", "#", outcome.reason)
        words = ["#" if any(map(str.isdigit, word)) else word for word in unquoted.split()]
        failure = (outcome.kind, " ".join(words), scene)
        counts = isinstance(outcome, Permanent) or failure in self.met
        self.failures.append(failure if counts else (*failure[:2], None))
        if isinstance(outcome, Transient):
            self.met = {each for each in self.met if each[2] != scene} | {failure}

    def _end(self, scene: str, state: str) -> None:
        for attempt in self.attempts.get(scene, []):
            if attempt.state == OPEN:
                attempt.state = state
