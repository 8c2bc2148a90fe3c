"""Between which profiles scenes moved: how often an attempt on p was followed by one on q."""

from __future__ import annotations

from collections import Counter
from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.curves import faded
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, LEFT, axis, frame, markup, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import PAGE, Theme, theme_of
from vidgen_nb.plaintext import one_line

__all__ = ["MAX_PROFILES", "move_chart"]

MAX_PROFILES = 25
"""Rows of the matrix; if there are more profiles, those with the fewest moves share one."""
_OTHERS = "all others"
_CELL_PIXELS, _MAX_PROFILES_WITH_ZEROS = 34.0, 8  # with more profiles, zeros are left out


@checks_arguments()
def move_chart(data: RunData, *, theme: str = "auto") -> go.Figure:
    """Draw the matrix of moves: rows are the profiles that scenes left, columns those they moved to.

    A move is two consecutive attempts of a scene on different profiles, so the diagonal is empty. Beyond 25 profiles,
    those with the fewest moves share one row and column, and the chart says so. Raise `InputError` for an unknown
    theme.
    """
    look = theme_of(theme)
    pairs = Counter((move.from_profile, move.to_profile) for move in data.moves)
    names, folded = _names(data, pairs)
    matrix = _matrix(pairs, names)
    said = wrapped(_finding(data, pairs), FINDING_CHARS)
    notes = (
        [f"Folded: the {folded:,} profiles with the fewest moves are shown together as “{_OTHERS}”."] if folded else []
    )
    notes += ["A cell without a number: no move."] if pairs and len(names) > _MAX_PROFILES_WITH_ZEROS else []
    size = max(120.0, min(_CELL_PIXELS, 700 / max(1, len(names))) * len(names))
    layout = frame([*said, *wrapped(notes)], look, size, left=LEFT, bold=len(said), named=True, legend=None) | {
        "xaxis": _axis(look, "moved to", names, upright=len(names) > 8),
        "yaxis": _axis(look, "moved from", names, upright=False),
    }
    if look is not PAGE:  # whose cells let it shine through
        layout["plot_bgcolor"] = look.grid  # visible where there is no cell: on the diagonal, and between cells
    layout["yaxis"] |= {"range": [len(names) - 0.5, -0.5]}
    layout["xaxis"] |= {"range": [-0.5, len(names) - 0.5]}
    return figure([_trace(matrix, names, look)], layout, look)


def _names(data: RunData, pairs: Counter[tuple[str, str]]) -> tuple[list[str], int]:
    """Return the profiles of the matrix in their order, and how many share the last place."""
    profiles = list(dict.fromkeys([*data.profiles, *(name for pair in pairs for name in pair)]))
    if len(profiles) <= MAX_PROFILES:
        return profiles, 0
    busy: Counter[str] = Counter()
    for (left, reached), number in pairs.items():
        busy[left] += number
        busy[reached] += number
    shown = set(sorted(profiles, key=lambda name: -busy[name])[: MAX_PROFILES - 1])
    return [name for name in profiles if name in shown] + [""], len(profiles) - len(shown)


def _matrix(pairs: Counter[tuple[str, str]], names: list[str]) -> list[list[int]]:
    """Return how often p was left for q; the last row and column hold all profiles without their own."""
    place = {name: at for at, name in enumerate(names) if name or at < len(names) - 1}
    last = len(names) - 1
    matrix = [[0] * len(names) for _name in names]
    for (left, reached), number in pairs.items():
        matrix[place.get(left, last)][place.get(reached, last)] += number
    return matrix


def _label(name: str) -> str:
    return text.short(name, 20) if name else _OTHERS


def _trace(matrix: list[list[int]], names: list[str], theme: Theme) -> dict[str, Any]:
    """Return the matrix, with its numbers in the cells."""
    size = len(names)
    low, high = faded(theme.lines[0], 0.1) if theme is PAGE else theme.ground, theme.lines[0]
    hover = [
        [markup([f"{matrix[row][column]:,} moves from {_label(names[row])} to {_label(names[column])}"])
         for column in range(size)]
        for row in range(size)
    ]  # fmt: skip
    few = size <= _MAX_PROFILES_WITH_ZEROS
    named = [matrix[row][at] for row in range(size) for at in range(size) if names[row] and names[at]]
    none = [[at == row and bool(names[row]) for at in range(size)] for row in range(size)]
    most = max([*named, 1])
    numbers = [
        [_number(number, theme, number / most) if number or (few and not none[row][at]) else ""
         for at, number in enumerate(cells)]
        for row, cells in enumerate(matrix)
    ]  # fmt: skip
    return {
        "type": "heatmap", "meta": "moves", "x": list(range(size)), "y": list(range(size)),
        "z": [[None if none[row][at] else matrix[row][at] for at in range(size)] for row in range(size)],
        "text": numbers,
        "texttemplate": "%{text}", "textfont": {"size": 12, "color": theme.text},
        "hovertext": hover, "hoverinfo": "text",
        "hoverongaps": False, "colorscale": [[0, low], [1, high]], "zmin": 0,
        "zmax": most, "xgap": 1, "ygap": 1, "showscale": False,
    }  # fmt: skip


def _number(number: int, theme: Theme, share: float) -> str:
    """Return a cell's number; a page whose ground is not known has its own colour for it."""
    if theme is PAGE:
        return f"{number:,}"
    return f'<span style="color:{_ink(theme.ground, theme.lines[0], share)}">{number:,}</span>'


def _ink(low: str, high: str, share: float) -> str:
    """Return black or white, whichever reads better on the colour at `share` from `low` to `high` (by WCAG)."""
    light = 0.0
    for weight, at in ((0.2126, 1), (0.7152, 3), (0.0722, 5)):
        start, end = (int(colour[at : at + 2], 16) / 255 for colour in (low, high))
        channel = start + min(share, 1.0) * (end - start)
        light += weight * (channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4)
    return "#000000" if light > 0.179 else "#FFFFFF"


def _axis(theme: Theme, title: str, names: list[str], *, upright: bool) -> dict[str, Any]:
    """Return an axis of profiles."""
    made = axis(theme, title)
    del made["rangemode"]
    return made | {
        "tickmode": "array", "tickvals": list(range(len(names))),
        "ticktext": [markup([_label(name)]) for name in names],
        "tickangle": -90 if upright else 0, "showgrid": False, "showline": False,
        "ticklen": 6, "tickcolor": "rgba(0,0,0,0)", "fixedrange": True,
        "automargin": True,
    }  # fmt: skip


def _finding(data: RunData, pairs: Counter[tuple[str, str]]) -> list[str]:
    """Return what the chart shows."""
    if not pairs:
        return ["No scene moved from one profile to another."]
    scenes = len({move.scene for move in data.moves})
    (left, reached), number = max(pairs.items(), key=lambda each: each[1])
    names = f"{one_line(left, 40)} to {one_line(reached, 40)}"
    total = pairs.total()
    return [
        f"{total:,} {'move' if total == 1 else 'moves'} of {scenes:,} {'scene' if scenes == 1 else 'scenes'}; "
        f"most often from {names}, {number:,} times."
    ]
