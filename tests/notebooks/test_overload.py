"""What notebook 07 states is what its own cells give."""

from __future__ import annotations

from typing import Any

import pytest

from tests.notebooks.cells import found_in, text_of


@pytest.fixture(scope="module")
def overload() -> dict[str, Any]:
    """The variables of the notebook after its last cell."""
    return found_in("07_overload")


def test_the_outage_outlives_its_trigger(overload: dict[str, Any]) -> None:
    """0.4 results a second without the burst; after it none, though more is submitted than ever."""
    submits, results = overload["per_second"](overload["run"], 400, 600)
    assert results == 0 and submits > 2 * 0.4
    assert overload["per_second"](overload["run"], 0, 100)[1] == pytest.approx(0.4, abs=0.05)
    chart = overload["run"].load_chart(window=100)
    assert "Hysteresis" in chart.layout.title.text
    labels = [label for way in chart.data for label in way.text or () if label]
    assert labels == ["1", "2", "3–6", "7–12"]  # those that lie on each other have one


def test_the_tipping_point(overload: dict[str, Any]) -> None:
    """16 in theory, 15 measured, and each larger one is as bad."""
    assert overload["theory"] == pytest.approx(16) and overload["measured"] == 15
    assert all((goodput < 0.2) == (burst >= 15) for burst, goodput in overload["worst"].items())
    assert overload["worst"][0] == pytest.approx(0.4)
    assert "Theory says 16, and it is 15" in text_of("07_overload")


def test_the_ways_out(overload: dict[str, Any]) -> None:
    """A small budget, bounded parallelism and patience recover; one of 40 tokens does not help all."""
    done = {name: run.metrics().scenes.get("succeeded", 0) for name, run in overload["runs"].items()}
    assert done.pop("without end") < 60
    assert done.pop("budget of 40") < 280
    assert set(done.values()) == {280} and len(done) == 3
    assert overload["runs"]["10 jobs at once"].metrics().amplification == 1
    patient = overload["runs"]["waits for 60 s"]
    assert patient.metrics().amplification == 1 and max(each.end - each.start for each in patient.attempts) < 60
    assert "4 + 40 = 44 jobs take 44 s each" in text_of("07_overload")
    assert len(overload["run"].cooldowns) > 3  # the circuit breaker is there, and does not help


@pytest.mark.long
def test_the_solution() -> None:
    """Ten are too many, three too few, four are right."""
    solution = found_in("solutions/07_overload")
    assert [each.passed for each in solution["ex"].tries] == [False, False, True]
    ends = [max(each.end for each in solution["ex"].run(tokens).scenes) for tokens in (3, 4)]
    assert [round(each) for each in ends] == [828, 788]
    assert "from 828 s with three tokens to 788 s with four" in text_of("solutions/07_overload")
    assert solution["theory"] == pytest.approx(26)
