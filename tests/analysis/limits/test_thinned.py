"""Long runs: each n is tried with the fastest acceptances first, which may keep too much and never drops the truth."""

from __future__ import annotations

import pytest

from tests.analysis.limits.limited_runs import limited
from vidgen_nb.analysis.limits import feasible
from vidgen_nb.analysis.limits.candidates import Candidate, explaining
from vidgen_nb.analysis.limits.estimate import estimate_limits
from vidgen_nb.analysis.limits.feasible import Evidence
from vidgen_nb.analysis.limits.submit_history import submit_history
from vidgen_nb.run import Run


def evidence_of(run: Run) -> Evidence:
    """Return what the answers of its one profile show."""
    (history,) = submit_history(run.header, run.events).values()
    return Evidence(history, 0.002)


def within(some: Candidate, others: tuple[Candidate, ...]) -> bool:
    """Say whether one of the others allows all that this one does."""
    return any((o.kind, o.n) == (some.kind, some.n) and o.low <= some.low and some.high <= o.high for o in others)


@pytest.mark.parametrize("seed", range(12))
def test_nothing_that_explains_all_is_dropped(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a few places alone, all that explains everything is found; with time for what is left, exactly that."""
    _, run = limited(seed)
    every = explaining(evidence_of(run))
    monkeypatch.setattr(feasible, "EXACT_SPANS", -1)
    monkeypatch.setattr(feasible, "SPANS_PER_ACCEPTANCE", -1)
    monkeypatch.setattr(feasible, "MIN_PLACES", 6)
    roughly = explaining(evidence_of(run))
    assert all(within(each, roughly) for each in every)
    checked, found = iter([False, True]), evidence_of(run)
    monkeypatch.setattr(found, "can_be_exact", lambda numbers: next(checked))
    assert explaining(found) == every


def test_a_long_run_tells_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does with all acceptances looked at for each n."""
    import vidgen_nb as vg

    api = vg.SimulatedProfile("api", vg.SlidingWindow(60, per=120), vg.LogNormal(20, 0.3), capacity=90)
    run = vg.simulate(1500, [api], mode="boost", seed=1)
    (every,) = set(estimate_limits(run.data).values())
    monkeypatch.setattr(feasible, "EXACT_SPANS", 10_000)
    monkeypatch.setattr(feasible, "SPANS_PER_ACCEPTANCE", 5)
    (found,) = set(estimate_limits(run.data).values())
    assert found == every and 60 in (every.n or ())
