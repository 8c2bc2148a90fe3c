"""What a success to the cancel of a job means: only a clear confirmation ends the scene.

A page of a proxy confirms nothing, and a job that is said to have ended may have a result: it is asked about.
"""

from __future__ import annotations

from vidgen_nb.backends.wire.answer import Answer
from vidgen_nb.backends.wire.fields import json_object
from vidgen_nb.backends.wire.jobs.status_words import StatusWords, word_of
from vidgen_nb.backends.wire.reading.error_body import tells_error
from vidgen_nb.ports import CancelAnswer

__all__ = ["cancel_answer"]

_GONE = frozenset({"deleted", "removed", "terminated", "aborted"})


def cancel_answer(answer: Answer, words: StatusWords) -> CancelAnswer | None:
    """Return what a cancel's 2xx says; None: it is no answer to it, so that it is tried again."""
    found = json_object(answer)
    if answer.is_cut_off or answer.kind == "an HTML page" or tells_error(found.get("error")):
        return None
    if answer.status == 202 or found.get("deleted") is False:
        return "requested"
    word = word_of(found.get("status"))
    if word is None or found.get("deleted") is True or word.strip().lower() in _GONE:
        return "cancelled"
    known = words.known(word)
    if known in ("succeeded", "failed"):
        return "too late"
    return "cancelled" if known == "cancelled" else "requested"
