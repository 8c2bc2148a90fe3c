"""Whether a key is good, by an answer about a job that nobody has: it says so only where another key is refused.

A server may answer 404 before it looks at the key, or because the address is wrong.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from vidgen_nb.backends.wire.http import Answer
from vidgen_nb.core.outcomes import Failure, Permanent, ProfileUnusable, Transient
from vidgen_nb.ports import BackendError, Secret

__all__ = ["UNKNOWN_JOB_ID", "check_by_comparison", "is_no_such_job"]

UNKNOWN_JOB_ID: Final = "00000000-0000-0000-0000-000000000000"
_NO_KEY: Final = "vidgen-nb-asks-with-no-key"


class _OtherKey(Secret):
    """What is sent in a key's place; an answer that tells the key itself all the same is redacted."""

    __slots__ = ("_texts",)

    def __init__(self, key: Secret) -> None:
        super().__init__(_NO_KEY)
        self._texts: Callable[[], tuple[str, ...]] = lambda: (_NO_KEY, *key.known())

    def known(self) -> tuple[str, ...]:
        """Return both."""
        return self._texts()


def is_no_such_job(answer: Answer, failure: Failure) -> bool:
    """Return whether an answer may be that of an API to a good key: there is no such job. `failure`: what it means."""
    return answer.data is not None and answer.status in (400, 404, 410, 422) and isinstance(failure, Permanent)


async def check_by_comparison(
    answer: Answer, key: Secret, ask: Callable[[Secret], Awaitable[Answer]], classify: Callable[[Answer], Failure]
) -> None:
    """Ask the same without the key; raises `BackendError` unless that one is refused: then nothing is known."""
    other = await ask(_OtherKey(key))
    if other.ok or not isinstance(classify(other), ProfileUnusable):
        reason = f"HTTP {answer.status} to any key, which says nothing of this one"
        advice = 'is base_url right? If so, give probe="/…", a free call that needs the key'
        raise BackendError(Transient(f"{reason}: {advice}"))
