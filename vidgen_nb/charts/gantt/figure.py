"""The Gantt chart of a run as a plotly figure.

Bars lie on a linear axis of seconds; a date axis is fragile and slow (plotly.js #4922).
"""

from __future__ import annotations

from html import escape

from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing.engine import go
from vidgen_nb.charts.drawing.layout import layout
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import theme_of
from vidgen_nb.charts.drawing.traces import TRACES, traces
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.plaintext import one_line

__all__ = ["TRACES", "gantt", "html"]


@checks_arguments()
def gantt(
    data: RunData,
    *,
    scene: str | None = None,
    moves: str = "last 20",
    queue: bool = True,
    theme: str = "auto",
    now: float | None = None,
) -> go.Figure:
    """Draw a run as a Gantt chart: a lane per profile, a row per slot, cooldowns below; seconds of the run across.

    The time in which no program ran a restored run is a pale band across all lanes, cut short if it was long.
    `scene`: this one is selected, all others are dimmed. `moves`: `"last <n>"`, `"none"`, or a scene's id for its
    whole path. `queue`: the number of waiting scenes on top. `theme`: `"light"`, `"dark"`, or `"auto"`: as the page
    that shows it, but dark if plotly's default template is. `now`: run seconds of the present, drawn as a line, for an
    open run. Above 10,000 attempts neighbouring bars are merged; the chart says so. Raise `InputError` for a scene that
    is not in the run and for an unknown theme.
    """
    rows = build_rows(data, scene=scene, moves=moves, queue=queue, now=now, gaps=True)
    look = theme_of(theme)
    return figure(traces(rows, look), layout(rows, look), look)


def html(figure: go.Figure, title: str = "Run") -> str:
    """Return a complete HTML page with the figure, which works without a network (about 5 MB, plotly.js included)."""
    config = {"responsive": True, "displaylogo": False, "showSendToCloud": False}
    chart = figure.to_html(include_plotlyjs=True, include_mathjax=False, full_html=False, config=config)
    ground, ink = escape(figure.layout.paper_bgcolor or "#FFFFFF"), escape(figure.layout.font.color or "#000000")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(one_line(title, 120))}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>body {{ margin: 0; background: {ground}; color: {ink}; }}</style>\n</head>\n"
        f"<body>\n{chart}\n</body>\n</html>\n"
    )
