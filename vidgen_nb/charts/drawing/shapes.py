"""What a chart is made of, before any renderer: lanes, bars, links, the queue.

Across, everything is in run seconds. Down, everything is in pixels from the top of the plot, so that a renderer
only adds its margins and the chart has the same fixed heights everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vidgen_nb.charts.drawing.palette import State

__all__ = ["Bar", "Hand", "Lane", "Link", "Queue", "Rows"]


@dataclass(frozen=True, slots=True)
class Lane:
    """One profile's block."""

    profile: str
    label: str
    """`name · succeeded/429/held` as numbers; the name is cut to what fits left of the plot."""
    remark: str
    """A second line below the label, or empty."""
    slots: int
    top: float
    bottom: float
    row: float
    """Height of a slot's row."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One attempt, cooldown window or idle span; several of them if the chart is folded."""

    state: State
    start: float
    end: float
    y: float
    """The middle."""
    height: float
    lines: tuple[str, ...]
    """What the hover says: plain text, not escaped for any markup."""
    scene: str | None = None
    dim: bool = False
    """Another scene is selected."""
    count: int = 1
    place: int = 0
    """Index of its attempt among all of the run."""
    glyph: bool = True
    """Whether it has the glyph of its state; an attempt that is drawn in parts has it once."""


@dataclass(frozen=True, slots=True)
class Link:
    """A move: from the end of the abandoned attempt to the start of the next."""

    start: float
    y_start: float
    end: float
    y_end: float
    lines: tuple[str, ...]
    chosen: bool
    """It belongs to the selected scene."""


@dataclass(frozen=True, slots=True)
class Hand:
    """What a hand did at one moment, or at some that lie so close that they share a mark."""

    at: float
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """The lane of the queue's length."""

    steps: list[tuple[float, int]]
    """(time, length from then on); the last one ends the chart."""
    top: float
    bottom: float
    times: tuple[float, ...] = ()
    """Run seconds of the steps, where these are places on an axis with gaps; empty: they are the same."""
    longest: int = field(init=False)
    """Its greatest length."""

    def __post_init__(self) -> None:
        """Compute it once: every step needs it."""
        object.__setattr__(self, "longest", max(length for _at, length in self.steps))

    def y(self, length: int) -> float:
        """Return where that length is drawn."""
        return self.bottom - (self.bottom - self.top) * length / max(1, self.longest)


@dataclass(frozen=True, slots=True)
class Rows:
    """A whole chart."""

    lanes: list[Lane]
    bars: list[Bar]
    links: list[Link]
    queue: Queue | None
    heading: float
    """The middle of the line of headings."""
    height: float
    end: float
    """The axis goes from 0 to here; positive."""
    now: float | None
    summary: tuple[str, ...]
    notes: tuple[str, ...]
    """What is left out or merged."""
    start: float = 0.0
    """Everything is there from here on; the axis may begin here."""
    merged: tuple[Bar, ...] = ()
    """Before that: bars that stand for all attempts, or all seconds of cooldown, of an interval of time."""
    hands: tuple[Hand, ...] = ()
    """What a hand did, as marks on the axis."""
    ticks: tuple[tuple[float, str], ...] = ()
    """Places and labels of an axis with gaps; empty: the axis is of seconds, without gaps."""

    def of(self, state: State) -> list[Bar]:
        """Return the bars of one state."""
        return [bar for bar in self.bars if bar.state == state]
