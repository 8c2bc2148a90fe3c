"""Questions 11 to 20 of the guide: the figure's answer against theory, a hand's calculation, or the raw events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median
from typing import Any

import pytest

import vidgen_nb as vg
from tests.analysis.simulation.queue_by_hand import waits_by_hand
from tests.scenarios.answers import curves, makespans, paired, said, trace
from vidgen_nb.core import events as ev
from vidgen_nb.wording.durations import duration

FOUR = vg.demo_profiles()
WINDOW = vg.SimulatedProfile("a", vg.FixedWindow(2, per=60), vg.Constant(10), 2, retry_after=False)
"""Two are made at 0, two are refused at 10, a probe at 40, and two are made at 70."""


def test_11_time_to_first_result() -> None:
    """Time to first result, single against batch? Of N scenes that run at once, the quickest of the same N draws."""
    free, counts, seeds = [vg.SimulatedProfile("p", None, vg.LogNormal(20, 0.5))], [1, 4, 16], range(12)
    ends = [[each.end or 0.0 for each in vg.simulate(16, free, mode="boost", seed=k).scenes] for k in seeds]
    first = [[min(of_seed[:count]) for of_seed in ends] for count in counts]
    figure = vg.sweep(1, free, grid={"scenes": counts}, mode="boost", seeds=seeds, progress=False).chart("first_result")
    (curve,) = curves(figure).values()
    assert list(curve.y) == pytest.approx([fmean(each) for each in first])
    mean, low, high = paired(first[-1], first[0])
    assert high < 0
    assert f"the difference, paired, is {mean:+,.4g} s [{low:+,.4g}, {high:+,.4g}]." in said(figure)


def test_12_who_waits_longest() -> None:
    """Who waits longest? One after the other the k-th waits 10·(k - 1) s; by its place, and the ten longest by name."""
    figure = vg.simulate(14, [vg.SimulatedProfile("a", None, vg.Constant(10), 1)], mode="boost").wait_chart()
    dots, bars = trace(figure, "place"), trace(figure, "longest")
    assert list(zip(dots.x, dots.y, strict=True)) == [(k, 10 * (k - 1)) for k in range(1, 15)]
    assert list(figure.layout.yaxis3.ticktext) == [f"s{k:03}" for k in range(14, 4, -1)]
    assert list(bars.x) == [10 * (k - 1) for k in range(14, 4, -1)]
    assert "Longest: s014 2 min 10 s (place 14 of 14), s013 2 min" in said(figure)
    late = [(0.0, ev.SceneAdded(vg.Scene("first", "a fox"), True, 0))]  # a single scene goes before the others
    figure = vg.simulate(3, [vg.SimulatedProfile("a", None, vg.Constant(10), 1)], requests=late).wait_chart()
    assert dict(zip(figure.layout.yaxis3.ticktext, trace(figure, "longest").x, strict=True)) == {
        "s003": 30, "s002": 20, "first": 10, "s001": 0,
    }  # fmt: skip


def test_13_fairness() -> None:
    """Are profiles used fairly? One slot and three: a quarter and three; where a policy keeps one shut, not."""
    both = [
        vg.SimulatedProfile("one", None, vg.Constant(10), 1),
        vg.SimulatedProfile("three", None, vg.Constant(10), 3),
    ]
    figure = vg.simulate(40, both, mode="boost").share_chart()
    for kind in ("used", "possible"):
        assert list(trace(figure, kind).x) == pytest.approx([25, 75])
    assert "Jain's index of made ÷ could make is 1," in said(figure)
    shut = [ev.CooldownImposed("three", 95.0, "")]
    unfair = vg.simulate(40, both, mode="boost", cooldowns=shut).share_chart()
    made = 10 + (40 - 10) // 4  # nine or ten by then, and then four at a time
    assert trace(unfair, "used").x[0] == pytest.approx(100 * made / 40, abs=5)
    assert list(trace(unfair, "possible").x) == pytest.approx([25, 75])
    assert said(unfair).startswith("one made ") and "Jain's index of made ÷ could make is 1," not in said(unfair)


def test_14_little() -> None:
    """Does Little's law hold here? L and λW from the raw events; they agree where scenes come steadily, in no batch."""
    pair = [vg.SimulatedProfile(f"p{k}", vg.TokenBucket(6, per=60), vg.Constant(20), capacity=3) for k in (1, 2)]
    steady = vg.simulate(800, pair, mode="boost", arrivals=vg.Poisson(9, per=60), seed=2)
    figure = steady.little_chart(windows=4, after=400, until=4400)
    stays = [(each.queued, each.start) for each in steady.attempts]
    for place, (start, end) in enumerate(pairwise(range(400, 4401, 1000))):
        inside = [max(0.0, min(b, end) - max(a, start)) for a, b in stays]
        joined = [b - a for a, b in stays if start <= a < end]
        assert trace(figure, "L").y[place] == pytest.approx(sum(inside) / 1000)
        assert trace(figure, "λW").y[place] == pytest.approx(sum(joined) / 1000)
    assert list(trace(figure, "L").y) != pytest.approx(list(trace(figure, "λW").y))  # no identity
    assert said(steady.little_chart()).startswith("Little's law holds here")
    batch = vg.simulate(60, pair, mode="boost").little_chart()
    assert "does not hold here" in said(batch) and "not stationary" in said(batch)


def test_15_which_bucket() -> None:
    """Which bucket (B, r) explains these 429s? The one that there is."""
    bucket = [vg.SimulatedProfile("p", vg.TokenBucket(6, per=90), vg.Constant(8), capacity=4)]
    run = vg.simulate(120, bucket, mode="boost", policy=vg.PerProfileCooldown(7))
    estimate = run.estimate_limits()["p"]
    assert estimate.rate is not None and estimate.rate.low <= 6 / 90 <= estimate.rate.high
    figure = run.admission_chart("p", limit="estimated")
    assert "p: a token bucket, 6 per 90 s, explains all" in said(figure)
    both = (trace(figure, "limit"), trace(figure, "accepted"))
    allowed, made = (first_times(each.x, each.y) for each in both)
    refused = list(zip(trace(figure, "limited").x, trace(figure, "limited").y, strict=True))
    assert len(made) == 120 and len(refused) > 20
    assert all(allowed[number] <= at + 1e-6 for number, at in made.items())  # none before it was allowed
    assert all(allowed.get(level + 1, at + 1) > at for at, level in refused)  # each refused one was too early
    few = vg.simulate(8, bucket, mode="boost").admission_chart("p", limit="estimated")
    assert "p: can't tell which limit explains its 429s: only " in said(few)
    assert re.search(r" tells? where its limit lies, and 5 would do: between .* a second\.", said(few))


def first_times(x: Sequence[float], y: Sequence[float]) -> dict[float, float]:
    """Return when a rising curve first has each of its values above 0."""
    found: dict[float, float] = {}
    for at, value in zip(x, y, strict=True):
        if value:
            found.setdefault(value, at)
    return found


def test_16_window_or_bucket() -> None:
    """Fixed window or token bucket: can I tell? With many answers yes; with few the figure says that it can't."""
    window = [vg.SimulatedProfile("p", vg.FixedWindow(6, per=90), vg.Constant(8), capacity=4)]
    many = vg.simulate(120, window, mode="boost", policy=vg.PerProfileCooldown(7)).admission_chart(
        "p", limit="estimated"
    )
    assert "a fixed window" in said(many) and "no other kind does" in said(many)
    few = vg.simulate(9, window, mode="boost", policy=vg.PerProfileCooldown(7)).admission_chart("p", limit="estimated")
    assert "a fixed window or a sliding window, 6 per 90 s," in said(few)
    assert "which of them can't be told" in said(few)


def test_17_recovery() -> None:
    """Recovery time after an outage? The makespan that it cost, run by run; where there was none, nothing."""
    outage = [vg.Fault("overload", start=100, end=130)]
    (with_it,), (without,) = (makespans(100, FOUR, range(4, 5), mode="boost", faults=each) for each in (outage, []))
    run = vg.simulate(100, FOUR, mode="boost", faults=outage, seed=4)
    figure = run.recovery_chart()
    assert f"+{duration(with_it - without)} of makespan, against the same luck without it" in said(figure)
    assert with_it > without
    came = sorted(each.end or 0.0 for each in vg.simulate(100, FOUR, mode="boost", seed=4).scenes)
    control = dict(zip(trace(figure, "control").x, trace(figure, "control").y, strict=True))
    for at in came[10:30]:  # goodput of the control, a minute long
        assert control[at] == sum(at - 60 < end <= at for end in came)
    seeds = range(4, 8)
    ends = [makespans(100, FOUR, seeds, mode="boost", faults=each) for each in (outage, [])]
    lost = paired(ends[0], ends[1])
    back = [vg.simulate(100, FOUR, mode="boost", faults=outage, seed=k).metrics().recovery for k in seeds]
    half = median(each.seconds for each in back if each is not None and each.seconds is not None)
    title = said(run.recovery_chart(seeds=4))
    assert f"4 seeds: back after {duration(half)} in the median," in title
    assert f"; makespan {lost[0]:+,.4g} s [{lost[1]:+,.4g}, {lost[2]:+,.4g}] on average." in title
    calm = vg.simulate(100, FOUR, mode="boost", seed=4)
    null = calm.recovery_chart(trouble=(100, 130))
    assert "after the trouble; 0 results behind at most, +0 s" in said(null) and "+0 s of makespan" in said(null)
    for wrong, why in (({"seeds": 0}, "seeds is how many"), ({"seeds": 2, "control": calm}, "seeds= or control=")):
        with pytest.raises(vg.InputError, match=why):
            calm.recovery_chart(trouble=(100, 130), **wrong)
    calm.header["backend"] = {"name": "somebody's"}
    with pytest.raises(vg.InputError, match="this one is live"):
        calm.recovery_chart(trouble=(100, 130), seeds=2)


def test_18_can_retries_sustain_an_overload() -> None:
    """Can retries keep us overloaded? The same load before and after; without half of the mechanism, as before."""
    rates, slow = [0.4, 0.8, 1.2, 0.8, 0.4], [vg.SimulatedProfile("api", None, vg.Constant(10))]
    times = [400 * step + k / rate for step, rate in enumerate(rates) for k in range(int(400 * rate))]

    def chart(**options: Any) -> Any:
        """Return the figure of a run, checked against its raw times."""
        run = vg.simulate(len(times), slow, mode="boost", arrivals=times, until=2000, **options)
        figure = run.load_chart(window=400)
        ends = [each.end for each in run.attempts if each.outcome == "succeeded" and each.end is not None]
        made = [sum(400 * k <= end < 400 * (k + 1) for end in ends) / 400 for k in range(5)]
        assert [*trace(figure, "up").y, *trace(figure, "down").y[1:]] == pytest.approx(made)
        assert [*trace(figure, "up").x, *trace(figure, "down").x[1:]] == pytest.approx(rates)
        return figure

    overloaded = chart(load=vg.Load(10), attempt_timeout=20)
    assert said(overloaded).startswith("Hysteresis: the same load does not come through as it did before the overload.")
    assert "At 0.4 a second, 0.39 came through on the way up and 0 on the way down." in said(overloaded)
    for half in ({"load": vg.Load(10)}, {"attempt_timeout": 20}):
        assert said(chart(**half)).startswith("Goodput comes back with the load: there is no hysteresis.")


def test_19_which_order() -> None:
    """Which order wins, on what metric? On one slot the makespan is the same, and shortest first has the least flow."""
    one = [vg.SimulatedProfile("p", None, vg.LogNormal(20, 0.5))]
    grid = {"order": ["given", "shortest", "longest"], "where": list(SLOTS)}
    swept = vg.sweep(
        12, one, grid=grid, make=lambda order, where: {"order": order, **SLOTS[where]}, mode="boost", seeds=range(8),
        progress=False,
    )  # fmt: skip
    figure = swept.table_chart(["makespan", "flow.mean"])
    title = said(figure)
    assert "where=one slot: best order by makespan: the same for all, with every seed; flow.mean: shortest." in title
    assert "where=two slots: best order by makespan: longest; flow.mean: shortest." in title
    (cells,) = figure.data
    assert [list(row) for row in cells.z] == [[1, 1, 1, 0, 0, 1], [0, 1, 0, 0, 1, 0]]
    services = [sorted(_services(seed)) for seed in range(8)]
    spt = fmean(fmean(sum(each[: k + 1]) for k in range(12)) for each in services)
    assert cells.text[1][1] == f"<b>{spt:,.4g}</b>"


def test_19_with_arrivals() -> None:
    """While scenes come, the order decides who of those that wait is next: flow as in a queue by hand, seed by seed."""
    one, orders = [vg.SimulatedProfile("p", None, vg.LogNormal(20, 0.5), 1)], ["given", "shortest", "longest"]
    swept = vg.sweep(
        60, one, grid={"order": orders}, mode="boost", arrivals=vg.Poisson(3, per=60), seeds=range(10), progress=False
    )
    figure = swept.table_chart(["makespan", "flow.mean", "first_result"])
    same = "the same for all, with every seed"
    assert f"makespan: {same}; flow.mean: shortest; first result: {same}." in said(figure)
    text = dict(zip(orders, figure.data[0].text[1], strict=True))
    for order in orders:
        flows = []
        for seed in range(10):
            come, work = vg.Poisson(3, per=60).times(60, seed), _services(seed, 60)
            flows.append(fmean(work) + fmean(waits_by_hand(order, 1, come, work)))
        assert f"{fmean(flows):,.4g}" in text[order]
    assert text["shortest"].startswith("<b>") and not text["given"].startswith("<b>")


SLOTS: dict[str, dict[str, Any]] = {"one slot": {"capacity": 1}, "two slots": {"capacity": 2}}


def _services(seed: int, scenes: int = 12) -> list[float]:
    """Return how long so many scenes take with that seed."""
    run = vg.simulate(scenes, [vg.SimulatedProfile("p", None, vg.LogNormal(20, 0.5))], mode="boost", seed=seed)
    return [each.end or 0.0 for each in run.scenes]


def test_20_what_capacity_did() -> None:
    """What was capacity doing while work waited? By hand: of 2 slots × 80 s, 40 s made results, 120 s cooled."""
    figure = vg.simulate(4, [WINDOW], mode="boost").slot_time_chart()
    assert said(figure) == "25 % of all slot time went into attempts that succeeded; 75 % was cooling."
    free = vg.simulate(3, [vg.SimulatedProfile("a", None, vg.Constant(10), 2)], mode="boost").slot_time_chart()
    assert said(free) == "75 % of all slot time went into attempts that succeeded; 25 % was idle with none waiting."
    steps = {each.meta: list(each.x) for each in free.data}
    assert steps["ok"] == [75, 75] and steps["idle_empty"] == [25, 25]
