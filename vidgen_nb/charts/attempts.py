"""What became of the attempts, as stacked counts: for each profile, by outcome."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import plotly.graph_objects as go

from vidgen_nb.analysis.metrics.results import outcome_counts
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, axis, frame, markup, names_of, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import State, Theme, theme_of
from vidgen_nb.charts.drawing.rows import row_axis
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.numbers import count, percent

__all__ = ["attempts_chart"]

_ROW_PIXELS, _MAX_PROFILES = 28.0, 40
_MARKS: Final[dict[str | None, State]] = {
    "succeeded": "succeeded", None: "running", "rate_limited": "limited", "transient": "failed", "permanent": "failed",
    "unusable": "failed", "ambiguous": "held", "cancelled": "cancelled",
}  # fmt: skip
"""The look of each outcome, from left to right; None: it runs."""


@checks_arguments()
def attempts_chart(data: RunData, *, theme: str = "auto") -> go.Figure:
    """Draw how many attempts each profile had, by what became of them, and say how many were wasted.

    Wasted is what ended without success: `run.metrics().wasted_share`. Beyond 40 profiles, those that wasted most are
    shown, and the chart says so. Raise `InputError` for an unknown theme.
    """
    look, counts = theme_of(theme), outcome_counts(data)
    by_profile: dict[str, Counter[str | None]] = {name: Counter() for name in data.profiles}
    for (name, outcome), number in counts.items():
        by_profile.setdefault(name, Counter())[outcome] += number
    shown = sorted(by_profile, key=lambda name: -_wasted(by_profile[name]))[:_MAX_PROFILES]
    names = [name for name in by_profile if name in set(shown)]
    outcomes = [*_MARKS, *sorted({each for _, each in counts} - _MARKS.keys(), key=str)]
    present = [each for each in outcomes if any(row[each] for row in by_profile.values())]
    title = wrapped(_finding(by_profile), FINDING_CHARS)
    notes = []
    if len(names) < len(by_profile):
        notes.append(f"Shown: the {len(names)} profiles that wasted most, of {len(by_profile):,}.")
    bars = [_bars(each, names, by_profile, look) for each in present]
    tall = 12 + _ROW_PIXELS * len(names)
    layout = frame([*title, *wrapped(notes)], look, tall, bold=len(title), named=True, legend=names_of(bars)) | {
        "barmode": "stack",
        "xaxis": axis(look, "attempts"),
        "yaxis": row_axis([markup([text.short(name, 22)]) for name in names], look) | {"showgrid": False},
    }
    layout["legend"] |= {"traceorder": "normal"}
    return figure(bars, layout, look)


def _wasted(row: Counter[str | None]) -> int:
    """Return how many ended without success."""
    return sum(number for outcome, number in row.items() if outcome not in (None, "succeeded"))


def _bars(
    outcome: str | None, names: list[str], by_profile: dict[str, Counter[str | None]], look: Theme
) -> dict[str, Any]:
    """Return one outcome of all profiles."""
    mark = look.marks[_MARKS.get(outcome, "failed")]
    label = "429" if outcome == "rate_limited" else text.outcome(outcome)
    counts = [by_profile[name][outcome] for name in names]
    return {
        "type": "bar", "orientation": "h", "meta": outcome or "running", "name": markup([label]), "x": counts,
        "y": [-row for row in range(len(names))], "width": 0.76, "hoverinfo": "text",
        "hovertext": [
            markup([one_line(name, 60), f"{label}: {count:,} of {sum(by_profile[name].values()):,} attempts"])
            for name, count in zip(names, counts, strict=True)
        ],
        "marker": {
            "color": mark.fill or "rgba(0,0,0,0)", "line": {"width": 1, "color": mark.outline or "rgba(0,0,0,0)"},
            "pattern": {"shape": mark.pattern, "fgcolor": mark.ink or None, "fillmode": "overlay", "size": 6},
        },
    }  # fmt: skip


def _finding(by_profile: dict[str, Counter[str | None]]) -> list[str]:
    """Return how many attempts were wasted, by what, and where most."""
    total: Counter[str | None] = sum(by_profile.values(), Counter())
    ended = total.total() - total[None]
    if not total.total():
        return ["Nothing ran."]
    wasted = _wasted(total)
    if not wasted:
        return [f"None of {count(ended, 'attempt')} was wasted."]
    kinds = [(number, each) for each, number in total.items() if each not in (None, "succeeded")]
    why = ", ".join(
        f"{number:,} {'got a 429' if each == 'rate_limited' else text.outcome(each)}"
        for number, each in sorted(kinds, key=lambda kind: (-kind[0], str(kind[1])))
    )
    said = [f"{wasted:,} of {count(ended, 'attempt')} were wasted ({percent(wasted / ended)}): {why}."]
    if len(by_profile) > 1:
        name, row = max(by_profile.items(), key=lambda item: _wasted(item[1]))
        of = row.total() - row[None]
        share = percent(_wasted(row) / of)
        said.append(f"Most on {one_line(name, 40)}: {_wasted(row):,} of its {of:,} ({share}).")
    return said
