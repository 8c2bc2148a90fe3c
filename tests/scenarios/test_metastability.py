"""Overload that feeds itself: the same offered load has two goodputs, by whether it was overloaded before.

Clients give up and try again, the provider goes on with what they gave up: so a provider that was overloaded once stays
so at a load that it carried before. Bronson, Aghayev, Charapko and Zhu, "Metastable Failures in Distributed Systems"
(HotOS 2021).
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

import vidgen_nb as vg

OFFERED = [0.3, 0.5, 0.7, 0.9, 1.2, 0.9, 0.7, 0.5, 0.3]
"""Scenes a second; the provider can do 1.0."""
STEP_SECONDS, CLIENTS = 400.0, 20
MECHANISM = {"load": vg.Load(10), "attempt_timeout": 20}


def goodput(**options: Any) -> list[float]:
    """Return the scenes a second that succeed in each step of the ramp."""
    rng, times = Random(1), list[float]()
    for step, rate in enumerate(OFFERED):
        at = step * STEP_SECONDS
        while (at := at + rng.expovariate(rate)) < (step + 1) * STEP_SECONDS:
            times.append(at)
    each = len(times) // CLIENTS
    arrivals = [times[client::CLIENTS][:each] for client in range(CLIENTS)]
    found = vg.simulate_clients(
        CLIENTS, each, [vg.SimulatedProfile("api", service=vg.Constant(10))], mode="boost", arrivals=arrivals,
        retry=vg.RetryPolicy(max_failures=1000), seed=3, until=len(OFFERED) * STEP_SECONDS, **options,
    )  # fmt: skip
    steps = found.goodput(STEP_SECONDS)
    return steps[: len(OFFERED)] + [0.0] * (len(OFFERED) - len(steps))


def test_hysteresis() -> None:
    """On the way up 0.3 to 0.7 a second are carried; on the way down, after an overload, nothing is."""
    done = goodput(**MECHANISM)
    assert done[:3] == pytest.approx(OFFERED[:3], rel=0.15)
    assert max(done[5:]) < 0.05


@pytest.mark.parametrize("without", ["load", "attempt_timeout"])
def test_half_of_the_mechanism_is_none(without: str) -> None:
    """Clients that wait, or a provider that its load does not slow down: the way down is like the way up."""
    done = goodput(**{name: value for name, value in MECHANISM.items() if name != without})
    assert done[:3] == pytest.approx(OFFERED[:3], rel=0.15)
    assert done[-2:] == pytest.approx(OFFERED[-2:], rel=0.25)
