"""Which scenes Run takes: a range of the loaded ones, or a single one. A cell can set what the panel can."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from vidgen_nb.core.model import Scene
from vidgen_nb.errors import FileFormatError, InputError
from vidgen_nb.inputs import load_scenes
from vidgen_nb.notebook.scene_sources import from_content, from_text
from vidgen_nb.session.run_request import RunRequest
from vidgen_nb.session.scene_control import edited

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
        self._taken = set[int]()
        """Loaded scenes that a run has begun with, by identity."""
        self.version = 0
        """Counts the changes of what is loaded or taken."""
        self.load_error = ""
        """Why the latest text or file was not loaded; empty: it was."""

    @property
    def scenes(self) -> list[Scene]:
        """The loaded scenes; may be set to anything that `load_scenes` takes."""
        return list(self._scenes)

    @scenes.setter
    def scenes(self, source: Any) -> None:
        loaded = load_scenes(source)
        self._scenes, self._taken, self.load_error = loaded, set(), ""
        self.version += 1
        self._span = (1, max(1, len(loaded)))
        self._scene = loaded[0].id if loaded else None
        self._changed()

    def type_scenes(self, text: str) -> None:
        """Load scenes from a text: one prompt per line, or the content of a CSV or JSON file."""
        self._load(lambda: from_text(text))

    def upload_scenes(self, name: str, content: bytes) -> None:
        """Load scenes from the content of a file; its name says how to read it."""
        self._load(lambda: from_content(name, content))

    def _load(self, read: Callable[[], list[Scene]]) -> None:
        try:
            self.scenes = read()
        except InputError as error:
            self.load_error = error.in_words() if isinstance(error, FileFormatError) else str(error)
            self._changed()
            raise

    def find(self, scene: str) -> Scene | None:
        """Return the loaded scene with that id, or None."""
        return next((each for each in self._scenes if each.id == scene), None)

    def edit_scene(self, scene: str, /, prompt: str | None = None, **params: Any) -> Scene:
        """Change the prompt or parameters of a loaded scene, as `Session.edit_scene` does one of a run."""
        if (before := self.find(scene)) is None:
            raise InputError(f"no scene has the id {scene!r}; load the scenes first")
        now = edited(before, prompt, params)
        self._scenes = [now if each is before else each for each in self._scenes]
        if id(before) in self._taken:
            self.take([now])
        self.version += 1
        self._changed()
        return now

    def take(self, scenes: Iterable[Scene]) -> None:
        """Note that a run has begun with these."""
        self._taken.update(map(id, scenes))
        self.version += 1

    def not_run(self, in_run: Mapping[str, Scene]) -> list[Scene]:
        """Return the loaded scenes that no run has begun with; `in_run`: the scenes of the last run, by id."""

        def is_run(scene: Scene) -> bool:
            return scene.id in in_run and (id(scene) in self._taken or in_run[scene.id] == scene)

        return [each for each in self._scenes if not is_run(each)]

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
        self.take(chosen)
        return RunRequest(chosen, single=self._kind == "single") if chosen else None
