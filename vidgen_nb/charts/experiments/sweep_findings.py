"""What a sweep's chart shows, in words: the best setting and what is as good, or how curves differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vidgen_nb.analysis.experiments.trials import Trials
from vidgen_nb.charts.experiments.sweep_points import SweepPoint
from vidgen_nb.plaintext import one_line

__all__ = ["LOADS", "Wording", "best_setting", "changes_with_load", "differences"]

LOADS = ("scenes", "clients")
"""Settings that nobody chooses for the sake of the metric: how much there is to do, and by how many."""
ALL_WORSE = "All other settings are worse: told apart, paired, 95 % for all together."
FROM_IT = " from it"
"""From the best, which stands before."""
_MAX_NAMED = 3

Curves = Mapping[str, Sequence[SweepPoint]]


@dataclass(frozen=True)
class Wording:
    """How a chart names things."""

    across: str
    """Title of the axis that was varied."""
    up: str
    best: str
    """`least` or `most`."""
    names: Sequence[str]
    """The values of an axis of names; empty: it has numbers."""

    def place(self, point: SweepPoint) -> str:
        """Return a point's x for reading."""
        return self.names[int(point.x)] if self.names else f"{point.x:g}"

    @property
    def setting(self) -> tuple[str, str]:
        """Name and unit of what was varied."""
        return _without_unit(self.across)

    @property
    def number(self) -> tuple[str, str]:
        """Name and unit of what was found."""
        return _without_unit(self.up)


def _without_unit(title: str) -> tuple[str, str]:
    for unit in ("s", "per s"):
        if title.endswith(f" ({unit})"):
            return title.removesuffix(f" ({unit})"), f" {unit}"
    return title, ""


def best_setting(curves: Curves, wording: Wording) -> list[str]:
    """Return what can't be told apart from the best point, and that point with how far it is from its bound."""
    every = [point for curve in curves.values() for point in curve]
    if not every:
        return ["The sweep has no points."]
    pick = min if wording.best == "least" else max
    chosen = pick(every, key=lambda point: point.mean)
    where = f" of {one_line(chosen.label, 50)}" if len(curves) > 1 else ""
    (name, unit), (number, its) = wording.setting, wording.number
    at = f"{name} = {wording.place(chosen)}{unit}"
    said = f"{wording.best.capitalize()} {number}: {chosen.mean:,.4g}{its}{_interval(chosen)}{where} at {at}"
    if chosen.lower_bound:
        said += f", {chosen.mean / chosen.lower_bound:.2f} × the lower bound"
    others = _as_good(curves, chosen, wording)
    first = others == [ALL_WORSE] or any(FROM_IT in each for each in others)
    return [f"{said}.", *others] if first else [*others, f"{said}."]


def _as_good(curves: Curves, best: SweepPoint, wording: Wording) -> list[str]:
    """Return which settings can't be told apart from the best one; nothing, if that is not known."""
    every = [point for curve in curves.values() for point in curve]
    if len(every) < 2 or any(point.to_best is None or math.isinf(point.to_best[1]) for point in every):
        return []
    good = {label for label, curve in curves.items() if any(each.as_good and each is not best for each in curve)}
    said = _places(
        {label: curve for label, curve in curves.items() if label in good},
        lambda point: point.as_good or point is best,
        wording,
        named=len(curves) > 1,
    )
    if not said:
        return [ALL_WORSE]
    one = good == {best.label}
    who = f"{wording.setting[0]} = {'; '.join(_few(said))}"
    return [f"{who} can't be told apart{'' if one else FROM_IT} (paired, 95 % for all together)."]


def differences(curves: Curves, wording: Wording, what: str, sides: tuple[str, str]) -> list[str]:
    """Return where the curves lie above and below 0, which is the baseline, the worse side first.

    `sides`: who is compared with whom.
    """
    one, other = (one_line(each, 50) for each in sides)
    higher = _told(curves, wording, lambda point: point.low > 0)
    lower = _told(curves, wording, lambda point: point.high < 0)
    same = _told(curves, wording, lambda point: point.low == point.high == 0)
    sides_of = (
        (("higher", higher), ("lower", lower)) if wording.best == "least" else (("lower", lower), ("higher", higher))
    )
    said = [f"{what} is {side} with {one} than with {other} at {places}." for side, places in sides_of if places]
    said = [text[:1].upper() + text[1:] for text in said] or [f"{one} can't be told apart from {other} anywhere."]
    return said + ([f"The same with every seed at {same}."] if same else [])


def _told(curves: Curves, wording: Wording, which: Callable[[SweepPoint], bool]) -> str:
    """Return the settings of some points, for reading; empty: there are none."""
    places = _places(curves, which, wording, named=len(curves) > 1)
    return f"{wording.setting[0]} = {'; '.join(_few(places))}" if places else ""


def changes_with_load(trials: Trials, curves: Curves, wording: Wording, metric: object) -> list[str]:
    """Return how the curves grow, and how they differ where there is most to do; paired, of a sweep of a load."""
    (name, unit), (number, its) = wording.setting, wording.number
    least, most = (end(p.x for curve in curves.values() for p in curve) for end in (min, max))
    axis = next(iter(trials.values[trials.cases[0]]))
    said = []
    if len(curves) == 1:
        ends = [trials.where(**{axis: value}).cases[0] for value in (least, most)]
        (change,) = (each for each in trials.summary(metric, baseline=ends[0]) if each.case == ends[1])  # type: ignore[arg-type]
        (curve,) = curves.values()
        low, high = curve[0], curve[-1]
        said.append(
            f"{number}: {low.mean:,.4g}{its} at {name} = {least:g}, {high.mean:,.4g}{its} at {most:g}{unit}; "
            "the difference, paired, is "
            f"{_change(change.difference, change.difference_low, change.difference_high, its)}."
        )
        return [text[:1].upper() + text[1:] for text in said]
    top = trials.where(**{axis: most})
    found = sorted(
        (each for each in top.against_best(metric, most=wording.best == "most") if each.mean is not None),  # type: ignore[arg-type]
        key=lambda each: abs(each.difference or 0.0),
    )
    best, *others = found
    labels = {each.case: ", ".join(f"{k}={v}" for k, v in each.values[1:]) for each in found}
    rest = [
        f"{one_line(labels[each.case], 40)} {_change(each.difference, each.difference_low, each.difference_high, its)}"
        for each in others
    ]
    said.append(
        f"{wording.best.capitalize()} {number} at {name} = {most:g}{unit}: {one_line(labels[best.case], 40)} with "
        f"{best.mean or 0.0:,.4g}{its}; against it, paired: {', '.join(_few(rest))}."
    )
    where = sorted({point.x for curve in curves.values() for point in curve})
    same = [x for x in where if _all_equal([p.mean for curve in curves.values() for p in curve if p.x == x])]
    if same:
        said.append(f"The same for all at {name} = {', '.join(f'{x:g}' for x in same)}{unit}.")
    return said


def _all_equal(values: Sequence[float]) -> bool:
    return len(values) > 1 and max(values) == min(values)


def _change(difference: float | None, low: float | None, high: float | None, unit: str) -> str:
    if difference is None:
        return "not known"
    interval = "" if low is None or high is None or math.isinf(low) or low == high else f" [{low:+,.4g}, {high:+,.4g}]"
    return f"{difference:+,.4g}{unit}{interval}"


def _interval(point: SweepPoint) -> str:
    return f" [{point.low:,.4g}, {point.high:,.4g}]" if point.low < point.high else ""


def _places(curves: Curves, which: Callable[[SweepPoint], bool], wording: Wording, *, named: bool) -> list[str]:
    """Return the x of some points, in runs such as `2 to 30`, with their curves if there are several."""
    said = []
    for label, curve in curves.items():
        at = [place for place, point in enumerate(curve) if which(point)]
        if at:
            places = [wording.place(curve[place]) for place in at]
            in_a_row = not wording.names and len(at) > 2 and at == list(range(at[0], at[-1] + 1))
            listed = f"{places[0]} to {places[-1]}" if in_a_row else _and(places)
            said.append(listed + wording.setting[1] + (f" with {one_line(label, 40)}" if named else ""))
    return said


def _few(said: list[str]) -> list[str]:
    more = len(said) - _MAX_NAMED
    return said[:_MAX_NAMED] + ([f"some of {more} more curves"] if more > 0 else [])


def _and(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
