"""Whether scenes fail one after the other for the same reason: then a person should look before more is paid for.

Counted are jobs that failed and requests that were refused for good, content policy included: of these the prompts
differ, but the reason is the same. What a rate limit, a bad key or a network does is answered by other rules (R1, R9,
R11). Nor does it count that a scene is cancelled, or held because its program was killed.

A failure that may pass is tried again, so it counts from the second time that a scene meets it: where one job in ten
fails by chance, three failures in a row are common, and no reason to stop overnight. A scene counts once; a job that
is done, or another reason, begins anew.
"""

from __future__ import annotations

import re

from vidgen_nb.core.outcomes import Failure, Permanent, Transient

__all__ = ["FailureStreak"]

_DIFFERS = re.compile(r"\S*\d\S*|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)|“[^”]*”")
"""What differs from failure to failure of one kind: words with a digit, such as ids, times and numbers; and quotes."""


class FailureStreak:
    """The latest failures in a row that have the same kind and reason."""

    __slots__ = ("_key", "_met", "reason", "scenes")

    def __init__(self) -> None:
        self._key: tuple[str, str] | None = None
        self._met: dict[str, tuple[str, str]] = {}
        """By scene, the latest failure that may pass."""
        self.scenes: dict[str, None] = {}
        """In the order of their failures."""
        self.reason = ""
        """The latest one's, word for word."""

    def job_failed(self, scene: str, outcome: Failure) -> None:
        """Count a job that its provider ended without a result."""
        if isinstance(outcome, Permanent | Transient) and not getattr(outcome, "local", False):
            self._count(scene, outcome)

    def refused(self, scene: str, outcome: Failure) -> None:
        """Count a submit that failed, if it was refused for good."""
        if isinstance(outcome, Permanent):
            self._count(scene, outcome)

    def clear(self) -> None:
        """Begin anew."""
        if self.scenes:
            self._key, self.scenes, self.reason = None, {}, ""

    def _count(self, scene: str, outcome: Permanent | Transient) -> None:
        key = (outcome.kind, _DIFFERS.sub("#", outcome.reason))
        if key != self._key:
            self.clear()
        if isinstance(outcome, Transient) and self._met.get(scene) != key:
            self._met[scene] = key
            return
        self._key, self.reason = key, outcome.reason
        self.scenes[scene] = None
