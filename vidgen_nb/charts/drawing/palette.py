"""What each state of an attempt looks like, on light and dark backgrounds; one table for plotly and SVG.

The fills differ by a CIE76 distance of at least 20, pairwise, for normal vision and the three common colour
deficiencies; pattern and glyph tell them apart without any colour. Pale fills need their outlines on white; the
outline of `succeeded` separates bars that touch. A `download` is the thin tail of a bar, and has its colour.

`PAGE` is for figures that take the ground of the page that shows them, which may be light or dark, and which nobody
knows when they are made: what is drawn stands out from both. `page_figure.py` gives them the page's text colour.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Literal

from vidgen_nb.errors import InputError

__all__ = ["PAGE", "STATES", "THEMES", "Mark", "State", "Theme", "ThemeName", "theme_name", "theme_of"]

State = Literal[
    "off", "idle", "cooldown", "out", "queued", "download", "succeeded", "running", "cancelled", "held", "failed",
    "limited",
]  # fmt: skip
ThemeName = Literal["light", "dark"]

STATES: tuple[State, ...] = (
    "off",
    "idle",
    "cooldown",
    "out",
    "queued",
    "download",
    "succeeded",
    "running",
    "cancelled",
    "held",
    "failed",
    "limited",
)
"""In the order of drawing: short but important bars come last, on top."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The look of one state."""

    label: str
    """Its words in the legend, with its glyph."""
    fill: str | None
    """None: hollow."""
    pattern: str = ""
    """Hatch, as plotly's letter; `svg.py` draws the same. Empty: solid."""
    ink: str = ""
    """Colour of the hatch."""
    outline: str | None = None
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Theme:
    """All colours of a chart."""

    paper: str
    """The ground of a chart that is a file of its own."""
    ground: str
    """The ground behind the marks, as where one is hollow."""
    text: str
    ink: str
    """Lines and marks without a colour of their own."""
    muted: str
    """Secondary text and axis lines."""
    grid: str
    card: tuple[str, str]
    """Ground and text of what is told on hover."""
    move: str
    queue: str
    queue_line: str
    glyph_edge: str
    """Thin edge around glyphs, so that they stand out on any bar."""
    lines: tuple[str, ...]
    """Colours of curves, in order; as far apart, for every kind of vision, as the fills."""
    marks: dict[State, Mark]


_LIGHT: dict[State, Mark] = {
    "off": Mark("no program ran", None, "-", "#D0D7DE", "#8C8C8C"),
    "idle": Mark("idle while scenes waited", "#E6E6E6", "|", "#9A9A9A"),
    "cooldown": Mark("cooldown", "#F0C05A", "/", "#8A5A00", "#8A5A00"),
    "out": Mark("out of the rotation", None, "+", "#B0442E", "#B0442E"),
    "queued": Mark("queued at the provider", None, "\\", "#56B4E9", "#005A8C"),
    "download": Mark("download", "#005A8C"),
    "succeeded": Mark("succeeded", "#005A8C", outline="#FFFFFF"),
    "running": Mark("running", "#56B4E9", ".", "#005A8C", "#005A8C"),
    "cancelled": Mark("cancelled", None, outline="#666666", dashed=True),
    "held": Mark("? held (in doubt)", "#FFFFFF", outline="#D55E00", dashed=True),
    "failed": Mark("✕ failed", "#2B2B2B", "\\", "#8C8C8C"),
    "limited": Mark("▲ 429", "#D55E00", "x", "#7A3500"),
}
# On a dark background, dark fills get a light outline and the pale grey of idle time is darker.
_DARK: dict[State, Mark] = _LIGHT | {
    "off": Mark("no program ran", None, "-", "#3D444D", "#8C8C8C"),
    "idle": Mark("idle while scenes waited", "#606060", "|", "#343434"),
    "out": Mark("out of the rotation", None, "+", "#E07A66", "#E07A66"),
    "queued": Mark("queued at the provider", None, "\\", "#4A8FB8", "#6FB7E0"),
    "download": Mark("download", "#6FB7E0"),
    "succeeded": Mark("succeeded", "#005A8C", outline="#6FB7E0"),
    "running": Mark("running", "#56B4E9", ".", "#005A8C", "#CFEAFB"),
    "cancelled": Mark("cancelled", None, outline="#A8A8A8", dashed=True),
    "failed": Mark("✕ failed", "#2B2B2B", "\\", "#8C8C8C", "#FFFFFF"),
}

THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
        paper="#FFFFFF", ground="#FFFFFF", text="#1F2328", ink="#1F2328", muted="#57606A", grid="#E3E6EA",
        card=("#FFFFFF", "#1F2328"), move="#CC79A7",
        queue="#DDE3EA", queue_line="#57606A", glyph_edge="#FFFFFF",
        lines=("#005A8C", "#D55E00", "#3A9BD9", "#7A3500", "#8C8C8C"), marks=_LIGHT,
    ),
    "dark": Theme(
        paper="#16181D", ground="#16181D", text="#E6E8EB", ink="#E6E8EB", muted="#A3ABB5", grid="#30343B",
        card=("#16181D", "#E6E8EB"), move="#CC79A7",
        queue="#343B45", queue_line="#A3ABB5", glyph_edge="#16181D",
        lines=("#56B4E9", "#D55E00", "#F0C05A", "#E6E8EB", "#8C8C8C"), marks=_DARK,
    ),
}  # fmt: skip
PAGE = Theme(
    paper="#FFFFFF", ground="rgba(0,0,0,0)", text="#1F2328", ink="#767676", muted="#767676",
    grid="rgba(127,127,127,0.25)", card=("#2B2F36", "#F2F4F6"), move="#CC79A7",
    queue="rgba(127,127,127,0.25)", queue_line="#767676", glyph_edge="#FFFFFF",
    lines=("#2C7FB8", "#D55E00", "#9944EE", "#AA6644", "#8C8C8C"),
    marks=_LIGHT | {
        "off": Mark("no program ran", None, "-", "rgba(127,127,127,0.4)", "#8C8C8C"),
        "idle": Mark("idle while scenes waited", "rgba(170,170,170,0.5)", "|", "#8C8C8C"),
        "out": Mark("out of the rotation", None, "+", "#CF5C45", "#CF5C45"),
        "queued": Mark("queued at the provider", None, "\\", "#3A9BD9", "#3A9BD9"),
        "download": Mark("download", "#3A9BD9"),
        "succeeded": replace(_LIGHT["succeeded"], outline="#6FB7E0"),
        "cancelled": replace(_LIGHT["cancelled"], outline="#8C8C8C"),
        "failed": replace(_LIGHT["failed"], outline="#8C8C8C"),
    },
)  # fmt: skip
"""For a page whose ground is not known: light as that of `THEMES["light"]`, or dark."""


def theme_name(name: str) -> ThemeName | None:
    """Return `light` or `dark`; for `auto`, `dark` if plotly's default template is, else None: it is up to the page.

    `plotly.io.templates.default = "plotly_dark"` makes all figures dark. Raise `InputError` for an unknown name.
    """
    if name == "auto":
        chosen = getattr(getattr(sys.modules.get("plotly.io"), "templates", None), "default", None)
        return "dark" if "dark" in str(chosen) else None
    for known in THEMES:
        if known == name:
            return known
    raise InputError(f"unknown theme {name!r}: it is auto or one of {', '.join(THEMES)}")


def theme_of(name: str) -> Theme:
    """Return the theme of that name; for `auto`, `PAGE`, unless plotly's default template is dark.

    Raise `InputError` for an unknown name.
    """
    known = theme_name(name)
    return PAGE if known is None else THEMES[known]
