"""The numbers of a run as text, as HTML, and as tables."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from vidgen_nb.analysis.metrics.model import MetricsData, ProfileMetrics
from vidgen_nb.analysis.metrics.quantiles import Spread
from vidgen_nb.analysis.metrics.recovery import Recovery
from vidgen_nb.core.money import amount_text, micros
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import html_line, one_line
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import a_minute, count, figure, percent
from vidgen_nb.wording.standing import standings_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ONLY_IF_ANY", "Metrics", "recovery_in_words"]

TABLES = ("profiles", "scenes", "moves")
_NOTHING = 1e-9
"""What is smaller is left of a subtraction."""
MAX_PROFILES = 20
"""Profiles shown; the table has all of them."""
SPLIT_FIELDS = ("ok", "wasted", "cooling", "idle_empty", "idle_waiting", "running", "off", "queued_at_provider")
ONLY_IF_ANY = ("running", "off", "queued_at_provider")


def _seconds(value: float | None) -> str:
    return "–" if value is None else duration(value)


def _share(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _number(value: float | None) -> str:
    return "–" if value is None else figure(value)


def _spread(value: Spread | None) -> str:
    return "–" if value is None else f"p50 {duration(value.p50)}, p95 {duration(value.p95)}, max {duration(value.max)}"


def _rows(metrics: MetricsData) -> Iterator[tuple[str, str]]:
    yield "scenes", standings_text(metrics.scenes) or "none"
    if metrics.measured is not None:
        yield "window", f"from {_seconds(metrics.measured[0])} to {_seconds(metrics.measured[1])}"
    yield "makespan", _seconds(metrics.makespan)
    if metrics.off:
        yield (
            "off",
            f"{_seconds(metrics.off)} in which no program ran it: part of the makespan; not of flow, wait, rates",
        )
    if metrics.bound is not None:
        yield "lower bound", f"{_seconds(metrics.lower_bound)}, by {metrics.bound.binds} ({metrics.bound.method})"
        yield "efficiency", f"{_share(metrics.efficiency)}: lower bound ÷ makespan"
    yield "first result", _seconds(metrics.first_result)
    yield "flow", _spread(metrics.flow)
    yield "wait", _spread(metrics.wait)
    yield (
        "attempts",
        (f"{metrics.attempts:,}, {_number(metrics.amplification)} a scene; {count(metrics.moves, 'move')}"),
    )
    yield "wasted", f"{_share(metrics.wasted_share)} of the attempts that ended; {_share(metrics.rate_429)} got a 429"
    if metrics.cost is not None:
        yield "cost", _cost(metrics)
    yield "goodput", "–" if metrics.goodput is None else a_minute(metrics.goodput)
    yield "utilisation", f"{_share(metrics.utilisation)} of the slot time made results"
    yield "slot time", _split(metrics)
    yield (
        "cooldowns",
        (
            f"{_share(metrics.cooldown_duty)} of the time; {metrics.stranded:,.1f} slot-seconds stranded; "
            f"early wakes {_share(metrics.early_wakes)}; over-wait {_spread(metrics.over_wait)}"
        ),
    )
    yield (
        "queue",
        (
            f"L {_number(metrics.queue_length)}, λ {_number(metrics.arrival_rate)} a second, "
            f"W {_seconds(metrics.queue_time)}; L and λW by window differ by {_share(metrics.little_residual)}"
        ),
    )
    if metrics.queued_at_provider is not None:
        yield "of it there", f"{_spread(metrics.queued_at_provider)} in the provider's own queue"
    yield "fairness", _number(metrics.fairness)
    if metrics.recovery is not None:
        yield "recovery", recovery_in_words(metrics.recovery)


def _cost(metrics: MetricsData) -> str:
    def text(amount: float | None) -> str:
        return "–" if amount is None else amount_text(micros(amount), metrics.currency)

    wasted = f"; {text(metrics.wasted_cost)} gave no video" if metrics.wasted_cost else ""
    return f"{text(metrics.cost)}, {text(metrics.cost_per_video)} a video{wasted}"


def recovery_in_words(found: Recovery) -> str:
    """Return how a run recovered, and what it is compared with."""
    back = "not recovered" if found.seconds is None else f"goodput back {duration(found.seconds)} after the trouble"
    if not found.control:
        return f"{back}, by its own goodput at other times (there is no control)"
    lost = "" if found.lost is None else f", {'+' * (found.lost >= 0)}{duration(found.lost)} of makespan"
    caught = ", never caught up" if found.caught_up is None else f", caught up after {duration(found.caught_up)}"
    behind = f"{count(found.behind or 0, 'result')} behind at most{caught if found.behind else ''}"
    return f"{back}; {behind}{lost}, against the same luck without it"


def _split(metrics: MetricsData | ProfileMetrics) -> str:
    split = metrics.split
    if split is None:
        return "–"
    names = {
        "ok": "succeeded",
        "idle_empty": "idle, none waited",
        "idle_waiting": "idle while scenes waited",
        "off": "no program ran",
        "queued_at_provider": "queued at the provider",
    }
    parts = ((name, getattr(split, name)) for name in SPLIT_FIELDS)
    return ", ".join(f"{names.get(name, name)} {_share(value)}" for name, value in parts if abs(value) > _NOTHING)


def _profile(row: ProfileMetrics) -> tuple[str, ...]:
    counts = (f"{number:,}" for number in (row.scenes, row.attempts, row.rate_limited))
    return (
        one_line(row.profile, 60),
        *counts,
        _share(row.utilisation),
        _share(row.cooldown_duty),
        f"{row.stranded:,.1f}",
    )


PROFILE_COLUMNS = ("profile", "scenes", "attempts", "429s", "utilisation", "cooling", "stranded s")


def _text(metrics: MetricsData) -> str:
    """Return the numbers as lines, and a table of the profiles."""
    lines = [f"{name:<13}{value}" for name, value in _rows(metrics)]
    cells = [PROFILE_COLUMNS, *map(_profile, metrics.profiles[:MAX_PROFILES])]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines += ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells] if metrics.profiles else []
    return "\n".join((*lines, *_more(metrics)))


def _more(metrics: MetricsData) -> list[str]:
    more = len(metrics.profiles) - MAX_PROFILES
    return [f"… and {more:,} more profiles: see to_frame()"] if more > 0 else []


def _html(metrics: MetricsData) -> str:
    """Return the numbers as two tables."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in _rows(metrics))
    if not metrics.profiles:
        return f"<table>{rows}</table>"
    head = "".join(f"<th>{escape(name)}</th>" for name in PROFILE_COLUMNS)
    body = "".join(
        f"<tr>{''.join(f'<td>{html_line(cell)}</td>' for cell in _profile(row))}</tr>"
        for row in metrics.profiles[:MAX_PROFILES]
    )
    more = "".join(f"<p>{escape(line)}</p>" for line in _more(metrics))
    return f"<table>{rows}</table><table><tr>{head}</tr>{body}</table>{more}"


def _frame(metrics: MetricsData, table: str) -> pd.DataFrame:
    """Return a table of the numbers; `InputError` for an unknown one."""
    if table not in TABLES:
        raise InputError(f"no table {table!r}: choose one of {', '.join(TABLES)}")
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("to_frame needs pandas: pip install pandas") from error
    if table == "scenes":
        columns = {name: getattr(metrics, name) for name in ("flow", "wait", "queued", "queued_at_provider")}
        series = {
            name: pd.Series({} if each is None else dict(each.values), dtype=float) for name, each in columns.items()
        }
        return pd.DataFrame(series).rename_axis("scene").reset_index()
    names = [row.profile for row in metrics.profiles]
    if table == "moves":
        cells = [[metrics.move_matrix.get((a, b), 0) for b in names] for a in names]
        return pd.DataFrame(cells, index=pd.Index(names, name="from"), columns=pd.Index(names, name="to"))
    fields = [name for name in ProfileMetrics.__dataclass_fields__ if name != "split"]
    rows = [
        {name: getattr(row, name) for name in fields}
        | {name: None if row.split is None else getattr(row.split, name) for name in SPLIT_FIELDS}
        for row in metrics.profiles
    ]
    return pd.DataFrame(rows, columns=[*fields, *SPLIT_FIELDS])


class Metrics(MetricsData):
    """The numbers of a run, shown as text, as HTML in a notebook, and as tables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return _text(self)

    def _repr_html_(self) -> str:
        """Return the numbers as a notebook shows them."""
        return _html(self)

    def to_frame(self, table: str = "profiles") -> pd.DataFrame:
        """Return `profiles`, `scenes` (flow, wait, queued) or `moves` (the matrix) as a DataFrame (needs pandas).

        `queued_at_provider`, the part of `queued` in a provider's own queue, is empty where no scene was queued there.
        """
        return _frame(self, table)
