"""A run as files: a report, a picture, a table of its attempts, and its events."""

from __future__ import annotations

import csv
import io
from dataclasses import astuple, fields
from pathlib import Path

from vidgen_nb.analysis.records.builder import AttemptRecord
from vidgen_nb.run import Run
from vidgen_nb.session.video_folder import safe_name

__all__ = ["export"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that starts so for a formula."""


def export(run: Run, folder: Path, videos: Path) -> list[Path]:
    """Write a run's report as HTML, its Gantt as SVG, its attempts as CSV and its events, under the run's name.

    `videos`: what the paths of its videos are relative to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = safe_name(str(run.header.get("run") or "run"))  # in a loaded file it may be anything
    page, picture, table = (folder / f"{name}{suffix}" for suffix in (".html", ".svg", ".csv"))
    run.report(page, videos=videos)
    picture.write_text(run.svg(), encoding="utf-8")
    table.write_text(_csv(run.attempts), encoding="utf-8", errors="backslashreplace", newline="")
    return [page, picture, table, run.save(folder / f"{name}.jsonl")]


def _csv(attempts: list[AttemptRecord]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([each.name for each in fields(AttemptRecord)])
    writer.writerows([_cell(value) for value in astuple(attempt)] for attempt in attempts)
    return text.getvalue()


def _cell(value: object) -> object:
    """Return a value so that a spreadsheet does not take foreign text for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
