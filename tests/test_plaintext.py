"""Somebody else's text is harmless wherever it is shown."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.plaintext import error_line, one_line


@given(st.text(st.characters(), max_size=400))
def test_cleaned_text_is_one_short_printable_line(text: str) -> None:
    """Whatever comes in, what goes out is short and without control, bidi or unassigned characters."""
    line = one_line(text, 80)
    assert len(line) <= 80
    assert not any(unicodedata.category(char).startswith("C") or char in "\n\u2028\u2029" for char in line)


def test_bidi_overrides_and_breaks_vanish() -> None:
    """A right-to-left override can't turn a label around, and a line break is a space."""
    assert one_line("a\u202eb\u2066c\x00\x1b[31m\nd\te") == "abc[31m d e"


def test_letters_of_every_script_stay() -> None:
    """Nothing that can be read is taken away."""
    assert one_line("灯台 é ✓ א") == "灯台 é ✓ א"


def test_long_text_is_cut_with_a_sign() -> None:
    """A cut is shown, and only a cut."""
    assert one_line("x" * 80, 80) == "x" * 80
    assert one_line("x" * 81, 80) == "x" * 79 + "…"
    assert one_line(" " * 5000 + "x", 80) == "…"
    assert len(one_line("x" * 501)) == 500


def test_an_error_always_has_a_line() -> None:
    """Its text; its type where there is none, or where its class can't tell it."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    assert error_line(ValueError("a\nb")) == "a b"
    assert error_line(KeyError()) == "KeyError"
    assert error_line(Mute()) == "Mute"
