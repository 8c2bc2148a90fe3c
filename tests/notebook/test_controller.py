"""What a cell does with a controller: choose, run, show it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeBackend, profiles
from vidgen_nb.bundled_demo import demo
from vidgen_nb.core.model import BOOST, NORMAL, Scene
from vidgen_nb.core.outcomes import Permanent, RateLimited
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError, SessionError
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.ports import Profile
from vidgen_nb.run import Run

PROMPTS = ["a lighthouse", "a harbour", "a night train"]


@pytest.fixture
def ctl(tmp_path: Path) -> Iterator[Controller]:
    """A controller over two profiles, closed at the end."""
    backend = FakeBackend()
    made = Controller(backend, profiles("p1", "p2"), output=tmp_path / "videos", journal=None, speed=20)
    yield made
    backend.let_go()
    made.close()


def backend_of(ctl: Controller) -> FakeBackend:
    """Return the fake backend."""
    backend = ctl.runner.resources.backend
    assert isinstance(backend, FakeBackend)
    return backend


def stopped(ctl: Controller) -> Run:
    """Start a run and stop it before anything was submitted."""
    ctl.paused = True
    ctl.start(PROMPTS)
    ctl.stop()
    run = ctl.wait(10)
    ctl.paused = False
    return run


def test_importing_it_imports_no_widgets() -> None:
    """Ipywidgets is imported with the first panel, not with the controller."""
    code = "import sys, vidgen_nb.notebook.controller; print([n for n in ('ipywidgets', 'plotly') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_start_runs_the_chosen_scenes(ctl: Controller) -> None:
    """Without scenes, start() takes those of the span, or the single one."""
    ctl.scenes = PROMPTS
    ctl.span = (2, 3)
    ctl.start()
    assert [scene.id for scene in ctl.wait(10).scenes] == ["s002", "s003"]
    ctl.kind, ctl.scene = "single", "s001"
    assert [scene.id for scene in ctl.run_blocking().scenes] == ["s001"]


def test_start_continues_with_what_was_left(ctl: Controller) -> None:
    """After a stop, Run takes what is still waiting."""
    ctl.scenes = PROMPTS
    run = stopped(ctl)
    assert ctl.left_over == 3
    ctl.start()
    assert ctl.wait(10) is run
    assert ctl.left_over == 0


def test_cancel_drops_what_was_left(ctl: Controller) -> None:
    """What a stop left is dropped without another run."""
    stopped(ctl)
    ctl.cancel()
    assert ctl.left_over == 0


def test_scenes_from_text_and_file(ctl: Controller) -> None:
    """A single typed line is a prompt, not a path; an error in a file names it as the user does."""
    ctl.type_scenes("a lighthouse")
    assert [scene.prompt for scene in ctl.scenes] == ["a lighthouse"]
    ctl.upload_scenes("C:\\x\\scenes.csv", b"id,prompt\nx1,a harbour\n")
    assert [scene.id for scene in ctl.scenes] == ["x1"]
    with pytest.raises(InputError, match=r"^scenes\.csv"):
        ctl.upload_scenes("../scenes.csv", b"id\nx1\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [("kind", "both"), ("span", (0, 1)), ("span", (2, 1)), ("span", (1, 9)), ("scene", "s9"), ("cap", 0),
     ("in_use", ["p9"]), ("in_use", []), ("policy_name", "Nope"), ("cooldown_seconds", -1), ("show_moves", "all"),
     ("speed", 2.0)],
)  # fmt: skip
def test_a_wrong_choice_is_refused(ctl: Controller, name: str, value: Any) -> None:
    """It is an error, and changes nothing."""
    before = getattr(ctl, name)
    with pytest.raises(InputError):
        setattr(ctl, name, value)
    assert getattr(ctl, name) == before


def test_cap_holds_in_boost(ctl: Controller) -> None:
    """The cap is kept while the mode is normal, and bounds boost."""
    ctl.cap = 3
    assert ctl.mode == NORMAL
    ctl.mode = "boost"
    assert (ctl.mode.name, ctl.mode.max_generating) == ("boost", 3)
    ctl.cap = None
    assert ctl.mode == BOOST


def test_policy_keeps_its_seconds(ctl: Controller) -> None:
    """Another policy gets the same seconds; setting what it does not have is an error that says so."""
    ctl.cooldown_seconds = 12.0
    ctl.honour_retry_after = True
    assert ctl.policy == PerProfileCooldown(12.0, honour_retry_after=True)
    ctl.policy_name = "GlobalPause"
    after: Policy = ctl.policy
    assert after == GlobalPause(12.0)
    assert ctl.honour_retry_after is None
    with pytest.raises(InputError, match="no setting 'honour_retry_after'"):
        ctl.honour_retry_after = True


def test_profiles_come_and_go(ctl: Controller) -> None:
    """A profile that was taken out can be used again, even while something still runs on it."""
    backend_of(ctl).hold = {"s001"}
    ctl.start(PROMPTS[:1])
    ctl.in_use = ["p2"]
    assert (ctl.in_use, list(ctl.known_profiles)) == (["p2"], ["p1", "p2"])
    ctl.in_use = ["p1", "p2"]
    backend_of(ctl).let_go()
    assert ctl.wait(10).ended == "settled"


def test_why_run_is_unavailable(ctl: Controller) -> None:
    """The reason is a text for the panel."""
    assert "no scenes" in ctl.problem
    ctl.scenes = PROMPTS
    assert ctl.problem == ""
    backend_of(ctl).hold = {"s001"}
    ctl.start()
    assert "is running" in ctl.problem
    backend_of(ctl).let_go()
    ctl.wait(10)
    ctl.close()
    assert "closed" in ctl.problem


def test_paused_is_pause_and_unpause(ctl: Controller) -> None:
    """The panel's toggle sets it."""
    ctl.paused = True
    ctl.start(PROMPTS)
    assert ctl.paused and ctl.is_running and not backend_of(ctl).submits
    ctl.paused = False
    assert ctl.wait(10).ended == "settled"


def test_export_writes_four_files(ctl: Controller, tmp_path: Path) -> None:
    """Page, picture, table and events, beside the videos; foreign text is never a formula."""
    backend_of(ctl).script = lambda *_: Permanent("=HYPERLINK(1)")
    with pytest.raises(SessionError, match="nothing is recorded"):
        ctl.export()
    ctl.run_blocking(PROMPTS[:1])
    files = ctl.export()
    assert [file.suffix for file in files] == [".html", ".svg", ".csv", ".jsonl"]
    assert {file.parent for file in files} == {tmp_path / "exports"}
    assert "'=HYPERLINK" in files[2].read_text()
    assert ctl.failed == 1


def test_stepping_through_scenes(ctl: Controller) -> None:
    """Next and previous go round."""
    ctl.step_selected(1)
    assert ctl.selected is None
    ctl.run_blocking(PROMPTS)
    steps: list[str | None] = []
    for step in (1, 1, 1, 1, -1):
        ctl.step_selected(step)
        steps.append(ctl.selected)
    assert steps == ["s001", "s002", "s003", "s001", "s003"]


def test_mimebundle(ctl: Controller) -> None:
    """A notebook gets the widget, a picture for later, and a text."""
    bundle = ctl._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == ctl.panel.model_id
    assert "Nothing had run yet" in bundle["text/html"]
    assert bundle["text/plain"].startswith("<Controller on p1, p2")
    ctl.run_blocking(PROMPTS)
    assert ctl._repr_mimebundle_()["text/html"].startswith("<img alt=")


def test_the_panel_is_made_once(ctl: Controller) -> None:
    """From two threads at once, and later, it is the same widget."""
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(ctl.panel)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] is found[1] is ctl.panel


def test_a_demo_brings_scenes_and_its_own_time(tmp_path: Path) -> None:
    """Scenes are loaded, and the emulator follows a change of the session's speed without a jump."""
    with demo(1, output=tmp_path / "videos", speed=10) as ctl:
        assert len(ctl.scenes) == 24
        before = ctl.emulator.clock.now()
        ctl.speed = 50.0
        assert ctl.emulator.clock.speed == ctl.speed == 50.0
        assert before <= ctl.emulator.clock.now() < before + 60


def test_a_panel_after_the_close(tmp_path: Path) -> None:
    """It can still be looked at, with all controls disabled."""
    made = Controller(FakeBackend(), profiles("p1"), output=tmp_path / "videos", journal=None, speed=20)
    made.run_blocking(PROMPTS)
    made.close()
    assert made.panel is made.panel


def test_rich_reprs(ctl: Controller) -> None:
    """Profile, scene and run show themselves in a notebook, with foreign text escaped and no key."""
    backend_of(ctl).script = lambda scene, profile, nth: RateLimited() if nth == 1 else None
    evil = "<script>x</script>"
    run = ctl.run_blocking([Scene(evil, evil, size=evil)])
    shown = [run._repr_html_(), Scene(evil, evil, size=evil)._repr_html_(), Profile(evil, "sk-key")._repr_html_()]
    assert "p1✕429→p2✓" in shown[0]
    assert all("&lt;script" in text and "<script" not in text and "sk-key" not in text for text in shown)


def test_a_posted_error_is_logged_without_a_panel(ctl: Controller, caplog: pytest.LogCaptureFixture) -> None:
    """If there is no panel to show it, it is logged."""

    def fail() -> None:
        raise ValueError("planted")

    ctl.post(fail)
    ctl.runner.loop.call(lambda: None)
    assert "planted" in caplog.text


def test_on_the_callers_loop(tmp_path: Path) -> None:
    """In `async with` the panel lives on the caller's loop, even if it was made before."""

    async def cell() -> str:
        made = Controller(FakeBackend(), profiles("p1"), output=tmp_path / "videos", journal=None, speed=20)
        made.panel  # noqa: B018 - makes it
        async with made as ctl:
            await ctl.run(PROMPTS)
            await asyncio.sleep(0)
            panel = made._panel_holder.panel
            assert panel is not None
            panel.ticker.update_now()
            assert "3 of 3 succeeded" in panel.rows.sentence.value
        assert "closed" in panel.rows.sentence.value
        return str(made.last_run)

    assert "3 succeeded" in asyncio.run(cell())
