"""The command line, as a user types it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.audit import audit
from vidgen_nb.cli.commands import main, restore
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST
from vidgen_nb.errors import InputError
from vidgen_nb.provider import Constant, SimulatedProfile
from vidgen_nb.recording.folder import latest
from vidgen_nb.run import Run, load_run, simulate
from vidgen_nb.session.session import Session
from vidgen_nb.wording.durations import duration

PLAIN = {**os.environ, "COLUMNS": "160", "NO_COLOR": "1", "TERM": "dumb"}


def vidgen_nb(*args: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `vidgen-nb` and return what it did."""
    command = [sys.executable, "-m", "vidgen_nb", *map(str, args)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, env={**PLAIN, **env}, check=False
    )


@contextmanager
def emulator(cwd: Path, *args: str | Path) -> Iterator[str]:
    """Serve `vidgen-nb emulator` on a free port and give its base URL."""
    command = [sys.executable, "-m", "vidgen_nb", "emulator", "--port", "0", "--write-profiles", "profiles.toml"]
    with subprocess.Popen(
        [*command, *map(str, args)], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=PLAIN
    ) as served:
        assert served.stdout is not None
        try:
            for line in served.stdout:
                if found := re.search(r"http://127\.0\.0\.1:\d+/v1", line):
                    break
            else:
                raise AssertionError("it did not say where it serves")
            yield found[0]
        finally:
            served.send_signal(signal.SIGINT)
            assert served.wait(20) == 0


SLOWEST_SUBMIT = 8.0
"""Run seconds in which a submit of the demo must be answered: later, its limits have recovered, and refuse nothing."""


def slowest_submit(run: Run) -> float:
    """Return how many run seconds the slowest answer to a submit took."""
    left = {(each.scene, each.number): each.at for each in run.events if isinstance(each, ev.AttemptStarted)}
    answers = [each for each in run.events if isinstance(each, ev.Accepted | ev.CallFailed)]
    return max(each.at - left.pop((each.scene, each.number), each.at) for each in answers)


def quick_demo(folder: Path) -> tuple[subprocess.CompletedProcess[str], Run]:
    """Run the demo as fast as this machine answers in time: a busy one gets more time."""
    for speed in (60, 20, 5):
        done = vidgen_nb("demo", "--speed", str(speed), cwd=folder)
        assert done.returncode == 0, done.stderr
        run = load_run(folder / "demo" / "run.jsonl")
        if slowest_submit(run) <= SLOWEST_SUBMIT:
            break
    return done, run


@pytest.mark.timeout(900)
def test_demo(tmp_path: Path) -> None:
    """Every scene succeeds; tables, trails, Gantt, recorded run and videos are there."""
    done, run = quick_demo(tmp_path)
    audit(run.events, BOOST)
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    assert len(run.scenes) == 24
    assert run.moves, "the demo is there to show scenes moving"
    for scene in {move.scene for move in run.moves}:
        assert f"{scene}  {run.trail(scene)}" in done.stdout
    for row in run.metrics().profiles:
        cooled = duration(row.cooldown) if row.cooldown else ""
        pattern = rf"{row.profile} +│ +{row.scenes} │ +{row.attempts} │ +{row.rate_limited} │ +{cooled} │"
        assert re.search(pattern, done.stdout), done.stdout
    assert "cooling after" in done.stderr
    assert "24/24" in done.stderr
    assert all((tmp_path / (scene.path or "")).read_bytes()[4:8] == b"ftyp" for scene in run.scenes)
    assert "<html" in (tmp_path / "demo" / "gantt.html").read_text()


def test_run_on_somebodys_server(tmp_path: Path) -> None:
    """Own scenes, own profiles, own server; then a picture of the recorded run."""
    (tmp_path / "scenes.csv").write_text(
        "id,prompt,seconds\nfox,a fox in the snow,4\nowl,an owl at night,8\nelk,an elk,4\n"
    )
    with emulator(tmp_path, "--speed", "50") as base_url:
        options = ["--profiles", "profiles.toml", "--base-url", base_url, "--speed", "50", "--backend", "openai-videos"]
        done = vidgen_nb("run", "scenes.csv", *options, "--only", "1-2", "--model", "sora-2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = load_run(tmp_path / "videos" / "run.jsonl")
    assert [(scene.id, scene.status) for scene in run.scenes] == [("fox", "succeeded"), ("owl", "succeeded")]
    assert run.header["mode"]["name"] == "normal"
    assert (tmp_path / "videos" / "fox.mp4").stat().st_size > 0
    drawn = vidgen_nb("gantt", "videos/run.jsonl", "--out", "pictures/run.svg", "--theme", "dark", cwd=tmp_path)
    assert drawn.returncode == 0, drawn.stderr
    assert (tmp_path / "pictures" / "run.svg").read_text().startswith("<svg")


@pytest.mark.long
def test_a_limit_on_what_is_billed_stops_the_run(tmp_path: Path) -> None:
    """The rest stays queued, and the exit code says that not every scene succeeded."""
    (tmp_path / "scenes.txt").write_text("a fox\nan owl\n")
    with emulator(tmp_path, "--speed", "50") as base_url:
        options = ["--profiles", "profiles.toml", "--base-url", base_url, "--speed", "50", "--max-billed", "1"]
        done = vidgen_nb("run", "scenes.txt", *options, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "stopping: max_billed=1 submits were accepted; the other scenes keep waiting" in done.stderr
    run = load_run(tmp_path / "videos" / "run.jsonl")
    assert (run.ended, [scene.status for scene in run.scenes]) == ("max_billed", ["succeeded", "queued"])


@pytest.mark.long
def test_run_on_googles_dialect(tmp_path: Path) -> None:
    """The emulator speaks another API's dialect, and its backend runs on it."""
    (tmp_path / "scenes.txt").write_text("a fox\n")
    with emulator(tmp_path, "--speed", "50", "--dialect", "google-interactions") as base_url:
        options = ["--profiles", "profiles.toml", "--base-url", base_url, "--speed", "50"]
        done = vidgen_nb("run", "scenes.txt", *options, "--backend", "google-interactions", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = load_run(tmp_path / "videos" / "run.jsonl")
    assert [scene.status for scene in run.scenes] == ["succeeded"]
    assert run.header["backend"]["name"] == "google_interactions"


def test_scenes_that_fail_make_exit_code_1(tmp_path: Path) -> None:
    """A scene that the server refuses is named with its reason."""
    (tmp_path / "scenes.txt").write_text("a fox\n")
    with emulator(tmp_path, "--speed", "50") as base_url:
        options = ["--profiles", "profiles.toml", "--base-url", base_url, "--model", "no-such-model"]
        done = vidgen_nb("run", "scenes.txt", *options, cwd=tmp_path)
    assert done.returncode == 1
    assert "s001 failed: HTTP 404 model_not_found" in done.stdout


def test_ctrl_c_stops_the_run(tmp_path: Path) -> None:
    """The first Ctrl-C lets running scenes finish; what was done is saved; exit code 130."""
    command = [sys.executable, "-m", "vidgen_nb", "demo", "--mode", "normal", "--speed", "60"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=PLAIN
    ) as demo:
        assert demo.stderr is not None
        for line in demo.stderr:
            if "succeeded on" in line:
                demo.send_signal(signal.SIGINT)
                break
        rest = demo.stderr.read()
        assert demo.wait(60) == 130, rest
    run = load_run(tmp_path / "demo" / "run.jsonl")
    assert run.ended == "stopped"
    assert {scene.status for scene in run.scenes} == {"succeeded", "queued"}


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_a_background_job_of_a_script_can_be_ended(number: signal.Signals, tmp_path: Path) -> None:
    """A shell starts it with SIGINT ignored; both signals end the emulator all the same, in order."""
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.executable, sys.argv[1:])"
    )
    command = [sys.executable, "-c", ignoring, sys.executable, "-m", "vidgen_nb", "emulator", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=PLAIN) as served:
        assert served.stdout is not None
        assert any(line.startswith("serving ") for line in served.stdout)
        served.send_signal(number)
        try:
            rest, _ = served.communicate(timeout=20)
        finally:
            served.kill()
    assert (served.returncode, rest) == (0, "stopped\n")


def test_no_usable_profile(tmp_path: Path) -> None:
    """Refused keys end the run with their reason, no traceback and no key; the run is saved."""
    (tmp_path / "scenes.txt").write_text("a fox\n")
    with emulator(tmp_path) as base_url:
        (tmp_path / "mine.toml").write_text('[[profile]]\nname = "alice"\nkey_env = "KEY_OF_ALICE"\n')
        options = ["--profiles", "mine.toml", "--base-url", base_url]
        done = vidgen_nb("run", "scenes.txt", *options, cwd=tmp_path, KEY_OF_ALICE="sk-planted")
    assert done.returncode == 1
    assert "no profile is usable" in done.stderr
    assert "HTTP 401" in done.stderr
    everything = done.stdout + done.stderr + (tmp_path / "videos" / "run.jsonl").read_text()
    assert "Traceback" not in everything
    assert "sk-planted" not in everything


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["run", "none.csv", "--profiles", "p.toml", "--base-url", "http://x/v1"], "none.csv"),
        (["run", "bad.csv", "--profiles", "p.toml", "--base-url", "http://127.0.0.1:1/v1"], "bad.csv, line 3"),
        (["run", "s.txt", "--profiles", "bad.toml", "--base-url", "http://127.0.0.1:1/v1"], "bad.toml, line 2, column"),
        (["run", "s.txt", "--profiles", "nokey.toml", "--base-url", "http://127.0.0.1:1/v1"], "NOT_SET_KEY"),
        (["run", "s.txt", "--profiles", "p.toml"], "--base-url is missing: openai-videos"),
        (["run", "s.txt", "--profiles", "p.toml", "--base-url", "ftp://x"], "base_url must be an address such as"),
        (["run", "s.txt", "--profiles", "p.toml", "--base-url", "http://x/v1", "--only", "2-9"], "within 1-1"),
        (["demo", "--policy", "global-pause", "--honour-retry-after"], "per-profile"),
        (["gantt", "none.jsonl"], "none.jsonl"),
        (["dashboard", "nowhere"], "is no folder"),
        (["gantt", "p.toml"], "p.toml, line 1"),
        (["emulator", "--profiles", "typo.toml"], "'api_keys'; did you mean 'api_key'"),
        (["demo", "--mode", "fast"], "'fast'"),
        (["restore", "runs", "--profiles", "p.toml"], "--base-url is missing: openai-videos"),
        (["restore", "runs", "--profiles", "p.toml", "--backend", "runway"], "there is no journal"),
        (["gantt", "run.jsonl", "--out", "folder.svg"], "--out 'folder.svg' can't be written (Is a directory): name"),
        (["gantt", "run.jsonl", "--out", "s.txt/a.svg"], "--out 's.txt/a.svg' can't be written"),
        (
            ["emulator", "--port", "0", "--write-profiles", "folder.svg"],
            "--write-profiles 'folder.svg' can't be written",
        ),
        (
            ["run", "s.txt", "--profiles", "p.toml", "--base-url", "http://127.0.0.1:1/v1", "--out", "x" * 300],
            "too long",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    args: list[str], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one line that says what and where, no traceback: called here, a process of its own takes longer."""
    (tmp_path / "bad.csv").write_text("id,prompt\na,fine\nb,too,many\n")
    (tmp_path / "s.txt").write_text("a fox\n")
    (tmp_path / "folder.svg").mkdir()
    simulate(1, [SimulatedProfile("a", None, Constant(5))]).save(tmp_path / "run.jsonl")
    (tmp_path / "p.toml").write_text('[[profile]]\nname = "a"\napi_key = "k"\n')
    (tmp_path / "typo.toml").write_text('[[profile]]\nname = "a"\napi_keys = "k"\n')
    (tmp_path / "bad.toml").write_text('[[profile]]\nname = = "a"\n')
    (tmp_path / "nokey.toml").write_text('[[profile]]\nname = "not set"\nkey_env = "NOT_SET_KEY"\n')
    monkeypatch.chdir(tmp_path)
    for name, value in PLAIN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["vidgen-nb", *args])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capfd.readouterr().err
    assert ended.value.code == 2, said
    assert text in said
    assert "Traceback" not in said
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert errors == said.splitlines()[-1:] or (not errors and "Usage: " in said)


def test_what_is_wrong_ends_the_process(tmp_path: Path) -> None:
    """The same in a process of its own, as a shell sees it."""
    done = vidgen_nb("gantt", "none.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ") and "none.jsonl" in done.stderr and "Traceback" not in done.stderr


def test_restore_asks_the_server_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--backend`, `--model` and `--max-billed` reach the session: jobs are not asked for in another API's format."""
    seen: dict[str, Any] = {}

    def noted(_path: Path, backend: Any, _profiles: Any, **options: Any) -> Any:
        seen.update(options, backend=backend.name)
        raise InputError("seen")

    monkeypatch.setattr(Session, "restore", noted)
    monkeypatch.chdir(tmp_path)
    Path("profiles.toml").write_text('[[profile]]\nname = "a"\napi_key = "k"\n')
    with pytest.raises(InputError, match="seen"):
        restore(
            Path("runs"), Path("profiles.toml"), base_url=None, backend="runway", model=None, max_billed=9, out=tmp_path
        )
    assert (seen["backend"], seen["max_billed"]) == ("runway", 9)


@pytest.mark.parametrize("api", ["openai-videos", pytest.param("runway", marks=pytest.mark.long)])
def test_restore_after_a_kill(api: str, tmp_path: Path) -> None:
    """A run that was killed goes on where it was: the accepted scenes are fetched, none is submitted again."""
    (tmp_path / "scenes.txt").write_text("\n".join(f"prompt {k}" for k in range(1, 7)))
    with emulator(tmp_path, "--speed", "40", "--dialect", api) as url:
        where = ("--profiles", "profiles.toml", "--base-url", url, "--backend", api)
        command = [sys.executable, "-m", "vidgen_nb", "run", "scenes.txt", *where, "--speed", "40", "--journal", "runs"]
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=PLAIN) as killed:
            assert killed.stderr is not None
            for line in killed.stderr:
                if "s003 →" in line:  # two are accepted, for one submit goes after the other
                    break
            killed.kill()
        done = vidgen_nb("restore", "runs", *where, cwd=tmp_path)
    path = latest(tmp_path / "runs")
    assert path is not None
    run = load_run(path)
    statuses = [scene.status for scene in run.scenes]
    assert statuses.count("held") <= 1 and statuses.count("succeeded") >= 5, done.stderr
    accepted = [event.scene for event in run.events if isinstance(event, ev.Accepted)]
    assert len(accepted) == len(set(accepted))
    assert done.returncode == (1 if "held" in statuses else 0)


def test_report_and_dashboard(tmp_path: Path) -> None:
    """A recorded run becomes a page; the runs of a folder are served until Ctrl-C."""
    simulate(3, [SimulatedProfile("p1", service=Constant(5))]).save(tmp_path / "runs" / "run.jsonl")
    done = vidgen_nb("report", "runs/run.jsonl", "--title", "Two lights", cwd=tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, "Two-lights.html"), done.stderr
    assert "<h1>Two lights</h1>" in (tmp_path / "Two-lights.html").read_text(encoding="utf-8")
    command = [sys.executable, "-m", "vidgen_nb", "dashboard", "runs", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=PLAIN) as served:
        assert served.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/", served.stdout.readline())
        assert found is not None
        with urllib.request.urlopen(found[0], timeout=20) as page:  # noqa: S310 - our own server
            assert "3 of 3" in page.read().decode()
        served.send_signal(signal.SIGINT)
        assert served.wait(20) == 0


def test_replay(tmp_path: Path) -> None:
    """A recorded run becomes a page that plays it, in whole or in part."""
    simulate(3, [SimulatedProfile("p1", service=Constant(5))]).save(tmp_path / "run.jsonl")
    done = vidgen_nb(
        "replay", "run.jsonl", "--out", "shown/replay.html", "--until", "7", "--title", "Two", cwd=tmp_path
    )
    assert (done.returncode, done.stdout.strip()) == (0, "shown/replay.html"), done.stderr
    assert "<title>Two</title>" in (tmp_path / "shown" / "replay.html").read_text(encoding="utf-8")
