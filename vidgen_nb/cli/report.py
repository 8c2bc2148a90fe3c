"""What is left of a run: its files, and a report in the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table
from rich.text import Text

from vidgen_nb.cli.console import make_console, print_error
from vidgen_nb.core.events import EndReason, SameFailureRepeated
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line
from vidgen_nb.run import Run
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import count, percent
from vidgen_nb.wording.standing import standing

__all__ = ["print_report", "unused_path", "write_file", "write_files"]

MAX_LISTED_MOVES = 20
"""Moved scenes that are listed with their profiles."""


def unused_path(path: Path) -> Path:
    """Return the path, or the first unused one with `-2` and so on: earlier runs are not overwritten."""
    number, found = 1, path
    while _exists(found):
        number += 1
        found = path.with_stem(f"{path.stem}-{number}")
    return found


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long: to write it will say so
        return False


def write_file(path: Path, text: str, option: str) -> None:
    """Write a file that an option names, with its folders; `InputError` if it can't be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{option} {str(path)!r} can't be written ({why}): name another file") from None


def write_files(finished: Run, record: Path, gantt: Path) -> None:
    """Write the recorded run and its Gantt."""
    try:
        finished.save(record)
        gantt.parent.mkdir(parents=True, exist_ok=True)
        gantt.write_text(finished.html(), encoding="utf-8")
    except OSError as error:
        print_error(InputError(f"the run can't be written to {error.filename}: {error.strerror}"))


def print_report(finished: Run, record: Path, gantt: Path) -> None:
    """Print the table of profiles, the moved scenes, those that did not succeed, and where the files are."""
    console = make_console()
    console.print(_profile_table(finished))
    moved = sorted({move.scene for move in finished.moves})
    if moved:
        console.print(f"{count(len(finished.moves), 'move')} of {count(len(moved), 'scene')}:", markup=False)
    for scene in moved[:MAX_LISTED_MOVES]:
        console.print(Text(f"  {one_line(scene)}  {one_line(finished.trail(scene))}"))
    if len(moved) > MAX_LISTED_MOVES:
        console.print(f"  and {len(moved) - MAX_LISTED_MOVES} more: see the Gantt", markup=False)
    for each in finished.scenes:
        if each.status not in ("succeeded", "queued"):
            why = f": {one_line(each.error)}" if each.error else ""
            console.print(Text(f"{one_line(each.id)} {standing(each.status)}{why}", "red"))
    if waiting := [one_line(each.id) for each in finished.scenes if each.status == "queued"]:
        which = f"{waiting[0]} to {waiting[-1]}" if len(waiting) > 1 else waiting[0]
        console.print(Text(f"{len(waiting)} still waiting: {which}", "red"))
    if (cost := finished.cost).currency:
        console.print(f"Cost: {cost}", markup=False, highlight=False)
    if (stopped := _stopped(finished)) is not None:
        console.print(Text(stopped, "red"), soft_wrap=True)
    console.print(Text(f"Gantt: {gantt}   recorded run: {record}"), soft_wrap=True)


def _stopped(finished: Run) -> str | None:
    """Return why the run ended before its scenes were done, and what goes on with it; None: no limit ended it."""
    if finished.ended == EndReason.MAX_COST:
        cap = finished.cost.max_cost
        return f"Spending cap reached ({'' if cap is None else finished.cost.text(cap)}): a higher --max-cost goes on"
    if finished.ended == EndReason.SAME_FAILURE:
        last = next(each for each in reversed(finished.events) if isinstance(each, SameFailureRepeated))
        return f"Stopped: the last {len(last.scenes)} scenes failed for the same reason: {one_line(last.reason)}"
    return None


def _profile_table(finished: Run) -> Table:
    metrics = finished.metrics()
    succeeded = metrics.scenes.get("succeeded", 0)
    title = f"{succeeded} of {len(finished.scenes)} scenes succeeded in {duration(finished.data.end)}"
    table = Table("profile", title=title, title_justify="left")
    costs = finished.cost if metrics.cost is not None else None
    for column in ("scenes", "attempts", "429s", "cooled for", "utilisation", *(["cost"] if costs else [])):
        table.add_column(column, justify="right")
    for row in metrics.profiles:
        table.add_row(
            Text(one_line(row.profile)),
            str(row.scenes),
            str(row.attempts),
            str(row.rate_limited),
            duration(row.cooldown) if row.cooldown else "",
            percent(row.utilisation),
            *([costs.text(row.cost or 0.0)] if costs else []),
        )
    return table
