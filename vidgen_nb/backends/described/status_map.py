"""An API's own statuses, what they mean, and a warning about one that its description does not have."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping
from typing import Final

from vidgen_nb.backends.described.checks import Status
from vidgen_nb.backends.wire.http import redacted_line
from vidgen_nb.ports import Secret

__all__ = ["StatusMap"]

MAX_UNKNOWN_STATUSES: Final = 20
"""Unknown statuses that are warned about, for each backend: some APIs put a number into their status."""

log = logging.getLogger("vidgen_nb")


class StatusMap:
    """What the statuses of a backend mean; it warns once about each unknown one."""

    def __init__(self, backend: str, statuses: Mapping[str, Status]) -> None:
        self._backend, self._statuses = backend, dict(statuses)
        self._unknown: set[str] = set()

    def status(self, word: object, error: object, key: Secret) -> Status:
        """Return the meaning of a status; an unknown one means failed if there is an error, else running."""
        if isinstance(word, str) and word in self._statuses:
            return self._statuses[word]
        if error:
            return "failed"
        self._warn(redacted_line(str(word), key, 60))
        return "running"

    def is_cancelled(self, word: object) -> bool:
        """Return whether a status means that the job is cancelled."""
        return isinstance(word, str) and self._statuses.get(word) == "cancelled"

    def _warn(self, word: str) -> None:
        if word in self._unknown or len(self._unknown) >= MAX_UNKNOWN_STATUSES:
            return
        self._unknown.add(word)
        last = "; further ones are not reported" if len(self._unknown) == MAX_UNKNOWN_STATUSES else ""
        problem = f"{word!r} is not in its statuses, and counts as running{self._advice(word)}{last}"
        log.warning("backend %r: %s", redacted_line(self._backend, limit=60), problem)

    def _advice(self, word: str) -> str:
        """Say what may be wrong: a similar known status may differ by its case, or by a typing error."""
        known = {each.lower(): each for each in self._statuses if isinstance(each, str)}
        close = difflib.get_close_matches(word.lower(), known, n=1)
        if not close:
            return ": add it to statuses="
        return f": if {redacted_line(known[close[0]], limit=60)!r} in statuses= means it, write it as the API does"
