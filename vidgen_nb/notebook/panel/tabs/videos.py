"""Plays the finished videos of a run in the panel."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as w

from vidgen_nb.notebook.panel.control_binding import write
from vidgen_nb.notebook.panel.controls import NO_VIDEO
from vidgen_nb.plaintext import clean

__all__ = ["Videos"]

OFFERED = 100
"""Videos in the choice; `ctl.video` takes any."""
LARGEST = 64_000_000
"""Bytes of a video that is sent to the page; a larger one is to be opened as a file."""


class Videos:
    """Offers the videos that are there in a control of the panel, and plays the chosen one.

    `aside`: does the first off the loop, then the second, with its result, on it.
    """

    def __init__(
        self,
        choice: Any,
        folder: Callable[[], Path],
        aside: Callable[[Callable[[], bytes | str], Callable[[bytes | str], None]], None],
    ) -> None:
        """`folder`: what paths are relative to."""
        self._choice, self._folder, self._aside = choice, folder, aside
        self._shown: tuple[str, str | None] | None = None
        """Scene and file."""
        self._offered: tuple[Any, ...] = ()
        self.said = w.HTML()
        self.player: Any = None
        """Only while a video is played: an empty one is an error on the page."""
        self.root = w.VBox([choice, self.said])

    def show(self, paths: dict[str, str | None], chosen: str | None) -> None:
        """Offer what is there by now, the latest first, and play the chosen one."""
        known = (id(paths), len(paths), next(reversed(paths.keys()), None), chosen)
        if known != self._offered:
            self._offered = known
            self._offer(paths, chosen)
        wanted = None if chosen is None or chosen not in paths else (chosen, paths[chosen])
        if wanted != self._shown:
            self._shown = wanted
            self._load(None if wanted is None else wanted[1])

    def _offer(self, paths: dict[str, str | None], chosen: str | None) -> None:
        there = [scene for scene, path in paths.items() if path is not None]
        latest = dict.fromkeys(
            [*reversed(there[-OFFERED:]), *([chosen] if chosen is not None and chosen in paths else [])]
        )
        write(self._choice, "options", (NO_VIDEO, *((clean(scene, 60), scene) for scene in latest)))

    def _load(self, path: str | None) -> None:
        self._play(None)
        if path is None:
            write(self.said, "value", "")
            return
        file, shown = self._folder() / path, self._shown
        self._say(path)

        def read() -> bytes | str:
            try:
                if file.stat().st_size > LARGEST:
                    return f"{path} is larger than {LARGEST / 1e6:.0f} MB: open the file itself"
                return file.read_bytes()
            except OSError as error:
                return f"{path} can't be read: {error.strerror}"

        def play(content: bytes | str) -> None:
            if shown != self._shown:  # another one was chosen meanwhile
                return
            if isinstance(content, str):
                self._say(content)
            else:
                self._play(w.Video(value=content, format=file.suffix.lstrip(".") or "mp4", loop=False))

        self._aside(read, play)

    def _say(self, text: str) -> None:
        write(self.said, "value", f'<div class="vg-note">{escape(clean(text, 300))}</div>')

    def _play(self, player: Any) -> None:
        old, self.player = self.player, player
        self.root.children = [self._choice, self.said, *([player] if player is not None else [])]
        if player is not None:
            player.add_class("vg-video")
        if old is not None:
            old.close()
