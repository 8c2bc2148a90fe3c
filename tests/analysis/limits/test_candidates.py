"""Which of the limits that explain everything is named."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nb.analysis.limits.candidates import Candidate, likeliest
from vidgen_nb.analysis.limits.feasible import Evidence
from vidgen_nb.analysis.limits.fixed_windows import _near
from vidgen_nb.analysis.limits.submit_history import SubmitHistory
from vidgen_nb.provider import SlidingWindow

WINDOWS = st.builds(
    lambda kind, n, low, ratio: Candidate(kind, n, low, low * ratio),
    st.sampled_from(["token_bucket", "fixed_window", "sliding_window"]),
    st.integers(1, 30), st.floats(0.01, 1000), st.floats(1.0001, 4),
)  # fmt: skip


def test_a_round_number_close_to_the_middle() -> None:
    """Of an interval that hardly matters, the roundest length near its middle; of one that is exact, what there is."""
    assert likeliest([Candidate("sliding_window", 4, 57.0, 62.0)])[1] == 60
    assert likeliest([Candidate("sliding_window", 4, 57.12, 57.13)])[1] == pytest.approx(57.125, abs=0.0051)
    assert Candidate("sliding_window", 4, 57.0, 62.0).limit() == SlidingWindow(4, per=60)


def test_a_fixed_window_inside_a_wide_sliding_one() -> None:
    """Both explain the same answers: if one has room only for a round number, that one is more likely."""
    fixed, sliding = Candidate("fixed_window", 5, 2.9999, 3.0001), Candidate("sliding_window", 5, 2.2, 3.4)
    best, length = likeliest([fixed, sliding])
    assert best.n / length == pytest.approx(5 / 3, rel=0.1)


def test_few_at_once_are_likelier() -> None:
    """Of two that leave equally much room, far from each other, it is the one with the smaller n."""
    few, many = Candidate("sliding_window", 2, 61.0, 66.0), Candidate("sliding_window", 20, 61.0, 66.0)
    assert likeliest([many, few])[0] is few


@settings(deadline=None, max_examples=20)
@given(st.lists(WINDOWS, min_size=1, max_size=6))
def test_nothing_else_is_right_more_often(candidates: list[Candidate]) -> None:
    """What is named lies in its candidate, and no other rate is close to the truth in many more of possible worlds.

    Some more there may be: a length is rounded by up to 3 %, to be read, and a tenth decides what is close.
    """
    best, length = likeliest(candidates)
    assert best in candidates
    assert best.low <= length <= best.high
    truths = worlds(candidates, Random(1))

    def right(rate: float) -> float:
        return sum(abs(rate / truth - 1) <= 0.1 for truth in truths) / len(truths)

    least, most = math.log(min(truths)), math.log(max(truths))
    others = [math.exp(least + k / 40 * (most - least)) for k in range(41)]
    assert right(best.n / length) >= max(map(right, others)) - 0.15


def worlds(candidates: list[Candidate], random: Random) -> list[float]:
    """Return 2000 rates drawn as `candidates` says that limits are."""
    drawn: list[tuple[float, list[float]]] = []
    for each in candidates:
        width = math.log(each.high / each.low)
        anything = [each.n / each.low / math.exp(random.random() * width) for _ in range(300)]
        drawn.append((width / each.n, anything))
        for exponent in range(-3, 5):
            # what is rounded to a number lies between the middles to its neighbours
            ends = [0.95, *(digit + 0.5 for digit in range(1, 10))]
            for digit, (low, high) in enumerate(pairwise(ends), 1):
                if each.low <= (number := float(f"{digit}e{exponent}")) <= each.high:
                    drawn.append((math.log(high / low) / each.n, [each.n / number]))
    chosen = random.choices([rates for _, rates in drawn], [weight for weight, _ in drawn], k=2000)
    return [random.choice(rates) for rates in chosen]


def test_fewer_accepted_than_a_fixed_window_admits() -> None:
    """No window of n lies between them, and looking for one breaks nothing."""
    evidence = Evidence(SubmitHistory("p", exact=False, accepted=[(float(at), at + 0.1) for at in range(5)]), None)
    assert [len(_near(evidence, n, 0.0, 100.0, 10)) for n in (2, 4, 5, 7, 11)] == [3, 1, 0, 0, 0]
