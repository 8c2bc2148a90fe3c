"""The report of a run: one page, small, safe, and complete."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from vidgen_nb.charts.report.figures import FIGURES
from vidgen_nb.charts.report.naming import began, date_and_time
from vidgen_nb.charts.report.page import report
from vidgen_nb.core.model import Scene
from vidgen_nb.core.money import Price
from vidgen_nb.provider import Fault, SimulatedProfile, TokenBucket
from vidgen_nb.recording.posters import write_poster
from vidgen_nb.run import Run, simulate

EVIL = "</script><script>alert(1)</script>"
PLOTLY = len(get_plotlyjs().encode())
JPEG = b"\xff\xd8\xff" + bytes(100)


def evil_run() -> Run:
    """A run in which all foreign text is hostile, with a failure."""
    scenes = [Scene(f"s1{EVIL}", EVIL), Scene("s2", "a harbour")]
    profiles = [SimulatedProfile(f"p{EVIL}", TokenBucket(1, per=30)), SimulatedProfile("p2")]
    return simulate(scenes, profiles, mode="boost", faults=[Fault("bad_request", scene="s2")])


def page_of(run: Run, **options: Any) -> str:
    """Return the report of a run."""
    return report(run.data, run.metrics(), run.cost, **options)


def figures_in(page: str) -> dict[str, Any]:
    """Unpack the figures as the page does."""
    found = re.search(r'id="vg-figures">([^<]*)<', page)
    assert found is not None
    figures: dict[str, Any] = json.loads(gzip.decompress(b64decode(found[1])))
    return figures


def test_it_has_the_caps() -> None:
    """Of submits and of money; the latter as it was at the end."""
    run = simulate(3, [SimulatedProfile("p1", price=Price(0.4))], max_cost=1.0, max_billed=2)
    page = page_of(run)
    assert "Spending cap (submits)</th><td>2<" in page and "Spending cap (money)</th><td>$1.00<" in page


def test_it_is_complete_and_safe() -> None:
    """Title, figures in both themes, numbers, scenes with their failures, settings; foreign text is escaped."""
    run = evil_run()
    page = page_of(run, title=f"May {EVIL}")
    without_plotly = page.replace(get_plotlyjs(), "")
    assert EVIL not in without_plotly
    assert "<h1>May &lt;/script&gt;" in page
    assert "1 of 2" in page and "✕ failed" in page and "Efficiency" in page and "PerProfileCooldown" in page
    figures = figures_in(page)
    assert figures.keys() == FIGURES.keys()
    assert figures["gantt"]["light"]["layout"]["paper_bgcolor"] == "#FFFFFF"
    assert [["layout", "paper_bgcolor"], "#16181D"] in figures["gantt"]["dark"]
    assert not re.search(r"(src|href)=.?https?:", without_plotly)


def test_it_is_small(tmp_path: Path) -> None:
    """At most a megabyte beside plotly's script, also of a run with thousands of attempts."""
    run = simulate(2_500, [SimulatedProfile(f"p{k}", TokenBucket(3, per=60)) for k in range(12)], mode="boost")
    assert run.report(tmp_path / "new" / "run.html").stat().st_size < PLOTLY + 1_000_000


def test_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a path it is named by the run, or by date and title; stills that were kept are in it."""
    monkeypatch.chdir(tmp_path)
    run = evil_run()
    assert re.fullmatch(r"Run-simulated-\w+\.html", str(run.report()))
    header = {**run.header, "started": "2026-05-04T10:11:12.000+00:00"}
    path = tmp_path / "s1.mp4"
    path.write_bytes(b"a video")
    assert write_poster(path, JPEG)
    assert not write_poster(path, b"no picture") and not write_poster(tmp_path / "gone.mp4", JPEG)
    for event in run.events:
        if type(event).__name__ == "Fetched":
            event.path = "s1.mp4"  # type: ignore[attr-defined]
    written = Run(header, run.events).report(title="Two / lights")
    assert str(written) == "2026-05-04 Two-lights.html"
    page = written.read_text(encoding="utf-8")
    assert "data:image/jpeg;base64," in page and date_and_time(began(header)) in page


def test_a_run_in_which_nothing_ran() -> None:
    """It has a report, too, without figures."""
    page = page_of(Run({}, []))
    assert figures_in(page) == {}
    assert "0 of 0" in page
