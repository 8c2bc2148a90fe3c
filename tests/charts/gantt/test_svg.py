"""The SVG: valid, self-contained, inert, with the same bars as the rows."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.records.model import HandMark
from vidgen_nb.charts.drawing.palette import STATES
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.charts.gantt.svg import _ticks, svg
from vidgen_nb.errors import InputError

NS = "{http://www.w3.org/2000/svg}"


def parse(text: str) -> ET.Element:
    """Parse our own output."""
    return ET.fromstring(text)  # noqa: S314 - made here


def test_every_bar_has_its_tooltip(run: RunData) -> None:
    """Each bar and each move is a group with its hover as title."""
    rows, root = build_rows(run), parse(svg(run))
    titles = [title.text for title in root.iter(f"{NS}title")]
    wanted = ["\n".join(mark.lines) for state in STATES for mark in rows.of(state)]
    assert titles == wanted + ["\n".join(link.lines) for link in rows.links]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_time_in_which_no_program_ran_is_a_band_across_all_lanes(run: RunData, theme: str) -> None:
    """It lies below the bars, with its hover, and stands in the legend."""
    root = parse(svg(replace(run, off=[(10.0, 3730.0)], end=4000.0), theme=theme))
    first = next(group for group in root.iter(f"{NS}g"))
    assert first.findtext(f"{NS}title") == "no program ran, 1 h 2 min\nfrom 10.0 s to 3,730.0 s"
    (band,) = first.iter(f"{NS}rect")
    assert float(band.attrib["height"]) == pytest.approx(build_rows(run).height, abs=0.1)
    assert band.get("fill") == f"url(#vg-{theme}-off)"
    assert "no program ran" in [text.text for text in root.iter(f"{NS}text")]


@pytest.mark.parametrize("width", [480, 800, 1000, 1280])
def test_everything_lies_inside_the_picture(run: RunData, width: int) -> None:
    """No bar or text begins outside, at any width, and bars end before the edge."""
    root = parse(svg(run, width=width))
    height = float(root.attrib["height"])
    for rect in root.iter(f"{NS}rect"):
        left, wide = float(rect.get("x", 0)), float(rect.attrib["width"])
        assert left >= 0
        assert left + wide <= width + 0.1
    for text in root.iter(f"{NS}text"):
        assert 0 < float(text.attrib["x"]) < width
        assert 0 < float(text.attrib["y"]) < height


def test_limited_attempts_are_three_pixels_wide(run: RunData) -> None:
    """A 429 can be seen however short it was."""
    root = parse(svg(run))
    limited = [r for r in root.iter(f"{NS}rect") if r.get("fill") == "url(#vg-auto-limited)" and r.get("width") != "20"]
    assert len(limited) == 6
    assert all(float(rect.attrib["width"]) >= 3 for rect in limited)


def test_what_a_hand_did_is_a_mark_on_the_axis(run: RunData) -> None:
    """With its words as a tooltip, and what it is in the legend."""
    text = svg(replace(run, marks=[HandMark(9.0, "mode: normal → boost")]))
    assert "<title>9.0 s: mode: normal → boost</title>" in text and ">changed by hand</text>" in text
    assert "changed by hand" not in svg(run)


def test_it_says_what_it_is(run: RunData) -> None:
    """The picture has a role, and a label that sums the run up."""
    root = parse(svg(run))
    assert root.get("role") == "img"
    assert root.attrib["aria-label"].startswith("24 scenes on 4 profiles")
    assert root.findtext(f"{NS}desc") == root.get("aria-label")


def test_it_holds_no_script_and_no_reference(run: RunData) -> None:
    """Nothing is loaded and nothing runs: paints refer to patterns of the file itself, which exist."""
    root = parse(svg(run, theme="dark"))
    patterns = {f"url(#{pattern.get('id')})" for pattern in root.iter(f"{NS}pattern")}
    used = {fill for element in root.iter() if (fill := element.get("fill", "")).startswith("url(")}
    assert used <= patterns
    assert {element.tag.removeprefix(NS) for element in root.iter()} <= {
        "svg", "desc", "defs", "pattern", "rect", "path", "circle", "text", "g", "title",
    }  # fmt: skip
    assert not any("href" in name or name.startswith("on") for element in root.iter() for name in element.attrib)


def test_foreign_text_stays_text(run: RunData) -> None:
    """Markup, quotes, control and bidi characters in prompts, names and reasons don't break or enter the picture."""
    bad = "]]></title><script>alert(1)</script>\" '\x00\x08\ud800\uffff\u202e&lt;"
    data = replace(
        run,
        profiles=[bad, *run.profiles[1:]],
        attempts=[replace(a, profile=bad if a.profile == "alice" else a.profile, reason=bad) for a in run.attempts],
        scenes=[replace(scene, prompt=bad) for scene in run.scenes],
        cooldowns=[replace(window, reason=bad) for window in run.cooldowns],
    )
    text = svg(data)
    assert not list(parse(text).iter(f"{NS}script"))
    assert "\u202e" not in text
    text.encode()


def test_the_legend_breaks_into_lines(run: RunData) -> None:
    """Labels of the legend do not run into each other or out of a narrow picture."""
    narrow, wide = (parse(svg(run, width=width)) for width in (480, 1280))
    assert float(narrow.attrib["height"]) > float(wide.attrib["height"])


def test_ticks_are_round_and_few() -> None:
    """The axis has round seconds for short and long runs."""
    assert _ticks(106.8, 10) == [0, 20, 40, 60, 80, 100]
    assert _ticks(0.04, 5) == pytest.approx([0, 0.01, 0.02, 0.03, 0.04])
    assert all(3 <= len(_ticks(end, 8)) <= 9 for end in (0.003, 1.0, 7.7, 61.0, 999.0, 86_400.0))


def test_a_picture_too_narrow_is_refused(run: RunData) -> None:
    """Below 480 pixels there is no room for lanes."""
    with pytest.raises(InputError, match="480"):
        svg(run, width=300)


def test_svg_needs_no_plotly() -> None:
    """The SVG and its rows are drawn without plotly, so that they work where it is not loaded."""
    code = "import sys, vidgen_nb.charts.gantt.svg; assert 'plotly' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_picture_is_light_and_dark(run: RunData) -> None:
    """For a dark reader, a style gives every element just the colour that it has in the dark picture."""
    adapting = svg(run)
    rules = dict(re.findall(r'\[fill="(#\w+)"\]\{fill:(#\w+)\}', adapting))
    dark = svg(run, theme="dark").replace("vg-dark-", "vg-auto-")
    style = re.search("<style>.*</style>\n", adapting)
    assert style is not None and "prefers-color-scheme: dark" in style[0]
    plain = adapting.replace(style[0], "")
    assert re.sub("#[0-9A-F]{6}", lambda found: rules.get(found[0], found[0]), plain) == dark
    assert len(rules) > 8
