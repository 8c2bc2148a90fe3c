"""Quantiles of a set of values: the one definition that metrics, charts and tables use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor, fsum
from typing import Any

from vidgen_nb.errors import InputError
from vidgen_nb.wording.numbers import figure

__all__ = ["Spread"]


@dataclass(frozen=True, slots=True, repr=False)
class Spread:
    """Quantiles of some values, in their unit: of metrics, seconds. `Spread.of` makes one."""

    p50: float
    p95: float
    max: float
    mean: float
    values: Mapping[Any, float]
    """Each value by what it belongs to, such as a scene's id."""
    ordered: tuple[float, ...] = field(compare=False)

    @classmethod
    def of(cls, values: Mapping[Any, float]) -> Spread | None:
        """Return the spread of values, or None if there are none."""
        if not values:
            return None
        ordered = tuple(sorted(values.values()))
        mean = fsum(ordered) / len(ordered)
        return cls(_quantile(ordered, 0.5), _quantile(ordered, 0.95), ordered[-1], mean, values, ordered)

    def __repr__(self) -> str:
        """Return the quantiles with three digits that count; the fields have all of them."""
        numbers = ", ".join(f"{name} {figure(getattr(self, name))} s" for name in ("p50", "p95", "max", "mean"))
        return f"<Spread: {numbers}>"

    def quantile(self, share: float) -> float:
        """Return the value below which a share (0 to 1) of all values lies, interpolated between neighbours.

        This is NumPy's default, Hyndman and Fan's type 7. Raises `InputError` for a share outside 0 to 1.
        """
        if not 0 <= share <= 1:
            raise InputError(f"a quantile's share lies between 0 and 1, not {share!r}")
        return _quantile(self.ordered, share)


def _quantile(ordered: tuple[float, ...], share: float) -> float:
    place = (len(ordered) - 1) * share
    low = min(floor(place), len(ordered) - 1)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
