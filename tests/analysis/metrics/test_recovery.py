"""Recovery against a control with the same luck: none without trouble, and the whole of it where there was some."""

from __future__ import annotations

from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.metrics.recovery import Recovery, control_of, recovery
from vidgen_nb.analysis.records.builder import AttemptRecord, RunData
from vidgen_nb.errors import InputError
from vidgen_nb.provider import Fault

PROFILES = [
    vg.SimulatedProfile("alice", vg.TokenBucket(4, per=60), vg.LogNormal(20, 0.3), capacity=3),
    vg.SimulatedProfile("bruno", vg.SlidingWindow(6, per=60), vg.LogNormal(15, 0.3), capacity=4),
]
OUTAGE = Fault("overload", start=100, end=160)


def batch(seed: int, *faults: Fault, **options: Any) -> vg.Run:
    """Return a batch that begins with a burst, since both limits are full."""
    return vg.simulate(100, PROFILES, mode="boost", seed=seed, faults=faults, **options)


def live(run: vg.Run) -> vg.Run:
    """Return the run as if its provider were not known."""
    return vg.Run({name: each for name, each in run.header.items() if name != "backend"}, run.events)


def results(*ends: float, profiles: int = 1) -> RunData:
    """Return records of nothing but results."""
    attempts = [
        AttemptRecord(f"s{at}", 1, "a", end - 0.5, end - 0.5, end, "succeeded", None, None)
        for at, end in enumerate(ends)
    ]
    return RunData({}, [], ["a"], [], attempts, [], [], max(ends, default=0.0), {"a": profiles})


@pytest.mark.parametrize("trouble", [(60, 90), (100, 160), (0, 1), (300, 310)])
def test_the_null_control(trouble: tuple[float, float]) -> None:
    """Without any outage a run has recovered at once, in 20 of 20 runs, wherever it is said to have been."""
    for seed in range(20):
        found = batch(seed).metrics(trouble=trouble).recovery
        assert found is not None and found.control
        assert (found.seconds, found.caught_up, found.behind, found.lost) == (0, 0, 0, 0)


def test_the_null_control_of_live_runs() -> None:
    """By its own goodput at other times a run without outage has recovered, too; most of them at once."""
    for make in (
        batch,
        lambda seed: vg.simulate(200, PROFILES, arrivals=vg.Poisson(6, per=60), seed=seed, mode="boost"),
    ):
        found = [live(make(seed)).metrics(trouble=(100, 130)).recovery for seed in range(20)]
        assert all(each is not None and not each.control for each in found)
        assert sum(each.seconds is not None for each in found if each) >= 19
        assert sum(each.seconds == 0 for each in found if each) >= 12


def test_an_outage_costs_what_it_costs() -> None:
    """The run ends later than its control, by about what it was behind; that is the difference of two simulations."""
    for seed in range(8):
        run, control = batch(seed, OUTAGE), batch(seed)
        found = run.metrics().recovery
        assert found is not None and found.control
        assert found.lost == pytest.approx((run.metrics().makespan or 0) - (control.metrics().makespan or 0))
        assert found.lost is not None and 10 < found.lost < 100
        behind = max(
            sum((each.end or 0) <= t for each in control.attempts if each.outcome == "succeeded")
            - sum((each.end or 0) <= t for each in run.attempts if each.outcome == "succeeded")
            for t in (each.end or 0.0 for each in control.attempts) if t >= 100
        )  # fmt: skip
        assert found.behind == behind > 0


def test_with_capacity_to_spare_it_catches_up() -> None:
    """Scenes come more slowly than they could be made: the backlog is worked off before the control ends."""
    for seed in range(6):
        found = vg.simulate(
            300, PROFILES, mode="boost", seed=seed, arrivals=vg.Poisson(5, per=60),
            faults=[Fault("rate", start=1000, end=1120)],
        ).metrics().recovery  # fmt: skip
        assert found is not None and found.seconds is not None and found.caught_up is not None
        assert found.seconds < 150 and 0 < found.caught_up < 1000


def test_by_hand() -> None:
    """A result a second; nothing from 20 to 40 and half as many until 60; then one a second again."""
    control = results(*range(1, 101))
    hurt = results(*range(1, 21), *range(42, 61, 2), *range(61, 131))
    found = recovery(hurt, 20, 40, 10, control)
    # 0.9 of a result a second is lost until 41, then 0.4 until 60: from 57 on no more than one
    assert found == Recovery(20, 40, 10, before=1.0, seconds=17, caught_up=None, behind=30, lost=30, control=True)
    assert recovery(control, 20, 40, 10, control).seconds == 0
    never = results(*range(1, 21), *range(42, 301, 2))
    assert recovery(never, 20, 40, 10, control).seconds is None
    assert recovery(results(*range(1, 21)), 20, 40, 10, control).seconds is None
    ahead = results(*range(1, 21), *(40 + k / 2 for k in range(1, 161)))
    assert recovery(ahead, 20, 40, 10, control).caught_up == 19.5  # then both have 59


@pytest.mark.parametrize("seed", range(6))
def test_against_a_slow_search(seed: int) -> None:
    """The first moment from which on the run never has more than one result less than 0.9 of the control's."""
    run, control = batch(seed, OUTAGE), batch(seed)
    mine, theirs = ([each.end or 0.0 for each in r.attempts if each.outcome == "succeeded"] for r in (run, control))
    last = max(theirs)

    def came(ends: list[float], start: float, end: float) -> int:
        return sum(start < each <= end for each in ends)

    times = sorted(at for at in {160.0, *mine, *theirs} if 160 <= at <= last)
    first = next(
        t for t in times if all(came(mine, t, u) >= 0.9 * came(theirs, t, u) - 1 - 1e-9 for u in times if u > t)
    )
    found = run.metrics().recovery
    assert found is not None
    assert found.seconds == (None if first > 160 and first + 60 > last else pytest.approx(first - 160))


def test_by_its_own_goodput() -> None:
    """A result a second, nothing from 20 to 40: without a control it is back at once when results are."""
    hurt = results(*range(1, 21), *range(41, 101))
    assert recovery(hurt, 20, 40, 10).seconds == 0
    slow = results(*range(1, 21), *range(45, 66, 5), *range(66, 200))
    found = recovery(slow, 20, 40, 10)
    assert found.seconds == 25 and not found.control  # ten results follow on that at 65
    assert recovery(results(*range(1, 101)), 45, 46, 4).seconds == 0
    assert recovery(results(), 1, 2).seconds is None
    for wrong in ((20, 10), (-1, 4)):
        with pytest.raises(InputError, match="trouble starts at 0 s or later"):
            recovery(hurt, *wrong)
    with pytest.raises(InputError, match="window"):
        recovery(hurt, 1, 2, 0)


def test_the_queue_is_back_without_a_control() -> None:
    """Three scenes more than before wait until 70."""
    data = results(*range(1, 101))
    data.attempts.extend(AttemptRecord(f"q{k}", 1, "a", 30.0, 70.0, 71.0, "permanent", None, None) for k in range(3))
    assert recovery(data, 30, 40, 10).caught_up == 30


def test_the_control_keeps_everything_else() -> None:
    """Other faults stay; a run without faults in that time is its own control; a live one has none."""
    steady = Fault("job_failure", probability=0.1)
    run = batch(1, OUTAGE, steady)
    control = control_of(run.data, (100, 160))
    assert control is not None and control.events == batch(1, steady).data.events
    assert control_of(run.data, (300, 400)) is run.data
    assert control_of(live(run).data, (100, 160)) is None
    told = run.metrics(control=batch(1)).recovery
    assert told is not None and told.lost == (run.metrics().makespan or 0) - (batch(1).metrics().makespan or 0)
    with pytest.raises(InputError, match="control is a Run"):
        run.metrics(control=3)


def test_an_interval_of_what_was_lost() -> None:
    """Over seeds, by name."""
    made = vg.compare(60, PROFILES, modes="boost", faults=[OUTAGE], seeds=range(6), progress=False)
    (lost,) = made.summary("recovery.lost")
    assert lost.low is not None and lost.mean is not None and 0 < lost.low < lost.mean
    nothing = vg.compare(60, PROFILES, modes="boost", seeds=range(3), progress=False, metrics={"trouble": (60, 90)})
    (null,) = nothing.summary("recovery.lost")
    assert (null.low, null.mean, null.high) == (0, 0, 0)


def test_in_words_and_drawn() -> None:
    """The summary and the chart say the same, and what it is compared with."""
    run = batch(0, OUTAGE)
    assert "against the same luck without it" in repr(run.metrics())
    assert "there is no control" in repr(live(run).metrics(trouble=(100, 160)))
    figure = run.recovery_chart()
    assert [each.meta for each in figure.data] == ["run", "control"]
    assert "goodput back 34.5 s after the trouble" in figure.layout.title.text.lower().replace("<br>", " ")
    with pytest.raises(InputError, match="knows of no trouble"):
        batch(0).recovery_chart()
