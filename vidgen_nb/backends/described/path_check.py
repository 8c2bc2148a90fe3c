"""Checks a description against the first answers: whether values are where its JSON paths say.

If a path has never led to a value, the description is wrong, and `InputError` stops the run. What has been right once,
here or at any server, is remembered in one place (`wire.first_answers`).
"""

from __future__ import annotations

from typing import Final

from vidgen_nb.backends.described.json_paths import JsonPath, is_missing, outline, value_at
from vidgen_nb.backends.wire.first_answers import FirstAnswers
from vidgen_nb.backends.wire.http import Answer, redacted_line
from vidgen_nb.backends.wire.reading.error_body import tells_error
from vidgen_nb.backends.wire.reading.refusals import is_refusal
from vidgen_nb.core.outcomes import Permanent
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Secret

__all__ = ["PathCheck", "missing_value", "text_in"]

_ERROR_PATHS: Final = ("error", "errors", "detail")
_HINTS: Final = {
    "result": "; if it may be missing, give a function, such as lambda answer: answer.get('video')",
    "job": ', and base_url if this is no answer of the API; a job that is named in a header is "headers.location"',
}


class PathCheck:
    """Reads values at paths; `first_answers` remembers which have led to one. `error`: the path of an error."""

    def __init__(self, first_answers: FirstAnswers, error: JsonPath) -> None:
        self._first_answers = first_answers
        self._error_path = error

    def check(self, option: str, path: JsonPath, answer: Answer, key: Secret, job: str = "") -> None:
        """Raise `InputError` for an answer that has no value at a path that has never led to one.

        An answer that contains an error says nothing about the path, nor does one of another kind, such as a page or a
        list: amid polls it is asked about again, and to a submit it is judged like any server's first answer.
        `job`: the id of the accepted job.
        """
        if not self._first_answers.shows_mistake(option, answer) or not isinstance(answer.data, dict):
            return
        if not (self._tells_error(answer) or is_refusal(answer.data)):
            accepted = f"accepted as {redacted_line(job, key, 80)!r}, but " if job else ""
            problem = accepted + missing_value(option, path, answer, key)
            raise InputError(f"{problem}. Correct {option}={_HINTS.get(option, '')}")

    def why_no_result(self, path: JsonPath | None, answer: Answer, key: Secret) -> Permanent | None:
        """Return the failure of a job that succeeded without a result, if its answer says what went wrong.

        Where it says nothing, as with null, the result may be there in a moment: it is paid for. Raises as `check`.
        """
        if path is None or self.text_at("result", path, answer, key) is not None or not self._tells_error(answer):
            return None
        problem = missing_value("result", path, answer, key)
        return Permanent(f"it succeeded, but there is no video: {problem}", "no_result")

    def _tells_error(self, answer: Answer) -> bool:
        return any(tells_error(value_at(answer.data, each)) for each in (self._error_path, *_ERROR_PATHS))

    def text_at(self, option: str, path: JsonPath | None, answer: Answer, key: Secret) -> str | None:
        """Return the text, or the first of a list, at a path; raise as `check` if something else is there."""
        found = value_at(answer.data, path)
        if (text := text_in(found)) is not None:
            self._first_answers.confirm(option)
            return text
        is_other = bool(found[0] if isinstance(found, list) and found else found)
        if path is not None and (is_other or is_missing(answer.data, path)):
            self.check(option, path, answer, key)
        return None


def text_in(found: object) -> str | None:
    """Return a value that is a text, or the first of a list; None if that is empty, or something else."""
    first = found[0] if isinstance(found, list) and found else found
    return first if isinstance(first, str) and first else None


def missing_value(option: str, path: JsonPath, answer: Answer, key: Secret) -> str:
    """Say that an answer has no usable value at a path, and what it has."""
    where = "the place its function reads" if callable(path) else repr(path)
    problem = f"the answer has no usable {option} at {where}; {outline(answer.data, path)}"
    return redacted_line(f"HTTP {answer.status}: {problem}", key)
