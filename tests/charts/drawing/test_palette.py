"""The colours distinguish the states, for every kind of colour vision."""

from __future__ import annotations

from itertools import combinations

import pytest

from vidgen_nb.charts.drawing.palette import PAGE, STATES, THEMES, Theme, theme_of
from vidgen_nb.errors import InputError

# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB.
VISIONS = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.9505, 1.0, 1.089)
GROUNDS = {
    "light": (THEMES["light"], "#FFFFFF"),
    "dark": (THEMES["dark"], THEMES["dark"].ground),
    "page, light": (PAGE, "#FFFFFF"),
    "page, dark": (PAGE, "#111111"),
    "page, dark as in VS Code": (PAGE, "#1E1E1E"),
}
"""Each theme, and what it is seen on."""
Triple = tuple[float, float, float]


def times(matrix: tuple[Triple, Triple, Triple], vector: Triple) -> Triple:
    """Multiply a matrix with a vector."""
    a, b, c = (sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix)
    return a, b, c


def linear(colour: str) -> Triple:
    """Return a `#RRGGBB` colour as linear RGB."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return r, g, b


def lab(colour: str, vision: str) -> Triple:
    """Return a colour as it is seen, in CIELAB."""
    r, g, b = (min(1.0, max(0.0, part)) for part in times(VISIONS[vision], linear(colour)))
    xyz = times(TO_XYZ, (r, g, b))
    x, y, z = (
        part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116
        for part in (value / white for value, white in zip(xyz, WHITE, strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG."""
    light, dark = sorted((times(TO_XYZ, linear(colour))[1] for colour in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def seen(colour: str, ground: str) -> str:
    """Return what a colour is on a ground; it may be `rgba(…)`."""
    if colour.startswith("#"):
        return colour
    *parts, alpha = (float(part) for part in colour.removeprefix("rgba(").removesuffix(")").split(","))
    behind = [int(ground[at : at + 2], 16) for at in (1, 3, 5)]
    mixed = (round(alpha * part + (1 - alpha) * under) for part, under in zip(parts, behind, strict=True))
    return "#" + "".join(f"{part:02X}" for part in mixed)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize(("theme", "ground"), GROUNDS.values(), ids=GROUNDS)
def test_fills_are_told_apart(theme: Theme, ground: str, vision: str) -> None:
    """Any two fills, and the colour of moves, differ by a CIE76 distance of 20 or more; hollow ones have none.

    A download is told by its place and height: it is the thin tail of a bar.
    """
    filled = {state: seen(mark.fill, ground) for state, mark in theme.marks.items() if mark.fill and not mark.dashed}
    colours = {state: fill for state, fill in filled.items() if state != "download"} | {"move": theme.move}
    for (one, a), (other, b) in combinations(colours.items(), 2):
        distance = sum((x - y) ** 2 for x, y in zip(lab(a, vision), lab(b, vision), strict=True)) ** 0.5
        assert distance >= 20, (one, other, distance)


@pytest.mark.parametrize("theme", [*THEMES.values(), PAGE])
def test_text_stands_out(theme: Theme) -> None:
    """Text has the contrast of 4.5 to its ground; on a page that shows a figure, it has the page's colour."""
    for text, ground in ((theme.text, theme.paper), (theme.muted, theme.paper), reversed(theme.card)):
        assert contrast(text, ground) >= 4.5


@pytest.mark.parametrize(("theme", "ground"), GROUNDS.values(), ids=GROUNDS)
def test_edges_stand_out(theme: Theme, ground: str) -> None:
    """Lines and every bar, by fill or outline, have the contrast of 3; idle time alone may be faint."""
    assert min(contrast(colour, ground) for colour in (theme.ink, theme.muted, theme.queue_line)) >= 3
    for state, mark in theme.marks.items():
        colours = [seen(colour, ground) for colour in (mark.fill, mark.outline) if colour]
        assert state == "idle" or max(contrast(colour, ground) for colour in colours) >= 3, state


def test_each_state_has_a_mark_in_each_theme() -> None:
    """No theme leaves a state without a look, and no two look the same without colour."""
    for theme in (*THEMES.values(), PAGE):
        assert set(theme.marks) == set(STATES)
        looks = [(m.pattern, m.dashed, m.label[0]) for m in theme.marks.values()]
        assert len(set(looks)) == len(STATES)


def test_auto_is_up_to_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """But who makes all of plotly's figures dark has dark charts, without saying it for each."""
    import plotly.io

    assert theme_of("auto") is PAGE
    monkeypatch.setattr(plotly.io.templates, "default", "plotly_dark")
    assert theme_of("auto") is THEMES["dark"]


def test_an_unknown_theme_is_refused() -> None:
    """An unknown theme is an error that names the known ones."""
    with pytest.raises(InputError, match="light, dark"):
        theme_of("sepia")


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize(("theme", "ground"), GROUNDS.values(), ids=GROUNDS)
def test_lines_are_told_apart(theme: Theme, ground: str, vision: str) -> None:
    """Any two colours of curves differ by 20 or more, and each stands out from the ground with 3 or more."""
    for one, other in combinations(theme.lines, 2):
        distance = sum((x - y) ** 2 for x, y in zip(lab(one, vision), lab(other, vision), strict=True)) ** 0.5
        assert distance >= 20, (one, other, distance)
    assert min(contrast(colour, ground) for colour in theme.lines) >= 3
