"""What can be wrong with the description of an API, checked when an `HttpBackend` is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

from vidgen_nb.backends.described.call_templates import CallTemplate
from vidgen_nb.errors import InputError

__all__ = ["Status", "check_name", "check_paths", "check_statuses", "checked_calls", "checked_headers", "parse_auth"]

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]

_HEADER_NAME: Final = r"[\w!#$%&'*+.^`|~-]+"
_AUTH: Final = re.compile(rf"({_HEADER_NAME}): *([\w-]* *)\{{key\}}", re.ASCII)


def parse_auth(auth: str) -> tuple[str, str]:
    """Return the name of the header that carries the key, and the word before the key."""
    found = _AUTH.fullmatch(auth) if isinstance(auth, str) else None
    if found is None:
        raise InputError('auth must be the key\'s header, such as "Authorization: Bearer {key}" or "X-Api-Key: {key}"')
    return found[1], found[2].strip()


def checked_calls(*, submit: str, poll: str, **others: str | None) -> dict[str, CallTemplate]:
    """Return the described calls by option; `InputError` for one that nobody could make."""
    texts = {"submit": submit, "poll": poll} | {option: text for option, text in others.items() if text is not None}
    calls = {
        option: CallTemplate(option, text, "POST" if option in ("submit", "cancel") else "GET")
        for option, text in texts.items()
    }
    for option, call in calls.items():
        if call.is_whole_url and option in ("submit", "probe"):
            raise InputError(f"{option} must be a path under base_url: no answer comes before it that could give a URL")
        if not call.is_whole_url and option != "submit":
            _check_placeholders(option, call)
    return calls


def _check_placeholders(option: str, call: CallTemplate) -> None:
    """Raise `InputError` for a path under base_url with an unknown placeholder, or without the job's id."""
    write = 'write {id}, the job\'s id, as in "/jobs/{id}"'
    if option != "probe":
        write += ', or a path in the submit\'s answer that leads to a whole URL, as in "{status_url}"'
    from_poll = option in ("details", "content")  # they come after a poll's answer, and may take places in it
    unknown = [f"{{{each}}}" for each in call.placeholders if each != "id" and not from_poll]
    if unknown:
        raise InputError(f"{option}: {call.text!r} has what can't be filled in: {', '.join(unknown)}; {write}")
    if not call.placeholders and option != "probe":
        raise InputError(f"{option}: {call.text!r} does not say which job: {write}")


def check_name(name: object) -> None:
    """Raise `InputError` for an unusable name of a backend: after a restore its jobs are recognised by it."""
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"name must be a non-empty text such as 'replicate', not {name!r}")


def check_statuses(statuses: Mapping[str, Status]) -> None:
    """Raise `InputError` for unknown meanings, or if no status means that a job succeeded."""
    if not isinstance(statuses, Mapping):
        raise InputError(f"statuses must be a mapping such as {{'done': 'succeeded'}}, not {statuses!r}")
    wrong = sorted({str(meaning) for meaning in statuses.values()} - set(get_args(Status)))
    if wrong or "succeeded" not in statuses.values():
        raise InputError(
            f"statuses must map each of the API's statuses to one of {', '.join(get_args(Status))}; "
            + (f"{wrong[0]!r} is none of these" if wrong else "none is mapped to succeeded")
        )


def check_paths(*paths: object) -> None:
    """Raise `InputError` for anything that is not a `JsonPath` or None."""
    for path in paths:
        if not (path is None or isinstance(path, str) or callable(path)):
            raise InputError(
                f'a place in an answer must be a text like "output.0.url" or a function of the answer, not {path!r}'
            )


def checked_headers(headers: Mapping[str, str], key_header: str) -> dict[str, str]:
    """Return headers; `InputError` for one that can't be sent. The message shows no value: it may be a secret."""
    if not isinstance(headers, Mapping):
        raise InputError("headers must be a mapping such as {'X-Api-Version': '2'}")
    for name, value in headers.items():
        if not isinstance(name, str) or not re.fullmatch(_HEADER_NAME, name, re.ASCII):
            raise InputError(f"headers: {name!r} can't be a header's name")
        if not isinstance(value, str) or not (value.isascii() and value.isprintable()) or value != value.strip():
            raise InputError(f"headers: the value of {name} must be plain ASCII on one line")
    if key_header.lower() in {name.lower() for name in headers}:
        raise InputError(f"headers contains {key_header}, which carries the profile's key")
    return dict(headers)
