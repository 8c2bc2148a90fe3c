"""What APIs call the states of a job, in any case: one table for all backends.

A backend, or the user of one, may have words of its own, which go before these. A word that nobody knows is logged
once, and means that the job is asked about again: new words are more often a new stage than a new end. Such a job may
be done, so it is not cancelled at its provider: many delete the result of a finished job.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from vidgen_nb.backends.wire.http import redacted_line
from vidgen_nb.backends.wire.jobs.job_names import names_job
from vidgen_nb.backends.wire.reading.error_body import tells_error
from vidgen_nb.ports import Secret

__all__ = ["JobStatus", "StatusWords", "meaning", "word_of"]

JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]

MAX_UNKNOWN_WORDS: Final = 20
"""Unknown words that are warned about, for each backend: some APIs put a number into their status."""
MAX_UNCLEAR_JOBS: Final = 100_000

_WORDS: Final[Mapping[JobStatus, str]] = {
    "queued": "queued queueing queue in_queue inqueue enqueued pending submitted submitting created accepted received "
    "waiting wait scheduled not_started notstarted starting new throttled preparing pre_processing preprocessing "
    "initializing initialized validating validated",
    "running": "running processing in_progress inprogress progressing generating generation rendering working started "
    "active executing encoding uploading post_processing postprocessing finalizing finishing "
    "completing cancelling canceling retrying",
    "succeeded": "succeeded succeed success successful successfully completed complete completion done finished finish "
    "ready generated ok",
    "failed": "failed fail failure error errored expired expire aborted abort timeout timed_out timedout time_out "
    "rejected reject refused deleted removed terminated killed crashed dead invalid moderated content_moderated "
    "request_moderated nsfw blocked incomplete budget_exceeded unsuccessful",
    "cancelled": "cancelled canceled cancel revoked stopped",
}
_MEANINGS: Final = {word: status for status, words in _WORDS.items() for word in words.split()}
_PREFIX: Final = re.compile(r"(?:(?:job|task|video|task_status|job_state|state|status)_)(?=.)")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")

log = logging.getLogger("vidgen_nb")


def word_of(value: object) -> str | None:
    """Return an answer's status as a word: numbers and truth values are words, too. None: it is no status."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    return value if isinstance(value, str) and value.strip() else None


def meaning(word: str | None) -> JobStatus | None:
    """Return what a word means in most APIs, in any case; None if it is in no vocabulary."""
    if word is None:
        return None
    plain = re.sub(r"[\s.-]+", "_", _CAMEL.sub("_", word.strip())).lower()
    for form in (plain, _PREFIX.sub("", plain, count=1), plain.replace("_", "")):
        if form in _MEANINGS:
            return _MEANINGS[form]
    return None


class StatusWords:
    """What the words of one backend mean: its `own` ones (any values), then the table's."""

    def __init__(self, backend: str, own: Mapping[Any, JobStatus] | None = None) -> None:
        self._backend = backend
        known = {word_of(word): status for word, status in (own or {}).items()}
        self._own = {word: status for word, status in known.items() if word is not None}
        self._in_any_case = {word.strip().lower(): status for word, status in self._own.items()}
        self._unknown: set[str] = set()
        self._unclear: set[str] = set()

    def known(self, value: object) -> JobStatus | None:
        """Return the meaning of a status, or None."""
        word = word_of(value)
        if word is None:
            return None
        return self._own.get(word) or self._in_any_case.get(word.strip().lower()) or meaning(word)

    def has_ended(self, value: object) -> bool:
        """Return whether a word says that a job is over."""
        return self.known(value) in ("succeeded", "failed", "cancelled")

    def is_last_word(self, value: object, data: object, job: str, told: object = None) -> bool:
        """Return whether an answer names a job and says that it ended: this counts whatever the HTTP status is.

        `told`: the id at the place that a description names.
        """
        return self.has_ended(value) and names_job(data, job, told)

    def status(self, value: object, error: object, key: Secret, job: str) -> JobStatus:
        """Return the status of a job; of an unknown word failed if there is an error, else running, and that is said.

        Remembers whether the job's latest word was known, for `may_be_done`.
        """
        found = self.known(value)
        if found is None and tells_error(error):
            found = "failed"
        if found is not None:
            self._unclear.discard(job)
            return found
        if len(self._unclear) < MAX_UNCLEAR_JOBS:
            self._unclear.add(job)
        self._warn(redacted_line(str(value), key, 60))
        return "running"

    def may_be_done(self, job: str) -> bool:
        """Return whether a job's latest word was one that nobody knows: it may mean that the job has its result."""
        return job in self._unclear

    def _warn(self, word: str) -> None:
        if word in self._unknown or len(self._unknown) >= MAX_UNKNOWN_WORDS:
            return
        self._unknown.add(word)
        last = "; further ones are not reported" if len(self._unknown) == MAX_UNKNOWN_WORDS else ""
        whose = "its statuses" if self._own else "any vocabulary of job statuses"
        problem = f"{word!r} is not in {whose}, and counts as running{self._advice(word)}{last}"
        log.warning("backend %r: %s", redacted_line(self._backend, limit=60), problem)

    def _advice(self, word: str) -> str:
        """Say what may be wrong: a similar known word may differ by a typing error."""
        if not self._own:
            return ": such jobs are asked about again, and never cancelled"
        known = {each.lower(): each for each in self._own}
        close = difflib.get_close_matches(word.lower(), known, n=1)
        if not close:
            return ": add it to statuses="
        return f": if {redacted_line(known[close[0]], limit=60)!r} in statuses= means it, write it as the API does"
