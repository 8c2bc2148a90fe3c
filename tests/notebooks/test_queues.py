"""What notebook 06 states is what its own cells give."""

from __future__ import annotations

import re
from typing import Any

import pytest

import vidgen_nb as vg
from tests.notebooks.cells import found_in, printed_by, text_of


@pytest.fixture(scope="module")
def queues() -> dict[str, Any]:
    """The variables of the notebook after its last cell."""
    return found_in("06_queues")


def test_the_formula_and_the_measurement(queues: dict[str, Any]) -> None:
    """Erlang's mean wait lies in the measured interval for each load, and grows from 3 to 22 to 54 s."""
    loads, measured = list(queues["loads"]), queues["measured"].summary("wait.mean")
    theory = [queues["erlang"](load) for load in loads]
    assert [round(wait) for _, wait, _ in theory] == [3, 22, 54]
    for (_, wait, _), found in zip(theory, measured, strict=True):
        assert found.low < wait < found.high
        assert found.high - found.low < 0.6 * wait
    chance, wait, _ = queues["erlang"](0.8)
    text = text_of("06_queues")
    assert f"= {chance:.3f} mean wait" in text and f"= {wait:.1f} s ```" in text
    assert queues["run"].metrics().makespan > 4 * 3600 and "more than four hours" in text
    assert "from 3 s to 22 s and to 54 s" in text_of("06_queues")
    tails = queues["measured"].summary("wait.p95")
    assert [round(tail) for _, _, tail in theory][:2] == [21, 85]
    assert [found.mean for found in tails][:2] == pytest.approx([21, 85], rel=0.1)


def test_the_tail(queues: dict[str, Any]) -> None:
    """At 0.8 about a third need not wait, and the p95 is four times the mean, in theory and in the run."""
    chance, mean, p95 = queues["erlang"](0.8)
    assert 1 - chance == pytest.approx(1 / 3, abs=0.03)
    assert p95 / mean == pytest.approx(4, rel=0.05)
    run = queues["run"]
    waits = [each.start - each.queued for each in run.attempts]
    assert sum(wait < 1e-9 for wait in waits) / len(waits) == pytest.approx(1 / 3, abs=0.1)
    wait = run.metrics().wait
    assert wait.p95 / wait.mean == pytest.approx(4, rel=0.15)


def test_little(queues: dict[str, Any]) -> None:
    """The queue's length and λ·W agree."""
    m = queues["m"]
    assert f"counted: L = {m.queue_length:.2f} scenes" in "\n".join(printed_by("06_queues"))
    assert m.queue_length == pytest.approx(m.arrival_rate * m.wait.mean, rel=0.03)


def test_the_order(queues: dict[str, Any]) -> None:
    """Shortest first: a better mean, a later end, and the ten longest scenes wait longer."""
    orders = queues["orders"]
    found = {}
    for metric in ("wait.mean", "makespan"):
        orders.metric = metric
        found[metric] = orders.difference.interval
    assert found["makespan"][1] < 0 < found["wait.mean"][0]  # the given order, against shortest first
    waits = {}
    for name, run in orders.runs.items():
        work = {each.scene: each.end - each.start for each in run.attempts}
        longest = sorted(work, key=lambda scene: work[scene])[-10:]
        waits[name] = sum(each.start - each.queued for each in run.attempts if each.scene in longest) / 10
    assert waits["shortest first"] > waits["the given order"] + 50


def test_shortest_first_while_scenes_come(queues: dict[str, Any]) -> None:
    """The mean wait is half as long, and somebody waits three times as long as anybody did."""
    given, shortest = (vg.simulate(**queues["queue"], seed=1, order=each).metrics().wait for each in ORDERS)
    assert given is not None and shortest is not None
    said = f"{shortest.mean:.0f} s in place of {given.mean:.0f} s, and the longest {shortest.max:.0f} s in place of"
    assert f"the mean wait is {said} {given.max:.0f} s." in text_of("solutions/06_queues")


ORDERS: list[Any] = ["given", "shortest"]


def test_the_solution() -> None:
    """The last try passes, the two before do not, and the numbers in the texts are so."""
    solution = found_in("solutions/06_queues")
    assert [each.passed for each in solution["ex"].tries] == [False, False, True]
    assert f"{100 * solution['ex'].run({}).metrics().split.cooling:.0f} %" == "43 %"
    assert f"{solution['mean_wait'](6, 0.8, 20):.1f}" == "8.6"
    assert "8.6 s at c = 6 in place of 21.6 s at c = 3" in text_of("solutions/06_queues")
    assert "43 % of their time" in text_of("solutions/06_queues")
    tried = [str(solution["ex"].check(each)) for each in ({}, {"order": "shortest"})]
    as_given, shortest = (float(re.findall(r"p95 wait: mean ([\d.]+)", each)[0]) for each in tried)
    assert f"from {as_given:.0f} s to {shortest:.0f} s" in text_of("solutions/06_queues")
    assert shortest > 2 * as_given  # "even doubles"
