"""Cases with the same luck, drawn: what is marked, what foreign names do, and how the lanes share the height."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import pytest

import vidgen_nb as vg
from tests.charts.test_every_chart import strings
from vidgen_nb.charts.drawing.palette import THEMES, ThemeName
from vidgen_nb.core.events import CancelRequested
from vidgen_nb.errors import InputError

BAD = "<u>$x$</u>\u202e"


def drawn(*cases: Any, theme: str = "light", **options: Any) -> go.Figure:
    """Return the chart of cases on four accounts."""
    return vg.versus(*cases, seeds=2, **options).chart(theme=theme)


def marks(parts: Any) -> list[Any]:
    """Return those parts of a layout that mark where the runs part."""
    return [each for each in parts if each.name == "mark"]


def test_a_line_marks_where_they_part() -> None:
    """Through all Gantts, below its words; on the right of an early one, on the left of a late one."""
    limited = [vg.SimulatedProfile("a", vg.FixedWindow(3, per=60), vg.Constant(10), 1)]
    figure = drawn({"cooldown": 5}, {"cooldown": 50}, profiles=limited, scenes=4)
    (line,), (words,) = marks(figure.layout.shapes), marks(figure.layout.annotations)
    assert (line.x0, line.x1, line.yref, words.x, words.xanchor) == (30, 30, "paper", 30, "left")
    assert words.text == "<b>they part here: s004</b>"
    assert words.hovertext == (
        "at 30.0 s<br>cooldown=5: a rests until 35.0 s (429 rate)<br>cooldown=50: a rests until 80.0 s (429 rate)"
    )
    assert line.y0 == 0 and figure.layout.yaxis.domain[1] < line.y1 < 1
    late = drawn({"scenes": 3}, {"scenes": 3, "requests": [(25.0, CancelRequested("s003"))]},
                 profiles=limited)  # fmt: skip
    assert marks(late.layout.annotations)[0].xanchor == "right"
    same = drawn({"cooldown": 5}, {"cooldown": 6}, profiles=limited, scenes=2)
    assert not marks(same.layout.shapes) and not marks(same.layout.annotations)
    assert "They decide the same, all the way." in same.layout.title.text


def test_lanes_share_the_height() -> None:
    """Both Gantts are equally high, whatever they use, and the names of scenes fit into the demo's bars."""
    figure = drawn(vg.PerProfileCooldown(), vg.GlobalPause())
    (low, high), (lower, higher) = figure.layout.yaxis.domain, figure.layout.yaxis2.domain
    assert high - low == pytest.approx(higher - lower)
    assert figure.layout.height < 710
    named = next(each for each in figure.data if each.meta == "0 succeeded")
    assert "s001" in named.text
    one, three = (drawn(*["normal", "boost", {"cooldown": 3}][:count], scenes=4) for count in (2, 3))
    assert three.layout.yaxis3.domain[0] == 0 and three.layout.xaxis.anchor == "y3"
    assert one.layout.xaxis.anchor == "y2"


@pytest.mark.parametrize("theme", THEMES)
def test_themes_and_foreign_names(theme: ThemeName) -> None:
    """Ground and text are the theme's, and no name of case, profile or scene reaches plotly as markup."""
    profiles = [vg.SimulatedProfile(f"{BAD}{n}", vg.TokenBucket(1, per=60), vg.Constant(9), 2) for n in range(3)]
    scenes = [vg.Scene(f"{BAD}{n}", BAD) for n in range(8)]
    cases = {f"{BAD}{name}": name for name in ("GlobalPause", "PerProfileCooldown")}
    figure = drawn(cases, profiles=profiles, scenes=scenes, theme=theme)
    assert (figure.layout.paper_bgcolor, figure.layout.font.color) == (THEMES[theme].ground, THEMES[theme].text)
    assert marks(figure.layout.annotations)
    for text in strings(figure.to_plotly_json()):
        assert all(part not in text for part in ("<u", "$x$", "\u202e")), text
    with pytest.raises(InputError, match="theme"):
        drawn("normal", "boost", scenes=2, theme="sepia")
