"""Plays the finished videos of a run in the panel."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as w

from vidgen_nb.notebook.panel.background import RunInBackground
from vidgen_nb.notebook.panel.control_binding import set_if_changed
from vidgen_nb.notebook.panel.controls import NO_VIDEO
from vidgen_nb.plaintext import one_line

__all__ = ["Videos"]

MAX_OFFERED_VIDEOS = 100
"""Videos in the drop-down; `ctl.video` takes any."""
MAX_VIDEO_BYTES = 64_000_000
"""A larger video is not sent to the page; its file can be opened instead."""


class Videos:
    """Offers the finished videos in a drop-down of the panel, and plays the chosen one."""

    def __init__(self, choice: Any, folder: Callable[[], Path], run_in_background: RunInBackground) -> None:
        """`folder`: what paths are relative to."""
        self._choice, self._folder, self._run_in_background = choice, folder, run_in_background
        self._shown: tuple[str, str | None] | None = None
        """Scene and file."""
        self._offered: tuple[Any, ...] = ()
        """What the choices were made from."""
        self.message = w.HTML()
        self.player: Any = None
        """Exists only while a video is played: an empty player is an error on the page."""
        self.root = w.VBox([choice, self.message])

    def show(self, paths: dict[str, str | None], chosen: str | None) -> None:
        """Offer the videos that are finished, the latest first, and play the chosen one."""
        offered = (id(paths), len(paths), next(reversed(paths.keys()), None), chosen)
        if offered != self._offered:
            self._offered = offered
            self._update_choices(paths, chosen)
        wanted = None if chosen is None or chosen not in paths else (chosen, paths[chosen])
        if wanted != self._shown:
            self._shown = wanted
            self._load(None if wanted is None else wanted[1])

    def _update_choices(self, paths: dict[str, str | None], chosen: str | None) -> None:
        finished = [scene for scene, path in paths.items() if path is not None]
        latest = dict.fromkeys(
            [*reversed(finished[-MAX_OFFERED_VIDEOS:]), *([chosen] if chosen is not None and chosen in paths else [])]
        )
        set_if_changed(self._choice, "options", (NO_VIDEO, *((one_line(scene, 60), scene) for scene in latest)))

    def _load(self, path: str | None) -> None:
        self._replace_player(None)
        if path is None:
            set_if_changed(self.message, "value", "")
            return
        file, shown = self._folder() / path, self._shown
        self._show_message(path)

        def read() -> bytes | str:
            try:
                if file.stat().st_size > MAX_VIDEO_BYTES:
                    return f"{path} is larger than {MAX_VIDEO_BYTES / 1e6:.0f} MB: open the file itself"
                return file.read_bytes()
            except OSError as error:
                return f"{path} can't be read: {error.strerror}"

        def play(content: bytes | str) -> None:
            if shown != self._shown:  # another one was chosen meanwhile
                return
            if isinstance(content, str):
                self._show_message(content)
            else:
                self._replace_player(w.Video(value=content, format=file.suffix.lstrip(".") or "mp4", loop=False))

        self._run_in_background(read, play)

    def _show_message(self, text: str) -> None:
        set_if_changed(self.message, "value", f'<div class="vg-note">{escape(one_line(text, 300))}</div>')

    def _replace_player(self, player: Any) -> None:
        old, self.player = self.player, player
        self.root.children = [self._choice, self.message, *([player] if player is not None else [])]
        if player is not None:
            player.add_class("vg-video")
        if old is not None:
            old.close()
