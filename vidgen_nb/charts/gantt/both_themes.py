"""One SVG for light and dark: drawn in the light theme, with a style that a reader with a dark one applies.

An <img> has its page's colour scheme, which JupyterLab sets to its theme's, and a file has the system's. Programs that
know no media queries draw the light theme.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from typing import Any

from vidgen_nb.charts.drawing.palette import THEMES, Mark, Theme

__all__ = ["both_themes"]

_OPENING = "<style>@media (prefers-color-scheme: dark) {"


@cache
def both_themes() -> tuple[Theme, str]:
    """Return a theme for drawing, and the style that turns what is drawn with it dark.

    The style finds an element by its colour. So each colour that is another one in the dark has a value of its own,
    which no eye tells from the one in the light theme.
    """
    light, dark = THEMES["light"], THEMES["dark"]
    own = _OwnColours({colour for theme in (light, dark) for colour in _colours(theme)})
    marks = {state: own.mark(mark, dark.marks[state]) for state, mark in light.marks.items()}
    plain = own.changed(light, dark, ["ground", "text", "muted", "grid", "move", "queue", "queue_line", "glyph_edge"])
    theme = replace(light, **plain, marks=marks)
    return theme, f"{_OPENING}{own.rules()}}}</style>"


class _OwnColours:
    """Colours of the light theme that are told apart by what they are in the dark."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self._given: dict[tuple[str, str], str] = {}

    def mark(self, light: Mark, dark: Mark) -> Mark:
        """Return a mark; an outline that only the dark needs has the colour of the fill."""
        if dark.outline and not light.outline:
            light = replace(light, outline=light.fill)
        return replace(light, **self.changed(light, dark, ["fill", "ink", "outline"]))

    def changed(self, light: object, dark: object, names: list[str]) -> dict[str, Any]:
        """Return those colours that differ, each with a value of its own."""
        pairs = ((name, getattr(light, name), getattr(dark, name)) for name in names)
        return {name: self._own(one, other) for name, one, other in pairs if one and other and one != other}

    def rules(self) -> str:
        """Return what changes the colours into the dark ones."""
        each = ((colour, dark) for (_light, dark), colour in self._given.items())
        return "".join(f'[fill="{one}"]{{fill:{other}}}[stroke="{one}"]{{stroke:{other}}}' for one, other in each)

    def _own(self, light: str, dark: str) -> str:
        """Return the nearest colour that nothing else has."""
        if (light, dark) in self._given:
            return self._given[light, dark]
        whole = int(light[1:], 16)
        step = -1 if whole & 0xFF > 0x7F else 1  # of blue, which the eye sees least
        while (colour := f"#{whole:06X}") in self._taken:
            whole += step
        self._taken.add(colour)
        self._given[light, dark] = colour
        return colour


def _colours(theme: Theme) -> Iterator[str]:
    parts: list[Theme | Mark] = [theme, *theme.marks.values()]
    for part in parts:
        for each in fields(part):
            value = getattr(part, each.name)
            if isinstance(value, str) and value.startswith("#"):
                yield value
