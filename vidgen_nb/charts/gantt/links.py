"""The moves of a Gantt chart: from the end of an attempt to the start of the next one on another profile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from vidgen_nb.analysis.records.builder import AttemptRecord, MoveRecord, RunData
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.shapes import Link
from vidgen_nb.charts.gantt.bars import LaneLayout
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line

__all__ = ["knows", "make_links"]

Tries = Mapping[str, list[AttemptRecord]]


def knows(data: RunData, scene: str) -> bool:
    """Return whether a run has a scene of that name."""
    return any(record.id == scene for record in data.scenes)


def make_links(
    data: RunData,
    tries: Tries,
    place: LaneLayout,
    slots: list[int],
    scene: str | None,
    moves: str,
) -> tuple[list[Link], list[str]]:
    """Return the moves to draw, and notes on those that are left out."""
    last = re.fullmatch(r"last (\d+)", moves) if isinstance(moves, str) else None
    if last:
        recent = data.moves[max(0, len(data.moves) - int(last[1])) :]
        shown = [m for m in data.moves if m.scene == scene] if scene is not None else []
        shown += [m for m in recent if m.scene != scene]
    elif moves == "none":
        shown = []
    elif knows(data, moves):
        shown = [m for m in data.moves if m.scene == moves]
    else:
        raise InputError(f'moves is {moves!r}: give "last <n>", "none" or the id of a scene of this run')
    names = {move.scene for move in shown}
    y = {
        (attempt.scene, attempt.number): place.slot(attempt.profile, slot)[0]
        for attempt, slot in zip(data.attempts, slots, strict=True)
        if attempt.scene in names and attempt.profile in place.tops
    }
    links = [link for move in shown if (link := _link(move, tries, y, chosen=move.scene in (scene, moves)))]
    if len(shown) == len(data.moves):
        return links, []
    which = f"the last {last[1]}" if last else "none" if not shown else f"those of scene {one_line(moves, 40)}"
    also = f" and those of scene {one_line(scene, 40)}" if last and scene is not None else ""
    return links, [f"Moves shown: {which}{also}, of {len(data.moves):,}."]


def _link(move: MoveRecord, tries: Tries, y: Mapping[tuple[str, int], float], *, chosen: bool) -> Link | None:
    """Return a move as a line, if both its attempts are in the chart."""
    for before, after in pairwise(tries.get(move.scene, ())):
        if (before.profile, after.profile, after.start) != (move.from_profile, move.to_profile, move.at):
            continue
        ends = y.get((before.scene, before.number)), y.get((after.scene, after.number))
        if before.end is None or ends[0] is None or ends[1] is None:
            continue
        names = f"{one_line(move.from_profile, 40)} → {one_line(move.to_profile, 40)}"
        lines = (f"{one_line(move.scene, 60)} moved: {names}", f"at {text.seconds(move.at)}")
        return Link(before.end, ends[0], after.start, ends[1], lines, chosen)
    return None
