"""A run in the terminal, with a progress bar and log lines; Ctrl-C and SIGTERM stop it in order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from vidgen_nb.cli.console import LogOnConsole, make_console, print_error
from vidgen_nb.cli.report import print_report, write_files
from vidgen_nb.cli.signals import TERMINATED, signals_wait
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.errors import NoUsableProfile, OutputError
from vidgen_nb.plaintext import one_line
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session

__all__ = ["run_to_end"]

INTERRUPTED = 130
"""The exit code after Ctrl-C."""
LOOK_SECONDS = 0.02
ANSWERS_SECONDS = 5.0
"""Wall seconds that SIGTERM leaves to submits that have no answer yet: without one their scenes are in doubt."""


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
        try:
            finished, code = _run(session, scenes, console)
        finally:
            if (current := session.last_run) is not None:
                with signals_wait():
                    write_files(current, record, gantt)  # also after a bug of ours: what was done is paid for
    print_report(finished, record, gantt)
    if code:
        return code
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


def _run(session: Session, scenes: Sequence[Scene] | None, console: Console) -> tuple[Run, int]:
    """Begin, and wait for the end; the first Ctrl-C stops the run, the second leaves it, and so does SIGTERM.

    Also return the exit code for that, or 0.
    """
    code, is_begun = 0, False
    while True:
        try:
            if not is_begun:
                is_begun = True  # even if interrupted meanwhile
                session.start(scenes)
            return session.wait(), code
        except (NoUsableProfile, OutputError) as error:
            print_error(error)
            return error.run, code
        except KeyboardInterrupt:
            if code and (current := session.last_run) is not None:
                session.abandon()
                return current, code
            code = INTERRUPTED
            session.stop()
            if session.last_run is None:  # it has not begun
                raise
            console.print(
                f"stopping: {session.in_flight} running scenes may finish; press Ctrl-C again to leave them",
                markup=False,
            )
        except SystemExit:  # SIGTERM
            return _terminated(session, console), TERMINATED


def _terminated(session: Session, console: Console) -> Run:
    """Submit nothing more, wait a moment for the answers to submits, and leave the run, to be restored later."""
    session.stop()
    if session.last_run is None:  # it has not begun
        raise SystemExit(TERMINATED)
    live = session.runner.current()
    console.print(f"terminated: stopping, {live.scheduler.in_flight} scenes are running", markup=False)
    left = ANSWERS_SECONDS
    with suppress(KeyboardInterrupt, SystemExit):  # a second signal does not wait
        while session.is_running and live.scheduler.submitting and left > 0:
            time.sleep(LOOK_SECONDS)
            left -= LOOK_SECONDS  # not by a clock: time in which the program was stopped does not count
    session.abandon()
    if session.journal is not None:
        console.print(Text(f"restore goes on with it: vidgen-nb restore {session.journal}"), soft_wrap=True)
    return live.run
