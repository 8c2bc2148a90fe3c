"""What a limit admitted: accepted submits of a profile, counted up, beside the most that a known limit admits."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import plotly.graph_objects as go

from vidgen_nb.analysis.bounds.admissions import most_admitted, parts
from vidgen_nb.analysis.limits.estimate import estimate_limits
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.curves import MAX_POINTS, line_style, stair, step_trace, thin_rising
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, axis, frame, markup, names_of, seconds_axis, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import Theme, theme_of
from vidgen_nb.core import events as ev
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line
from vidgen_nb.provider.described import profile_from
from vidgen_nb.provider.limits import Concurrency, FixedWindow, Limit, TokenBucket
from vidgen_nb.wording.numbers import percent

__all__ = ["admission_chart", "known_limit"]

_PLOT_PIXELS, _LEFT_PIXELS = 340.0, 76


class _Answers(NamedTuple):
    """When submits were answered, sorted."""

    accepted: list[float]
    limited: list[float]
    in_doubt: int


@checks_arguments()
def admission_chart(
    data: RunData, profile: str, *, limit: Limit | Literal["estimated"] | None = None, theme: str = "auto"
) -> go.Figure:
    """Draw a profile's accepted submits, counted up over time, a ▲ for each 429, and the most its limit admits.

    `limit`: the limit to assume; default: the one that a simulated run was given. By time t a bucket admits at most
    n + t·n/per, a window n·(1 + ⌊t/per⌋); a limit of running jobs has no such curve. `"estimated"`: the one that
    explains the answers (`analysis.limits.estimate`); the title says which, and the curve when it allowed each further
    submit: no ▲ lies below it. Profiles of one quota group share a limit and are counted together. Raise `InputError`
    for an unknown profile or theme, or for a wrong `limit`.
    """
    if profile not in data.profiles:
        raise InputError(f"no profile {profile!r} in this run; it has {', '.join(map(repr, data.profiles[:20]))}")
    if limit is not None and limit != "estimated" and not isinstance(limit, Limit):
        raise InputError(
            f"limit is a limit such as TokenBucket(4, per=60), 'estimated', or None for the run's own, not {limit!r}"
        )
    drawn = theme_of(theme)
    estimate = estimate_limits(data)[profile] if limit == "estimated" else None
    members = _members(data, profile) if estimate is None else list(estimate.profiles)
    if estimate is not None:
        known: Limit | None = estimate.limit
    else:
        known = limit if isinstance(limit, Limit) else known_limit(data, profile)
    answers = _answers(data, set(members))
    end = data.end or 1.0
    top = len(answers.accepted) * 1.2 + 1
    accepted, said = thin_rising([(0.0, 0.0), *((at, float(i)) for i, at in enumerate(answers.accepted, 1))], end)
    marks, also = _marks(answers, drawn, end)
    if estimate is None:
        curves, found = list(_curves(known, end, drawn)), _finding(profile, known, answers)
    else:
        curves, found = _allowed(data, known, answers, end, drawn), [f"{estimate.finding}."]
    title = wrapped(found, FINDING_CHARS)
    notes = [each for each in (*_notes(members, known, answers, curves if estimate else None), said, also) if each]
    x, y = stair(accepted, end)
    hover = [markup([f"{number:,.0f} accepted by {text.seconds(at)}"]) for at, number in zip(x, y, strict=True)]
    line = step_trace(
        x, y, "accepted submits", line_style(drawn, 0), meta="accepted", hovertext=hover, hoverinfo="text"
    )
    traces = [*curves, line, marks]
    layout = frame(
        [*title, *wrapped(notes)], drawn, _PLOT_PIXELS, left=_LEFT_PIXELS, bold=len(title), legend=names_of(traces)
    ) | {
        "xaxis": seconds_axis(end, drawn) | {"title": {"text": ""}},
        "yaxis": axis(drawn, "submits") | {"range": [0, top]},
    }
    return figure(traces, layout, drawn)


def known_limit(data: RunData, profile: str) -> Limit | None:
    """Return the limit of a profile or its quota group in a simulated run; None: not known."""
    told = [profile_from(each) for each in data.header.get("backend", {}).get("profiles", ())]
    own = next((each for each in told if each.name == profile), None)
    if own is None or own.limit is not None or own.quota_group is None:
        return own.limit if own else None
    return next((each.limit for each in told if each.quota_group == own.quota_group and each.limit), None)


def _size(limit: Limit) -> tuple[int, float] | None:
    """Return how many a limit admits in how many seconds; None for one that counts running jobs, or weights."""
    if isinstance(limit, Concurrency) or getattr(limit, "weight", 1) != 1:
        return None
    return limit.n, getattr(limit, "per", 86_400.0)  # type: ignore[attr-defined]  # all others have n


def _members(data: RunData, profile: str) -> list[str]:
    """Return the profiles of its quota group, including itself."""
    groups = {event.profile: event.group for event in data.events if isinstance(event, ev.ProfileAdded)}
    group = groups.get(profile)
    return [name for name in data.profiles if name == profile or (group and groups.get(name) == group)]


def _answers(data: RunData, members: set[str]) -> _Answers:
    tried = {(a.scene, a.number): a for a in data.attempts if a.profile in members}
    accepted = {(e.scene, e.number): e.at for e in data.events if isinstance(e, ev.Accepted)}
    refused = [a for key, a in tried.items() if key not in accepted]
    return _Answers(
        sorted(at for key, at in accepted.items() if key in tried),
        sorted(a.end for a in refused if a.outcome == "rate_limited" and a.end is not None),
        sum(a.outcome == "ambiguous" for a in refused),
    )


def _marks(answers: _Answers, theme: Theme, end: float) -> tuple[dict[str, Any], str]:
    """Return a ▲ for each 429 at the number accepted by then; of very many, one per pixel."""
    found: dict[tuple[float, int], int] = {}
    column = 0.0 if len(answers.limited) <= MAX_POINTS else end / MAX_POINTS
    for at in answers.limited:
        level = bisect_right(answers.accepted, at)
        key = (at if not column else (at // column) * column, level)
        found[key] = found.get(key, 0) + 1
    said = f"Thinned: {len(answers.limited):,} of ▲ drawn as {len(found):,}." if column else ""
    hover = [
        markup([f"{number:,} × 429 at {text.seconds(at)}" if number > 1 else f"429 at {text.seconds(at)}",
                f"{level:,} accepted by then"])
        for (at, level), number in found.items()
    ]  # fmt: skip
    return {
        "type": "scatter", "mode": "markers", "meta": "limited", "name": "429",
        "showlegend": bool(found), "x": [at for at, _level in found], "y": [level for _at, level in found],
        "hovertext": hover, "hoverinfo": "text",
        "marker": {"symbol": "triangle-up", "size": 11, "color": theme.marks["limited"].fill,
                   "line": {"width": 1, "color": theme.glyph_edge}},
    }, said  # fmt: skip


def _curves(limit: Limit | None, end: float, theme: Theme) -> Iterable[dict[str, Any]]:
    """Return a curve for each part of a limit that has one."""
    for number, part in enumerate(part for part in parts(limit) if _size(part)):
        n, per = _size(part) or (0, 1.0)
        if isinstance(part, TokenBucket):
            x, y, said = [0.0, end], [float(n), n + end * n / per], f"{n} + t · {n}/{per:g} s"
        elif end / per > MAX_POINTS:
            x, y, said = [0.0, end], [float(n), n + end * n / per], f"{n} in each {per:g} s, drawn without its steps"
        else:
            steps = [(k * per, n * (k + 1.0)) for k in range(int(end // per) + 1)]
            (x, y), said = stair(steps, end), f"{n} in each {per:g} s"
        drawn = {"color": theme.ink, "width": 1.5, "dash": ("dash", "dot", "dashdot")[number % 3]}
        name = markup([f"at most: {type(part).__name__}, {said}"])
        yield step_trace(x, y, name, line_style(theme, 0), meta="limit") | {
            "line": {**drawn, "shape": "linear" if len(x) == 2 and y[0] != y[1] else "hv"}, "hoverinfo": "skip",
        }  # fmt: skip


def _finding(profile: str, limit: Limit | None, answers: _Answers) -> list[str]:
    """Return what the chart shows: how much of the limit was used, or that it must be a different one."""
    accepted, limited = answers.accepted, len(answers.limited)
    name = one_line(profile, 40)
    sent = f"{name}: {len(accepted):,} submits accepted, {limited:,} refused with a 429"
    if limit is None or not accepted or math.isinf(most_admitted(limit, 0.0)):
        return [f"{sent}."]
    over = next((at for number, at in enumerate(accepted, 1) if number > most_admitted(limit, at)), None)
    if over is not None:
        since = text.seconds(over)
        return [f"{sent}.", f"From {since} on that is more than this limit admits, so its limit must be different."]
    last = max(accepted[-1], answers.limited[-1] if limited else 0.0)
    most = int(most_admitted(limit, last))
    used = percent(len(accepted) / most)
    return [f"{sent}.", f"By {text.seconds(last)} the limit admits {most:,}: {used} of it was used."]


def _allowed(data: RunData, limit: Limit | None, answers: _Answers, end: float, theme: Theme) -> list[dict[str, Any]]:
    """Return from when on an estimated limit allowed each further submit; of a live run's windows nobody knows that."""
    live = (data.header.get("backend") or {}).get("name") != "simulated"
    if limit is None or (live and isinstance(limit, FixedWindow)):
        return []
    state, points, now = limit.state(), [(0.0, 1.0)], 0.0
    for number, at in enumerate(answers.accepted, 1):
        state.ready_at(at)
        state.take(at)
        if (now := state.ready_at(at)) <= end:
            points.append((now, number + 1.0))
    thinned, _ = thin_rising(points, end)
    x, y = stair(thinned, end)
    drawn = {"color": theme.ink, "width": 1.5, "dash": "dash", "shape": "hv"}
    return [
        step_trace(x, y, "allowed by the estimate", line_style(theme, 0), meta="limit")
        | {"line": drawn, "hoverinfo": "skip"}
    ]


def _notes(members: list[str], limit: Limit | None, answers: _Answers, allowed: list[Any] | None) -> list[str]:
    """Return notes on what the curves include."""
    notes: list[str] = []
    if len(members) > 1:
        names = ", ".join(one_line(name, 30) for name in members[:8]) + (", …" if len(members) > 8 else "")
        notes.append(f"Counted together, because they share a limit: {names}.")
    if allowed is not None:
        if allowed:
            notes.append("Each 429 came before the estimate allowed one more.")
    elif limit is None:
        notes.append("Its limit is not known: pass limit= to see what that would admit.")
    elif any(isinstance(part, Concurrency) for part in parts(limit)):
        notes.append("Its limit of running jobs has no curve of its own.")
    if any(getattr(part, "weight", 1) != 1 for part in parts(limit)):
        notes.append("Its limit of what requests weigh has no curve of its own.")
    if answers.in_doubt:
        notes.append(f"Not counted: {answers.in_doubt:,} submits without an answer, which may have been accepted.")
    return notes
