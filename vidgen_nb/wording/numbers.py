"""Counts, shares and rates for reading. Thousands have a comma, a unit has a space before it."""

from __future__ import annotations

__all__ = ["a_minute", "count", "figure", "percent"]

_NOTHING = 1e-8
"""A share or a mean that is no larger is what a subtraction left of 0."""


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural if needed: `1 scene`, `2,400 scenes`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """Return a share in whole per cent, and never 0 for a share above 0: `93 %`, `<1 %`."""
    share = 0.0 if abs(share) <= _NOTHING else share
    return "<1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")


def figure(value: float) -> str:
    """Return a mean or a ratio with three digits, as far as they count: `1,240`, `12.3`, `0.854`."""
    return "0" if abs(value) <= _NOTHING else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def a_minute(per_second: float) -> str:
    """Return a rate: `12.3 a minute`."""
    return f"{figure(60 * per_second)} a minute"
