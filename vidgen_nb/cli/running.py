"""A run in a terminal: progress bar, log lines, tables. Foreign text is printed as text, never as markup."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.highlighter import NullHighlighter
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.emulator import Emulator
from vidgen_nb.errors import InputError, NoUsableProfile, OutputError
from vidgen_nb.plaintext import clean
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session

__all__ = ["complain", "run", "serve", "within"]

MOST_LINES = 20
"""Moved scenes listed."""
RANGE = re.compile(r"(\d+)(?:-(\d+))?")


def complain(error: Exception) -> None:
    """Print an error as one line on stderr."""
    Console(stderr=True).print(Text.assemble(("error: ", "bold red"), clean(str(error), 4000)))


def within(scenes: Sequence[Scene], only: str | None) -> Sequence[Scene]:
    """Return the scenes of a range such as `3-7`, counted from 1."""
    if only is None:
        return scenes
    match = RANGE.fullmatch(only)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= len(scenes):
        raise InputError(f"--only {only!r}: a range such as 3-7 or 5 is wanted, within 1-{len(scenes)}")
    return scenes[first - 1 : last]


def run(session: Session, scenes: Sequence[Scene] | None, *, record: Path, gantt: Path) -> int:
    """Run scenes with a progress bar and log lines, then print tables and write files; return the exit code.

    Without scenes, go on with those of a run that was restored.
    """
    console = _console(stderr=True)
    past = [] if scenes is not None or session.last_run is None else session.last_run.scenes
    total, before = len(scenes or past), sum(scene.end is not None for scene in past)
    with (
        _log_to(console),
        Progress(
            TextColumn("scenes"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            TimeElapsedColumn(),
            console=console,
        ) as progress,
    ):
        task = progress.add_task("scenes", total=total, completed=before, state="")

        def follow(events: Sequence[ev.Event]) -> None:
            done = sum(isinstance(event, ev.Fetched | ev.SceneSettled) for event in events)
            closed = ", ".join(map(clean, session.cooling))
            state = f"{session.in_flight} under way" + (f", cooling or out: {closed}" if closed else "")
            progress.update(task, advance=done, state=state)

        session.observe(follow)
        session.start(scenes)
        try:
            finished, interrupted = _wait(session, console)
        finally:
            if (current := session.last_run) is not None:
                save(current, record, gantt)  # also when a bug broke it off: what was done is paid for
    report(finished, record, gantt)
    if interrupted:
        return 130
    return 0 if all(scene.status == "succeeded" for scene in finished.scenes) else 1


def _wait(session: Session, console: Console) -> tuple[Run, bool]:
    """Wait for the end; the first Ctrl-C stops the run, the second leaves it."""
    interrupted = False
    while True:
        try:
            return session.wait(), interrupted
        except (NoUsableProfile, OutputError) as error:
            complain(error)
            return error.run, interrupted
        except KeyboardInterrupt:
            current = session.last_run
            if interrupted and current is not None:
                session.abandon()
                return current, True
            interrupted = True
            session.stop()
            console.print("stopping: what is under way may finish; press Ctrl-C again to leave it", markup=False)


class _log_to:  # noqa: N801 - a context manager, used as a function
    """Show log lines of vidgen_nb above the progress bar."""

    def __init__(self, console: Console) -> None:
        self._log = logging.getLogger("vidgen_nb")
        self._handler: logging.Handler = logging.StreamHandler(sys.stderr)
        if console.is_terminal:  # the bar must stay below; in a pipe, rich would pad lines and break them
            plain = NullHighlighter()
            self._handler = RichHandler(
                console=console, show_time=False, show_path=False, show_level=False, markup=False, highlighter=plain
            )
        self._handler.setFormatter(logging.Formatter("%(message)s"))

    def __enter__(self) -> None:
        self._level, self._propagate = self._log.level, self._log.propagate
        self._log.addHandler(self._handler)
        self._log.setLevel(logging.INFO)
        self._log.propagate = False

    def __exit__(self, *_: object) -> None:
        self._log.removeHandler(self._handler)
        self._log.setLevel(self._level)
        self._log.propagate = self._propagate


def free(path: Path) -> Path:
    """Return the path, or with `-2` and so on the first that is free: earlier runs are not overwritten."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_stem(f"{path.stem}-{number}")
    return found


def save(finished: Run, record: Path, gantt: Path) -> None:
    """Write the recorded run and its Gantt."""
    try:
        finished.save(record)
        gantt.parent.mkdir(parents=True, exist_ok=True)
        gantt.write_text(finished.html(), encoding="utf-8")
    except OSError as error:
        complain(InputError(f"the run can't be written to {error.filename}: {error.strerror}"))


def report(finished: Run, record: Path, gantt: Path) -> None:
    """Print the table of profiles, the moved scenes, those that did not succeed, and where things are."""
    console, metrics = _console(), finished.metrics()
    done = metrics.scenes.get("succeeded", 0)
    title = f"{done} of {len(finished.scenes)} scenes succeeded in {finished.data.end:.1f} s"
    table = Table("profile", title=title, title_justify="left")
    for column in ("scenes", "attempts", "429s", "cooldown s", "utilisation"):
        table.add_column(column, justify="right")
    for row in metrics.profiles:
        table.add_row(
            Text(clean(row.profile)),
            str(row.scenes),
            str(row.attempts),
            str(row.rate_limited),
            f"{row.cooldown:.1f}",
            f"{row.utilisation:.0%}",
        )
    console.print(table)
    moved = sorted({move.scene for move in finished.moves})
    if moved:
        console.print(f"{len(finished.moves)} moves of {len(moved)} scenes:", markup=False)
    for scene in moved[:MOST_LINES]:
        console.print(Text(f"  {clean(scene)}  {clean(finished.trail(scene))}"))
    if len(moved) > MOST_LINES:
        console.print(f"  and {len(moved) - MOST_LINES} more: see the Gantt", markup=False)
    for each in finished.scenes:
        if each.status not in ("succeeded", "queued"):
            console.print(Text(f"{clean(each.id)} {each.status}: {clean(each.error or 'under way')}", "red"))
    if waiting := [clean(each.id) for each in finished.scenes if each.status == "queued"]:
        several = f"{waiting[0]} to {waiting[-1]}" if len(waiting) > 1 else waiting[0]
        console.print(Text(f"{len(waiting)} not run: {several}", "red"))
    console.print(Text(f"Gantt: {gantt}   recorded run: {record}"), soft_wrap=True)


def _console(*, stderr: bool = False) -> Console:
    """Return a console; what goes into a pipe or a file is wide enough not to be broken into lines."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=max(console.width, 160))


def serve(served: Emulator, write_profiles: Path | None) -> None:
    """Say where the emulator is, and wait for Ctrl-C."""
    console = Console()
    if write_profiles is not None:
        write_profiles.write_text(_profiles_toml(served), encoding="utf-8")
        console.print(Text(f"profiles: {write_profiles}"))
    for profile in served.provider.profiles.values():
        console.print(Text(f"{clean(profile.name)}: key {profile.api_key}"))
    # last: whoever waits for this line finds the rest done
    console.print(Text(f"serving {served.base_url} at {served.clock.speed:g}x; Ctrl-C ends it"))
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        console.print("stopped", markup=False)


def _profiles_toml(served: Emulator) -> str:
    """Return the client's side of the profiles; an emulator's keys are no secrets."""
    tables = []
    for profile in served.provider.profiles.values():
        lines = ["[[profile]]", f"name = {_quoted(profile.name)}", f"api_key = {_quoted(profile.api_key)}"]
        if profile.capacity is not None:
            lines.append(f"capacity = {profile.capacity}")
        if profile.quota_group is not None:
            lines.append(f"quota_group = {_quoted(profile.quota_group)}")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)


def _quoted(text: str) -> str:
    """Return a TOML basic string; its escapes are JSON's."""
    return json.dumps(text)
