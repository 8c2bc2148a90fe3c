"""Foreign text is made harmless, and times are readable."""

from __future__ import annotations

import math

from vidgen_nb.charts.drawing.text import seconds, short


def test_names_are_cut_in_the_middle() -> None:
    """Names of one family stay apart, and a name in Chinese fits the same space."""
    assert short("abcdefgh", 8) == "abcdefgh"
    assert short("account number 17", 10) == "accou…r 17"
    assert short("影片生成帳戶", 8) == "影片…戶"


def test_seconds_are_readable() -> None:
    """Times have one decimal, short ones three digits, and the end of time is said in words."""
    assert [seconds(value) for value in (0, 0.0123, 12.34, math.inf)] == ["0.0 s", "0.0123 s", "12.3 s", "no end known"]
