"""Cases with the same luck, drawn: a Gantt for each over one axis, one cursor, and a line where they part."""

from __future__ import annotations

import math
from collections.abc import Mapping

from vidgen_nb.analysis.experiments.parting import Parting, parted_words
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.validation import is_number
from vidgen_nb.charts.aligned import TimeMark, aligned
from vidgen_nb.charts.drawing.engine import go
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line

__all__ = ["versus_chart"]

LANES_PIXELS = 220.0
"""Pixels of each Gantt's lanes: with the demo's four profiles, bars can hold their scenes' ids."""


def versus_chart(
    runs: Mapping[str, RunData],
    sentence: str,
    note: str,
    parting: Parting | None,
    *,
    moves: str = "last 20",
    queue: bool = False,
    theme: str = "auto",
    height: float = LANES_PIXELS,
) -> go.Figure:
    """Draw runs with the same luck below each other, over one axis of seconds.

    `runs`: by name. `sentence`: what was found, the title. `parting`: where they part, which a line marks. `moves`,
    `queue`, `theme`: as in `gantt`. `height`: pixels of each run's lanes; more lanes need more. With more than 10,000
    attempts in all, bars are merged, and the chart says so. Raises `InputError` for an unknown theme, and for
    no height.
    """
    if not is_number(height) or not 0 < height < math.inf:
        raise InputError(f"height is a number of pixels for the lanes of each run, above 0, not {height!r}")
    mark = None if parting is None else TimeMark(parting.at, _label(parting), _details(parting))
    names = [one_line(name, 60) for name in runs]
    return aligned(
        names, [*runs.values()], [one_line(sentence, 2000)], [parted_words(parting), note], mark,
        moves=moves, queue=queue, theme=theme, lanes_height=height,
    )  # fmt: skip


def _label(parting: Parting) -> str:
    """Return what stands at the line."""
    return "they part here" + ("" if parting.scene is None else f": {one_line(parting.scene, 40)}")


def _details(parting: Parting) -> tuple[str, ...]:
    return (
        f"at {parting.at:,.1f} s",
        *(f"{one_line(name, 60)}: {one_line(words, 400)}" for name, words in parting.did.items()),
    )
