"""Who waited: each scene's wait by its place in the order of joining, and the ten longest by name; below the curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from vidgen_nb.analysis.metrics.quantiles import Spread
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.curves import MAX_POINTS
from vidgen_nb.charts.drawing.layout import axis, markup
from vidgen_nb.charts.drawing.palette import Theme
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.durations import duration

__all__ = ["LONGEST", "WHO_PIXELS", "axes", "longest_in_words", "places", "traces"]

LONGEST: Final = 10
"""How many scenes are named."""
WHO_PIXELS: Final = 240.0
_NAMED_IN_TITLE: Final = 3
_LEFT_END, _RIGHT_START = 0.5, 0.68


class Place(NamedTuple):
    """A scene's wait, by its place in the order of joining."""

    at: int
    """From 1, in the order in which the scenes were added."""
    scene: str
    seconds: float


def places(data: RunData, wait: Spread) -> list[Place]:
    """Return the scenes that have a wait, in the order in which they were added."""
    found = ((at, each.id) for at, each in enumerate(data.scenes, 1))
    return [Place(at, scene, wait.values[scene]) for at, scene in found if scene in wait.values]


def longest(found: Sequence[Place]) -> list[Place]:
    """Return the ten that waited longest, the longest first."""
    return sorted(found, key=lambda place: (-place.seconds, place.at))[:LONGEST]


def longest_in_words(found: Sequence[Place], scenes: int) -> str:
    """Return who waited longest, for a title."""
    named = [
        f"{one_line(place.scene, 30)} {duration(place.seconds)} (place {place.at:,} of {scenes:,})"
        for place in longest(found)[:_NAMED_IN_TITLE]
    ]
    return f"Longest: {', '.join(named)}."


def axes(found: Sequence[Place], share: float, theme: Theme) -> dict[str, Any]:
    """Return the axes of both panels, which take so large a part of the height."""
    names = [markup([text.short(place.scene, 16)]) for place in longest(found)]
    top = max((place.seconds for place in found), default=0.0) * 1.08 or 1.0
    rows = {
        "range": [1 - len(names) - 0.6, 0.6], "tickmode": "array", "tickvals": [-at for at in range(len(names))],
        "ticktext": names, "showgrid": False, "zeroline": False, "fixedrange": True,
    }  # fmt: skip
    return {
        "xaxis2": axis(theme, "place in the order of joining")
        | {"domain": [0, _LEFT_END], "anchor": "y2", "nticks": 6},
        "yaxis2": axis(theme, "wait") | {"domain": [0, share], "anchor": "x2", "range": [0, top], "ticksuffix": " s"},
        "xaxis3": axis(theme, f"the {len(names)} longest waits")
        | {"domain": [_RIGHT_START, 1], "anchor": "y3", "range": [0, top], "ticksuffix": " s", "nticks": 4},
        "yaxis3": rows | {"domain": [0, share], "anchor": "x3"},
    }


def traces(found: Sequence[Place], theme: Theme) -> tuple[list[dict[str, Any]], str]:
    """Return a dot for each scene and a bar for each of the ten, and a note if dots are left out."""
    most = longest(found)
    step = -(-len(found) // MAX_POINTS)
    named = {place.scene for place in most}
    shown = [place for number, place in enumerate(found) if number % step == 0 or place.scene in named]
    said = f"Thinned: of {len(found):,} scenes, {len(shown):,} have a dot." if step > 1 else ""
    colours = [theme.lines[1] if place.scene in named else theme.lines[0] for place in shown]
    dots = {
        "type": "scatter", "mode": "markers", "meta": "place", "x": [place.at for place in shown],
        "y": [place.seconds for place in shown], "xaxis": "x2", "yaxis": "y2", "showlegend": False,
        "hovertext": [_hover(place) for place in shown], "hoverinfo": "text", "cliponaxis": False,
        "marker": {"size": 6, "color": colours},
    }  # fmt: skip
    bars = {
        "type": "bar", "orientation": "h", "meta": "longest", "x": [place.seconds for place in most],
        "y": [-at for at in range(len(most))], "xaxis": "x3", "yaxis": "y3", "showlegend": False, "width": 0.7,
        "hovertext": [_hover(place) for place in most], "hoverinfo": "text", "marker": {"color": theme.lines[1]},
    }  # fmt: skip
    return [dots, bars], said


def _hover(place: Place) -> str:
    waited = f"waited {duration(place.seconds)}"
    return markup([one_line(place.scene, 60), f"place {place.at:,} in the order of joining", waited])
