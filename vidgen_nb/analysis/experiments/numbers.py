"""The numbers of a run that experiments compare: by name, by a dotted name, or by a function of the run's metrics."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from inspect import signature
from typing import Any, Final

from vidgen_nb.analysis.experiments.client_metrics import ClientMetrics
from vidgen_nb.analysis.metrics.measure import Metrics
from vidgen_nb.analysis.metrics.quantiles import Spread
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.validation import is_number
from vidgen_nb.errors import InputError

__all__ = ["NUMBERS", "SECONDS", "Metric", "metric_name", "more_is_better", "number_of", "unit_of", "without_names"]

Metric = str | Callable[[Metrics], Any]
"""A name of `NUMBERS`, a dotted name such as `wait.p95`, or a function of `Metrics`."""

NUMBERS: Final[Mapping[str, Callable[[Metrics, RunData], Any]]] = {
    "makespan": lambda metrics, data: metrics.makespan,
    "succeeded": lambda metrics, data: metrics.scenes.get("succeeded", 0),
    "attempts": lambda metrics, data: metrics.attempts,
    "rate_limited": lambda metrics, data: metrics.rate_limited,
    "wasted": lambda metrics, data: _wasted(metrics, data),
    "moves": lambda metrics, data: metrics.moves,
    "lower_bound": lambda metrics, data: getattr(metrics, "lower_bound", None),
    "efficiency": lambda metrics, data: getattr(metrics, "efficiency", None),
    "cost": lambda metrics, data: getattr(metrics, "cost", None),
}
"""The numbers of a trial. One more is a field of `Trial` and a line here."""
_QUANTILE = re.compile(r"p(\d{1,2})")
SECONDS: Final = frozenset(
    ("makespan", "lower_bound", "first_result", "flow", "wait", "queued", "queue_time", "over_wait", "length", "off")
)
"""First parts of the names of numbers that are in seconds."""
_BETTER_HIGH = frozenset(("succeeded", "efficiency", "goodput", "utilisation", "fairness", "ok"))


def _wasted(metrics: Metrics, data: RunData) -> int:
    """Return the attempts that ended without success, in the window that was measured."""
    start, end = metrics.measured or (-math.inf, math.inf)
    ended = [each for each in data.attempts if each.end is not None and each.outcome != "succeeded"]
    return sum((start < each.end or not start) and each.end <= end for each in ended if each.end is not None)


def number_of(metrics: Metrics | ClientMetrics, metric: Metric) -> float | None:
    """Return one number of a run's metrics; None: the run doesn't have it, such as waits if nothing succeeded.

    A dotted name goes from field to field of `Metrics`: `wait.p95` (any p1 to p99), `flow.mean`, `split.ok`,
    `scenes.failed`, `profiles.alice.utilisation`, `recovery.seconds`. Raises `InputError` for a name that does not
    exist, and for what is no number.
    """
    value: Any = metrics
    if callable(metric):
        try:
            value = metric(metrics)  # type: ignore[arg-type]  # of clients, it may ask for what they don't have
        except AttributeError as error:
            if isinstance(metrics, ClientMetrics):
                raise InputError(f"the metric {metric_name(metric)!r}: {error}") from None
            raise
    else:
        for part in metric.split("."):
            value = _part(value, part, metric)
            if value is None:
                return None
    if value is None or isinstance(value, bool) or is_number(value):
        return None if value is None else float(value)
    name, parts = metric_name(metric), _names(value)
    which = f": say which one, such as {name}.{parts[0]}" if parts and not callable(metric) else ""
    raise InputError(f"the metric {name!r} is no number, but a {type(value).__name__}{which}")


def _part(value: Any, part: str, metric: str) -> Any:
    """Return what a part of a dotted name stands for."""
    if isinstance(value, Spread) and (found := _QUANTILE.fullmatch(part)):
        return value.quantile(int(found[1]) / 100)
    if isinstance(value, list):  # rows of profiles
        value = {row.profile: row for row in value}
    elif isinstance(value, Mapping):  # counts by status
        return value.get(part, 0)
    names = _names(value)
    if part not in names:
        near = get_close_matches(part, names, 1)
        meant = f", did you mean {near[0]!r}" if near else ""
        if isinstance(value, ClientMetrics):
            known = ", ".join(dict.fromkeys(["succeeded", "wasted", *names]))
            raise InputError(f"no metric {metric!r} of several clients together{meant}: they have {known}")
        raise InputError(f"no metric {metric!r}{meant}: choose {_choice()}")
    return value[part] if isinstance(value, dict) else getattr(value, part)


def _names(value: Any) -> tuple[str, ...]:
    """Return the names of the parts of a value."""
    if isinstance(value, Mapping):
        return tuple(map(str, value))
    kind = type(value)
    own = [each.name for each in fields(kind)] if is_dataclass(kind) else list[str]()
    own = [name for name in own if name not in ("values", "ordered")]
    return (*own, *(name for name in dir(kind) if isinstance(getattr(kind, name), property)))


def _choice() -> str:
    return (
        f"one of {', '.join(NUMBERS)}, a dotted name of run.metrics() such as 'wait.p95', 'goodput' or "
        "'recovery.seconds', or a function of the metrics"
    )


def metric_name(metric: Metric) -> str:
    """Return a metric's name; `InputError` for anything but a name or a function."""
    if isinstance(metric, str):
        return metric
    if not callable(metric):
        raise InputError(f"no metric {metric!r}: choose {_choice()}")
    _check_function(metric)
    name = getattr(metric, "__name__", type(metric).__name__)
    return "function" if name == "<lambda>" else str(name)


def _check_function(metric: Callable[..., Any]) -> None:
    """Raise `InputError` for a function that can't be called with a run's metrics alone."""
    try:
        taken = signature(metric)
    except (TypeError, ValueError):  # some callables have no signature
        return
    try:
        taken.bind(None)
    except TypeError as error:
        raise InputError(f"a metric is a function of run.metrics(), which this one is not: {error}") from None


def unit_of(metric: Metric) -> str:
    """Return a metric's unit if it is in seconds, or per second, else nothing."""
    parts = metric_name(metric).split(".")
    if parts[0] in ("goodput", "arrival_rate"):
        return " per s"
    return " s" if parts[0] in SECONDS or parts[-1] in ("seconds", "caught_up", "lost") else ""


def more_is_better(metric: Metric) -> bool:
    """Say whether the highest value of a metric is the best; by default the lowest is."""
    return metric_name(metric).split(".")[-1] in _BETTER_HIGH


def without_names(metrics: Metrics) -> Metrics:
    """Return metrics whose spreads no longer say which scene has which value: an eighth of the memory."""
    known = metrics.answered()
    slim: dict[str, Any] = {
        name: replace(spread, values={}, ordered=array("d", spread.ordered))  # type: ignore[arg-type]  # it is read as one
        for name, spread in known.items()
        if isinstance(spread, Spread)
    }
    return Metrics.later(known | slim, {(name,): way for name, way in metrics.questions().items()})
