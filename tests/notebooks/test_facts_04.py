"""What the notebook on jitter says of its runs is so: its own cells are run."""

from __future__ import annotations

import pytest

from tests.notebooks.cells import found_in, text_of


def test_jitter() -> None:
    """Without jitter calls grow with the square of the clients, exactly; with it they are fewer, and sooner done."""
    found, text = found_in("04_jitter"), text_of("04_jitter")
    attempts, done = found["attempts"], found["done"]
    for number in found["numbers"]:
        assert attempts[number, "none"] == number * (number + 1) / 2
    assert attempts[40, "none"] == 820
    assert done[10, "none"] == 2**9 and "2⁹ − 1 = 511 s, and is done 1 s later" in text
    for jitter in ("full", "decorrelated"):
        assert all(attempts[number, jitter] < attempts[number, "none"] for number in (10, 20, 40))
        assert all(done[number, jitter] < done[number, "none"] for number in (5, 10, 20, 40))
        assert attempts[1, jitter] == attempts[1, "none"] == 1
    assert attempts[40, "full"] / 820 == pytest.approx(1 / 3, abs=0.05) and "about a third of the calls" in text
    assert attempts[5, "full"] == pytest.approx(attempts[5, "none"], rel=0.2)

    ten = found["ten"]["none"]
    starts = [each.start for run in ten for each in run.attempts]
    assert [starts.count(at) for at in (0, 1, 3, 7, 15)] == [10, 9, 8, 7, 6]  # nothing in between
    assert sum(at < 17 for at in starts) == 40


@pytest.mark.long
def test_the_solution_of_jitter() -> None:
    """Waiting equally long fails, however long; both kinds of jitter pass."""
    tries = list(found_in("solutions/04_jitter")["ex"].tries)
    assert [each.passed for each in tries] == [False, False, True, True]
