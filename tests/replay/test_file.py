"""A replay as a file, and as a widget without a page."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest

import vidgen_nb as vg
from vidgen_nb.run import Run


def demo() -> Run:
    """Simulate the demo's accounts."""
    return vg.simulate(24, vg.demo_profiles(), mode="boost", seed=7)


def test_the_file_needs_nothing_else(tmp_path: Path) -> None:
    """It names no other file, lets nothing in, holds the run, and is the same for the same run."""
    run = demo()
    path = run.write_replay(tmp_path / "new" / "replay.html", title="May & <June>")
    page = path.read_text(encoding="utf-8")
    assert "<title>May &amp; &lt;June&gt;</title>" in page
    assert not re.search(r"(src|href)\s*=|url\(|@import|https?:", page)
    assert "default-src 'none'; script-src 'sha256-" in page
    packed = re.search(r'id="vg-run">([^<]*)<', page)
    assert packed is not None
    columns = json.loads(gzip.decompress(b64decode(packed[1])))
    assert len(columns["attempts"]["start"]) == len(run.attempts)
    assert run.write_replay(path, title="May & <June>").read_text(encoding="utf-8") == page
    assert [each.name for each in path.parent.iterdir()] == ["replay.html"]


def test_keys_are_nowhere(tmp_path: Path) -> None:
    """Not even those of simulated profiles."""
    profile = vg.SimulatedProfile("a", api_key="sk-very-secret-key")
    run = vg.simulate(2, [profile])
    path = run.write_replay(tmp_path / "replay.html")
    packed = re.search(r'id="vg-run">([^<]*)<', path.read_text(encoding="utf-8"))
    assert packed is not None
    assert b"secret" not in gzip.decompress(b64decode(packed[1])) and "secret" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["", "folder", "file/replay.html", "nul\0.html", 3, None])
def test_a_path_that_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Is an `InputError` that says why; nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(vg.InputError, match=r"the replay can't be written to .*: name a file such as 'replay.html'"):
        demo().write_replay(path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]


def test_a_script_needs_no_widgets(tmp_path: Path) -> None:
    """A file is written without anywidget, ipywidgets or plotly."""
    code = (
        "import sys, vidgen_nb as vg; vg.simulate(3, [vg.SimulatedProfile('a')]).write_replay(sys.argv[1]);"
        "print(sorted({'anywidget', 'ipywidgets', 'traitlets', 'plotly'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "replay.html")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"


def test_the_widget_keeps_to_the_run() -> None:
    """Time stays within it; what makes no sense is an error that says what is wanted."""
    run = demo()
    replay = run.replay()
    assert (replay.time, replay.playing, replay.speed, replay.selected) == (0.0, False, 2.0, None)
    replay.time = 1e9
    assert replay.time == 87.531
    replay.time = -4
    assert replay.time == 0.0
    replay.selected = "s009"
    for name, value, error in (
        ("selected", "s999", "no scene 's999' in this run; run.scenes lists them"),
        ("speed", 0, "speed is a number of run seconds per second, above 0, not 0"),
        ("time", float("nan"), "time is a number of run seconds, not nan"),
    ):
        with pytest.raises(vg.InputError, match=re.escape(error)):
            setattr(replay, name, value)
    assert replay.selected == "s009"
    assert "24 scenes on 4 profiles" in repr(replay)
    bundle = replay._repr_mimebundle_()
    assert 'src="data:image/svg+xml;base64,' in bundle[0]["text/html"]
    with pytest.raises(vg.InputError, match="speed is a number of run seconds per second"):
        run.replay(speed=-1)
    assert run.replay(after=10, until=40, speed=3).time == 10.0
