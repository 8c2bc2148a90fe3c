"""What the notebook on cooldowns says of its runs is so: its own cells are run."""

from __future__ import annotations

import pytest

import vidgen_nb as vg
from tests.notebooks.cells import found_in, text_of


def test_cooldowns() -> None:
    """A strict window has a U-curve, a bucket a flat bottom; beyond the limit's period all are one line."""
    found, text = found_in("02_cooldowns"), text_of("02_cooldowns")
    done, refused, waits = found["done"], found["refused"], found["waits"]
    strict = [done["strict window", wait] for wait in waits]
    assert min(strict) == done["strict window", 60] and "its lowest point at 60 s" in text
    assert strict[0] > 4 * done["strict window", 60] and strict[-1] > 1.9 * done["strict window", 60]
    flat = [done["bucket", wait] for wait in waits if wait <= 60]
    assert max(flat) < 1.06 * min(flat) and "within 6 % of each other" in text
    for wait in (60, 90, 120):
        assert len({round(done[name, wait], 6) for name in ("window", "strict window")}) == 1
        assert done["bucket", wait] == pytest.approx(done["window", wait], abs=2)
    assert refused["bucket", 60] == 10 and refused["bucket", 5] == 125
    assert "10 at 60 s, but 125 at 5 s" in text
    assert done["window", 45] == pytest.approx(done["window", 90], abs=1) and "no better than 90 s" in text
    assert done["window", 15] == done["window", 30] == pytest.approx(done["window", 60], abs=1)

    for wait in (60, 90, 120):
        run = vg.simulate(24, found["accounts"]["strict window"], policy=vg.PerProfileCooldown(wait), mode="boost")
        assert max(each.start for each in run.attempts) == 5 * wait

    assert round(abs(found["told"].difference.mean)) == 119 and "about 119 s sooner" in text
    told = found["told"].runs["as told"].metrics()
    assert told.early_wakes == 0 and told.over_wait.max == 0
    both = found["at_the_bucket"]
    assert round(abs(both.difference.mean)) == 3 and "gains only about 3 s of 312 s" in text
    guess, asked = (run.metrics().rate_limited for run in both.runs.values())
    assert asked > 8 * guess


@pytest.mark.long
def test_the_solution_of_cooldowns() -> None:
    """Both policies of the solution pass, after the default has not."""
    tries = list(found_in("solutions/02_cooldowns")["ex"].tries)
    assert [each.passed for each in tries] == [False, True, True]
