"""A run in the terminal, with a progress bar and log lines; Ctrl-C stops it in order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from vidgen_nb.cli.console import LogOnConsole, make_console, print_error
from vidgen_nb.cli.report import print_report, write_files
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.errors import NoUsableProfile, OutputError
from vidgen_nb.plaintext import one_line
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session

__all__ = ["run_to_end"]


def run_to_end(session: Session, scenes: Sequence[Scene] | None, *, record: Path, gantt: Path) -> int:
    """Run scenes with a progress bar and log lines, then write the files and print a report; return the exit code.

    Without scenes, continue a restored run.
    """
    console = make_console(stderr=True)
    past = [] if scenes is not None or session.last_run is None else session.last_run.scenes
    total, before = len(scenes or past), sum(scene.end is not None for scene in past)
    with LogOnConsole(console), _progress_bar(console) as progress:
        task = progress.add_task("scenes", total=total, completed=before, state="")

        def update(events: Sequence[ev.Event]) -> None:
            settled = sum(isinstance(event, ev.Fetched | ev.SceneSettled) for event in events)
            closed = ", ".join(map(one_line, session.cooling))
            state = f"{session.in_flight} running" + (f", cooling or unusable: {closed}" if closed else "")
            progress.update(task, advance=settled, state=state)

        session.observe(update)
        session.start(scenes)
        try:
            finished, interrupted = _wait(session, console)
        finally:
            if (current := session.last_run) is not None:
                write_files(current, record, gantt)  # also after a bug of ours: what was done is paid for
    print_report(finished, record, gantt)
    if interrupted:
        return 130
    return 0 if all(scene.status == "succeeded" for scene in finished.scenes) else 1


def _progress_bar(console: Console) -> Progress:
    return Progress(
        TextColumn("scenes"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}", markup=False),
        TimeElapsedColumn(),
        console=console,
    )


def _wait(session: Session, console: Console) -> tuple[Run, bool]:
    """Wait for the end; the first Ctrl-C stops the run, the second leaves it. Also return whether there was one."""
    interrupted = False
    while True:
        try:
            return session.wait(), interrupted
        except (NoUsableProfile, OutputError) as error:
            print_error(error)
            return error.run, interrupted
        except KeyboardInterrupt:
            current = session.last_run
            if interrupted and current is not None:
                session.abandon()
                return current, True
            interrupted = True
            session.stop()
            console.print("stopping: running scenes may finish; press Ctrl-C again to leave them", markup=False)
