"""The clock: run seconds on any base, at any speed."""

from __future__ import annotations

import math
from typing import Any

import pytest

from vidgen_nb.clock import Clock
from vidgen_nb.errors import InputError


@pytest.mark.parametrize("speed", [0.5, 1, 20])
def test_run_seconds(speed: float) -> None:
    """They begin at 0 wherever the base stands, pass `speed` times as fast, and are told in wall seconds."""
    base = [1000.0]
    clock = Clock(speed, monotonic=lambda: base[0])
    assert clock.now() == 0.0
    base[0] += 3.0
    assert clock.now() == 3.0 * speed
    assert clock.wall(30.0) == 30.0 / speed


def test_another_speed() -> None:
    """Run time goes on from where it is, and a wrong speed changes nothing."""
    base = [50.0]
    clock = Clock(10, at=7.0, monotonic=lambda: base[0])
    base[0] += 2.0
    clock.set_speed(0.5)
    assert (clock.now(), clock.speed, clock.wall(1.0)) == (27.0, 0.5, 2.0)
    base[0] += 4.0
    assert clock.now() == 29.0
    with pytest.raises(InputError, match="speed must be"):
        clock.set_speed(-1)
    assert (clock.now(), clock.speed) == (29.0, 0.5)


@pytest.mark.parametrize("speed", [0, -1, math.nan, math.inf, True, "20", None])
def test_speed_is_checked(speed: Any) -> None:
    """Time neither stands still nor runs backwards."""
    with pytest.raises(InputError, match="speed must be a finite number above 0"):
        Clock(speed)
