"""Text of others (ids, prompts, names, errors) is inert and short wherever it is shown, and whole where it is sent."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.fakes import FakeBackend, profiles
from tests.faults.server import Server, serving
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.cli import console, report
from vidgen_nb.core.model import MAX_SCENE_ID_CHARS, Scene
from vidgen_nb.core.outcomes import Permanent, RateLimited
from vidgen_nb.emulator import Emulator
from vidgen_nb.errors import DuplicateScene, InputError, NoUsableProfile
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.notebook.export import export
from vidgen_nb.plaintext import last_lines, short_repr
from vidgen_nb.ports import Profile
from vidgen_nb.provider import Constant, SimulatedProfile
from vidgen_nb.run import Run, load_run
from vidgen_nb.session.session import Session

SCRIPT = '<img src=x onerror="window.pwned=1"></style><script>window.pwned=1</script><a href="javascript:pwned=1">x</a>'
CODES = "\x1b[31mred\x1b]0;title\x07\x00\u202egpj\u2066\r\n[    0.0 s] forged\u2028line\ud800"
EVIL = SCRIPT + CODES
MEGABYTE = "ab c" * 250_000
PATHS = [
    "../../up", "..", "/abs", "C:\\x", "a/b", "nul", "CON", "com1.txt", "x\0y", "end.", "end ", ".hidden", "-rf", "~",
    "x" * 300, "caf\u00e9", "cafe\u0301", "Case", "case", "CASE", "\u202egpj.exe", "$(id)", "`id`", "%2e%2e%2f", "|",
]  # fmt: skip


class Markup(HTMLParser):
    """Notes what of a page would do anything."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note tags that run or load, and attributes that do."""
        if tag in ("script", "img", "a", "iframe", "object", "embed", "link", "form", "base", "meta", "svg"):
            self.found.append(tag)
        self.found += [
            f"{tag} {name}"
            for name, value in attrs
            if name.startswith("on") or (name != "title" and "script:" in (value or ""))
        ]


def inert(text: str, most: int = 20_000) -> str:
    """Check a text that goes to a terminal or a log: plain lines, not too long; return it."""
    assert len(text) <= most
    bad = {char for char in text if not char.isprintable() and char != "\n"}
    assert not bad, bad
    return text


def page_of(text: str) -> str:
    """Check a piece of HTML: inert, and nothing in it that would do anything."""
    assert Markup(inert(text)).found == []
    return text


@pytest.fixture
def ctl(tmp_path: Path) -> Iterator[Controller]:
    """Give a controller that has had a run in which everything has an evil name, and much went wrong."""
    backend = FakeBackend(wrong)
    team = [Profile(f"p{k}{EVIL}", f"sk-{k}", quota_group=f"team{EVIL}") for k in (1, 2)]
    with Controller(
        backend, [*team, Profile("p3", "sk-3")], output=tmp_path / "videos", journal=tmp_path / "runs", speed=200
    ) as made:
        assert made.panel is not None
        made.run_blocking([Scene(f"{name}{EVIL}", EVIL, **{f"x{EVIL}": EVIL}) for name in ("ok", "bad", "moved")])
        yield made


def wrong(scene: str, profile: str, nth: int) -> Any:
    """Let one scene fail, and one be refused first."""
    if scene.startswith("bad"):
        return Permanent(EVIL, "content")
    return RateLimited(2.0, reason=EVIL) if scene.startswith("moved") and nth == 1 else None


def test_reprs(ctl: Controller) -> None:
    """What a notebook shows of scenes, profiles, runs and numbers, as text and as HTML."""
    run = ctl.last_run
    assert run is not None
    scene = Scene(f"s{EVIL}", EVIL, **{f"x{EVIL}": EVIL})
    for each in (scene, *ctl.profiles.values(), run, run.metrics(), run.estimate_limits(), ctl.check()):
        inert(repr(each))
        page_of(each._repr_html_())  # type: ignore[attr-defined]  # each of them has it
    assert "pwned" in repr(scene) and "pwned" in repr(run.metrics()) and "pwned" in run._repr_html_()
    for each in (ctl, run.metrics(), run.scenes, run.attempts, run.cooldowns, run.moves, run.events):
        inert(str(each), 60_000)
    inert(run.trail(run.scenes[0].id).encode("unicode_escape").decode())


def test_the_log(ctl: Controller, caplog: pytest.LogCaptureFixture) -> None:
    """One line for each message: nothing forges another, or colours it."""
    caplog.set_level(logging.INFO, "vidgen_nb")
    ctl.run_blocking([Scene(f"bad{EVIL}", EVIL)])
    lines = [record.getMessage() for record in caplog.records]
    assert any("pwned" in line for line in lines)
    for line in lines:
        assert "\n" not in inert(line, 600)


def test_the_panel(ctl: Controller) -> None:
    """Every tab and strip is written; what is HTML there is inert, and what is text is one line each."""
    panel = ctl._panel_holder.panel
    assert panel is not None

    def fail() -> None:
        raise ValueError(EVIL * 100)

    ctl.post(fail)
    for tab in range(5):
        panel.tabs.root.selected_index = tab
        ctl.runner.loop.call(panel.ticker.update_now)
    rows, metrics = panel.rows, panel.tabs.metrics.html
    html = [rows.state.value, rows.progress.value, rows.sentence.value, metrics.value, panel.errors.html.value]
    html += [panel.chart.legend.value, panel.chart.note.value]
    assert all(page_of(text) for text in html if text)
    assert "pwned" in panel.errors.html.value and "pwned" in metrics.value
    inert(panel.tabs.log.text, 100_000)
    for scene in panel.tabs.scenes._rows.all():  # its id as it is, and the key made of it, are not shown
        inert("\n".join(str(cell) for name, cell in scene.items() if name not in ("scene", "key")))
    for row in panel.tabs.attempts.rows:
        inert("\n".join(str(cell) for cell in row[:-1]))  # the last is the id as it is, and is not shown
    assert all(inert(lane["label"]) for lane in panel.chart.lanes.lanes)


def test_exports(ctl: Controller, tmp_path: Path) -> None:
    """Page, picture and table hold no code of it; a loaded run says nothing of where its files go."""
    run = ctl.last_run
    assert run is not None
    loaded = Run({**run.header, "run": f"../../up{EVIL}"}, run.events)
    files = export(loaded, tmp_path / "exports", tmp_path)
    assert {file.parent for file in files} == {tmp_path / "exports"}
    page, picture, table, record = files
    assert "<script>window.pwned" not in page.read_text()
    parts = {each.tag.rpartition("}")[2]: each.text or "" for each in ET.parse(picture).iter()}  # noqa: S314 - our own file
    assert parts.keys() <= {"svg", "desc", "rect", "text", "path", "g", "title", "defs", "pattern", "circle", "style"}
    assert not re.search("pwned|<", parts["style"])
    assert "pwned" in picture.read_text()
    assert "attempts" not in table.name and "\x00" not in picture.read_text()
    assert [scene.id for scene in load_run(record).scenes] == [scene.id for scene in run.scenes]


def test_the_terminal(ctl: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables, moved scenes, failures and errors of the command line: as text, without codes and markup."""
    run = ctl.last_run
    assert run is not None
    said = io.StringIO()
    monkeypatch.setattr(console, "Console", lambda **_: Console(file=said, width=160, force_terminal=False))
    report.print_report(run, Path("run.jsonl"), Path("gantt.html"))
    console.print_error(ValueError(f"[bold]{EVIL}"))
    console.print_error(InputError(f"[/]{EVIL}"))
    assert "[bold]<img" in inert(said.getvalue())


def test_errors(tmp_path: Path) -> None:
    """Messages are inert and have an end; what they carry is as it was given."""
    for error in (DuplicateScene(EVIL), InputError(EVIL), InputError(MEGABYTE), NoUsableProfile(EVIL)):
        inert(str(error), 4001)
    assert DuplicateScene(EVIL).scene == EVIL
    with (
        Session(FakeBackend(), [Profile(EVIL, "sk-1")], output=tmp_path) as session,
        pytest.raises(InputError, match="pwned") as caught,
    ):
        session.set_capacity("p1", 3)
    inert(str(caught.value), 4001)


def test_file_names(tmp_path: Path) -> None:
    """Every id has a video of its own in the folder, whatever it would mean as a path."""
    backend = FakeBackend()
    backend.video = b"\0\0\0\x18ftypisom" + bytes(100)
    folder = tmp_path / "deep" / "videos"
    with Session(backend, profiles("p1"), output=folder, speed=200) as session:
        run = session.run_blocking([Scene(name, "x") for name in PATHS])
    paths = [Path(scene.path or "") for scene in run.scenes]
    assert len({path.name.casefold() for path in paths}) == len(PATHS)
    assert {path.resolve().parent for path in paths} == {folder.resolve()}
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == len(PATHS)
    assert all(len(path.name.encode()) <= 255 and path.name.isprintable() for path in paths)


def test_lengths() -> None:
    """Ids and names that are too long are refused, before anything is sent."""
    assert Scene("x" * MAX_SCENE_ID_CHARS, "p").id
    with pytest.raises(InputError, match="at most 1,000 characters"):
        Scene("x" * (MAX_SCENE_ID_CHARS + 1), "p")
    for options in ({"name": "x" * 201}, {"name": "p", "quota_group": "x" * 201}):
        with pytest.raises(InputError, match="at most 200 characters"):
            Profile(**options)  # type: ignore[arg-type]


def test_a_prompt_of_a_megabyte(tmp_path: Path) -> None:
    """The request and the record hold all of it; nothing that is shown grows with it."""
    server = Server()
    scene = Scene("s1", MEGABYTE)

    async def go() -> Run:
        async with (
            serving(server) as url,
            Controller(
                OpenAIVideos(url), profiles("p1"), output=tmp_path / "videos", journal=tmp_path / "runs", speed=200
            ) as ctl,
        ):
            ctl.panel  # noqa: B018 - makes it
            run = await ctl.run([scene])
            panel = ctl._panel_holder.panel
            assert panel is not None
            sizes = {}
            for tab in range(5):
                panel.tabs.root.selected_index = tab
                began = time.perf_counter()
                panel.ticker.update_now()
                sizes[tab] = time.perf_counter() - began
            assert max(sizes.values()) < 1.0, sizes
            widgets = [each for each in _below(panel.root) if not hasattr(each, "_esm")]
            state = sum(len(json.dumps(each.get_state(), default=str)) for each in widgets)
            assert state < 200_000
            assert len(json.dumps(panel.tabs.attempts.rows)) < 2000
            assert len(panel.chart.gantt.figure.to_json()) < 100_000
            return run

    run = asyncio.run(go())
    assert run.scenes[0].status == "succeeded"
    (submit,) = [request for request in server.requests if request.phase == "submit"]
    assert MEGABYTE.encode() in submit.body
    page, picture, table, record = export(run, tmp_path, tmp_path)
    assert picture.stat().st_size < 20_000 and table.stat().st_size < 2000
    assert 1_000_000 < record.stat().st_size < 1_100_000
    assert len(re.findall("ab cab c", page.read_text())) < 200
    assert load_run(record).scenes[0].prompt == MEGABYTE
    for text in (repr(scene), scene._repr_html_(), repr(run), run._repr_html_(), repr(run.events[1:3])):
        assert len(text) < 3000


def test_a_server_that_echoes_the_prompt(tmp_path: Path) -> None:
    """The emulator, as the real API, has it in each answer: a megabyte of it is read, and the job is not in doubt."""
    with (
        Emulator([SimulatedProfile("p1", service=Constant(1))], speed=50) as emulator,
        Session(OpenAIVideos(emulator.base_url), emulator.profiles, output=tmp_path, speed=50) as session,
    ):
        run = session.run_blocking([Scene("s1", MEGABYTE)])
        assert [scene.status for scene in run.scenes] == ["succeeded"]


def _below(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _below(child)


def test_blocks_and_short_reprs() -> None:
    """A traceback keeps its lines and indentation, and its end; a long value is cut with a sign."""
    assert last_lines("a\n    b\x1b[1m\n\tc") == "a\n    b[1m\nc"
    assert last_lines("\n".join("x" * 5000 for _ in range(100))).count("\n") == 59
    assert len(last_lines("x" * 10**6)) <= 2000
    assert short_repr("x" * 300) == repr("x" * 200 + "…")
    assert short_repr([1] * 300).endswith("…") and short_repr("x") == "'x'"
