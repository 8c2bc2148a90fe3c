"""A fresh checkout of the working tree, for tests that install from one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

__all__ = ["check_out", "files"]

ROOT = Path(__file__).parent.parent


def files() -> list[Path]:
    """Return the files of the working tree that git knows or would add: not what other tests write meanwhile."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


def check_out(folder: Path, names: Iterable[Path]) -> None:
    """Copy these files of the working tree into a folder."""
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
