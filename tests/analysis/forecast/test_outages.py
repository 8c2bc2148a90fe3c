"""Failures of submits: told apart by how they follow on each other; and how long an outage may still last."""

from __future__ import annotations

from random import Random

import pytest

from vidgen_nb.analysis.forecast.outages import Answer, Outages


def answers(text: str, begin: float = 0.0) -> list[Answer]:
    """Return an answer each 10 s: `+` accepted, `-` failed."""
    return [(begin + 10.0 * place, each == "+") for place, each in enumerate(text)]


def test_failures_in_a_row_are_an_outage_others_are_at_random() -> None:
    """Six in a row after six acceptances come in an outage; six between acceptances don't, however many there are."""
    assert Outages.seen({"p": answers("++++++------")}).chance > 0.9
    assert Outages.seen({"p": answers("+-++-+-++-+-")}).chance < 0.4
    assert Outages.seen({"p": answers("+-" * 2000)}).chance == 0
    assert Outages.seen({"p": answers("++++----" * 2)}).chance > 0.8
    assert Outages.seen({"p": answers("++++")}).drawn(50.0, Random(1)) == []


def test_an_outage_lasts_as_long_again_half_the_time() -> None:
    """One that has lasted 60 s lasts 60 s more with a chance of 1/2, and 540 s more with one of 1/10."""
    seen = Outages.seen({"p": answers("++++++------")})
    assert (seen.since, seen.out) == (60.0, (None,))
    drawn = [fault.end - 120.0 for seed in range(2000) for fault in seen.drawn(120.0, Random(seed)) if fault.start > 0]
    assert sum(each > 60 for each in drawn) / len(drawn) == pytest.approx(0.5, abs=0.04)
    assert sum(each > 540 for each in drawn) / len(drawn) == pytest.approx(0.1, abs=0.03)


def test_an_acceptance_ends_it_for_all() -> None:
    """What nobody gets through is everybody's outage, and over once one is accepted; else it is of those who fail."""
    out = answers("++++----")
    assert Outages.seen({"p": out, "q": answers("++++----")}).out == (None,)
    assert Outages.seen({"p": out, "q": [*answers("++++----"), (90.0, True)]}).out == ()
    assert Outages.seen({"p": out, "q": answers("++++++++")}).out == ("p",)
