"""Charts with a row for each case, the first on top: row k lies at y = -k."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vidgen_nb.charts.drawing.palette import Theme
from vidgen_nb.plaintext import one_line

__all__ = ["LABEL_CHARS", "label_pixels", "row_axis"]

LABEL_CHARS = 34
"""A longer name is shortened beside its row."""


def label_pixels(names: Sequence[str]) -> int:
    """Return the room that the names need beside the plot."""
    return 24 + round(7.2 * max((min(len(one_line(name, 200)), LABEL_CHARS) for name in names), default=0))


def row_axis(labels: Sequence[str], theme: Theme) -> dict[str, Any]:
    """Return the axis of rows; labels are ready for plotly."""
    places = [-row for row in range(len(labels))]
    return {
        "range": [1 - len(labels) - 0.6, 0.6], "tickmode": "array", "tickvals": places, "ticktext": list(labels),
        "showgrid": True, "gridcolor": theme.grid, "zeroline": False, "fixedrange": True,
    }  # fmt: skip
