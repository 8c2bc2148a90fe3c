"""What a chart of many attempts keeps: as little is merged as must be, and each bar that stands alone says all."""

from __future__ import annotations

from random import Random

import pytest

from vidgen_nb.charts.drawing.fold import _join_columns, _runs
from vidgen_nb.charts.drawing.shapes import Bar
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.run import Run


@pytest.mark.parametrize("chosen", [None, "s3"])
def test_how_many_bars_are_left_is_known_before(chosen: str | None) -> None:
    """Whatever the column, without merging them: two neighbours are merged from a column on that is theirs."""
    rng = Random(7)
    bars = []
    for start in sorted(rng.uniform(0, 300) for _ in range(400)):
        state = rng.choice(["succeeded", "limited"])
        end = start + rng.choice([0.0, 0.3, rng.uniform(0, 9)])
        bars.append(Bar(state, start, end, rng.choice([1.0, 2.0]), 1.0, (), f"s{rng.randrange(9)}"))  # type: ignore[arg-type]
    found = sorted(_join_columns(bars, chosen))
    counts = [len(_runs(bars, column, chosen)) for column in (0.1, 0.3, 0.5, 1.0, 2.0, 5.0, 20.0)]
    assert counts == [len(bars) - sum(each < column for each in found) for column in (0.1, 0.3, 0.5, 1, 2, 5, 20)]
    assert counts[0] > 380 and counts[-1] < 250


def test_bars_that_stay_alone_say_what_they_said(odd_run: Run) -> None:
    """Their texts are made after the merging; they, and what is merged, are those of the chart of every attempt."""
    data = odd_run.data
    whole = {(bar.state, bar.start, bar.end, bar.y): bar for bar in build_rows(data).bars}
    rows = build_rows(data, most=len(data.attempts) // 2)
    assert len(rows.bars) < len(whole)
    alone = [bar for bar in rows.bars if bar.count == 1]
    assert alone and all(bar == whole[bar.state, bar.start, bar.end, bar.y] for bar in alone)
    assert all(bar.lines for bar in rows.bars)


@pytest.fixture
def odd_run() -> Run:
    """A run with 429s, failures, and jobs that were queued at their provider."""
    import vidgen_nb as vg

    profiles = [
        vg.SimulatedProfile("a", vg.TokenBucket(6, per=60), vg.LogNormal(9, 0.5), capacity=3),
        vg.SimulatedProfile("b", vg.Concurrency(2, over="queue"), vg.LogNormal(7, 0.5), capacity=4),
    ]
    return vg.simulate(60, profiles, mode="boost", faults=[vg.Fault("job_failure", probability=0.1)], seed=2)
