"""Little's law drawn: the mean length of the queue, L, beside λW, window by window."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.metrics.little import WINDOWS, LittleWindow, little
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing.curves import LineStyle
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, axis, frame, markup, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import theme_of

__all__ = ["little_chart"]

_PLOT_PIXELS, _LEFT_PIXELS = 320.0, 76


@checks_arguments()
def little_chart(
    data: RunData, *, windows: int = WINDOWS, after: float = 0.0, until: float | None = None, theme: str = "auto"
) -> go.Figure:
    """Draw L and λW of each window, and say whether Little's law holds.

    `windows`, `after`, `until`: as in `analysis.metrics.little.little`. Where the two lines are one, those who came in
    a window account for those who waited in it. Raises `InputError` as that does, and for an unknown theme.
    """
    look, found = theme_of(theme), little(data, windows=windows, after=after, until=until)
    mean, product = LineStyle(look.lines[0], "solid", "circle"), LineStyle(look.lines[1], "dash", "square")
    lengths = [each.length for each in found.windows]
    products = [each.rate_times_wait for each in found.windows]
    names = ("L: mean number of scenes waiting", "λW: scenes that came a second × their mean wait")
    traces = [
        _line("L", found.windows, lengths, names[0], mean),
        _line("λW", found.windows, products, names[1], product),
    ]
    title = wrapped([str(found)], FINDING_CHARS)
    layout = frame(title, look, _PLOT_PIXELS, left=_LEFT_PIXELS, bold=len(title), named=True, legend=names) | {
        "xaxis": axis(look, "run seconds, without those in which no program ran" if data.off else "run seconds")
        | {"rangemode": "normal", "ticksuffix": " s", "tickformat": ","},
        "yaxis": axis(look, "scenes waiting") | {"range": [0, max([1e-9, *lengths, *products]) * 1.1]},
    }
    return figure(traces, layout, look)


def _line(meta: str, windows: list[LittleWindow], values: list[float], name: str, drawn: LineStyle) -> dict[str, Any]:
    """Return a line through the middles of the windows."""
    hover = [
        markup([
            f"{each.start:,.4g} to {each.end:,.4g} s",
            f"L {each.length:,.4g}, λW {each.rate_times_wait:,.4g}",
            f"λ {each.arrival_rate:,.3g} a second, W " + ("–" if each.wait is None else f"{each.wait:,.4g} s"),
        ])
        for each in windows
    ]  # fmt: skip
    return {
        "type": "scatter", "mode": "lines+markers", "meta": meta, "name": markup([name]), "showlegend": True,
        "x": [(each.start + each.end) / 2 for each in windows], "y": values, "hovertext": hover, "hoverinfo": "text",
        "line": {"color": drawn.colour, "dash": drawn.dash, "width": 2.5},
        "marker": {"symbol": drawn.symbol, "size": 9, "color": drawn.colour},
    }  # fmt: skip
