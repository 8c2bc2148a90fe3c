"""Figures that look right on the page that shows them, light or dark, whichever it is and becomes.

plotly's figures have the colours that they were made with, and in a notebook nobody knows at that time whether its page
is dark: it may be opened tomorrow by somebody else, without a kernel and without trust for scripts. So nothing here
needs a script. A figure for a page has no ground of its own, its marks stand out from white and from black
(`palette.PAGE`), and its texts have the page's colour: plotly keeps a style within a text, and a style may name what
only the page knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from vidgen_nb.charts.drawing.engine import go
from vidgen_nb.charts.drawing.palette import PAGE, Theme

__all__ = ["PageFigure", "figure"]

_CLEAR = "rgba(0,0,0,0)"
# JupyterLab, Notebook, Voila and pages of nbconvert have these variables. The other colour, readable on white and on
# black, is for pages without, and for the picture that JupyterLab saves and shows until a mouse is over the figure.
_STRONG = f'<span style="color:var(--jp-content-font-color1,{PAGE.muted})">'
_MUTED = f'<span style="color:var(--jp-content-font-color2,{PAGE.muted})">'
_END = "</span>"
_AXIS = re.compile("[xy]axis[0-9]*")


def figure(traces: Sequence[dict[str, Any]], layout: dict[str, Any], theme: Theme) -> go.Figure:
    """Return a figure; one in `PAGE` takes the colours of the page that shows it."""
    return (PageFigure if theme is PAGE else go.Figure)(data=list(traces), layout=layout)


class PageFigure(go.Figure):  # type: ignore[misc]  # plotly has no types
    """A plotly figure that a notebook shows in the colours of its page; as a file it is dark on white."""

    def on_page(self) -> go.Figure:
        """Return what a page shows: texts in its own colours, and no ground."""
        shown = self.to_dict()
        layout = shown["layout"]
        if layout.get("paper_bgcolor") == PAGE.paper:
            layout["paper_bgcolor"] = _CLEAR
        layout.get("font", {})["color"] = (
            PAGE.muted
        )  # of what no style reaches, such as a colour bar that somebody adds
        _colour_text(layout.get("title", {}))
        for name, axis in layout.items():
            if _AXIS.fullmatch(name):
                _colour_axis(axis)
        for each in layout.get("annotations", ()):
            _colour_text(each)
        for each in layout.get("shapes", ()):
            _colour_text(each.get("label", {}))
        for trace in shown["data"]:
            _colour_trace(trace)
        return go.Figure(shown, skip_invalid=True)

    def show(self, *args: Any, **options: Any) -> Any:
        """Show it, in the colours of the page; arguments as in plotly's own `show`."""
        return self.on_page().show(*args, **options)

    def _ipython_display_(self) -> None:
        self.on_page()._ipython_display_()

    def _repr_mimebundle_(self, *args: Any, **options: Any) -> dict[str, Any]:
        return cast(dict[str, Any], self.on_page()._repr_mimebundle_(*args, **options))


def _styled(text: str, colour: str | None) -> str:
    """Return a text in the page's colour that stands for one of ours; in another colour it stays."""
    if not text or colour not in (None, PAGE.text, PAGE.muted):
        return text
    return f"{_MUTED if colour == PAGE.muted else _STRONG}{text}{_END}"


def _colour_text(part: dict[str, Any]) -> None:
    """Colour what has a text and its font."""
    if "text" in part:
        part["text"] = _styled(part["text"], part.get("font", {}).get("color"))


def _colour_axis(axis: dict[str, Any]) -> None:
    """Colour title and ticks; the numbers that plotly writes stand between prefix and suffix."""
    _colour_text(axis.get("title", {}))
    if "ticktext" in axis:
        axis["ticktext"] = [_styled(text, None) for text in axis["ticktext"]]
    axis["tickprefix"] = _STRONG + axis.get("tickprefix", "")
    axis["ticksuffix"] = axis.get("ticksuffix", "") + _END


def _colour_trace(trace: dict[str, Any]) -> None:
    """Colour its name in the legend, and what it writes in the colour of other text."""
    if "name" in trace:
        trace["name"] = _styled(trace["name"], None)
    font = trace.get("insidetextfont") or trace.get("textfont") or {}
    colour = font.get("color")
    if colour in (PAGE.text, PAGE.muted) and "text" in trace:
        trace["text"] = _each_styled(trace["text"], colour)


def _each_styled(text: Any, colour: str) -> Any:
    """Colour a text, or a list or matrix of texts."""
    return _styled(text, colour) if isinstance(text, str) else [_each_styled(each, colour) for each in text]
