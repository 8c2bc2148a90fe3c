"""What a test installs for itself, once for all workers of pytest and all later runs."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["first_use"]


@contextmanager
def first_use(folder: Path) -> Iterator[bool]:
    """Yield whether it is still to be installed into this folder; others wait. It is done if the block ends well."""
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "complete"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not done.exists()
        done.touch()
