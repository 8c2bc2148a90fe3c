"""One run, read on every surface: each says with the same words how its scenes stand, and counts the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from vidgen_nb.charts.report.scene_table import scene_table
from vidgen_nb.charts.report.tiles import tiles_html
from vidgen_nb.cli.report import print_report
from vidgen_nb.clients import ClientRuns
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.core.outcomes import Ambiguous, Permanent, RateLimited
from vidgen_nb.dashboard.past_runs import PastRuns
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.notebook.panel.status.sentences import sentence
from vidgen_nb.notebook.panel.status.session_snapshot import SessionSnapshot
from vidgen_nb.notebook.panel.status.status_strip import progress_html
from vidgen_nb.notebook.panel.tabs.scene_rows import SceneRows
from vidgen_nb.run import Run
from vidgen_nb.wording.standing import STANDINGS, standing, standing_counts, standings_text

EXPECTED = {"succeeded": 3, "failed": 2, "held": 1, "cancelled": 2, "running": 3, "waiting": 4}
"""How the scenes of `run` stand."""
OTHER_WORDS = r"\b(done|ok|open|queued|pending|under way|submitting|generating|fetching|success|error)\b"


def run() -> Run:
    """A run in which scenes stand in every way; one of those that wait was refused, and one was submitted twice."""
    names = [f"{word[0]}{number}" for word, count in EXPECTED.items() for number in range(count)]
    events: list[ev.Event] = [ev.ProfileAdded("p1"), *(ev.SceneAdded(Scene(name, "x")) for name in names)]
    events.append(ev.RunStarted())

    def begin(name: str) -> None:
        events.append(ev.AttemptStarted(name, 1, "p1", "free"))

    def accept(name: str) -> None:
        begin(name)
        events.append(ev.Accepted(name, 1, Operation(name)))

    for name in names:
        match name[0]:
            case "s":
                accept(name)
                events += [ev.Generated(name, 1, Artifact("mem:1")), ev.Fetched(name, 1, f"{name}.mp4")]
            case "f":
                begin(name)
                events.append(ev.SceneSettled(name, 1, "p1", "failed", "no", Permanent("no")))
            case "h":
                begin(name)
                events.append(ev.SceneSettled(name, 1, "p1", "held", "in doubt", Ambiguous("broke")))
            case "c":
                events.append(ev.SceneSettled(name, 0, None, "cancelled", "by hand"))
    begin("r0")  # it submits
    accept("r1")  # it generates
    accept("r2")
    events.append(ev.Generated("r2", 1, Artifact("mem:2")))  # it is fetched
    begin("w0")
    events.append(ev.SceneRequeued("w0", 1, "p1", RateLimited(reason="HTTP 429"), "429"))
    return Run({"run": "R"}, [replace(event, at=float(at)) for at, event in enumerate(events)])


def feed_of(recorded: Run) -> RunFeed:
    """Return what the panel knows of a run that goes on."""
    feed = RunFeed()
    feed.pull(recorded)
    return feed


def in_panel(recorded: Run) -> str:
    """Return the bar of the panel's first screen, as a screen reader has it."""
    found = re.search(r'aria-label="([^"]*)"', progress_html(feed_of(recorded)))
    assert found is not None
    return found[1]


def in_sentence(recorded: Run) -> str:
    """Return the sentence of a run that is over, which leaves out what still runs, with that."""
    said = sentence(feed_of(recorded), SessionSnapshot())
    return re.sub(r"(\d+) of \d+ succeeded", r"\1 succeeded", said).replace(
        " results still at the provider", " running"
    )


def in_rows(recorded: Run) -> str:
    """Return the words of the panel's table of scenes, counted."""
    scenes = feed_of(recorded).scenes
    rows = SceneRows()
    rows.update(scenes, 0, lambda _given: [], {})
    return counted(row["status"] for row in rows.all())


def in_report(recorded: Run) -> str:
    """Return the words of the report's table, counted."""
    table = scene_table(recorded.data, None, {})
    return counted(word.split()[-1] for word in re.findall(r'<td class="status">([^<]*)<', table))


def counted(words: Any) -> str:
    """Return `3 running, 4 waiting`."""
    return ", ".join(f"{number} {word}" for word, number in Counter(words).items())


def in_tiles(recorded: Run) -> str:
    """Return the first tile."""
    first = re.sub(r"<[^>]*>", " ", tiles_html(recorded.metrics()).split("</div>")[0])
    return re.sub(r"Succeeded +(\d+) of \d+", r"\1 succeeded", first)


def in_run_html(recorded: Run) -> str:
    """Return the row of numbers that a notebook shows of a run."""
    html = recorded._repr_html_()
    cells = zip(re.findall(r"<th>([^<]*)", html), re.findall(r"<td>([^<]*)", html), strict=True)
    return ", ".join(f"{number} {name}" for name, number in cells if name not in ("scenes", "attempts", "429s"))


SURFACES: dict[str, Callable[[Run], str]] = {
    "panel": in_panel,
    "panel's sentence": in_sentence,
    "panel's table": in_rows,
    "report's table": in_report,
    "report's tiles": in_tiles,
    "the run's text": repr,
    "the run in a notebook": in_run_html,
    "metrics": lambda recorded: str(recorded.metrics()).split("\n")[0],
    "chart": lambda recorded: recorded.gantt().layout.title.text.replace("<br>", " ").split(". ")[0],
    "picture": lambda recorded: unescape(recorded.svg()).split("<desc")[1].split("</desc>")[0].split(". ")[0],
    "clients": lambda recorded: repr(ClientRuns([recorded])),
}


@pytest.mark.parametrize("surface", SURFACES)
def test_every_surface_says_the_same(surface: str) -> None:
    """The same words with the same numbers, and none of the words that others use for them."""
    said = re.sub(r"</?[a-z][^>]*>", " ", SURFACES[surface](run()))
    found = {word: int(number) for number, word in re.findall(rf"(\d+) ({'|'.join(STANDINGS)})\b", said)}
    assert found == EXPECTED, said
    assert re.findall(OTHER_WORDS, said) == [], said


def test_the_dashboard_says_the_same(tmp_path: Path) -> None:
    """It counts from the few lines of a file that say so."""
    run().save(tmp_path / "r.jsonl")
    past = PastRuns(tmp_path)
    assert past[0].scenes == EXPECTED
    assert standings_text(EXPECTED) in repr(past[0])
    table = re.sub(r"<[^>]*>", " ", past._repr_html_())
    assert "3 of 15" in table and standings_text({"held": 1, "cancelled": 2, "running": 3, "waiting": 4}) in table
    assert re.findall(OTHER_WORDS, table) == []


def test_the_command_line_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each scene that did not succeed is listed with its word."""
    print_report(run(), tmp_path / "r.jsonl", tmp_path / "g.html")
    said = capsys.readouterr().out
    assert "3 of 15 scenes succeeded" in said and "4 still waiting: w0 to w3" in said
    assert Counter(re.findall(r"^[fhcr]\d (\w+)", said, re.MULTILINE)) == Counter(
        failed=2, held=1, cancelled=2, running=3
    )
    assert re.findall(OTHER_WORDS, said) == []


def test_the_page_knows_the_same_words() -> None:
    """The table of scenes in the browser sorts and marks by them, and so does the report's style."""
    folder = Path(__file__).parents[2] / "vidgen_nb"
    script = (folder / "notebook/panel/tabs/scenes.js").read_text(encoding="utf-8")
    order = re.search(r"ORDER = \[([^\]]*)\]", script)
    assert order is not None
    assert {word.strip('" ') for word in order[1].split(",")} == {*STANDINGS, "not run yet"}


def test_counts_by_standing() -> None:
    """Of statuses or of numbers by status; zeros are left out, and what is not known is told last, by its name."""
    counts = standing_counts(["queued", "fetching", "submitting", "succeeded"])
    assert list(counts.items()) == [("succeeded", 1), ("running", 2), ("waiting", 1)]
    assert standing_counts({"queued": 0, "odd": 2, "held": 1}) == {"held": 1, "odd": 2}
    assert [standing(each) for each in ("queued", "generating", "held")] == ["waiting", "running", "held"]
