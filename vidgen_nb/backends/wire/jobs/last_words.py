"""Answers to submits that were their job's last word already."""

from __future__ import annotations

from typing import Final

from vidgen_nb.backends.wire.http import Answer

__all__ = ["LastWords"]

MAX_KEPT: Final = 1000


class LastWords:
    """Keeps the answers of jobs that had ended when they were submitted, until they are read.

    Some servers answer only once the video is made, and some refuse a prompt as a job that failed; neither may be found
    by a poll afterwards.
    """

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {}

    def note(self, job: str, answer: Answer) -> None:
        """Keep the answer to a submit in which the job has ended."""
        if len(self._answers) < MAX_KEPT:
            self._answers[job] = answer

    def of(self, job: str) -> Answer | None:
        """Return the answer in which a job has ended, if it is still kept."""
        return self._answers.get(job)

    def take(self, job: str) -> Answer | None:
        """Return it for the last time: whatever comes next is asked of the server."""
        return self._answers.pop(job, None)
