"""Slots and admissions together: a linear program over where scenes go, whose dual is the bound.

x_kp scenes of class k go to place p; a class has about equal lengths and releases. Every scene goes somewhere, and of
nothing is used more than there is until T (`prices.Scarce`). If that needs θ > 0 seconds more than T, the dual has
prices that exclude T, and `prices.proven` the first time that they don't exclude: Newton's method. Limits have a row
for each length σ, which are many; so a row is added only where a solution breaks it (cutting planes).

Classes only make the prices less good. The bound that prices prove is over all scenes, each with its own length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, TypeAlias

from vidgen_nb.analysis.bounds.closed_form import Demand
from vidgen_nb.analysis.bounds.fleet import Fleet
from vidgen_nb.analysis.bounds.prices import Place, Priced, Scarce, Scenes, places_of, proven, scarce_things

__all__ = ["Joint", "joint_bound"]

Array: TypeAlias = Any
"""An array of numpy, which is imported only if scipy is there."""

MOST_PLACES = 60
"""Kinds of profiles; with more of them the program would take too long."""
MOST_SCENES = 10_000
VARIABLES = 800
"""At most, about: the fewer classes, the more places there are."""
LENGTHS = 24
"""Classes of lengths at most."""
RELEASES = 6
"""Classes of releases at most."""
CELLS = 1_000_000
"""Variables times rows of all programs solved, at most: about a third of a second."""
PATIENCE = 4
"""Programs in a row that raise the bound by less than a thousandth; then it is left at that."""
GAIN = 1e-6
"""Share of a time by which others are told from it."""


@dataclass(frozen=True, slots=True)
class Joint:
    """A bound on slots and admissions together, and how it was made."""

    seconds: float
    method: str
    """`linear program`, or why there was none."""
    limited_by: dict[str, str] = field(default_factory=dict)
    """Per profile whose slots or admissions have a price, which of them costs most."""


class _Classes:
    """The scenes in classes, by release and quantile."""

    def __init__(self, scenes: Scenes, places: int) -> None:
        import numpy as np

        releases = _levels(np.unique(scenes.releases), RELEASES)
        most = max(4, min(LENGTHS, VARIABLES // (places * len(releases))))
        us = _levels(np.sort(scenes.us), most)
        self.since = releases
        """The first release of each class."""
        late = np.searchsorted(releases, scenes.releases, side="right") - 1
        long = np.searchsorted(us, scenes.us, side="right") - 1
        key = late * len(us) + long
        kinds, number, self.counts = np.unique(key, return_inverse=True, return_counts=True)
        self.late, self.long = kinds // len(us), kinds % len(us)
        self.seconds = np.array([np.bincount(number, row) for row in scenes.seconds]) / self.counts
        self.ends = np.full_like(self.seconds, np.inf)
        for row, ends in zip(self.ends, scenes.ends, strict=True):
            np.minimum.at(row, number, ends)
        first = [int(np.argmin(np.where(scenes.us >= u, scenes.us, np.inf))) for u in us]
        self.sigmas = scenes.seconds[:, first]
        """The shortest scene of each class of lengths, at each place."""


def _levels(values: Array, most: int) -> Array:
    """Return the smallest values of at most so many classes of about equally many sorted values."""
    import numpy as np

    return np.unique(values[np.linspace(0, len(values), most, endpoint=False).astype(int)])


def joint_bound(fleet: Fleet, demand: Demand, least: float) -> Joint:
    """Return the bound, not below `least`, which no smaller time than the longest scene's may be."""
    try:
        from scipy.optimize import linprog  # noqa: F401
    except ImportError:
        return Joint(least, "closed form: a linear program needs scipy (pip install scipy)")
    places, own = places_of(fleet)
    if len(places) > MOST_PLACES:
        return Joint(least, f"closed form: a linear program takes at most {MOST_PLACES} kinds of profiles")
    if len(demand) > MOST_SCENES:
        return Joint(least, f"closed form: a linear program takes at most {MOST_SCENES:,} scenes")
    program = _Program(fleet, demand, places, own)
    if not program.rows or least == inf:
        return Joint(least, "linear program")
    best, prices = least, list[Priced]()
    cells, gains = CELLS, [inf]
    while cells > 0 and sum(gains[-PATIENCE:]) > 1e-3 * best:
        cells -= program.cells
        found, broken = program.solve(best * (1 + GAIN) + GAIN)  # just after a window that may begin here
        reached = proven(program.scenes, found, best) if found else best
        if reached > best * (1 + GAIN):
            prices = found
        elif not broken:
            break
        gains.append(inf if not found else reached - best)
        best = reached
    return Joint(best, "linear program", _limiting(prices, best, _names(fleet, places, own)))


def _limiting(prices: Sequence[Priced], t: float, names: Mapping[int, Sequence[str]]) -> dict[str, str]:
    worth: dict[int, tuple[float, str]] = {}
    for each in prices:
        cost = each.price * each.supply(t)
        for place in each.scarce.places:
            worth[place] = max(worth.get(place, (0.0, "")), (cost, each.scarce.what(t - each.sigma)))
    return {name: what for place, (_, what) in worth.items() if what for name in names[place]}


def _names(fleet: Fleet, places: Sequence[Place], own: Mapping[int, Sequence[int]]) -> dict[int, list[str]]:
    """Return the profiles of each place."""
    of = {(group, places[place].member): place for number, group in enumerate(fleet.groups) for place in own[number]}
    found: dict[int, list[str]] = {}
    for name, (group, member) in fleet.names.items():
        found.setdefault(of[group, member], []).append(name)
    return found


class _Program:
    """The linear program with the rows that were needed so far."""

    def __init__(self, fleet: Fleet, demand: Demand, places: list[Place], own: dict[int, list[int]]) -> None:
        import numpy as np

        self.scenes = Scenes(fleet, demand, places)
        self.classes = _Classes(self.scenes, len(places))
        self.scarce = scarce_things(fleet, places, own)
        self.sigmas = [np.unique(self.classes.sigmas[list(each.places)]) for each in self.scarce]
        self.rows: dict[tuple[int, int, int], Array] = {}
        """The uses of each row; by what is scarce, the class of releases and the place of σ."""
        for number, each in enumerate(self.scarce):
            for late in range(len(self.classes.since)):
                if not each.rounds:
                    self._add(number, late, 0)

    def _add(self, number: int, late: int, place: int) -> bool:
        key = (number, late, place)
        if key in self.rows:
            return False
        self.rows[key] = self._uses(number, late, self.sigmas[number][place])
        return True

    def _uses(self, number: int, late: int, sigma: float) -> Array:
        """Return how much of it a scene of each class uses at each place."""
        import numpy as np

        each, classes = self.scarce[number], self.classes
        uses = np.zeros_like(classes.seconds)
        for place in each.places:
            shortest = classes.sigmas[place][classes.long]
            uses[place] = classes.seconds[place] if each.timed else shortest >= sigma
        return uses * (classes.late >= late)

    def _priced(self, key: tuple[int, int, int], price: float) -> Priced:
        number, late, place = key
        each = self.scarce[number]
        sigma = 0.0 if each.timed else float(self.sigmas[number][place])
        return Priced(each, float(self.classes.since[late]), sigma, price)

    @property
    def cells(self) -> int:
        """Variables times rows."""
        return int(self.classes.seconds.size * (len(self.rows) + len(self.classes.counts)))

    def solve(self, t: float) -> tuple[list[Priced], bool]:
        """Return prices that exclude `t`, if there are any, and whether rows were added that the solution breaks."""
        import numpy as np
        from scipy.optimize import linprog

        classes = self.classes
        fits = (classes.ends <= t * (1 + GAIN)).ravel()
        keys = list(self.rows)
        given = [self._priced(key, 0.0) for key in keys]
        rates = np.array([_rate(each) for each in given])
        uses = np.array([self.rows[key].ravel()[fits] for key in keys])
        every = np.tile(np.eye(len(classes.counts)), len(classes.seconds))[:, fits]
        solved = linprog(
            np.append(np.zeros(uses.shape[1]), 1.0),
            A_ub=np.column_stack([uses, -rates]),
            b_ub=[each.supply(t) for each in given],
            A_eq=np.column_stack([every, np.zeros(len(every))]),
            b_eq=classes.counts,
            method="highs",
        )
        if solved.status != 0:
            return [], False
        x = np.zeros(fits.size)
        x[fits] = solved.x[:-1]
        more = self._cut(t, x.reshape(classes.seconds.shape), solved.x[-1])
        if solved.x[-1] <= GAIN * t:
            return [], more
        dear = [(each, -price) for each, price in zip(given, solved.ineqlin.marginals, strict=True) if price < 0]
        return [replace(each, price=float(price)) for each, price in dear], more

    def _cut(self, t: float, x: Array, theta: float) -> bool:
        """Add the row of each kind that a solution breaks most; say whether there was any."""
        import numpy as np

        added = False
        for number, each in enumerate(self.scarce):
            if each.timed:
                continue
            shortest = self.classes.sigmas[list(each.places)][:, self.classes.long]
            mine, sigmas = x[list(each.places)], self.sigmas[number]
            for late, since in enumerate(self.classes.since):
                going = mine * (self.classes.late >= late)
                order = np.argsort(shortest, axis=None)
                left = np.append(np.cumsum(going.ravel()[order][::-1])[::-1], 0.0)
                used = left[np.searchsorted(shortest.ravel()[order], sigmas)]
                over = [
                    use - each.supply(t, float(since), float(sigma)) - theta * _rate_of(each, float(sigma))
                    for use, sigma in zip(used, sigmas, strict=True)
                ]
                worst = int(np.argmax(over))
                if over[worst] > 1e-4:
                    added |= self._add(number, late, worst)
        return added


def _rate(priced: Priced) -> float:
    return _rate_of(priced.scarce, priced.sigma)


def _rate_of(each: Scarce, sigma: float) -> float:
    return each.rate / sigma if each.rounds and sigma > 0 else each.rate
