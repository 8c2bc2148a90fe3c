"""How a run's end is told where it is not what the user wanted: what happened, and what to do."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable
from pathlib import Path

from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import NoUsableProfile, OutputError, SessionError
from vidgen_nb.plaintext import one_line
from vidgen_nb.recording.journal import Journal
from vidgen_nb.run import Run
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import count

__all__ = ["broken_off", "call_on_end", "no_usable_profile", "results_unwritable", "warn_of_open_run"]

log = logging.getLogger("vidgen_nb")

MAX_JOBS_NAMED = 20


def broken_off(journal: Journal | None) -> SessionError:
    """Return the error of a run that was broken off."""
    return SessionError(
        "the run was broken off; run() goes on with the scenes that were not sent"
        if journal is None
        else f"the run was broken off; restore({str(journal.path)!r}, …) goes on with it"
    )


def no_usable_profile(run: Run, scheduler: Scheduler, now: float, max_wait: float) -> NoUsableProfile:
    """Return the error of a run whose profiles are all unusable, or come back too late."""
    reasons = [
        f"{one_line(window.profile, 80)}: {window.reason}"
        + ("" if math.isinf(window.until) else f" (back in {duration(window.until)})")
        for window in scheduler.roster.windows(now)
    ]
    return NoUsableProfile(
        f"no profile is usable within max_wait={max_wait:g} s; scenes still waiting: {scheduler.unsettled}. "
        f"{'; '.join(reasons) or 'all profiles were removed'}. Mend that, then release_cooldown(profile) and run()",
        run,
    )


def results_unwritable(run: Run, scheduler: Scheduler, folder: Path) -> OutputError:
    """Return the error of a run whose finished videos can't be written."""
    left = scheduler.in_flight
    return OutputError(
        f"{left} finished video{'s' * (left != 1)} can't be written to {str(folder)!r}: the log says why. They stay "
        f"with the provider, {scheduler.unsettled - left} more scenes wait. Make room there, then run() goes on: it "
        "fetches them, and submits the rest",
        run,
    )


def call_on_end(on_end: Callable[[Run], object] | None, run: Run) -> None:
    """Tell a user's function that a run has ended; what it raises is logged, and changes nothing."""
    if on_end is None:
        return
    try:
        on_end(run)
    except BaseException:  # whatever it is, who waits for the run must be told of its end
        log.exception("on_end raised an error; the run has ended and is complete")


def warn_of_open_run(scheduler: Scheduler, journal: Journal | None, process: int) -> None:
    """Warn, when the program ends, of a run that nobody waited for; without a journal, name the jobs that it leaves.

    `process`: the one that the run is in; a forked child has nothing to say.
    """
    if process != os.getpid():
        return
    if journal is not None:
        advice = f"restore({str(journal.path)!r}, …) goes on with them"
    else:
        advice = "wait() for them, or use `with Session(...)`"
        jobs = [each.operation.id for each in scheduler.scenes.values() if each.has_open_job and each.operation]
        if jobs:
            shown = ", ".join(one_line(job, 80) for job in jobs[:MAX_JOBS_NAMED])
            advice += f". Their jobs at the provider: {shown}{', …' * (len(jobs) > MAX_JOBS_NAMED)}"
    log.warning(
        "the program ends with %s running and %d waiting; %s",
        count(scheduler.in_flight, "scene"),
        scheduler.unsettled - scheduler.in_flight,
        advice,
    )
