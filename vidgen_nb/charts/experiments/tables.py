"""Several metrics of an experiment side by side: which value of the first axis is best, on what metric, and where."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from vidgen_nb.analysis.experiments.case_summary import CaseSummary
from vidgen_nb.analysis.experiments.numbers import Metric, metric_name, unit_of
from vidgen_nb.analysis.experiments.trials import Trials
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing.curves import faded, name_labels
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, frame, markup, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import Theme, theme_of
from vidgen_nb.charts.drawing.rows import LABEL_CHARS, label_pixels, row_axis
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line

__all__ = ["table_chart"]

_ROW_PIXELS = 44.0
_MAX_GROUPS = 4
_HUMP, _JOINED = re.compile("(?<=[a-z])(?=[A-Z])"), "\u2060"
_HEAD_CHARS, _MAX_LINES, _LINE_PIXELS = 80, 4, 15
"""Characters of all columns' names on one line at 800 pixels, how many lines each may have, and how high one is."""


class _Group(NamedTuple):
    """The cases that differ in the first axis only."""

    name: str
    """What they have in common; empty: there is nothing else."""
    cases: list[str]
    trials: Trials


@checks_arguments()
def table_chart(
    trials: Trials, metrics: Sequence[Metric], *, confidence: float = 0.95, theme: str = "auto"
) -> go.Figure:
    """Draw a table: a row for each metric, a column for each value of the first axis, apart for each other setting.

    `trials`: what `sweep` or `compare` returned. `metrics`: as in `Trials.summary`. A cell has the mean, and its
    difference to the best in its row and setting. It is tinted if it is the best, or can't be told apart from it
    (paired, with this confidence for all columns together). Raises `InputError` for anything else, for no or unknown
    metrics, if no run has one, and for an unknown theme.
    """
    if not isinstance(trials, Trials):
        raise InputError(f"table_chart draws what sweep or compare returned, not {trials!r}")
    rows = list(metrics) if isinstance(metrics, Sequence) and not isinstance(metrics, str) else []
    if not rows:
        raise InputError(f"metrics are a list of them, such as ['makespan', 'wait.p95'], not {metrics!r}")
    if twice := [name for name, often in Counter(map(metric_name, rows)).items() if often > 1 and name != "function"]:
        raise InputError(f"metrics has {twice[0]} twice: give each once")
    look, groups = theme_of(theme), _groups(trials)
    if len(groups) > _MAX_GROUPS:
        raise InputError(
            f"a table has at most {_MAX_GROUPS} settings beside the first axis, and there are {len(groups)}"
        )
    axis_name = next(iter(trials.values[trials.cases[0]]))
    found = [[group.trials.against_best(metric, confidence=confidence) for metric in rows] for group in groups]
    heads = [str(trials.values[case][axis_name]) for group in groups for case in group.cases]
    title = wrapped(
        [_finding(group, rows, each, axis_name) for group, each in zip(groups, found, strict=True)], FINDING_CHARS
    )
    note = "Tinted: the best on a metric, and what can't be told apart from it, paired, with the same luck."
    names = [metric_name(metric).replace("_", " ") + (f" ({unit_of(metric).strip()})" if unit_of(metric) else "")
             for metric in rows]  # fmt: skip
    columns = len(heads)
    names_below = [_folded(head, max(6, _HEAD_CHARS // columns)) for head in heads]
    more_lines = max(map(len, names_below)) - 1
    layout = frame(
        [*title, *wrapped([note, *trials.assumption])], look, _ROW_PIXELS * len(rows), left=label_pixels(names),
        bold=len(title), named=True, legend=None,
    ) | {
        "xaxis": {"range": [-0.5, columns - 0.5], "tickmode": "array", "tickvals": list(range(columns)),
                  "ticktext": list(map(markup, names_below)), "tickangle": 0, "showgrid": False, "zeroline": False,
                  "fixedrange": True},
        "yaxis": row_axis(name_labels(names, LABEL_CHARS), look) | {"showgrid": False},
        "showlegend": False,
    }  # fmt: skip
    layout["height"] += _LINE_PIXELS * more_lines
    layout["margin"] |= {"b": layout["margin"]["b"] + _LINE_PIXELS * more_lines}
    layout["shapes"], layout["annotations"] = _rules(groups, look), _names(groups, look, _LINE_PIXELS * more_lines)
    cells = [
        _cells(row, [each for group in found for each in group[row]], unit_of(metric), look)
        for row, metric in enumerate(rows)
    ]
    return figure([_tint(cells, look)], layout, look)


class _Cell(NamedTuple):
    text: str
    tinted: bool
    hover: str


def _cells(row: int, found: Sequence[CaseSummary], unit: str, look: Theme) -> list[_Cell]:
    """Return one row."""
    cells = []
    for each in found:
        if each.mean is None:
            cells.append(_Cell("–", tinted=False, hover=markup([one_line(each.case, 60), "no run has this number"])))
            continue
        best = each.difference == each.difference_low == each.difference_high == 0
        apart = "" if best or each.difference is None else f"{each.difference:+,.3g}"
        interval = "" if not apart else f" [{each.difference_low:+,.3g}, {each.difference_high:+,.3g}]"
        said = f"{apart}{unit}{interval} against the best" if apart else "the best"
        tinted = not each.told_apart
        text = f"{each.mean:,.4g}" + (f"<br>{apart}" if apart else "")
        cells.append(_Cell(f"<b>{text}</b>" if tinted else text, tinted, markup([one_line(each.case, 60), said])))
    return cells


def _groups(trials: Trials) -> list[_Group]:
    """Return the cases by what they have in common beside the first axis."""
    axis_name = next(iter(trials.values[trials.cases[0]]))
    others = {case: {name: each for name, each in values.items() if name != axis_name}
              for case, values in trials.values.items()}  # fmt: skip
    found: list[_Group] = []
    for rest in others.values():
        name = ", ".join(f"{key}={value}" for key, value in rest.items())
        if all(group.name != name for group in found):
            part = trials.where(**rest)
            found.append(_Group(name, part.cases, part))
    return found


def _finding(group: _Group, metrics: Sequence[Metric], found: Sequence[Sequence[CaseSummary]], axis_name: str) -> str:
    """Return, for one setting, which value is best on which metric."""
    said = []
    for metric, row in zip(metrics, found, strict=True):
        known = [each for each in row if each.mean is not None]
        good = [str(dict(each.values)[axis_name]) for each in known if not each.told_apart]
        best = " or ".join(one_line(each, 30) for each in good)
        if len(good) == len(known) > 1:
            alike = all(each.difference == each.difference_low == each.difference_high == 0 for each in known)
            best = "the same for all, with every seed" if alike else "none can be told apart"
        said.append(f"{metric_name(metric).replace('_', ' ')}: {best}")
    where = f"{one_line(group.name, 60)}: b" if group.name else "B"
    return f"{where}est {one_line(axis_name, 30)} by {'; '.join(said)}."


def _tint(cells: Sequence[Sequence[_Cell]], look: Theme) -> dict[str, Any]:
    """Return the cells, with their texts."""
    tint = faded(look.lines[0], 0.22)
    return {
        "type": "heatmap", "meta": "cells", "showscale": False, "x": list(range(len(cells[0]))),
        "y": [-row for row in range(len(cells))], "z": [[int(each.tinted) for each in row] for row in cells],
        "zmin": 0, "zmax": 1, "colorscale": [[0, look.ground], [1, tint]], "xgap": 3, "ygap": 3,
        "text": [[each.text for each in row] for row in cells], "texttemplate": "%{text}",
        "textfont": {"color": look.text, "size": 12}, "hovertext": [[each.hover for each in row] for row in cells],
        "hoverinfo": "text",
    }  # fmt: skip


def _rules(groups: Sequence[_Group], look: Theme) -> list[dict[str, Any]]:
    """Return lines between the settings."""
    ends, at = [], -0.5
    for group in groups[:-1]:
        at += len(group.cases)
        ends.append(at)
    line = {"color": look.muted, "width": 1.5}
    return [{"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line} for x in ends]


def _folded(head: str, width: int) -> list[str]:
    """Return a column's name in lines that fit below it; a long name of a class ends its lines between its words."""
    text = one_line(head, 200)
    words = [_HUMP.sub(f"{_JOINED} ", word) if len(word) > width else word for word in text.split(" ")]
    lines = textwrap.wrap(" ".join(words), width, max_lines=_MAX_LINES, placeholder=" …")
    return [line.replace(f"{_JOINED} ", "").replace(_JOINED, "") for line in lines] or [""]


def _names(groups: Sequence[_Group], look: Theme, lower: int) -> list[dict[str, Any]]:
    """Return the settings' names, below their columns, whose own names take so many pixels more than a line."""
    found, at = [], -0.5
    for group in groups:
        found.append({
            "text": markup([one_line(group.name, 40)]), "x": at + len(group.cases) / 2, "y": 0, "yref": "paper",
            "yanchor": "top", "yshift": -24 - lower, "showarrow": False, "font": {"size": 12, "color": look.muted},
        })  # fmt: skip
        at += len(group.cases)
    return found
