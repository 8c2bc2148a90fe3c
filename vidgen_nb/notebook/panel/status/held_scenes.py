"""What a person answers of a held scene: its job was made, so fetch it; or submit it again, and maybe pay twice."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as w

from vidgen_nb.notebook.panel.control_binding import receive_while_blocked, set_if_changed
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.plaintext import one_line

__all__ = ["HeldScenes"]

MAX_OFFERED_SCENES = 200
"""Held scenes in the drop-down; `ctl.ask_again` and `ctl.submit_again` take any."""


class HeldScenes:
    """Buttons for both answers; it shows only while scenes are held. Submitting again is asked about first."""

    def __init__(self, host: PanelHost) -> None:
        self._host = host
        self.choice = w.Dropdown(description="Held scene", style={"description_width": "auto"})
        self.job = w.Text(placeholder="the job's id, if it is not known here", layout=w.Layout(width="270px"))
        self.job.tooltip = "The id in the provider's own list of jobs"
        self.ask = self._button(
            "It was made: fetch it", "Ask about the job again; nothing is submitted", self._ask_again
        )
        self.submit = self._button("Submit again …", "Asks first: it may be billed twice", self._ask_first)
        self.sure = self._button("Submit again, maybe pay twice", "Submit it now", self._submit_again)
        self.sure.button_style = "danger"
        self.keep = self._button("Keep it held", "Submit nothing", self._no_question)
        self.text = w.HTML()
        self._in_question: str | None = None
        self._answers = w.Box((self.choice, self.job, self.ask, self.submit), layout=_row())
        self._question = w.Box((self.text, self.sure, self.keep), layout=_row(display="none"))
        self.root = w.Box((self._answers, self._question), layout=w.Layout(display="none"))
        for widget in (self.choice, self.job):
            receive_while_blocked(widget)

    def show(self, feed: RunFeed, *, closed: bool) -> None:
        """Offer the held scenes, the latest first; a closed session can't answer."""
        scenes = [] if closed else list(feed.held)[: -MAX_OFFERED_SCENES - 1 : -1]
        options = tuple((one_line(scene, 60), scene) for scene in scenes)
        if self.choice.options != options:
            chosen = self.choice.value
            self.choice.options = options
            self.choice.value = chosen if chosen in scenes else next(iter(scenes), None)
        if self._in_question not in (None, *scenes):
            self._no_question()
        set_if_changed(self.root.layout, "display", "flex" if scenes else "none")

    def _button(self, label: str, tip: str, call: Callable[[], None]) -> Any:
        button = w.Button(description=label, tooltip=tip)
        receive_while_blocked(button)
        button.on_click(lambda _: self._host.post(call))
        return button

    def _ask_again(self) -> None:
        self._host.session.ask_again(self.choice.value, self.job.value.strip() or None)
        self.job.value = ""

    def _ask_first(self) -> None:
        self._in_question = self.choice.value
        scene = one_line(self._in_question, 60)
        text = f"Submit {scene} again? Its earlier job may exist, or be made yet: it may be billed twice."
        self.text.value = f'<div class="vg-now">{escape(text)}</div>'
        self._show_question(shown=True)

    def _no_question(self) -> None:
        self._in_question = None
        self._show_question(shown=False)

    def _show_question(self, *, shown: bool) -> None:
        self._question.layout.display = "flex" if shown else "none"
        self._answers.layout.display = "none" if shown else "flex"

    def _submit_again(self) -> None:
        scene = self._in_question
        self._no_question()
        if scene is not None:
            self._host.session.submit_again(scene)


def _row(**options: Any) -> Any:
    return w.Layout(flex_flow="row wrap", align_items="center", grid_gap="2px 10px", **options)
