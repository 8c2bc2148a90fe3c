"""A key that a server echoes is redacted, in every form."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from vidgen_nb.backends.wire.redaction import redact
from vidgen_nb.backends.wire.transport_errors import redacted_line
from vidgen_nb.ports import Secret

KEY = "sk-planted+0123/4567~89ab=="
FORMS: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.lower,
    quote,
    quote_plus,
    lambda key: quote(key, safe=""),
    lambda key: quote(key, safe="").lower(),
    lambda key: quote(key, safe="+"),
    lambda key: quote(quote(key, safe=""), safe=""),
    lambda key: quote(key, safe="").replace("~", "%7E"),
]


@pytest.mark.parametrize("form", FORMS)
def test_a_key_in_the_forms_that_urls_have(form: Callable[[str], str]) -> None:
    """As it is, percent-encoded by any rule, in either case, and encoded twice; the text around it stays."""
    told = f"GET /v1/jobs?key={form(KEY)}&n=1%2B1 was refused"
    assert redact(told, Secret(KEY)) == "GET /v1/jobs?key=[key]&n=1%2B1 was refused"
    assert redact({form(KEY): [told]}, Secret(KEY)) == {"[key]": [redact(told, Secret(KEY))]}


@pytest.mark.parametrize("between", ["\u200b", "\x07", "\u202e"])
def test_what_nobody_sees_inside_a_key(between: str) -> None:
    """It is taken off a line, and must not hide the key until then."""
    assert redacted_line(f"bad key {between.join(KEY)}", Secret(KEY)) == "bad key [key]"


@pytest.mark.parametrize("told", ["100 % of sk-planted", "sk-planted%2B0123", "sk-plantedX0123/4567~89ab==", ""])
def test_what_is_no_key_stays(told: str) -> None:
    """Nor is a shorter part of a key, since a job's id may be equal to it."""
    assert redact(told, Secret(KEY)) == told


def test_a_key_without_such_characters() -> None:
    """It is the same in a URL; a dot is a dot."""
    key = Secret("sk-planted.0123_4567")
    assert redact("%2B sk-planted.0123_4567 sk-plantedX0123_4567", key) == "%2B [key] sk-plantedX0123_4567"
