"""Line charts: how lines are told apart, and how long curves are thinned.

Colour, dash and symbol change together, so each of them alone is enough to tell lines apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.layout import markup
from vidgen_nb.charts.drawing.palette import Theme
from vidgen_nb.errors import InputError

__all__ = [
    "MAX_POINTS",
    "LineStyle",
    "faded",
    "line_style",
    "name_labels",
    "next_round_number",
    "stair",
    "step_trace",
    "thin_rising",
]

MAX_POINTS = 2000
"""A curve with more points is thinned: no chart on a screen has more pixels across."""
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")


class LineStyle(NamedTuple):
    """What a line looks like."""

    colour: str
    dash: str
    symbol: str


def line_style(theme: Theme, number: int) -> LineStyle:
    """Return the style of the line with that number, from 0; twenty-five differ in colour or dash."""
    round_, place = divmod(number, len(theme.lines))
    return LineStyle(theme.lines[place], _DASHES[(place + round_) % len(_DASHES)], _SYMBOLS[number % len(_SYMBOLS)])


def faded(colour: str, opacity: float) -> str:
    """Return a `#RRGGBB` colour with an opacity, for fills, which have no opacity property."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def name_labels(names: Sequence[Any], columns: int = 40) -> list[str]:
    """Return foreign names as labels for plotly; `InputError` for one that is not a text."""
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"a name in a chart is a text, not {name!r}")
    return [markup([text.short(name, columns)]) for name in names]


def next_round_number(value: float) -> float:
    """Return the next of 1, 2, 3, 5, 10, 20, … that is at least a positive value."""
    power = 1.0
    while power < value:
        power *= 10
    while power / 10 >= value:
        power /= 10
    return next(step for step in (power / 5, 0.3 * power, power / 2, power) if step >= value)


def thin_rising(steps: Sequence[tuple[float, float]], end: float) -> tuple[list[tuple[float, float]], str]:
    """Thin a rising curve to its last step in each column, and say so; a short one is not changed."""
    if len(steps) <= MAX_POINTS:
        return list(steps), ""
    column = (end or 1.0) / MAX_POINTS
    kept = [steps[0]]
    for at, value in steps[1:]:
        if len(kept) > 1 and at // column == kept[-1][0] // column:
            kept.pop()
        kept.append((at, value))
    said = f"Thinned: {len(steps):,} steps drawn as {len(kept):,}, the last in every {text.seconds(column)}."
    return kept, said


def stair(steps: Sequence[tuple[float, float]], end: float) -> tuple[list[float], list[float]]:
    """Return steps (from when on, value) as the points of a line that goes on to `end`."""
    x, y = [at for at, _value in steps], [value for _at, value in steps]
    return ([*x, end], [*y, y[-1]]) if x and x[-1] < end else (x, y)


def step_trace(x: Sequence[float], y: Sequence[float], name: str, drawn: LineStyle, **more: Any) -> dict[str, Any]:
    """Return a stepped line; its name is ready for plotly."""
    return {
        "type": "scatter", "mode": "lines", "x": list(x), "y": list(y), "name": name, "showlegend": True,
        "line": {"color": drawn.colour, "dash": drawn.dash, "width": 2, "shape": "hv"},
    } | more  # fmt: skip
