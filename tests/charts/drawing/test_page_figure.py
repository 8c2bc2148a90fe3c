"""A figure that a notebook shows has its page's colours; what is exported has its own."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import plotly.io
import pytest

from tests.charts.every import CHARTS
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.charts.drawing.page_figure import PageFigure
from vidgen_nb.charts.drawing.palette import PAGE, THEMES
from vidgen_nb.charts.gantt.figure import gantt

MIME = "application/vnd.plotly.v1+json"
OF_PAGE = "var(--jp-content-font-color"


@pytest.fixture(autouse=True)
def in_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have plotly show figures as it does in a notebook."""
    monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")


def texts(part: Any, name: str = "") -> Iterator[str]:
    """Yield what a page shows as text of a layout: titles, ticks, annotations."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield from texts(value, key)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from texts(value, name)
    elif name in ("text", "ticktext", "tickprefix") and part:
        yield part


@pytest.mark.parametrize("name", CHARTS)
def test_its_texts_are_the_pages(run: RunData, name: str) -> None:
    """Every text outside a mark has the page's colour, and the page's ground shines through."""
    figure = CHARTS[name](run, "auto")
    shown = figure._repr_mimebundle_()[MIME]
    said = list(texts(shown["layout"]))
    assert said and all(OF_PAGE in text for text in said), said
    assert all(OF_PAGE in trace["name"] for trace in shown["data"] if trace.get("showlegend") and trace.get("name"))
    assert shown["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
    for colour in (PAGE.text, THEMES["light"].lines[3], THEMES["dark"].text):  # unreadable on one page or the other
        for trace in shown["data"]:
            assert colour not in (trace.get("line", {}).get("color"), trace.get("marker", {}).get("color"))


def test_a_file_has_its_own_colours(run: RunData) -> None:
    """What is exported is dark on white and has nothing of a page; so has a copy."""
    figure = gantt(run)
    copied = copy.deepcopy(figure)
    for text in (figure.to_json(), figure.to_html(include_plotlyjs=False), copied.to_json()):
        assert "--jp-" not in text
        assert f'"{PAGE.paper}"' in text and f'"{PAGE.text}"' in text


def test_what_somebody_changes_is_shown(run: RunData) -> None:
    """A ground, a title or an axis of somebody's own stays."""
    figure = gantt(run).update_layout(paper_bgcolor="#FFEEDD", title_text="mine")
    figure.add_annotation(text="here", x=1, y=1, font_color="#FF0000")
    assert isinstance(figure, PageFigure)
    layout = figure._repr_mimebundle_()[MIME]["layout"]
    assert layout["paper_bgcolor"] == "#FFEEDD"
    assert "mine" in layout["title"]["text"]
    assert layout["annotations"][-1]["text"] == "here"
    assert figure.layout.title.text == "mine"


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_that_was_asked_for_stays(run: RunData, theme: str) -> None:
    """`theme="light"` and `"dark"` are shown as they are."""
    shown = gantt(run, theme=theme)._repr_mimebundle_()[MIME]
    assert "--jp-" not in str(shown)


def test_each_way_to_show_it(run: RunData, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of a cell, `display`, and `show()` all show the page's colours."""
    shown: list[str] = []
    monkeypatch.setattr(plotly.io, "show", lambda figure, *_args, **_options: shown.append(figure.to_json()))
    figure = gantt(run)
    figure._ipython_display_()
    figure.show()
    assert len(shown) == 2 and all(OF_PAGE in text for text in shown)
