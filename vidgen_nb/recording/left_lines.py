"""Lines of a journal that are no events: they say when a submit left the program.

An attempt begins in the record before its submit leaves, and may then wait for a connection, an image, or the answer to
a first submit. If the program is killed meanwhile, the next one must know whether the provider may have the job.

`{"left_lines":"<boot>"}`: from here on there is a line `{"left":"s001","number":1}` for each attempt whose submit has
left; null: no longer. It is written just before the first byte, and not made durable. That is enough for the end of a
program, whatever ended it: what was handed to the operating system stays. It is not for the end of a machine. So the
lines count only until the machine is started again, which `<boot>` tells; after that an attempt without an answer may
have left, line or not. Waiting for the disk instead, with a connection at hand, would let a hundred submits leave at
once behind one fsync, and a kill amid those would find most of them noted, but not gone.

They are no events: virtual time has no such moment, nothing that is asked of a run depends on it, and live runs are
spared an event for each scene. What follows from them at a restore is one: `AttemptAbandoned`, with `sent`.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from vidgen_nb.core.events import AttemptStarted, Event

__all__ = ["LeftLines", "is_left_line", "this_boot"]

_PREFIX: Final = b'{"left'


def is_left_line(line: bytes) -> bool:
    """Say whether a journal's line is one of these, and no event."""
    return line.startswith(_PREFIX)


class LeftLines:
    """Follows a journal from its beginning, and tells which attempts had not left when it ends."""

    def __init__(self) -> None:
        self.boot = ""
        """What the latest such line says; empty: there are no lines for attempts that begin from here on."""
        self._begun: dict[tuple[str, int], str] = {}
        """Attempts that have begun where there are such lines, and what the lines say of the boot."""
        self._left: set[tuple[str, int]] = set()

    @property
    def not_left(self) -> frozenset[tuple[str, int]]:
        """Attempts whose submit has certainly not left, as scene and number; those that were called back, too."""
        return frozenset(each for each, boot in self._begun.items() if boot == this_boot() and each not in self._left)

    def take_event(self, event: Event) -> None:
        """Take in the next event."""
        if self.boot and type(event) is AttemptStarted:
            self._begun[event.scene, event.number] = self.boot

    def take_line(self, data: Mapping[str, Any]) -> None:
        """Take in the next line of these; `ValueError` for one that makes no sense."""
        match dict(data):
            case {"left": str() as scene, "number": int() as number, **rest} if not rest:
                self._left.add((scene, number))
            case {"left_lines": str() | None as boot, **rest} if not rest:
                self.boot = boot or ""
            case _:
                raise ValueError(f"not a line about a submit that left: {dict(data)!r:.200}")


@cache
def this_boot() -> str:
    """Return what names the time since this machine was started; empty where the system has no such name."""
    name = ""
    with suppress(OSError, subprocess.SubprocessError):
        if sys.platform == "linux":
            name = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        elif sys.platform == "darwin":
            asked = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
            name = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True).stdout.strip()  # noqa: S603
    return hashlib.sha256(name.encode()).hexdigest()[:16] if name else ""
