"""Prices and the spending cap on the command line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.test_cli import emulator, vidgen_nb
from vidgen_nb.run import load_run

PROFILES = """
[[profile]]
name = "alice"
api_key = "sk-emulated-alice"
[[profile]]
name = "bruno"
api_key = "sk-emulated-bruno"
price = {per_job = 0.3}
"""


def test_a_run_says_what_it_cost_and_stops_at_its_cap(tmp_path: Path) -> None:
    """The table has a column, and a line says what is spent and what goes on; a scene waits."""
    (tmp_path / "scenes.csv").write_text("prompt,seconds\na fox,4\nan owl,8\na lynx,4\n")
    with emulator(tmp_path, "--speed", "50") as url:
        (tmp_path / "own.toml").write_text(PROFILES)
        options = ["--profiles", "own.toml", "--base-url", url, "--speed", "50", "--price", "0.10/s"]
        done = vidgen_nb("run", "scenes.csv", *options, "--max-cost", "0.80", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "Cost: $0.70 of $0.80 spent, about $0.35 to come" in done.stdout
    assert "Spending cap reached ($0.80): a higher --max-cost goes on" in done.stdout
    assert "stopping: no waiting scene fits under max_cost=0.80" in done.stderr
    run = load_run(tmp_path / "videos" / "run.jsonl")
    assert [scene.status for scene in run.scenes] == ["succeeded", "succeeded", "queued"]


def test_a_cap_without_prices_is_refused(tmp_path: Path) -> None:
    """Before anything is sent, with the profile's name."""
    (tmp_path / "scenes.txt").write_text("a fox\n")
    (tmp_path / "own.toml").write_text(PROFILES)
    options = ["--profiles", "own.toml", "--base-url", "http://127.0.0.1:9/v1"]
    done = vidgen_nb("run", "scenes.txt", *options, "--max-cost", "1", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "max_cost needs the price of every profile, and 'alice' has none" in done.stderr
    done = vidgen_nb("run", "scenes.txt", *options, "--price", "cheap", cwd=tmp_path)
    assert done.returncode == 2 and "--price is a number per job" in done.stderr
