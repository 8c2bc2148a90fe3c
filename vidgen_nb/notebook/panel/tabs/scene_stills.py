"""What a page needs to draw a small still of a finished video: its first part, or all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vidgen_nb.notebook.panel.background import RunInBackground
from vidgen_nb.notebook.panel.tabs.scenes_table import Answer
from vidgen_nb.recording.posters import read_poster, write_poster

__all__ = ["SceneStills"]

FIRST_BYTES = 600_000
"""Enough for the first picture of a video that is made to be played while it loads, as most providers' are."""
MAX_WHOLE_BYTES = 12_000_000
"""A larger video is not sent for its still alone."""


class SceneStills:
    """Sends a still that was kept, or else what a page draws one from; pages hand over what they have drawn."""

    def __init__(self, folder: Callable[[], Path], run_in_background: RunInBackground) -> None:
        """`folder`: what paths are relative to."""
        self._folder, self._run_in_background = folder, run_in_background

    def send(self, path: str, answer: Answer, *, whole: bool) -> None:
        """Answer with a still, with a part of the video, with all of it, or with nothing."""
        video = self._folder() / path

        def read() -> tuple[dict[str, Any], list[bytes]]:
            if not path:
                return {}, []
            if not whole and (still := read_poster(video)) is not None:
                return {"still": True}, [still]
            try:
                with video.open("rb") as file:
                    content = file.read(MAX_WHOLE_BYTES + 1 if whole else FIRST_BYTES)
            except OSError:
                return {}, []
            if len(content) > MAX_WHOLE_BYTES:
                return {}, []
            return {"part": True, "whole": whole or len(content) < FIRST_BYTES}, [content]

        self._run_in_background(read, lambda found: answer(found[0], buffers=found[1]))

    def keep(self, path: str, still: bytes) -> None:
        """Keep a still that a page has drawn."""
        if path:
            self._run_in_background(lambda: write_poster(self._folder() / path, still), lambda _: None)
