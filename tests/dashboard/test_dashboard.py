"""The runs in a folder: listed, loaded, and shown in a browser while another program writes one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.browser import launch
from tests.fakes import FakeBackend, profiles
from vidgen_nb.charts.report.page import report
from vidgen_nb.dashboard.followed_run import FollowedRun
from vidgen_nb.dashboard.past_runs import PastRuns
from vidgen_nb.dashboard.server import Dashboard
from vidgen_nb.errors import InputError
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.notebook.panel.past_runs import _row as picker_row
from vidgen_nb.provider import Fault, SimulatedProfile, TokenBucket
from vidgen_nb.recording.runfile import event_line, header_line
from vidgen_nb.replay.columns import replay_columns
from vidgen_nb.run import Run, simulate

EVIL = "<img src=x onerror=window.pwned=1>"


def recorded(name: str, day: int, seed: int = 0) -> Run:
    """A run of six scenes, one of which fails."""
    faults = [Fault("bad_request", scene="s2")]
    run = simulate(
        [{"id": f"s{k}", "prompt": f"{EVIL} {k}"} for k in range(1, 7)],
        [SimulatedProfile("p1", TokenBucket(2, per=30)), SimulatedProfile("p2")],
        mode="boost", seed=seed, faults=faults,
    )  # fmt: skip
    return Run({**run.header, "run": name, "started": f"2026-05-{day:02}T10:00:00.000+00:00"}, run.events)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two runs, of which the newest is half written, and with a file that is none."""
    recorded("first", 1).save(tmp_path / "a.jsonl")
    run = recorded(f"second {EVIL}", 2)
    half = [event for event in run.events if event.at < run.data.end / 2]
    (tmp_path / "b.jsonl").write_bytes(b"".join([header_line(run.header), *map(event_line, half)]))
    (tmp_path / "notes.jsonl").write_text('{"not": "a run"}\n')
    return tmp_path


def test_the_list(folder: Path) -> None:
    """Newest first, with what became of the scenes; foreign text is escaped; each can be loaded."""
    runs = PastRuns(folder)
    assert [each.name for each in runs] == [f"second {EVIL}", "first"]
    assert (runs[1].scenes, runs[1].ended, runs[1].stand) == ({"succeeded": 5, "failed": 1}, "settled", "done")
    assert runs[0].scenes["running"] > 0 and runs[0].stand == "broken off"
    assert len(runs[1].load().scenes) == 6
    assert EVIL not in runs._repr_html_() and "5 of 6" in runs._repr_html_()
    assert "first" in repr(runs)


def test_a_time_of_day_is_local_and_names_its_zone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list here, that of the panel, the report and the replay all say it in the same way."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    try:
        runs, run = PastRuns(folder), recorded("first", 1)
        said = "2026-05-01 12:00 CEST"
        assert said in runs._repr_html_() and said in repr(runs)
        assert picker_row(runs[1])[0] == said
        assert said in report(run.data, run.metrics(), run.cost)
        assert replay_columns(run.data)["date"] == said
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_runs_of_a_controller(tmp_path: Path) -> None:
    """They are those in the folder of its journals; the run under way is there, too."""
    backend = FakeBackend()
    with Controller(backend, profiles("p1"), output=tmp_path / "v", journal=tmp_path / "runs", speed=20) as ctl:
        assert len(ctl.runs) == 0
        run = ctl.run_blocking(["one", "two"])
    (past,) = ctl.runs
    assert past.name == run.header["run"]
    assert past.scenes == {"succeeded": 2}


def test_only_what_is_new_is_read(folder: Path) -> None:
    """A file that grows gives the run as it is; a torn last line is not read yet; one that shrank is read again."""
    run = recorded("second", 2)
    path = folder / "c.jsonl"
    lines = [header_line(run.header), *map(event_line, run.events)]
    path.write_bytes(b"".join(lines[:10]) + lines[10][:7])
    followed = FollowedRun(path)
    assert len(followed.read().events) == 9
    path.write_bytes(b"".join(lines))
    assert followed.read().scenes == run.scenes
    path.write_bytes(b"".join(lines[:5]))
    assert len(followed.read().events) == 4


def test_it_only_shows_a_folder(tmp_path: Path) -> None:
    """Another one is an error before anything is served."""
    with pytest.raises(InputError, match="is no folder"):
        Dashboard(tmp_path / "nowhere")


@pytest.mark.long
def test_in_a_browser(folder: Path) -> None:
    """The list leads to a run with its charts and scenes; a run that grows is followed; hostile text does nothing."""
    from playwright.sync_api import sync_playwright

    whole = recorded(f"second {EVIL}", 2)
    with Dashboard(folder) as dashboard, sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(dashboard.url)
        page.get_by_role("cell", name="5 of 6").wait_for()
        page.screenshot(path=shot("list"))
        page.get_by_role("link", name="open").first.click()
        page.locator(".js-plotly-plot .barlayer .point").first.wait_for()
        page.locator("tr.running").first.wait_for()
        page.locator(".lead", has_text="broken off").wait_for()
        before = page.locator("tr.succeeded").count()
        with (folder / "b.jsonl").open("ab") as file:
            half = FollowedRun(folder / "b.jsonl").read()
            file.writelines(event_line(event) for event in whole.events[len(half.events) :])
        page.locator("tr.succeeded").nth(4).wait_for()
        page.locator(".lead", has_text="· done").wait_for()
        assert page.title() == f"5/6 · second {EVIL}"
        assert before < 5
        page.screenshot(path=shot("run"), full_page=True)
        assert page.evaluate("window.pwned") is None
        answer = page.request.get(dashboard.url, headers={"Host": "elsewhere.example"})
        assert answer.status == 400
        assert page.request.get(f"{dashboard.url}runs/..%2Fsecret.jsonl").status == 404
        assert page.request.post(dashboard.url).status == 405
        browser.close()
    assert said == []


def shot(what: str) -> Path:
    """Return where a picture of the page is kept."""
    Path("artifacts").mkdir(exist_ok=True)
    return Path("artifacts") / f"dashboard-{what}.png"
