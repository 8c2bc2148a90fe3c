"""The tab of scenes: what is loaded and what has run, and what a person decides about them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from vidgen_nb.core.model import Scene
from vidgen_nb.errors import InputError, VidgenError
from vidgen_nb.notebook.panel.background import RunInBackground
from vidgen_nb.notebook.panel.control_binding import set_if_changed
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.notebook.panel.panel_words import in_panel_words
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.notebook.panel.tabs.scene_rows import SceneRows
from vidgen_nb.notebook.panel.tabs.scene_stills import SceneStills
from vidgen_nb.notebook.panel.tabs.scenes_table import Answer, ScenesTable
from vidgen_nb.notebook.scene_edits import edit_in_run, field_errors, parsed
from vidgen_nb.plaintext import one_line
from vidgen_nb.session.scene_control import known_job

__all__ = ["Scenes"]

Content = dict[str, Any]
MAX_EDITED_AT_ONCE = 200
"""Scenes whose edit is checked while one types."""


class Scenes:
    """Shows every scene, and carries out what is asked of those that are selected."""

    def __init__(self, host: PanelHost, run_in_background: RunInBackground, play: Callable[[str], None]) -> None:
        """`play(scene)` shows a finished video."""
        self._host = host
        self._rows = SceneRows()
        folder = host.session.runner.resources.videos
        self._stills = SceneStills(lambda: folder.base, run_in_background)
        self._play = play
        self.table = ScenesTable(lambda content, buffers, answer: host.post(self._asked, content, buffers, answer))
        self._requests: dict[str, Callable[[Content], Content | None]] = {
            "select": self._select,
            "run": lambda content: self._run(self._of(content, in_run=False)),
            "run_again": lambda content: self._run_again(self._of(content, in_run=True)),
            "cancel": self._cancel,
            "made": self._made,
            "submit_again": self._submit_again,
            "open": self._open,
            "check": lambda content: {"errors": self._errors(content)},
            "save": self._save,
            "play": lambda content: self._play(self._one(content).id),
        }

    def show(self, feed: RunFeed) -> None:
        """Send the rows that have changed."""
        options, host = self._host.scene_options, self._host
        change = self._rows.update(feed.scenes, options.version, options.not_run, feed.unwritten)
        if self.table.has_page:
            new, removed, reset = change
            self.table.send_rows(new, removed, reset=reset)
        set_if_changed(self.table, "highlighted", host.view_options.selected or "")
        set_if_changed(self.table, "alert", in_panel_words(options.load_error))
        set_if_changed(self.table, "disabled", "this controller is closed" if host.session.is_closed else "")

    # -- what a page asks, on the session's loop

    def _asked(self, content: Content, buffers: Sequence[Any], answer: Answer) -> None:
        what = str(content.get("what"))
        if what == "rows":
            self.table.has_page = True
            self.table.send_rows(self._rows.all(), reset=True)
        elif what == "still":
            self._stills.send(self._video(content), answer, whole=bool(content.get("whole")))
        elif what == "keep_still":
            self._stills.keep(self._video(content), bytes(buffers[0]) if buffers else b"")
        elif (carry_out := self._requests.get(what)) is not None:
            try:
                answer(carry_out(content) or {"ok": True})
            except VidgenError as error:
                answer({"error": in_panel_words(error)})
            finally:
                self._host.touch()

    def _video(self, content: Content) -> str:
        return self._rows.video(str(content.get("key")))

    def _found(self, content: Content) -> list[tuple[Scene, bool]]:
        keys = content.get("keys") or []
        return [found for key in keys if isinstance(key, str) and (found := self._rows.scene(key)) is not None]

    def _of(self, content: Content, *, in_run: bool) -> list[Scene]:
        return [scene for scene, is_in_run in self._found(content) if is_in_run == in_run]

    def _one(self, content: Content) -> Scene:
        found = self._of(content, in_run=True)
        if len(found) != 1:
            raise InputError("choose one scene of the run")
        return found[0]

    def _select(self, content: Content) -> None:
        self._host.view_options.selected = str(content.get("scene") or "") or None

    def _run(self, scenes: list[Scene]) -> None:
        self._host.session.add(scenes)
        self._host.scene_options.take(scenes)

    def _run_again(self, scenes: list[Scene]) -> None:
        self._host.session.run_again([scene.id for scene in scenes])

    def _cancel(self, content: Content) -> None:
        for scene in self._of(content, in_run=True):
            self._host.session.cancel(scene.id)

    def _made(self, content: Content) -> Content | None:
        """Ask about a job again. If its id is neither known nor given, that is said of the field for it."""
        scene, job, session = self._one(content).id, str(content.get("job") or "").strip(), self._host.session
        live = session.runner.live
        state = live.scheduler.scenes.get(scene) if live is not None else None
        if not job and state is not None and known_job(state) is None:
            where = one_line(state.previous.name, 40) if state.previous is not None else "the account"
            return {
                "error": f"Its job's id is not known here. Look it up on {where}, and write it here.",
                "field": "job",
            }
        session.ask_again(scene, job or None)
        return None

    def _submit_again(self, content: Content) -> None:
        for scene in self._of(content, in_run=True):
            self._host.session.submit_again(scene.id)

    # -- editing

    def _open(self, content: Content) -> Content:
        """Return what an editor begins with: the prompt of one scene, and what parameters all have in common."""
        scenes = [scene for scene, _ in self._found(content)]
        names = list(dict.fromkeys(name for scene in scenes for name in scene.params))
        texts = {name: {_text(scene.params.get(name)) for scene in scenes} for name in names}
        return {
            "prompt": scenes[0].prompt if len(scenes) == 1 else None,
            "params": [[name, each.pop() if len(each) == 1 else None] for name, each in texts.items()],
        }

    def _errors(self, content: Content) -> dict[str, str]:
        """Return what is wrong with an edit, by field."""
        for scene, _ in self._found(content)[:MAX_EDITED_AT_ONCE]:
            prompt, params = content.get("prompt"), parsed(scene, content.get("params") or {})
            if errors := field_errors(self._host.session, scene, prompt, params):
                return {name: in_panel_words(text) for name, text in errors.items()}
        return {}

    def _save(self, content: Content) -> Content | None:
        if errors := self._errors(content):
            return {"errors": errors}
        session, options, prompt = self._host.session, self._host.scene_options, content.get("prompt")
        for scene, in_run in self._found(content):
            params = parsed(scene, content.get("params") or {})
            if in_run:
                edit_in_run(session, options, scene.id, prompt, params)
            else:
                options.edit_scene(scene.id, prompt, **params)
        return None


def _text(value: Any) -> str:
    """Return a parameter as it stands in a field."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
