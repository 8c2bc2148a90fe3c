"""What a run has spent, and what it has committed, read from its events alone.

An attempt's price stands in its `AttemptStarted`; a provider that tells what it charges overrides it (`Accepted`,
`Generated`). From its submit on the price is committed. Then

- a submit that was refused, or has not left, costs nothing;
- one that may have been accepted, and an accepted job of which nothing is known, stay committed: in doubt;
- a job that is done is spent, whether or not its result is fetched;
- a job that failed costs nothing, unless its price says that failed ones are charged, too;
- an accepted job that was cancelled counts as spent: its provider may charge for it.

Once a provider has told more than a job's price, later jobs of that profile are expected to be as much dearer, until it
has another price.

The scheduler keeps one of these for `max_cost`; status and metrics read one, too. Amounts are millionths (`money`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.money import Price
from vidgen_nb.core.outcomes import Ambiguous, Cancelled

__all__ = ["Spending"]

TOLD_CURRENCY = "USD"
"""What providers that tell a cost tell it in."""


class _Charge:
    """What one attempt costs."""

    __slots__ = ("amount", "if_failed", "is_unknown", "paid", "price", "profile", "scene")

    def __init__(self, scene: str, profile: str, amount: int | None, price: Price | None) -> None:
        self.scene = scene
        self.profile = profile
        self.amount = amount
        """None: not known."""
        self.if_failed = price is not None and price.failed
        """Whether it is charged although the job fails, as the price said when it was submitted."""
        self.price = amount
        """What it was expected to cost by its profile's price alone."""
        self.paid = False
        self.is_unknown = False
        """Whether it counts in `Spending.unknown`."""


class Spending:
    """Adds up the costs of a run, event by event."""

    __slots__ = (
        "_dearest", "_doubtful", "_open", "_prices", "committed", "committed_by_profile", "currency", "handlers",
        "in_doubt", "spent", "spent_by_profile", "spent_by_scene", "unknown", "wasted",
    )  # fmt: skip

    def __init__(self, events: Iterable[ev.Event] = ()) -> None:
        self.spent = 0
        self.committed = 0
        """Of attempts under way, and in doubt."""
        self.in_doubt = 0
        """The part of `committed` that nothing is under way for: it may have been charged."""
        self.wasted = 0
        """The part of `spent` that gave no video."""
        self.unknown = 0
        """Jobs that were accepted at a price that is not known."""
        self.currency = ""
        """Empty: no price is known."""
        self.spent_by_profile: dict[str, int] = {}
        self.committed_by_profile: dict[str, int] = {}
        self.spent_by_scene: dict[str, int] = {}
        self._prices: dict[str, Price] = {}
        self._dearest: dict[str, tuple[int, int]] = {}
        """By profile: what was told for a job, and its price, where the two differ most."""
        self._open: dict[str, _Charge] = {}
        """Of the attempts under way, by scene."""
        self._doubtful: dict[str, list[_Charge]] = {}
        """By scene."""
        self.handlers: Mapping[type[ev.Event], Callable[[Any], None]] = {
            ev.ProfileAdded: self._priced,
            ev.PriceChanged: self._priced,
            ev.AttemptStarted: self._started,
            ev.AskedAgain: self._asked_again,
            ev.Accepted: self._accepted,
            ev.Generated: self._generated,
            ev.Fetched: self._fetched,
            ev.CallFailed: self._call_failed,
            ev.JobFailed: self._job_failed,
            ev.AttemptAbandoned: self._abandoned,
            ev.SceneSettled: self._settled,
        }
        for event in events:
            self.take(event)

    def take(self, event: ev.Event) -> None:
        """Count an event."""
        if (handler := self.handlers.get(type(event))) is not None:
            handler(event)

    @property
    def is_known(self) -> bool:
        """Whether any price is known."""
        return bool(self.currency)

    def expected(self, profile: str, price: int) -> int:
        """Return what a job is expected to cost on a profile, whose price for it is this one."""
        told, of = self._dearest.get(profile, (1, 1))
        return -(-price * told // of)

    # -- events

    def _priced(self, event: ev.ProfileAdded | ev.PriceChanged) -> None:
        if event.price != self._prices.get(event.profile):
            self._dearest.pop(event.profile, None)
        if event.price is None:
            self._prices.pop(event.profile, None)
        else:
            self._prices[event.profile] = event.price
            self.currency = self.currency or event.price.currency

    def _started(self, event: ev.AttemptStarted) -> None:
        self._open[event.scene] = charge = self._charge(event.scene, event.profile, event.cost)
        if event.cost:
            charge.amount = self.expected(event.profile, event.cost)
            self._commit(charge, charge.amount)

    def _asked_again(self, event: ev.AskedAgain) -> None:
        """Follow the job that was in doubt."""
        scene = event.scene.id
        if doubtful := self._doubtful.get(scene):
            charge = self._open[scene] = doubtful.pop()
            if not charge.paid:
                self.in_doubt -= charge.amount or 0
        else:
            charge = self._open[scene] = self._charge(scene, event.profile, None)
        self._note_unknown(charge)

    def _accepted(self, event: ev.Accepted) -> None:
        charge = self._open.get(event.scene)
        if charge is not None:
            self._told(charge, event.operation.cost)
            self._note_unknown(charge)

    def _generated(self, event: ev.Generated) -> None:
        charge = self._open.get(event.scene)
        if charge is not None and not charge.paid:
            self._told(charge, event.cost)
            self._pay(charge)

    def _fetched(self, event: ev.Fetched) -> None:
        self._open.pop(event.scene, None)

    def _call_failed(self, event: ev.CallFailed) -> None:
        if event.phase == "submit" and (charge := self._open.pop(event.scene, None)) is not None:
            if isinstance(event.outcome, Ambiguous):
                self._doubt(charge)
            else:
                self._commit(charge, -(charge.amount or 0))

    def _job_failed(self, event: ev.JobFailed) -> None:
        if (charge := self._open.pop(event.scene, None)) is None:
            return
        if charge.paid or charge.if_failed or isinstance(event.outcome, Cancelled):
            self._waste(charge)
        else:
            self._commit(charge, -(charge.amount or 0))

    def _abandoned(self, event: ev.AttemptAbandoned) -> None:
        if not event.sent and (charge := self._open.pop(event.scene, None)) is not None:
            self._commit(charge, -(charge.amount or 0))

    def _settled(self, event: ev.SceneSettled) -> None:
        """A scene has ended: what is still open was accepted, and is held, or was cancelled."""
        if (charge := self._open.pop(event.scene, None)) is None:
            return
        if event.status == "held":
            self._doubt(charge)
        else:
            self._waste(charge)

    # -- amounts

    def _charge(self, scene: str, profile: str, amount: int | None) -> _Charge:
        return _Charge(scene, profile, amount, self._prices.get(profile))

    def _note_unknown(self, charge: _Charge) -> None:
        """Count an accepted job whose price is not known."""
        if charge.amount is None and not charge.is_unknown:
            charge.is_unknown = True
            self.unknown += 1

    def _told(self, charge: _Charge, amount: int | None) -> None:
        """Take over what the provider says that it charges."""
        if amount is None or self.currency not in ("", TOLD_CURRENCY):
            return
        self.currency = TOLD_CURRENCY
        told, of = self._dearest.get(charge.profile, (1, 1))
        if charge.price and amount * of > told * charge.price:
            self._dearest[charge.profile] = amount, charge.price
        self._commit(charge, amount - (charge.amount or 0))
        charge.amount = amount
        self.unknown -= charge.is_unknown
        charge.is_unknown = False

    def _commit(self, charge: _Charge, amount: int) -> None:
        self.committed += amount
        self.committed_by_profile[charge.profile] = self.committed_by_profile.get(charge.profile, 0) + amount

    def _doubt(self, charge: _Charge) -> None:
        self._doubtful.setdefault(charge.scene, []).append(charge)
        if not charge.paid:
            self.in_doubt += charge.amount or 0

    def _pay(self, charge: _Charge) -> None:
        charge.paid, amount = True, charge.amount
        if amount:
            self._commit(charge, -amount)
            self.spent += amount
            self.spent_by_profile[charge.profile] = self.spent_by_profile.get(charge.profile, 0) + amount
            self.spent_by_scene[charge.scene] = self.spent_by_scene.get(charge.scene, 0) + amount

    def _waste(self, charge: _Charge) -> None:
        if not charge.paid:
            self._pay(charge)
        self.wasted += charge.amount or 0
