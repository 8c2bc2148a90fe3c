"""Whether profiles were used fairly: the share of the results that each made, beside the share that it could make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.metrics.measure import ProfileMetrics, measure
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, axis, frame, markup, names_of, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import Theme, theme_of
from vidgen_nb.charts.drawing.rows import row_axis
from vidgen_nb.plaintext import one_line
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.wording.numbers import percent

__all__ = ["share_chart"]

_ROW_PIXELS, _MAX_PROFILES = 34.0, 40


@checks_arguments()
def share_chart(data: RunData, *, profiles: Iterable[SimulatedProfile] | None = None, theme: str = "auto") -> go.Figure:
    """Draw each profile's share of the results as a bar, and what its limit and slots allow it as a line across it.

    `profiles`: the limits to assume for a live run, as in `run.metrics()`, whose `fairness` the title says; where they
    are not known, each profile could do as much as every other. Beyond 40 profiles, those are shown whose two shares
    differ most. Raise `InputError` for profiles that do not fit the run, and for an unknown theme.
    """
    look, found = theme_of(theme), measure(data, profiles=profiles)
    rows, made = found.profiles, sum(row.scenes for row in found.profiles)
    known = any(abs(row.ideal - 1 / len(rows)) > 1e-9 for row in rows) or profiles is not None
    simulated = (data.header.get("backend") or {}).get("name") == "simulated"
    shown = sorted(rows, key=lambda row: -abs(_used(row, made) - row.ideal))[:_MAX_PROFILES]
    rows = [row for row in rows if row in shown]
    title = wrapped(_finding(rows, made, found.fairness), FINDING_CHARS)
    notes = []
    if not known and not simulated:
        notes.append("Their limits are not known, so each could do as much as every other: give profiles=.")
    if len(rows) < len(found.profiles):
        notes.append(f"Shown: the {len(rows)} profiles whose shares differ most, of {len(found.profiles):,}.")
    height = 12 + _ROW_PIXELS * max(1, len(rows))
    traces = [_used_bars(rows, made, look), _possible(rows, look)]
    layout = frame([*title, *wrapped(notes)], look, height, bold=len(title), named=True, legend=names_of(traces)) | {
        "xaxis": axis(look, "share of all results") | {"ticksuffix": " %"},
        "yaxis": row_axis([markup([text.short(row.profile, 22)]) for row in rows], look) | {"showgrid": False},
    }
    layout["margin"] |= {"r": 30}  # half of the last label lies beyond the axis
    return figure(traces, layout, look)


def _used(row: ProfileMetrics, made: int) -> float:
    return row.scenes / made if made else 0.0


def _used_bars(rows: Sequence[ProfileMetrics], made: int, look: Theme) -> dict[str, Any]:
    """Return what each profile made."""
    return {
        "type": "bar", "orientation": "h", "meta": "used", "name": "made", "showlegend": True, "width": 0.6,
        "x": [100 * _used(row, made) for row in rows], "y": [-at for at in range(len(rows))],
        "hovertext": [
            markup([one_line(row.profile, 60), f"made {row.scenes:,} of {made:,} results: {percent(_used(row, made))}",
                    f"could make {percent(row.ideal)} of what all could"])
            for row in rows
        ],
        "hoverinfo": "text", "marker": {"color": look.marks["succeeded"].fill, "line": {"width": 0}},
    }  # fmt: skip


def _possible(rows: Sequence[ProfileMetrics], look: Theme) -> dict[str, Any]:
    """Return what each profile could make, as lines across the bars."""
    return {
        "type": "scatter", "mode": "markers", "meta": "possible", "name": "could make", "showlegend": True,
        "x": [100 * row.ideal for row in rows], "y": [-at for at in range(len(rows))], "hoverinfo": "skip",
        "marker": {"symbol": "line-ns-open", "size": 26, "color": look.lines[1],
                   "line": {"width": 3, "color": look.lines[1]}},
    }  # fmt: skip


def _finding(rows: Sequence[ProfileMetrics], made: int, fairness: float | None) -> list[str]:
    """Return who made how much of what it could, and Jain's index."""
    if not made or fairness is None:
        return ["No scene succeeded, so there are no shares."]
    if len(rows) == 1:
        return ["There is only one profile, which made all results."]
    by_use = sorted(rows, key=lambda row: _used(row, made) - row.ideal)
    least, most = by_use[0], by_use[-1]
    said = [
        f"{one_line(row.profile, 40)} made {percent(_used(row, made))} of the results and could make "
        f"{percent(row.ideal)} of what all could"
        for row in (most, least)
    ]
    index = f"Jain's index of made ÷ could make is {fairness:.3g}, where 1 is in proportion to what each can do."
    return [f"{'; '.join(said)}.", index]
