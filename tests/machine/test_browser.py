"""In a browser's Python: no threads, no sockets, and one loop that never stops."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace

import pytest

import vidgen_nb as vg
from vidgen_nb.errors import InputError, SessionError
from vidgen_nb.machine import browser
from vidgen_nb.machine.browser import in_one_go
from vidgen_nb.machine.loopback import app_at, enter_app, leave_app


@pytest.fixture
def in_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a browser that can't wait; any thread that is begun there is a failure."""
    monkeypatch.setattr(browser, "_in_browser", True)
    monkeypatch.setitem(sys.modules, "pyodide.ffi", SimpleNamespace(can_run_sync=lambda: False))
    monkeypatch.setitem(sys.modules, "pyodide", SimpleNamespace())

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.mark.usefixtures("in_browser")
def test_a_demo_runs_on_the_pages_loop(tmp_path: Path) -> None:
    """Emulator, backend, session and journal do without threads and sockets, and a broken-off run goes on."""

    async def page() -> None:
        with vg.Emulator(vg.demo_profiles(), speed=200) as emulator:
            backend = vg.OpenAIVideos(emulator.base_url)
            session = vg.Session(
                backend,
                emulator.profiles,
                speed=200,
                mode="boost",
                journal=tmp_path / "runs",
                output=tmp_path / "videos",
            )
            session.start(vg.demo_scenes(8))
            while session.billed < 4:  # noqa: ASYNC110 - the run has no event for it
                await asyncio.sleep(0)
            await session.runner.abandon()
            await session.aclose()
            again = vg.restore(
                tmp_path / "runs", vg.OpenAIVideos(emulator.base_url), emulator.profiles, output=tmp_path
            )
            again.start()
            run = await again.join()
            await again.aclose()
            paid = [each for each in emulator.requests if each.method == "POST" and each.status < 300]
        assert {scene.status for scene in run.scenes} <= {"succeeded", "held"}
        assert len(run.scenes) == 8
        assert len(paid) <= 8

    asyncio.run(page())


@pytest.mark.usefixtures("in_browser")
def test_what_would_wait_says_what_to_await(tmp_path: Path) -> None:
    """Without a way to wait, each call that blocks says what to write instead; nothing hangs."""

    async def page() -> None:
        ctl = vg.demo(speed=200, output=tmp_path)
        ctl.start(vg.demo_scenes(2))
        for blocking in (ctl.wait, ctl.close, ctl.check, ctl.abandon, lambda: ctl.run_blocking(["a"])):
            with pytest.raises(SessionError, match=r"await session\.join\(\)"):
                blocking()
        assert len((await ctl.join()).scenes) == 2
        assert "ok" in repr(await ctl.acheck())
        await ctl.aclose()

    asyncio.run(page())


@pytest.mark.usefixtures("in_browser")
def test_a_real_api_is_out_of_reach() -> None:
    """An address that no server of the notebook answers is refused before anything is sent."""
    with pytest.raises(InputError, match=r"api\.example can't be reached from Python in a browser"):
        vg.Session(vg.OpenAIVideos("https://api.example/v1"), [vg.Profile("alice", api_key="k")])


@pytest.mark.usefixtures("in_browser")
def test_two_emulators_have_addresses_of_their_own() -> None:
    """A second one gets another port; a port that is taken is refused, and free again after the stop."""
    with vg.Emulator(vg.demo_profiles(1)) as first, vg.Emulator(vg.demo_profiles(1)) as second:
        assert first.base_url != second.base_url
        port = int(first.base_url.split(":")[2].split("/")[0])
        with pytest.raises(InputError, match=f"port {port} "):
            vg.Emulator(vg.demo_profiles(1), port=port).start()
    assert app_at("127.0.0.1", port) is None


def test_an_app_answers_at_its_port_alone() -> None:
    """What is entered is found by host and port, and nowhere else."""
    app = object()
    port = enter_app(app)
    assert port is not None
    assert app_at("localhost", port) is app_at("127.0.0.1", port) is app
    assert app_at("127.0.0.1", port + 1) is None
    assert app_at("example.org", port) is None
    assert enter_app(app, port) is None
    leave_app(port)
    assert app_at("localhost", port) is None


@pytest.mark.usefixtures("in_browser")
def test_comparisons_show_their_progress_without_threads(capsys: pytest.CaptureFixture[str]) -> None:
    """A progress bar is drawn as the runs end, and not by a thread."""
    found = vg.compare(vg.demo_scenes(6), vg.demo_profiles(2), policies=["GlobalPause"], seeds=range(3), progress=True)
    assert len(found.trials) == 3
    assert "3/3" in capsys.readouterr().err


def test_slices_in_one_go() -> None:
    """Work in slices gives the same result without a pause."""

    def work() -> Generator[None, None, int]:
        yield
        yield
        return 3

    assert in_one_go(work()) == 3
