"""Plays the finished videos of a run in the panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as w

from vidgen_nb.plaintext import clean
from vidgen_nb.widgets.bound import write

__all__ = ["NONE", "Videos"]

NONE = ("choose a scene", None)
OFFERED = 100
"""Videos in the choice; `ctl.video` takes any."""
LARGEST = 64_000_000
"""Bytes of a video that is sent to the page; a larger one is to be opened as a file."""


class Videos:
    """Offers the videos that are there in a control of the panel, and plays the chosen one.

    `aside`: does the first off the loop, then the second, with its result, on it.
    """

    def __init__(self, choice: Any, aside: Callable[[Callable[[], bytes], Callable[[bytes], None]], None]) -> None:
        self._choice, self._aside = choice, aside
        self._shown: str | None = None
        self._known = 0
        self.said = w.HTML()
        self.player: Any = None
        """Only while a video is played: an empty one is an error on the page."""
        self.root = w.VBox([choice, self.said])

    def show(self, paths: Mapping[str, str | None], chosen: str | None) -> None:
        """Offer what is there by now, the latest first, and play the chosen one."""
        if len(paths) != self._known:
            self._known = len(paths)
            self._offer(paths, chosen)
        if chosen != self._shown:
            self._shown = chosen
            self._load(paths.get(chosen) if chosen is not None else None)

    def _offer(self, paths: Mapping[str, str | None], chosen: str | None) -> None:
        there = [scene for scene, path in paths.items() if path is not None]
        latest = dict.fromkeys(
            [*reversed(there[-OFFERED:]), *([chosen] if chosen is not None and chosen in paths else [])]
        )
        write(self._choice, "options", (NONE, *((clean(scene, 60), scene) for scene in latest)))

    def _load(self, path: str | None) -> None:
        self._play(None)
        if path is None:
            write(self.said, "value", "")
            return
        file = Path(path)
        write(self.said, "value", f'<div class="vg-note">{escape(clean(path, 300))}</div>')
        shown = self._shown

        def read() -> bytes:
            if file.stat().st_size > LARGEST:
                raise OSError(f"{path} is larger than {LARGEST / 1e6:.0f} MB: open the file itself")
            return file.read_bytes()

        def play(content: bytes) -> None:
            if shown == self._shown:  # nothing else was chosen meanwhile
                self._play(w.Video(value=content, format=file.suffix.lstrip(".") or "mp4", loop=False))

        self._aside(read, play)

    def _play(self, player: Any) -> None:
        old, self.player = self.player, player
        self.root.children = [self._choice, self.said, *([player] if player is not None else [])]
        if player is not None:
            player.add_class("vg-video")
        if old is not None:
            old.close()
