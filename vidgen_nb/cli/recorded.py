"""The commands for runs that are recorded: a chart, a report, a replay, a dashboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vidgen_nb.cli.emulator_server import wait_for_end
from vidgen_nb.cli.report import write_file
from vidgen_nb.cli.signals import ended_by_signals
from vidgen_nb.errors import InputError

__all__ = ["dashboard", "export", "gantt", "replay", "report"]


def gantt(
    recorded: Annotated[Path, typer.Argument(help="Recorded run, such as run.jsonl.")],
    out: Annotated[Path, typer.Option(help="File to write: .html (interactive) or .svg (a picture).")] = Path(
        "gantt.html"
    ),
    theme: Annotated[str, typer.Option(help="Colours: light or dark.")] = "light",
    width: Annotated[int, typer.Option(help="Width in pixels; for .svg only.", min=480)] = 1000,
) -> None:
    """Draw the Gantt of a recorded run."""
    from vidgen_nb.run import load_run

    found = load_run(recorded)
    if out.suffix == ".svg":
        text = found.svg(theme=theme, width=width)
    elif out.suffix in (".html", ".htm"):
        text = found.html(theme=theme)
    else:
        raise InputError(f"--out {str(out)!r}: give a name that ends in .html or .svg")
    write_file(out, text, "--out")
    Console().print(str(out), markup=False, highlight=False)


def report(
    recorded: Annotated[Path, typer.Argument(help="Recorded run or journal, such as runs/x.jsonl.")],
    out: Annotated[
        Path | None, typer.Option(help="HTML file to write; default: named by the title and the run's date.")
    ] = None,
    title: Annotated[str, typer.Option(help="Title of the report.")] = "",
) -> None:
    """Write a report of a recorded run: one page with figures, numbers, scenes and settings."""
    from vidgen_nb.charts.report.naming import default_name
    from vidgen_nb.charts.report.page import report as page_of
    from vidgen_nb.run import load_run

    found = load_run(recorded)
    path = out if out is not None else Path(default_name(found.header, title))
    write_file(path, page_of(found.data, found.metrics(), found.cost, title=title, videos=Path()), "--out")
    Console().print(str(path), markup=False, highlight=False)


def replay(
    recorded: Annotated[Path, typer.Argument(help="Recorded run or journal, such as runs/x.jsonl.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("replay.html"),
    after: Annotated[float | None, typer.Option(help="Begin at this second of the run.", min=0)] = None,
    until: Annotated[float | None, typer.Option(help="End at this second of the run.", min=0)] = None,
    title: Annotated[str, typer.Option(help="Title of the page; default: the run's name.")] = "",
) -> None:
    """Write a recorded run as a page that plays it: one file that opens anywhere, without a network."""
    from vidgen_nb.run import load_run

    path = load_run(recorded).write_replay(out, after=after, until=until, title=title)
    Console().print(str(path), markup=False, highlight=False)


def export(
    recorded: Annotated[Path, typer.Argument(help="Recorded run or journal, such as runs/x.jsonl.")],
    perfetto: Annotated[
        Path | None, typer.Option(help="Trace to write, for https://ui.perfetto.dev: a JSON file such as trace.json.")
    ] = None,
) -> None:
    """Write a recorded run for another tool: a trace that Perfetto opens."""
    from vidgen_nb.exports.perfetto import perfetto_lines
    from vidgen_nb.run import load_run

    if perfetto is None:
        raise InputError("say what to write: --perfetto trace.json")
    found = load_run(recorded)
    write_file(perfetto, "".join(perfetto_lines({str(found.header.get("run", "")): found.data})), "--perfetto")
    Console().print(str(perfetto), markup=False, highlight=False)


def dashboard(
    folder: Annotated[Path, typer.Argument(help="Folder in which runs are recorded.")] = Path("runs"),
    port: Annotated[int, typer.Option(help="Port to listen on; 0: any free one.", min=0, max=65535)] = 8866,
) -> None:
    """Show the runs in a folder in a browser, read-only, and follow those under way, until Ctrl-C or SIGTERM."""
    from vidgen_nb.dashboard.server import Dashboard

    with ended_by_signals(), Dashboard(folder, port=port) as served:
        wait_for_end(f"showing {folder} at {served.url}; press Ctrl-C to end it")
