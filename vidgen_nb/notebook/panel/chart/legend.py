"""The legend of the live chart as HTML: it wraps like text, and takes no room of the plot."""

from __future__ import annotations

from html import escape

from vidgen_nb.charts.drawing.palette import STATES, Mark, Theme
from vidgen_nb.charts.drawing.shapes import Rows

__all__ = ["legend_html"]

_HATCHES = {
    "/": "repeating-linear-gradient(-45deg, {ink} 0 1.2px, transparent 0 4px)",
    "\\": "repeating-linear-gradient(45deg, {ink} 0 1.2px, transparent 0 4px)",
    "x": "repeating-linear-gradient(-45deg, {ink} 0 1px, transparent 0 4px), "
    "repeating-linear-gradient(45deg, {ink} 0 1px, transparent 0 4px)",
    "|": "repeating-linear-gradient(90deg, {ink} 0 1px, transparent 0 4px)",
    "-": "repeating-linear-gradient(0deg, {ink} 0 1px, transparent 0 4px)",
    "+": "repeating-linear-gradient(0deg, {ink} 0 1px, transparent 0 4px), "
    "repeating-linear-gradient(90deg, {ink} 0 1px, transparent 0 4px)",
    ".": "radial-gradient({ink} 1px, transparent 1.3px) 0 0 / 5px 5px",
}
"""Hatches by plotly's letter, as CSS."""


def legend_html(rows: Rows, theme: Theme, *more: str) -> str:
    """Return swatches and words for what the chart shows; `more`: words for what stands beside it."""
    there = {bar.state for bar in (*rows.bars, *rows.merged)}
    items = [f"<span>{_swatch(theme.marks[state])}{escape(_words(state, theme))}</span>" for state in STATES
             if state in there]  # fmt: skip
    if rows.links:
        items.append(f'<span><b style="color:{theme.move}">◆</b>move</span>')
    if rows.hands:
        items.append("<span><b>◆</b>changed by hand</span>")
    items += [f"<span>{escape(each)}</span>" for each in more]
    return f'<div class="vg-legend">{"".join(items)}</div>'


def _words(state: str, theme: Theme) -> str:
    label = theme.marks[state].label  # type: ignore[index]
    return "▲ rate-limit refusal (429)" if state == "limited" else label


def _swatch(mark: Mark) -> str:
    layers = [_HATCHES[mark.pattern].format(ink=mark.ink)] if mark.pattern else []
    ground = (
        f"{', '.join(layers)}{', ' if layers else ''}linear-gradient({mark.fill} 0 0)" if mark.fill else layers[0:1]
    )
    drawn = ground if isinstance(ground, str) else "".join(ground)
    edge = f"border:1px {'dashed' if mark.dashed else 'solid'} {mark.outline};" if mark.outline else ""
    tall = "height:4px;" if mark.label == "download" else ""
    return f'<i style="background:{drawn or "none"};{edge}{tall}"></i>'
