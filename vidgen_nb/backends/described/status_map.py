"""An API's own words for the status of a job, and what is said of one that its description does not have."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping
from typing import Final

from vidgen_nb.backends.described.checks import Status
from vidgen_nb.backends.wire.http import redacted_line
from vidgen_nb.ports import Secret

__all__ = ["StatusMap"]

MAX_WARNED_STATUSES: Final = 20
"""Words of one backend that are warned of: some APIs put a number into their status."""

log = logging.getLogger("vidgen_nb")


class StatusMap:
    """What the words of a backend mean; one that is not told is warned of once."""

    def __init__(self, backend: str, statuses: Mapping[str, Status]) -> None:
        self._backend, self._statuses = backend, dict(statuses)
        self._unknown: set[str] = set()

    def status(self, word: object, error: object, key: Secret) -> Status:
        """Return what a word means; one that is not told is a failure beside an error, and else running."""
        if isinstance(word, str) and word in self._statuses:
            return self._statuses[word]
        if error:
            return "failed"
        self._warn(redacted_line(str(word), key, 60))
        return "running"

    def is_cancelled(self, word: object) -> bool:
        """Return whether a word means that the job is cancelled."""
        return isinstance(word, str) and self._statuses.get(word) == "cancelled"

    def _warn(self, word: str) -> None:
        if word in self._unknown or len(self._unknown) >= MAX_WARNED_STATUSES:
            return
        self._unknown.add(word)
        last = "; no more of them is said" if len(self._unknown) == MAX_WARNED_STATUSES else ""
        what = f"{word!r} is not among its statuses, and counts as running{self._advice(word)}{last}"
        log.warning("backend %r: %s", redacted_line(self._backend, limit=60), what)

    def _advice(self, word: str) -> str:
        """Return what may be wrong: the word that is told differs in its case, or by a slip."""
        known = {each.lower(): each for each in self._statuses if isinstance(each, str)}
        close = difflib.get_close_matches(word.lower(), known, n=1)
        if not close:
            return ": add it to statuses="
        return (
            f": if {redacted_line(known[close[0]], limit=60)!r} in statuses= is meant for it, write it as the API does"
        )
