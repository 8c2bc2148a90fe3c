"""Every chart of a run but the Gantt, by name: for what holds for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vidgen_nb.analysis.experiments.parting import Parting
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.charts.admission import admission_chart
from vidgen_nb.charts.aligned import aligned_chart
from vidgen_nb.charts.attempts import attempts_chart
from vidgen_nb.charts.experiments.sweeps import sweep_chart
from vidgen_nb.charts.experiments.versus import versus_chart
from vidgen_nb.charts.flow import queue_chart
from vidgen_nb.charts.little import little_chart
from vidgen_nb.charts.load import load_chart
from vidgen_nb.charts.moves import move_chart
from vidgen_nb.charts.recovery import recovery_chart
from vidgen_nb.charts.shares import share_chart
from vidgen_nb.charts.slots import slot_time_chart
from vidgen_nb.charts.waits import wait_chart
from vidgen_nb.provider.limits import TokenBucket

__all__ = ["CHARTS"]


def _sweep(data: RunData, theme: str) -> Any:
    """Draw a sweep whose labels are the names of the profiles."""
    points = [
        (x, 100.0 + at + x, 90.0 + x, 130.0 + x, 80.0, name)
        for at, name in enumerate(data.profiles)
        for x in (1, 5, 20)
    ]
    return sweep_chart(points, x="cooldown (s)", theme=theme)


def _versus(data: RunData, theme: str) -> Any:
    """Draw a run beside itself, as if they parted after a while."""
    names = [f"{name} {at}" for at in (1, 2) for name in (data.profiles or ["a case"])[:1]]
    scene = data.scenes[0].id if data.scenes else None
    parting = Parting(data.end / 3, scene, dict.fromkeys(names, f"{names[0]} rests"))
    return versus_chart(dict.fromkeys(names, data), f"{names[0]} is as {names[1]}.", "Seed 0.", parting, theme=theme)


CHARTS: dict[str, Callable[[RunData, str], Any]] = {
    "slots": lambda data, theme: slot_time_chart(data, theme=theme),
    "attempts": lambda data, theme: attempts_chart(data, theme=theme),
    "shares": lambda data, theme: share_chart(data, theme=theme),
    "load": lambda data, theme: load_chart(data, window=max(1.0, data.end / 5), theme=theme),
    "who waited": lambda data, theme: wait_chart(data, theme=theme),
    "flow": lambda data, theme: queue_chart(data, outages=[(20, 30)], theme=theme),
    "waits": lambda data, theme: wait_chart(dict.fromkeys(data.profiles[:3], data), theme=theme),
    "little": lambda data, theme: little_chart(data, theme=theme),
    "moves": lambda data, theme: move_chart(data, theme=theme),
    "recovery": lambda data, theme: recovery_chart(data, trouble=(20, 30), theme=theme),
    "admission": lambda data, theme: admission_chart(data, data.profiles[0], limit=TokenBucket(4, per=60), theme=theme),
    "sweeps": _sweep,
    "versus": _versus,
    "aligned": lambda data, theme: aligned_chart(
        dict(zip(data.profiles[:2] * 2, [data] * 2, strict=False)), theme=theme
    ),
}
