"""Which scenes Run takes: a range of the loaded ones, or a single one. A cell can set what the panel can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from vidgen_nb.core.model import Scene
from vidgen_nb.errors import InputError
from vidgen_nb.inputs import load_scenes
from vidgen_nb.notebook.scene_sources import from_content, from_text
from vidgen_nb.session.run_request import RunRequest

__all__ = ["SceneOptions"]

Kind = Literal["batch", "single"]


class SceneOptions:
    """The loaded scenes, and which of them to run."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """`changed` is called after each change."""
        self._changed = changed
        self._scenes: Sequence[Scene] = ()
        self._span = (1, 1)
        self._scene: str | None = None
        self._kind: Kind = "batch"

    @property
    def scenes(self) -> list[Scene]:
        """The loaded scenes; may be set to anything that `load_scenes` takes."""
        return list(self._scenes)

    @scenes.setter
    def scenes(self, source: Any) -> None:
        loaded = load_scenes(source)
        self._scenes = loaded
        self._span = (1, max(1, len(loaded)))
        self._scene = loaded[0].id if loaded else None
        self._changed()

    def type_scenes(self, text: str) -> None:
        """Load scenes from a text: one prompt per line, or the content of a CSV or JSON file."""
        self.scenes = from_text(text)

    def upload_scenes(self, name: str, content: bytes) -> None:
        """Load scenes from the content of a file; its name says how to read it."""
        self.scenes = from_content(name, content)

    @property
    def kind(self) -> Kind:
        """`"batch"`: Run takes the scenes of `span`; `"single"`: it takes `scene`."""
        return self._kind

    @kind.setter
    def kind(self, kind: Kind) -> None:
        if kind not in ("batch", "single"):
            raise InputError(f"kind is 'batch' or 'single', not {kind!r}")
        self._kind = kind
        self._changed()

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last scene of a batch, counted from 1."""
        return self._span

    @span.setter
    def span(self, span: tuple[int, int]) -> None:
        first, last = span
        if not 1 <= first <= last <= max(1, len(self._scenes)):
            raise InputError(f"span is (first, last) within 1 and {len(self._scenes)}, not {span!r}")
        self._span = (first, last)
        self._changed()

    @property
    def scene(self) -> str | None:
        """The id of the scene that a single run takes."""
        return self._scene

    @scene.setter
    def scene(self, scene: str) -> None:
        if all(each.id != scene for each in self._scenes):
            raise InputError(f"no scene has the id {scene!r}; load the scenes first")
        self._scene = scene
        self._changed()

    @property
    def chosen(self) -> list[Scene]:
        """The scenes that Run takes if a stopped run has left none to continue with."""
        if self._kind == "single":
            return [each for each in self._scenes if each.id == self._scene]
        return list(self._scenes[self._span[0] - 1 : self._span[1]])

    def request(self) -> RunRequest | None:
        """Return the request that runs the chosen scenes; None: no scene is chosen."""
        chosen = self.chosen
        return RunRequest(chosen, single=self._kind == "single") if chosen else None
