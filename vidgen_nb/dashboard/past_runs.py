"""The recorded runs in a folder, newest first: when each began, and what became of its scenes."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, overload

from vidgen_nb.charts.report.naming import began, date_and_time
from vidgen_nb.plaintext import html_line, one_line
from vidgen_nb.recording.disk import is_free
from vidgen_nb.run import Run, load_run
from vidgen_nb.wording.standing import ended_word, standing_counts, standings_text

__all__ = ["MAX_LISTED_RUNS", "PastRun", "PastRuns"]

MAX_LISTED_RUNS = 200
HEADINGS = ("", "Run", "Began", "Succeeded", "Failed", "Other", "Stands")
_COUNTED = tuple(
    f'{{"event":"{name}"'.encode()
    for name in (
        "SceneAdded", "AttemptStarted", "SceneRequeued", "AskedAgain", "Fetched", "SceneSettled", "RunEnded",
    )
)  # fmt: skip


@dataclass(frozen=True)
class PastRun:
    """One recorded run; `load()` reads it, to look at and ask questions to."""

    path: Path
    name: str
    """As its header says."""
    started: datetime | None
    """In this machine's time zone."""
    scenes: dict[str, int] = field(default_factory=dict)
    """How many have `succeeded` or `failed`, are `held`, `cancelled`, `running` or `waiting`; zeros are left out."""
    ended: str | None = None
    """Why it ended; None: it goes on, or was broken off."""

    @property
    def address_name(self) -> str:
        """Its file's name as an address can have it: the name may hold bytes that are no UTF-8."""
        return os.fsencode(self.path.name).decode("utf-8", "replace")

    def load(self) -> Run:
        """Read the run."""
        return load_run(self.path)

    @property
    def is_live(self) -> bool:
        """Whether some program is writing it now."""
        try:
            return self.ended is None and not is_free(self.path)
        except OSError:
            return False

    @property
    def stand(self) -> str:
        """How it stands, in a word or two."""
        return "running" if self.is_live else ended_word(self.ended)

    def __repr__(self) -> str:
        when = "" if self.started is None else f"{date_and_time(self.started)}, "
        counts = standings_text(self.scenes) or "no scenes"
        return f"<PastRun {one_line(self.name, 80)}: {when}{counts}; {one_line(self.stand, 80)}>"


class PastRuns(Sequence[PastRun]):
    """The runs in a folder, newest first; in a notebook, a table of them.

    >>> run = ctl.runs[0].load()
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.unread: list[Path] = []
        """Files with a run's name that are damaged, or no runs."""
        self._runs = list(_newest(self.folder, self.unread))

    @overload
    def __getitem__(self, index: int) -> PastRun: ...
    @overload
    def __getitem__(self, index: slice) -> list[PastRun]: ...
    def __getitem__(self, index: int | slice) -> PastRun | list[PastRun]:
        """Return one run, or several; 0 is the newest."""
        return self._runs[index]

    def __len__(self) -> int:
        return len(self._runs)

    def named(self, file_name: str) -> PastRun | None:
        """Return the run in the file of that name; None: there is none in this folder."""
        return next((each for each in self._runs if file_name in (each.path.name, each.address_name)), None)

    def __repr__(self) -> str:
        return "\n".join([f"<{len(self):,} runs in {self.folder}>", *(f"{at}: {each}" for at, each in enumerate(self))])

    def _repr_html_(self) -> str:
        """Return the runs as a table."""
        return self.table(lambda at, _each: f"runs[{at}]")

    def table(self, label: Any) -> str:
        """Return the runs as an HTML table; `label(index, run)` is the HTML of its first column."""
        if not self._runs:
            return "<p>No run is recorded here yet.</p>"
        head = "".join(f"<th>{name}</th>" for name in HEADINGS)
        body = "".join(f"<tr><td>{label(at, each)}</td>{_cells(each)}</tr>" for at, each in enumerate(self._runs))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(run: PastRun) -> str:
    total, (succeeded, failed) = sum(run.scenes.values()), (run.scenes.get(name, 0) for name in ("succeeded", "failed"))
    other = standings_text({name: count for name, count in run.scenes.items() if name not in ("succeeded", "failed")})
    bar = f'<progress max="{total}" value="{succeeded}" aria-hidden="true"></progress> ' if total else ""
    cells = (
        html_line(run.name, 80),
        escape(date_and_time(run.started)),
        f"{bar}{succeeded:,} of {total:,}",
        f"{failed:,}" if failed else "",
        escape(other),
        html_line(run.stand, 60),
    )
    return "".join(f"<td>{each}</td>" for each in cells)


def _newest(folder: Path, unread: list[Path]) -> Iterator[PastRun]:
    files = list(_files(folder))
    files.sort(key=lambda each: each[0].st_mtime_ns, reverse=True)
    found = [_read(path, at.st_size, at.st_mtime_ns) for at, path in files[:MAX_LISTED_RUNS]]
    unread += [path for (_at, path), run in zip(files, found, strict=False) if run is None]
    earliest = datetime.min.replace(tzinfo=UTC)
    yield from sorted(filter(None, found), key=lambda each: each.started or earliest, reverse=True)


def _files(folder: Path) -> Iterator[tuple[os.stat_result, Path]]:
    """Yield the files that may be runs. A link to nowhere hides no other; a pipe would be waited for."""
    with suppress(OSError):
        for each in folder.glob("*.jsonl"):
            with suppress(OSError):
                at = each.stat()
                if stat.S_ISREG(at.st_mode) and not each.name.startswith("."):
                    yield at, each


@lru_cache(maxsize=2 * MAX_LISTED_RUNS)
def _read(path: Path, size: int, changed: int) -> PastRun | None:
    """Return what a file says of its run; None: it is no run. An unchanged file is read once."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline())
            if not isinstance(header, dict) or "vidgen_nb_run" not in header:
                return None
            scenes, ended = _counted(file)
    except (OSError, ValueError, RecursionError):
        return None
    name = str(header.get("run") or path.stem)
    return PastRun(path, name, began(header), standing_counts(scenes.values()), ended)


def _counted(lines: Any) -> tuple[dict[str, str], str | None]:
    """Return the status of each scene, and why the run ended, from the few lines that say so.

    A damaged line is left out: the run is listed all the same, and who opens it is told.
    """
    scenes: dict[str, str] = {}
    ended = None
    for line in lines:
        if not line.startswith(_COUNTED) or not line.endswith(b"\n"):
            continue
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            event = json.loads(line)
            match event["event"]:
                case "SceneAdded":
                    scenes[event["scene"]["id"]], ended = "queued", None
                case "SceneRequeued":
                    scenes[event["scene"]] = "queued"
                case "AttemptStarted":
                    scenes[event["scene"]], ended = "generating", None
                case "AskedAgain":
                    scenes[event["scene"]["id"]], ended = "generating", None
                case "Fetched":
                    scenes[event["scene"]] = "succeeded"
                case "SceneSettled":
                    scenes[event["scene"]] = str(event["status"])
                case _:
                    ended = str(event["reason"])
    return scenes, ended
