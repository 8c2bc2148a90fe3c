"""What can be wrong with the description of an API, told when an `HttpBackend` is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

from vidgen_nb.backends.described.json_paths import CallTemplate
from vidgen_nb.errors import InputError

__all__ = ["Status", "call_templates", "check_name", "check_paths", "check_statuses", "checked_headers", "parse_auth"]

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]

_HEADER_NAME: Final = r"[\w!#$%&'*+.^`|~-]+"
_AUTH: Final = re.compile(rf"({_HEADER_NAME}): *([\w-]* *)\{{key\}}", re.ASCII)


def parse_auth(auth: str) -> tuple[str, str]:
    """Return the name of the header that carries the key, and the word before the key."""
    found = _AUTH.fullmatch(auth) if isinstance(auth, str) else None
    if found is None:
        raise InputError('auth is the key\'s header such as "Authorization: Bearer {key}" or "X-Api-Key: {key}"')
    return found[1], found[2].strip()


def call_templates(*, submit: str, poll: str, **others: str | None) -> dict[str, CallTemplate]:
    """Return the calls that are described; `InputError` for one that nobody could make."""
    texts = {"submit": submit, "poll": poll} | {option: text for option, text in others.items() if text is not None}
    calls = {
        option: CallTemplate(option, text, "POST" if option in ("submit", "cancel") else "GET")
        for option, text in texts.items()
    }
    for option, call in calls.items():
        if call.is_whole_url and option in ("submit", "probe"):
            raise InputError(f"{option} is an address under base_url, for nothing is known before it")
        if not call.is_whole_url and option != "submit":
            _check_placeholders(option, call)
    return calls


def _check_placeholders(option: str, call: CallTemplate) -> None:
    """Raise `InputError` for an address under base_url of whose places one is not known, or which names no job."""
    write = 'write {id}, the job\'s id, as in "/jobs/{id}"'
    if option != "probe":
        write += ', or for the whole address a place of the submit\'s answer, as in "{status_url}"'
    unknown = [f"{{{place}}}" for place in call.placeholders if place != "id"]
    if unknown:
        raise InputError(f"{option}: {call.text!r} has what can't be filled in: {', '.join(unknown)}; {write}")
    if not call.placeholders and option != "probe":
        raise InputError(f"{option}: {call.text!r} does not say which job: {write}")


def check_name(name: object) -> None:
    """Raise `InputError` for what is no name of a backend: its jobs are known by it after a restore."""
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"name is a non-empty text such as 'replicate', not {name!r}")


def check_statuses(statuses: Mapping[str, Status]) -> None:
    """Raise `InputError` for statuses that are none of ours, or none of which means that a job succeeded."""
    if not isinstance(statuses, Mapping):
        raise InputError(f"statuses is a mapping such as {{'done': 'succeeded'}}, not {statuses!r}")
    wrong = sorted({str(word) for word in statuses.values()} - set(get_args(Status)))
    if wrong or "succeeded" not in statuses.values():
        raise InputError(
            f"statuses says of each of the API's words whether it means {', '.join(get_args(Status))}; "
            + (f"{wrong[0]!r} is none of these" if wrong else "none of them means succeeded")
        )


def check_paths(*places: object) -> None:
    """Raise `InputError` for what is no place in an answer."""
    for place in places:
        if not (place is None or isinstance(place, str) or callable(place)):
            raise InputError(f'a place is a text like "output.0.url" or a function of the answer, not {place!r}')


def checked_headers(headers: Mapping[str, str], parse_auth: str) -> dict[str, str]:
    """Return headers, or raise `InputError` for one that can't be sent; the text shows no value: it may be a secret."""
    if not isinstance(headers, Mapping):
        raise InputError("headers is a mapping such as {'X-Api-Version': '2'}")
    for name, value in headers.items():
        if not isinstance(name, str) or not re.fullmatch(_HEADER_NAME, name, re.ASCII):
            raise InputError(f"headers: {name!r} is no header's name")
        if not isinstance(value, str) or not (value.isascii() and value.isprintable()) or value != value.strip():
            raise InputError(f"headers: the value of {name} is no plain ASCII text of one line")
    if parse_auth.lower() in {name.lower() for name in headers}:
        raise InputError(f"headers has {parse_auth}, which carries the profile's key")
    return dict(headers)
