"""The Gantt chart of a run as plain SVG: for README, export, and notebooks without a kernel.

Self-contained, without scripts or outside references, so that GitHub and an <img> can show it. Each bar has its
hover as a <title>; the picture has its summary as a label.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from html import escape

from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing.lines import HANDS
from vidgen_nb.charts.drawing.palette import STATES, THEMES, Mark, State, Theme, theme_name
from vidgen_nb.charts.drawing.shapes import Bar, Rows
from vidgen_nb.charts.gantt.both_themes import both_themes
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.errors import InputError

__all__ = ["HATCHES", "svg"]

_LEFT_PIXELS, _RIGHT_PIXELS, _LINE_PIXELS = 172.0, 24.0, 18.0
_MOVE = "◆ move"
_CHAR_PIXELS = 6.8  # average width of a character of the 12 px font, rounded up
HATCHES = {
    "/": '<path d="M-1 1L1 -1M0 6L6 0M5 7L7 5" stroke="{ink}" stroke-width="1.4"/>',
    "\\": '<path d="M5 -1L7 1M0 0L6 6M-1 5L1 7" stroke="{ink}" stroke-width="1.2"/>',
    "x": '<path d="M0 0L6 6M6 0L0 6" stroke="{ink}" stroke-width="1"/>',
    "|": '<path d="M3 0V6" stroke="{ink}" stroke-width="1"/>',
    "-": '<path d="M0 3H6" stroke="{ink}" stroke-width="1"/>',
    "+": '<path d="M0 3H6M3 0V6" stroke="{ink}" stroke-width="1"/>',
    ".": '<circle cx="3" cy="3" r="1.1" fill="{ink}"/>',
}


@checks_arguments()
def svg(
    data: RunData,
    *,
    width: int = 1000,
    scene: str | None = None,
    moves: str = "last 20",
    theme: str = "auto",
) -> str:
    """Draw a run as SVG text, `width` pixels wide (at least 480); the height follows from the lanes.

    `scene`, `moves` and the errors are those of `gantt`. `theme`: `"light"`, `"dark"`, or `"auto"`: that of the reader.
    """
    if width < 480:
        raise InputError(f"width is {width}: a chart needs at least 480 pixels")
    rows = build_rows(data, scene=scene, moves=moves, gaps=True)
    known = theme_name(theme)
    look, style = both_themes() if known is None else (THEMES[known], "")
    return "\n".join(_Picture(rows, look, known or theme, style, float(width)).lines())


class _Picture:
    """A picture in the making: rows, colours and the scale."""

    def __init__(self, rows: Rows, theme: Theme, name: str, style: str, width: float) -> None:
        self.rows, self.theme, self.name, self.style, self.width = rows, theme, name, style, width
        said = (*rows.summary, *rows.notes)
        self.title = [line for part in said for line in textwrap.wrap(part, int((width - 32) / 7.2))]
        self.top = 14 + _LINE_PIXELS * len(self.title) + 6
        self.bottom = self.top + rows.height
        self.legend = self._legend_places()
        self.height = (
            self.bottom + 30 + _LINE_PIXELS * (1 + max((row for _x, row, _label, _state in self.legend), default=0))
        )

    def x(self, at: float) -> float:
        """Return the x coordinate of that second."""
        return _LEFT_PIXELS + (self.width - _LEFT_PIXELS - _RIGHT_PIXELS) * at / self.rows.end

    def lines(self) -> Iterator[str]:
        """Yield the picture, element by element."""
        width, height = _number(self.width), _number(self.height + 8)
        said = escape(" ".join((*self.rows.summary, *self.rows.notes)))
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'role="img" aria-label="{said}" font-family="system-ui, -apple-system, Segoe UI, sans-serif" '
            f'font-size="12" fill="{self.theme.text}">'
        )
        yield f"<desc>{said}</desc>"
        yield from [self.style] if self.style else []
        yield from self._hatches()
        yield f'<rect width="{width}" height="{height}" fill="{self.theme.ground}"/>'
        for row, line in enumerate(self.title):
            yield f'<text x="16" y="{_number(14 + _LINE_PIXELS * (row + 0.6))}" font-size="13">{escape(line)}</text>'
        yield from self._axis()
        yield from self._queue()
        for state in STATES:
            for bar in self.rows.of(state):
                yield from self._bar(bar)
        yield from self._links()
        for bar in self.rows.bars:
            if bar.glyph:
                yield from self._glyph(bar)
        yield from self._hands()
        yield from self._legend()
        yield "</svg>\n"

    def _fill(self, state: State) -> str:
        """Return the fill of a state: its hatch, its colour, or none."""
        mark = self.theme.marks[state]
        return f"url(#vg-{self.name}-{state})" if mark.pattern else mark.fill or "none"

    def _hatches(self) -> Iterator[str]:
        """Yield the patterns; their ids carry the theme, for pages with pictures of both."""
        yield "<defs>"
        for state, mark in self.theme.marks.items():
            if mark.pattern:
                hatch = HATCHES[mark.pattern].format(ink=mark.ink)
                yield (
                    f'<pattern id="vg-{self.name}-{state}" width="6" height="6" patternUnits="userSpaceOnUse">'
                    f'<rect width="6" height="6" fill="{mark.fill or "none"}"/>{hatch}'
                    "</pattern>"
                )
        yield "</defs>"

    def _axis(self) -> Iterator[str]:
        """Yield the grid of seconds, the lanes' edges and their labels."""
        theme, right = self.theme, self.width - _RIGHT_PIXELS
        even = [(at, f"{at:g} s") for at in _ticks(self.rows.end, int((right - _LEFT_PIXELS) / 80))]
        for at, label in self.rows.ticks or even:
            x = _number(self.x(at))
            yield f'<path d="M{x} {_number(self.top)}V{_number(self.bottom)}" stroke="{theme.grid}"/>'
            yield f'<text x="{x}" y="{_number(self.bottom + 17)}" text-anchor="middle">{label}</text>'
        for edge in [lane.top for lane in self.rows.lanes] + [self.rows.height]:
            line = f"M{_number(_LEFT_PIXELS)} {_number(self.top + edge)}H{_number(right)}"
            yield f'<path d="{line}" stroke="{theme.grid}"/>'
        yield f'<path d="M{_number(_LEFT_PIXELS)} {_number(self.bottom)}H{_number(right)}" stroke="{theme.muted}"/>'
        yield self._label(self.rows.heading, "profile · ✓/429/held", ' font-style="italic"')
        for lane in self.rows.lanes:
            middle = (lane.top + lane.bottom) / 2
            yield self._label(middle - (7 if lane.remark else 0), lane.label)
            if lane.remark:
                yield self._label(middle + 7, lane.remark, f' fill="{theme.muted}"')

    def _label(self, y: float, text: str, more: str = "") -> str:
        """Return one text left of the plot."""
        return (
            f'<text x="{_number(_LEFT_PIXELS - 8)}" y="{_number(self.top + y + 4)}" text-anchor="end"{more}>'
            f"{escape(text)}</text>"
        )

    def _queue(self) -> Iterator[str]:
        """Yield the length of the queue as a stepped area."""
        queue = self.rows.queue
        if queue is None:
            return
        path = f"M{_number(_LEFT_PIXELS)} {_number(self.top + queue.bottom)}"
        for at, length in queue.steps:
            path += f"H{_number(self.x(at))}V{_number(self.top + queue.y(length))}"
        path += f"V{_number(self.top + queue.bottom)}Z"
        yield self._label((queue.top + queue.bottom) / 2, f"waiting (peak {queue.longest:,})")
        yield f'<path d="{path}" fill="{self.theme.queue}" stroke="{self.theme.queue_line}"/>'

    def _bar(self, bar: Bar) -> Iterator[str]:
        """Yield one bar with its tooltip; a 429 is at least 3 px wide, anything else 1."""
        mark = self.theme.marks[bar.state]
        length = max(3.0 if bar.state == "limited" else 1.0, self.x(bar.end) - self.x(bar.start))
        left = min(self.x(bar.start), self.width - _RIGHT_PIXELS - length)
        top = self.top + bar.y - bar.height / 2
        yield '<g opacity="0.2">' if bar.dim else "<g>"
        yield f"<title>{escape(chr(10).join(bar.lines))}</title>"
        is_open = bar.state == "running"
        yield _box(left, top, length, bar.height, self._fill(bar.state), mark, edge=not is_open)
        if is_open:
            right = _number(left + length)
            yield (
                f'<path d="M{right} {_number(top)}H{_number(left)}V{_number(top + bar.height)}H{right}" fill="none" '
                f'stroke="{mark.outline}"/>'
            )
        yield "</g>"

    def _links(self) -> Iterator[str]:
        """Yield the moves, each with ◆ at its head."""
        some = any(link.chosen for link in self.rows.links) and any(bar.dim for bar in self.rows.bars)
        for link in sorted(self.rows.links, key=lambda link: link.chosen):
            x, y = self.x(link.end), self.top + link.y_end
            path = f"M{_number(self.x(link.start))} {_number(self.top + link.y_start)}L{_number(x)} {_number(y)}"
            yield '<g opacity="0.2">' if some and not link.chosen else "<g>"
            yield f"<title>{escape(chr(10).join(link.lines))}</title>"
            yield f'<path d="{path}" stroke="{self.theme.move}" stroke-width="{3 if link.chosen else 2}"/>'
            yield f'<path d="{_diamond(x, y)}" fill="{self.theme.move}" stroke="{self.theme.glyph_edge}"/>'
            yield "</g>"

    def _glyph(self, bar: Bar) -> Iterator[str]:
        """Yield ▲, ✕ or ? in the middle of a bar that has one."""
        x = (self.x(bar.start) + self.x(bar.end)) / 2 + (1.5 if bar.state == "limited" else 0)
        y = self.top + bar.y
        dim = ' opacity="0.2"' if bar.dim else ""
        if bar.state == "limited":
            yield f'<path d="{_triangle(x, y)}" fill="#D55E00" stroke="{self.theme.glyph_edge}"{dim}/>'
        elif bar.state == "failed":
            cross = f"M{_number(x - 3.5)} {_number(y - 3.5)}l7 7m0 -7l-7 7"
            yield f'<path d="{cross}" stroke="#2B2B2B" stroke-width="4.5"{dim}/>'
            yield f'<path d="{cross}" stroke="#FFFFFF" stroke-width="2"{dim}/>'
        elif bar.state == "held":
            yield (
                f'<text x="{_number(x)}" y="{_number(y + 4.5)}" text-anchor="middle" font-size="13" '
                f'font-weight="bold" fill="#D55E00"{dim}>?</text>'
            )

    def _hands(self) -> Iterator[str]:
        """Yield what a hand did, as marks on the axis."""
        for hand in self.rows.hands:
            path = _diamond(self.x(hand.at), self.bottom)
            yield f"<g><title>{escape(chr(10).join(hand.lines))}</title>"
            yield f'<path d="{path}" fill="{self.theme.text}" stroke="{self.theme.glyph_edge}"/></g>'

    def _legend_places(self) -> list[tuple[float, int, str, State | None]]:
        """Return what the legend holds (x, row, label, state), broken into rows; None: no state."""
        items: list[tuple[str, State | None]] = [
            (self.theme.marks[state].label, state) for state in STATES if self.rows.of(state)
        ]
        if self.rows.links:
            items.append((_MOVE, None))
        if self.rows.hands:
            items.append((HANDS, None))
        places: list[tuple[float, int, str, State | None]] = []
        x, row = 16.0, 0
        for label, state in items:
            needed = 26 + _CHAR_PIXELS * len(label) + 16
            if x > 16 and x + needed > self.width - 8:
                x, row = 16.0, row + 1
            places.append((x, row, label, state))
            x += needed
        return places

    def _legend(self) -> Iterator[str]:
        """Yield the legend below the axis."""
        for x, row, label, state in self.legend:
            y = self.bottom + 34 + _LINE_PIXELS * row
            if label == HANDS:
                yield f'<path d="{_diamond(x + 14, y + 6)}" fill="{self.theme.text}"/>'
            elif state is None:
                yield f'<path d="M{_number(x)} {_number(y + 6)}h20" stroke="{self.theme.move}" stroke-width="2"/>'
            else:
                yield _box(x, y, 20, 12, self._fill(state), self.theme.marks[state], edge=True)
            yield f'<text x="{_number(x + 26)}" y="{_number(y + 10)}">{escape(label)}</text>'


def _box(x: float, y: float, width: float, height: float, fill: str, mark: Mark, *, edge: bool) -> str:
    """Return a rectangle in the look of a state."""
    stroke = f' stroke="{mark.outline}"' if edge and mark.outline else ""
    dashes = ' stroke-dasharray="4 3" pointer-events="all"' if mark.dashed else ""
    return (
        f'<rect x="{_number(x)}" y="{_number(y)}" width="{_number(width)}" height="{_number(height)}" '
        f'fill="{fill}"{stroke}{dashes}/>'
    )


def _triangle(x: float, y: float) -> str:
    """Return the path of ▲."""
    return f"M{_number(x)} {_number(y - 5)}l5 9h-10Z"


def _diamond(x: float, y: float) -> str:
    """Return the path of ◆."""
    return f"M{_number(x - 5)} {_number(y)}l5 -5l5 5l-5 5Z"


def _ticks(end: float, most: int) -> list[float]:
    """Return round times from 0 to `end`, at most about `most` of them."""
    rough = end / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [step * count for count in range(int(end / step + 1e-9) + 1)]


def _number(value: float) -> str:
    """Return a coordinate with at most one decimal place."""
    return f"{value:.1f}".removesuffix(".0")
