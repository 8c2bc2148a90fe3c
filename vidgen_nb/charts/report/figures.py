"""Figures as compressed data for one page, with what a dark theme changes in them."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.charts.drawing.engine import go
from vidgen_nb.charts.flow import queue_chart
from vidgen_nb.charts.gantt.figure import gantt
from vidgen_nb.charts.slots import slot_time_chart
from vidgen_nb.charts.waits import wait_chart

__all__ = ["FIGURES", "figure_script", "figures_of", "packed", "plotly_js", "plotly_script"]

Change = list[Any]
"""Where something differs, as keys from the outside in, and what it is instead."""
FIGURES: dict[str, tuple[str, Callable[..., go.Figure]]] = {
    "gantt": ("Who ran what, and when", gantt),
    "queue": ("Queue and pace", queue_chart),
    "slots": ("What the slots did", slot_time_chart),
    "waits": ("How long scenes waited", wait_chart),
}
"""For each figure its heading, and what draws it of a run's data."""


def figures_of(data: RunData, names: tuple[str, ...] = tuple(FIGURES)) -> dict[str, dict[str, Any]]:
    """Return each figure as `light`, and as what is different in the dark."""
    found = {}
    for name in names:
        light, dark = (
            json.loads(FIGURES[name][1](data, theme=theme).to_json(engine="json")) for theme in ("light", "dark")
        )
        found[name] = {"light": light, "dark": list(_changes(light, dark, []))}
    return found


def figure_script(figures: dict[str, dict[str, Any]]) -> str:
    """Return an element that holds figures, as the page's script unpacks them."""
    return f'<script type="text/plain" id="vg-figures">{packed(figures)}</script>'


def packed(figures: dict[str, dict[str, Any]]) -> str:
    """Return figures as a text that the page's script unpacks."""
    text = json.dumps(figures, separators=(",", ":"))
    return b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def plotly_script() -> str:
    """Return plotly.js as an element, from the installed package."""
    return f"<script>{plotly_js()}</script>"


def plotly_js() -> str:
    """Return plotly.js from the installed package."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _changes(light: Any, dark: Any, where: list[Any]) -> Iterator[Change]:
    if light == dark:
        return
    if isinstance(light, dict) and isinstance(dark, dict) and light.keys() == dark.keys():
        for key in light:
            yield from _changes(light[key], dark[key], [*where, key])
    elif isinstance(light, list) and isinstance(dark, list) and len(light) == len(dark) and where[-1:] != ["color"]:
        for index, (one, other) in enumerate(zip(light, dark, strict=True)):
            yield from _changes(one, other, [*where, index])
    else:
        yield [where, dark]
