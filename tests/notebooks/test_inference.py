"""What notebook 08 states is what its own cells give."""

from __future__ import annotations

from typing import Any

import pytest

import vidgen_nb as vg
from tests.notebooks.cells import found_in, text_of


@pytest.fixture(scope="module")
def inference() -> dict[str, Any]:
    """The variables of the notebook after its last cell."""
    return found_in("08_inference")


def test_which_limits(inference: dict[str, Any]) -> None:
    """Alice has one kind, bruno one of two windows with the true numbers inside, and of chiara nothing is known."""
    found = inference["found"]
    assert found["alice"].kinds == ("token_bucket",) and 4 / 60 in found["alice"].rate
    assert set(found["bruno"].kinds) == {"fixed_window", "sliding_window"} and 6 / 60 in found["bruno"].rate
    assert found["chiara"].rate is None and found["chiara"].refused == 0
    wide, narrow = (
        (found[name].rate.high - found[name].rate.low) / found[name].rate.low for name in ("bruno", "alice")
    )
    assert wide > 5 * narrow


def test_what_a_limit_on_the_chart_says(inference: dict[str, Any]) -> None:
    """A sliding window contradicts alice's answers, the bucket does not."""
    titles = [
        inference["recorded"].admission_chart("alice", limit=limit).layout.title.text.replace("</b><br><b>", " ")
        for limit in (vg.SlidingWindow(4, per=60), vg.TokenBucket(4, per=60))
    ]
    assert ["its limit must be different" in title for title in titles] == [True, False]


def test_how_many_answers_it_takes(inference: dict[str, Any]) -> None:
    """Ten scenes leave one kind, five leave three; the interval is within its bound and shrinks with the run."""
    widths = []
    for scenes in (5, 10, 20, 40, 80):
        one = vg.simulate(scenes, inference["accounts"][:1], mode="boost", policy=inference["rest"], seed=0)
        alice = one.estimate_limits()["alice"]
        assert (len(alice.kinds) == 1) == (scenes >= 10)
        if alice.rate is not None:
            width = (alice.rate.high - alice.rate.low) * 15
            last = max(each.start for each in one.attempts if each.outcome == "succeeded")
            assert width <= 10 / (last - 10)
            widths.append(width)
    assert widths == sorted(widths, reverse=True) and len(widths) == 4
    assert inference["inside"] == 40


def test_somebody_else(inference: dict[str, Any]) -> None:
    """Two of four recordings can't tell; in two what is left looks like 2 a minute, with the words that it is so."""
    found = []
    for seed in range(4):
        mine, _ = vg.simulate_clients(
            2, 40, inference["accounts"][:1], mode="boost", policy=inference["rest"], seed=seed,
            arrivals=[vg.Trace([0.0] * 40), vg.Trace(inference["colleague"])],
        )  # fmt: skip
        found.append(mine.estimate_limits()["alice"])
    told = [each for each in found if each.rate is not None]
    assert len(told) == 2
    assert all("one that changed" in str(each) and "there are several" in str(each) for each in found if not each.rate)
    assert all(2 / 60 in each.rate and each.note == "the limit left for this client" for each in told if each.rate)
    text = text_of("08_inference")
    assert "In two of these four recordings" in text and "2 a minute: *the limit left for this client*" in text


@pytest.mark.long
def test_the_solution() -> None:
    """A sliding window is not right for bruno, the fixed one is."""
    solution = found_in("solutions/08_inference")
    assert [each.passed for each in solution["ex"].tries] == [False, True]
    assert "fixed window" in str(solution["found"]["bruno"])
