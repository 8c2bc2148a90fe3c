"""`vidgen-nb export`: a recorded run as a trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import vidgen_nb as vg
from tests.exports.trace_rules import check_trace
from vidgen_nb.cli.commands import app
from vidgen_nb.errors import FileFormatError, InputError


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Give a recorded run."""
    return vg.simulate(6, vg.demo_profiles(), mode="boost").save(tmp_path / "runs" / "run.jsonl")


def export(*arguments: str | Path) -> str:
    """Run the command in this process and return what it printed; its errors are those that `main` prints."""
    done = CliRunner().invoke(app, ["export", *map(str, arguments)])
    if done.exception is not None:
        raise done.exception
    return done.output


def test_a_trace_is_written(recorded: Path, tmp_path: Path) -> None:
    """The same as `run.to_perfetto` writes, in folders that need not exist; the path is printed."""
    out = tmp_path / "new" / "trace.json"
    assert "".join(export(recorded, "--perfetto", out).split()) == str(out)
    assert check_trace(out)
    assert out.read_bytes() == vg.load_run(recorded).to_perfetto(tmp_path / "other.json").read_bytes()


def test_what_is_wrong_is_said(recorded: Path, tmp_path: Path) -> None:
    """What to write, where, and of what."""
    with pytest.raises(InputError, match=r"say what to write: --perfetto trace\.json"):
        export(recorded)
    with pytest.raises(InputError, match=r"--perfetto .* can't be written"):
        export(recorded, "--perfetto", tmp_path)
    with pytest.raises(FileFormatError, match="can't be read"):
        export(tmp_path / "none.jsonl", "--perfetto", tmp_path / "trace.json")
