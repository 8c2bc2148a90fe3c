"""What a live run is put together from, when it begins here."""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vidgen_nb.clock import Clock
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import JournalError
from vidgen_nb.plaintext import one_line
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.recording.folder import is_resumable, latest
from vidgen_nb.recording.journal import Journal
from vidgen_nb.run import Run
from vidgen_nb.session.settings import Resources, RunSettings

__all__ = ["RunParts", "new_run"]

log = logging.getLogger("vidgen_nb")


@dataclass(frozen=True)
class RunParts:
    """A run that can be driven: its scheduler, the clock that it goes by, and where it is written down."""

    clock: Clock
    scheduler: Scheduler
    run: Run
    journal: Journal | None
    profiles: dict[str, Profile]
    """By name, also those that were removed: what runs on them goes on."""


def new_run(resources: Resources, settings: RunSettings) -> RunParts:
    """Return a run that begins now; `JournalError` where it can't be written down."""
    clock = Clock(settings.speed)
    scheduler = settings.scheduler(resources.backend.poll_schedule)
    run = Run(_header(settings, resources.backend, clock.epoch), scheduler.events)
    journal = _new_journal(resources.journals, run.header) if resources.journals is not None else None
    return RunParts(clock, scheduler, run, journal, {})


def _header(settings: RunSettings, backend: Backend, epoch: float) -> dict[str, Any]:
    """Return a run's header, without keys. `epoch`: wall-clock time of its start, in seconds since 1970."""
    started = datetime.fromtimestamp(epoch, UTC)
    return {
        "run": f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        "started": started.isoformat(timespec="milliseconds"),
        **settings.to_header(),
        "backend": dict(backend.settings()),
    }


def _new_journal(folder: Path, header: dict[str, Any]) -> Journal:
    """Begin the journal of a new run, and warn of an earlier run that is not done; `JournalError` where that can't be.

    Submitting the scenes of such a run again would pay for them twice.
    """
    left = _left_in(folder)
    journal = Journal.create(folder / f"{header['run']}.jsonl", header)
    log.info("journal of this run: %s", journal.path)
    if left is not None:
        log.warning(
            "an earlier run is not done, %s: restore(%r, …) goes on with it. Submitting the same scenes again "
            "would pay for them twice",
            one_line(str(left)),
            str(left),
        )
    return journal


def _left_in(folder: Path) -> Path | None:
    """Return the folder's latest journal where its run is not done and nobody goes on with it."""
    with suppress(JournalError):  # making the new one says what is wrong there
        last = latest(folder)
        return last if last is not None and is_resumable(last) else None
    return None
