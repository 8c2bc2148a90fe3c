"""What each case brings against the first, the most on top: a tornado chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.experiments.case_summary import CaseSummary
from vidgen_nb.analysis.experiments.numbers import Metric, metric_name, more_is_better, unit_of
from vidgen_nb.analysis.experiments.trials import Trials
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing.curves import name_labels
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, axis, frame, markup, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import Theme, theme_of
from vidgen_nb.charts.drawing.rows import LABEL_CHARS, label_pixels, row_axis
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.numbers import percent

__all__ = ["ranking_chart"]

_ROW_PIXELS, _LEAST_PIXELS = 30.0, 110.0
_MAX_ROWS, _MAX_NAMED = 30, 4


@checks_arguments()
def ranking_chart(
    trials: Trials,
    metric: Metric = "makespan",
    *,
    baseline: str | None = None,
    confidence: float = 0.95,
    theme: str = "auto",
) -> go.Figure:
    """Draw how each case differs from the first, paired, as bars with intervals; what brings most is on top.

    `trials`: what `run.one_more`, `compare` or `sweep` returned. `metric`, `baseline`, `confidence`: as in
    `Trials.summary`. The intervals hold together with this confidence (Bonferroni), since the best of several is
    picked; a bar whose interval includes 0 is hollow: it can't be told from no difference. Of more than 30 cases, those
    that bring most are shown. Raises `InputError` for anything else, for an unknown name, and if there is nothing to
    compare.
    """
    if not isinstance(trials, Trials):
        raise InputError(f"ranking_chart draws what one_more, compare or sweep returned, not {trials!r}")
    look, first, most = theme_of(theme), baseline or trials.cases[0], more_is_better(metric)
    each_one = 1 - (1 - confidence) / max(1, len(trials.cases) - 1)
    known = trials.summary(metric, confidence=each_one, baseline=baseline)
    found = [each for each in known if each.case != first and each.difference is not None]
    if not found:
        raise InputError(f"no two cases have the number {metric_name(metric)} with one seed, so nothing is compared")
    found.sort(key=lambda each: (each.difference or 0.0) * (-1 if most else 1))
    what, unit = metric_name(metric).replace("_", " "), unit_of(metric)
    title = wrapped(_finding(found, first, (what, unit), most=most), FINDING_CHARS)
    shown = found[:_MAX_ROWS]
    seeds = {each.trials for each in found}
    notes = [
        f"Against {one_line(first, 40)}, with the same luck, {max(seeds):,} {'seed' if seeds == {1} else 'seeds'}; "
        f"intervals: {percent(confidence)} for all together; hollow: can't be told from no difference."
    ]
    if len(found) > len(shown):
        notes.append(f"Shown: the {len(shown)} that bring most, of {len(found):,}.")
    names = [each.case for each in shown]
    head = f"{what}, paired difference{f' ({unit.strip()})' if unit else ''}"
    height = max(_LEAST_PIXELS, _ROW_PIXELS * len(shown))
    layout = frame(
        [*title, *wrapped([*notes, *trials.assumption])],
        look,
        height,
        left=label_pixels(names),
        bold=len(title),
        named=True,
        legend=None,
    ) | {
        "xaxis": axis(look, head),
        "yaxis": row_axis(name_labels(names, LABEL_CHARS), look),
        "showlegend": False,
    }
    layout["bargap"] = 0.35
    layout["shapes"] = [
        {"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper",
         "line": {"color": look.muted, "width": 1.5}}
    ]  # fmt: skip
    return figure([_bars(shown, (what, unit), look)], layout, look)


def _bars(found: Sequence[CaseSummary], named: tuple[str, str], look: Theme) -> dict[str, Any]:
    """Return a bar for each case."""
    what, unit = named
    colour = look.lines[0]
    values = [each.difference or 0.0 for each in found]
    bounded = [each.told_apart is not None for each in found]
    ends = [
        (value - (each.difference_low or 0.0), (each.difference_high or 0.0) - value) if has else (0.0, 0.0)
        for each, value, has in zip(found, values, bounded, strict=True)
    ]
    hover = [
        markup([_name(each), f"{what} {value:+,.4g}{unit}" + (_interval(each) if has else "")])
        for each, value, has in zip(found, values, bounded, strict=True)
    ]
    return {
        "type": "bar", "orientation": "h", "meta": "difference", "x": values, "y": [-row for row in range(len(found))],
        "hovertext": hover, "hoverinfo": "text", "showlegend": False,
        "error_x": {"type": "data", "symmetric": False, "arrayminus": [less for less, _ in ends],
                    "array": [more for _, more in ends], "color": look.ink, "thickness": 1.5, "width": 5},
        "marker": {"color": [colour if each.told_apart else look.ground for each in found],
                   "line": {"width": 2, "color": colour}},
    }  # fmt: skip


def _interval(each: CaseSummary) -> str:
    if each.difference_low is None or each.difference_high is None or math.isinf(each.difference_low):
        return ""
    return f" [{each.difference_low:+,.3g}, {each.difference_high:+,.3g}]"


def _finding(found: Sequence[CaseSummary], first: str, named: tuple[str, str], *, most: bool) -> list[str]:
    """Return what brings most, what else helps, and what can't be told from nothing."""
    what, unit = named
    if all(each.told_apart is None for each in found):
        return [f"{_name(found[0])} brings most: {what} {found[0].difference:+,.3g}{unit}; one seed has no interval."]
    helps = [each for each in found if each.told_apart and ((each.difference or 0.0) > 0) == most]
    hurts = [each for each in found if each.told_apart and each not in helps]
    alike = [each for each in found if not each.told_apart]
    said = []
    if helps:
        best, *others = helps
        said.append(f"{_name(best)} brings most: {what} {best.difference:+,.3g}{unit}{_interval(best)}.")
        if others:
            listed = [f"{_name(each)} ({each.difference:+,.3g}{unit})" for each in others]
            said.append(f"Then {_few(listed)}.")
    else:
        said.append(f"Nothing here helps that can be told from {one_line(first, 40)}.")
    if alike and helps:
        verb = "changes" if len(alike) == 1 else "change"
        said.append(f"{_few([_name(each) for each in alike])} {verb} nothing that could be told.")
    if hurts:
        said.append(f"Worse: {_few([f'{_name(each)} ({each.difference:+,.3g}{unit})' for each in hurts])}.")
    return said


def _name(each: CaseSummary) -> str:
    return one_line(each.case, 60)


def _few(texts: Sequence[str]) -> str:
    """Return a list for reading: a few, and how many more."""
    some = list(texts[:_MAX_NAMED])
    if len(texts) > _MAX_NAMED:
        some.append(f"{len(texts) - _MAX_NAMED} more")
    return some[0] if len(some) == 1 else f"{'; '.join(some[:-1])} and {some[-1]}"
