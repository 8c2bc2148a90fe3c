"""The page of a report, put together from its parts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from vidgen_nb.analysis.costs import RunCost
from vidgen_nb.analysis.metrics.measure import Metrics
from vidgen_nb.analysis.metrics.model import ProfileMetrics
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.records.run_state import end_reason
from vidgen_nb.charts.report.figures import FIGURES, figure_script, figures_of, plotly_script
from vidgen_nb.charts.report.naming import began, date_and_time, default_name, title_of
from vidgen_nb.charts.report.scene_table import scene_table
from vidgen_nb.charts.report.tiles import STYLE, tiles_html
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import percent
from vidgen_nb.wording.standing import ended_word

__all__ = ["REPORT_SCRIPT", "document", "parts_of", "report", "skeleton", "write_report"]

_FOLDER = Path(__file__).parent
REPORT_SCRIPT = _FOLDER / "report.js"
MAX_PROFILES = 60


def write_report(
    data: RunData,
    metrics: Metrics,
    cost: RunCost,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "",
    videos: str | os.PathLike[str] | None = None,
) -> Path:
    """Write a report and return its path; without a `path` it is the date and the title, or the run's name.

    `videos`: what the paths of the videos are relative to, for the stills that a panel has kept of them; default: the
    working directory.
    """
    target = Path(path) if path is not None else Path(default_name(data.header, title))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(report(data, metrics, cost, title=title, videos=Path(videos or ".")), encoding="utf-8")
    return target


def report(data: RunData, metrics: Metrics, cost: RunCost, *, title: str = "", videos: Path | None = None) -> str:
    """Return the report as a complete HTML page."""
    name = title or title_of(data.header)
    body = skeleton(parts_of(data, metrics, cost, videos=videos), figures=bool(data.attempts))
    data_and_scripts = f"{plotly_script()}{figure_script(figures_of(data) if data.attempts else {})}{script()}"
    return document(name, f"<h1>{escape(one_line(name, 120))}</h1>{body}{data_and_scripts}")


def document(title: str, content: str) -> str:
    """Return a complete page in the report's style."""
    style = (_FOLDER / "report.css").read_text(encoding="utf-8") + STYLE
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(one_line(title, 120))}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<style>{style}</style>\n</head>\n'
        f"<body>\n<main>{content}</main>\n</body>\n</html>\n"
    )


def script() -> str:
    """Return the page's own script, which unpacks and draws the figures."""
    return f"<script>{REPORT_SCRIPT.read_text(encoding='utf-8')}</script>"


def parts_of(
    data: RunData, metrics: Metrics, cost: RunCost, *, videos: Path | None = None, stands: str = ""
) -> dict[str, str]:
    """Return the parts of the page without figures, each as HTML by its name.

    `stands`: how the run stands, where that is known better than from its events: `running`, or `broken off`.
    """
    how = stands or ("not ended" if (reason := end_reason(data.events)) is None else ended_word(reason))
    date = began(data.header)
    when = f"{date_and_time(date)} · " if date is not None else ""
    rows = "".join(
        f"<tr><th scope='row'>{name}</th><td>{escape(value)}</td></tr>" for name, value in _settings(data, cost)
    )
    return {
        "lead": f'<p class="lead">{when}{escape(one_line(how, 80))}</p>',
        "tiles": tiles_html(metrics, cost),
        "accounts": f"<h2>Accounts</h2>{_profiles(metrics.profiles)}",
        "scenes": f"<h2>Scenes</h2>{scene_table(data, videos, _costs(cost))}",
        "settings": f'<h2>Settings</h2><table class="settings">{rows}</table>',
    }


def skeleton(parts: Mapping[str, str], *, figures: bool) -> str:
    """Return the parts in their order, with places for the figures."""
    places = [f"<section data-part={name!r}>{html}</section>" for name, html in parts.items()]
    charts = [
        f'<section><h2>{heading}</h2><div class="figure" data-figure="{name}"></div></section>'
        for name, (heading, _) in FIGURES.items()
    ]
    return "".join([*places[:2], *(charts if figures else []), *places[2:]])


def _costs(cost: RunCost) -> dict[str, str]:
    return {scene: cost.text(amount) for scene, amount in cost.scenes.items() if amount}


def _profiles(profiles: list[ProfileMetrics]) -> str:
    columns = ("Account", "Succeeded", "Attempts", "429s", "Utilisation", "Cooling", "Cooled for")
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    body = "".join(
        f"<tr><th scope='row'>{escape(one_line(each.profile, 60))}</th><td>{each.scenes:,}</td>"
        f"<td>{each.attempts:,}</td><td>{each.rate_limited or ''}</td><td>{percent(each.utilisation)}</td>"
        f"<td>{percent(each.cooldown_duty) if each.cooldown else ''}</td>"
        f"<td>{duration(each.cooldown) if each.cooldown else ''}</td></tr>"
        for each in profiles[:MAX_PROFILES]
    )
    more = len(profiles) - MAX_PROFILES
    note = f"<p>And {more:,} more accounts.</p>" if more > 0 else ""
    table = f"<table class='numbers'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>{note}'


def _settings(data: RunData, cost: RunCost) -> Iterator[tuple[str, str]]:
    """Yield name and value of each setting that a run's header has."""
    header = data.header
    mode, policy, backend = (_mapping(header.get(name)) for name in ("mode", "policy", "backend"))
    yield "Run", one_line(str(header.get("run", "")), 80)
    yield "Mode", _with_rest(mode)
    yield "After a 429", _with_rest(policy)
    yield (
        "Provider",
        one_line(" · ".join(str(backend[each]) for each in ("name", "base_url", "model") if backend.get(each)), 200),
    )
    if (max_billed := header.get("max_billed")) is not None:
        yield "Spending cap (submits)", str(max_billed)
    if cost.max_cost is not None:
        yield "Spending cap (money)", cost.text(cost.max_cost)
    if header.get("speed") not in (None, 1, 1.0):
        yield (
            "Speed at the start",
            f"{header['speed']:g} × real time" if isinstance(header["speed"], int | float) else "",
        )
    yield "Seed", one_line(str(header.get("seed", "")), 40)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _with_rest(described: Mapping[str, Any]) -> str:
    """Return a name, and the settings that are given with it."""
    rest = [
        f"{name.replace('_', ' ')} {_plain(value)}" for name, value in described.items() if name != "name" and value
    ]
    return one_line(", ".join([str(described.get("name", "")), *rest]), 300)


def _plain(value: Any) -> str:
    return (
        f"{value:g}"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else "yes"
        if value is True
        else str(value)
    )
