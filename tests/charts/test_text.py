"""Foreign text is made harmless, and times are readable."""

from __future__ import annotations

import math
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.charts.text import clean, seconds, short


@given(st.text(st.characters(), max_size=400))
def test_cleaned_text_is_one_short_printable_line(text: str) -> None:
    """Whatever comes in, what goes out is short and without control, bidi or unassigned characters."""
    line = clean(text)
    assert len(line) <= 80
    assert not any(unicodedata.category(char).startswith("C") or char in "\n\u2028\u2029" for char in line)


def test_bidi_overrides_and_breaks_vanish() -> None:
    """A right-to-left override can't turn a label around, and a line break is a space."""
    assert clean("a\u202eb\u2066c\x00\x1b[31m\nd\te") == "abc[31m d e"


def test_long_text_is_cut_with_a_sign() -> None:
    """A cut is shown, and only a cut."""
    assert clean("x" * 80) == "x" * 80
    assert clean("x" * 81) == "x" * 79 + "…"
    assert clean(" " * 5000 + "x") == "…"


def test_names_are_cut_in_the_middle() -> None:
    """Names of one family stay apart, and a name in Chinese fits the same space."""
    assert short("abcdefgh", 8) == "abcdefgh"
    assert short("account number 17", 10) == "accou…r 17"
    assert short("影片生成帳戶", 8) == "影片…戶"


def test_seconds_are_readable() -> None:
    """Times have one decimal, short ones three digits, and the end of time is said in words."""
    assert [seconds(value) for value in (0, 0.0123, 12.34, math.inf)] == ["0.0 s", "0.0123 s", "12.3 s", "no end known"]
