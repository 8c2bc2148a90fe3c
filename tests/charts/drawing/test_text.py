"""Foreign text is made harmless, and times are readable."""

from __future__ import annotations

import math
from time import process_time

from vidgen_nb.analysis.records.model import AttemptRecord, RunData
from vidgen_nb.charts.drawing.layout import wrapped
from vidgen_nb.charts.drawing.text import HoverTexts, seconds, short


def test_names_are_cut_in_the_middle() -> None:
    """Names of one family stay apart, and a name in Chinese fits the same space."""
    assert short("abcdefgh", 8) == "abcdefgh"
    assert short("account number 17", 10) == "accou…r 17"
    assert short("影片生成帳戶", 8) == "影片…戶"


def test_seconds_are_readable() -> None:
    """Times have one decimal, short ones two digits, and the end of time is said in words."""
    assert [seconds(value) for value in (0, 0.0123, 12.34, math.inf)] == ["0.0 s", "0.012 s", "12.3 s", "no end known"]


def tries(count: int) -> RunData:
    """Return a run in which one scene is refused again and again."""
    attempts = [
        AttemptRecord("s", k + 1, "p", float(k), float(k), k + 0.5, "rate_limited", "busy", None) for k in range(count)
    ]
    return RunData({}, [], ["p"], [], attempts, [], [], float(count), {"p": 1})


def test_a_scene_of_many_attempts_costs_no_more_for_each() -> None:
    """What followed an attempt is looked up: eight times the attempts take about eight times as long, not 64 times."""

    def took(count: int) -> float:
        data, times = tries(count), []
        for _ in range(5):
            began = process_time()
            hover = HoverTexts(data)
            found = [hover.beyond(attempt).following for attempt in data.attempts]
            times.append(process_time() - began)
            assert found == [*data.attempts[1:], None]
        return min(times)

    assert took(8_000) < 24 * took(1_000)


def test_a_title_keeps_numbers_with_their_units() -> None:
    """No line of a title ends within a duration, an interval or a setting; at other spaces it does."""
    for said, kept in (
        ("windows of 11 min 14 s.", "11 min 14 s."),
        ("which cooled 42 % of it", "42 %"),
        ("against it -13.46 s [-23.02, -3.899]", "[-23.02, -3.899]"),
        ("brings most: 3 → 4 slots", "3 → 4"),
        ("at capacity = 8 with it", "capacity = 8"),
    ):
        for width in range(16, len(said)):
            lines = wrapped([said], width)
            assert any(kept in line for line in lines), (width, lines)
            assert " ".join(lines) == said
    assert wrapped(["one two"], 4) == ["one", "two"]
