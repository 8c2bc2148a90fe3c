"""What a run has cost, may still cost, and what the scenes that wait will cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.core.money import Price, amount_text, from_micros, micros
from vidgen_nb.core.spending import Spending

__all__ = ["Costs", "ProfileCost", "RunCost", "costs_between", "recorded_cost", "run_cost"]


@dataclass(frozen=True, slots=True)
class ProfileCost:
    """One profile's part of a run's costs."""

    profile: str
    price: Price | None
    """What a job costs on it now; None: not known, or it was removed."""
    spent: float
    committed: float


@dataclass(frozen=True, slots=True)
class RunCost:
    """What a run costs, in `currency`; `core.spending` says what counts as what."""

    currency: str
    """Empty: no price is known, so all amounts are 0."""
    spent: float
    """Jobs that are done, and those that were cancelled after the provider had accepted them."""
    committed: float
    """What is under way, and what is in doubt: scenes that are held."""
    in_doubt: float
    """The part of it that is in doubt."""
    wasted: float
    """The part of `spent` that gave no video."""
    forecast: float | None
    """What the scenes that wait will cost, at the mean price of the profiles in use; None: a price is not known."""
    at_most: float | None = None
    """Spent, committed, and the scenes that wait, each on the profile that is dearest for it; None: not known."""
    unknown_jobs: int = 0
    """Accepted jobs whose price is not known: they are in none of the amounts."""
    max_cost: float | None = None
    """The spending cap; None: there is none."""
    profiles: Mapping[str, ProfileCost] = field(default_factory=dict)
    """By name, those that were removed included."""
    scenes: Mapping[str, float] = field(default_factory=dict)
    """What was spent on each scene, where anything was."""

    @property
    def total(self) -> float | None:
        """What it will have cost at the end, if all goes well: spent, committed and forecast."""
        if self.forecast is None:
            return None
        return from_micros(micros(self.spent) + micros(self.committed) + micros(self.forecast))

    @property
    def of_cap(self) -> str:
        """What of the spending cap is used, such as `$2.88 of $3.00`; empty: there is no cap."""
        if self.max_cost is None:
            return ""
        return f"{self.text(from_micros(micros(self.spent) + micros(self.committed)))} of {self.text(self.max_cost)}"

    def text(self, amount: float) -> str:
        """Return an amount as people read it, such as `$1.20`."""
        return amount_text(micros(amount), self.currency)

    def __str__(self) -> str:
        if not self.currency:
            return "no price is known"
        cap = "" if self.max_cost is None else f" of {self.text(self.max_cost)}"
        parts = [f"{self.text(self.spent)}{cap} spent"]
        parts += [f"{self.text(self.committed)} committed"] if self.committed else []
        parts += [f"about {self.text(self.forecast)} to come"] if self.forecast else []
        unknown = self.unknown_jobs
        parts += [f"{unknown} job{'s' * (unknown != 1)} at a price that is not known"] if unknown else []
        return ", ".join(parts)


def run_cost(
    spending: Spending, waiting: Iterable[Scene], prices: Mapping[str, Price | None], max_cost: float | None
) -> RunCost:
    """Return how a run stands. `waiting`: the scenes that wait; `prices`: those of the profiles in use, by name."""
    names = dict.fromkeys([*prices, *spending.spent_by_profile, *spending.committed_by_profile])
    forecast, most = _forecast(waiting, list(prices.values())) if spending.currency else (None, None)
    return RunCost(
        currency=spending.currency,
        spent=from_micros(spending.spent),
        committed=from_micros(spending.committed),
        in_doubt=from_micros(spending.in_doubt),
        wasted=from_micros(spending.wasted),
        forecast=None if forecast is None else from_micros(forecast),
        at_most=None if most is None else from_micros(spending.spent + spending.committed + most),
        unknown_jobs=spending.unknown if spending.currency else 0,
        max_cost=max_cost,
        profiles={
            name: ProfileCost(
                name,
                prices.get(name),
                from_micros(spending.spent_by_profile.get(name, 0)),
                from_micros(spending.committed_by_profile.get(name, 0)),
            )
            for name in names
        },
        scenes={scene: from_micros(amount) for scene, amount in spending.spent_by_scene.items()},
    )


def recorded_cost(data: RunData) -> RunCost:
    """Return how a recorded run stands."""
    waiting = [scene.id for scene in data.scenes if scene.status == "queued"]
    max_cost: float | None = data.header.get("max_cost")
    scenes: dict[str, Scene] = {}
    prices: dict[str, Price | None] = {}
    spending = Spending()
    for event in data.events:
        spending.take(event)
        match event:
            case ev.SceneAdded(scene=scene) | ev.SceneEdited(scene=scene):
                scenes[scene.id] = scene
            case ev.ProfileAdded(profile=name, price=price) | ev.PriceChanged(profile=name, price=price):
                prices[name] = price
            case ev.ProfileRemoved(profile=name):
                prices.pop(name, None)
            case ev.SpendingCapChanged():
                max_cost = event.max_cost
    return run_cost(spending, (scenes[each] for each in waiting), prices, max_cost)


@dataclass(frozen=True, slots=True)
class Costs:
    """What was spent in a part of a run."""

    currency: str
    spent: float
    wasted: float
    by_profile: Mapping[str, float]


def costs_between(data: RunData, after: float) -> Costs | None:
    """Return what a run spent after a time, in run seconds; None: no price is known."""
    before, whole, is_simulated = Spending(), Spending(), (data.header.get("backend") or {}).get("name") == "simulated"
    if is_simulated and not any(event.price for event in _told(data.events)):
        return None  # only a real provider tells what it charges
    for event in data.events:
        whole.take(event)
        if after and event.at <= after:
            before.take(event)
    if not whole.currency:
        return None
    spent = {name: amount - before.spent_by_profile.get(name, 0) for name, amount in whole.spent_by_profile.items()}
    return Costs(
        whole.currency,
        from_micros(whole.spent - before.spent),
        from_micros(whole.wasted - before.wasted),
        {name: from_micros(amount) for name, amount in spent.items()},
    )


def _told(events: Sequence[Any]) -> list[ev.ProfileAdded | ev.PriceChanged]:
    """Return the events that may say what a job costs."""
    return list(compress(events, map({ev.ProfileAdded, ev.PriceChanged}.__contains__, map(type, events))))


def _forecast(waiting: Iterable[Scene], prices: list[Price | None]) -> tuple[int | None, int | None]:
    """Return what scenes will cost, and at most, in millionths; None: on some profile that is not known."""
    total = most = 0
    known = [each for each in prices if each is not None]
    for scene in waiting:
        costs = [cost for each in known if (cost := each.of(scene)) is not None]
        if len(costs) < len(prices) or not costs:
            return None, None
        total += round(sum(costs) / len(costs))
        most += max(costs)
    return total, most
