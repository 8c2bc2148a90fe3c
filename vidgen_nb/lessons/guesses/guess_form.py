"""The form of a guess, of ipywidgets: radio buttons, a slider, or a field with a button."""

from __future__ import annotations

from typing import Any, Protocol

import ipywidgets as widgets

from vidgen_nb.lessons.guesses.meeting import shown
from vidgen_nb.plaintext import html_line, one_line

__all__ = ["GuessForm"]

STYLE = """<style>
.vg-guess-form { padding: 6px 12px 8px; border-left: 4px solid #56B4E9; overflow: visible; }
.vg-guess-form .widget-html-content { line-height: 20px; font-size: 14px;
  color: var(--jp-content-font-color1, inherit); }
.vg-guess-form .widget-html { height: auto; margin: 0; }
.vg-guess-form .widget-radio-box { margin: 2px 0; }
.vg-guess-form .widget-radio, .vg-guess-form .widget-text { width: auto; min-width: 220px; }
.vg-guess-form p { margin: 2px 0; }
</style>"""
ROW = {"align_items": "center", "grid_gap": "8px"}
RADIO_CHOICES = 12
"""As many choices as there may be as radio buttons; more are a list that opens."""


class Asked(Protocol):
    """What the form needs of a prediction."""

    question: str
    choices: Any
    unit: str | None
    guess: Any
    meeting: Any

    @property
    def is_number(self) -> bool:
        """Whether a number is asked for."""

    def what_is_known(self) -> list[str]:
        """Return the guess and the meeting as lines."""


class GuessForm:
    """Shows a prediction, and hands over what a person chooses. Once the result is known it is closed."""

    def __init__(self, prediction: Asked) -> None:
        self._prediction = prediction
        self._field = self._made_field()
        self._keep = widgets.Button(description="Keep this guess", button_style="primary")
        self._keep.on_click(lambda _: self._take(self._field.value))
        self._said = widgets.HTML()
        unit = widgets.Label(one_line(prediction.unit or ""))
        question = widgets.HTML(f"{STYLE}<p><b>{html_line(prediction.question)}</b></p>")
        if self._is_list:
            self._field.observe(self._chosen, "value")
            middle: Any = self._field
        else:
            middle = widgets.HBox([self._field, unit, self._keep], layout=ROW)
        self.root = widgets.VBox([question, middle, self._said])
        self.root.add_class("vg-guess-form")
        self.follow()

    @property
    def _is_list(self) -> bool:
        choices = self._prediction.choices
        return choices is not None and not isinstance(choices, range)

    def _made_field(self) -> Any:
        prediction = self._prediction
        choices, guess = prediction.choices, prediction.guess
        label = {"description": "", "tooltip": prediction.question}
        if isinstance(choices, range):
            middle = choices[len(choices) // 2] if guess is None else guess
            return widgets.IntSlider(middle, choices[0], choices[-1], choices.step, **label)
        if choices is not None:
            options = [(shown(each, prediction.unit), each) for each in choices]
            kind = widgets.RadioButtons if len(options) <= RADIO_CHOICES else widgets.Dropdown
            return kind(options=options, value=guess, **label)
        if prediction.is_number:
            return widgets.FloatText(0.0 if guess is None else guess, **label)
        return widgets.Text("" if guess is None else guess, placeholder="Your guess", **label)

    def _chosen(self, change: Any) -> None:
        if change["new"] is not None and change["new"] != self._prediction.guess:
            self._take(change["new"])

    def _take(self, value: Any) -> None:
        """Keep a guess; a press on the button with an empty field keeps none."""
        if self._prediction.meeting is None and value != "":
            self._prediction.guess = value

    def follow(self) -> None:
        """Show what is known."""
        prediction = self._prediction
        if prediction.guess is not None and self._field.value != prediction.guess:
            self._field.value = prediction.guess
        if prediction.meeting is not None:
            for each in (self._field, self._keep):
                each.disabled, each.tooltip = True, "The result is known: the guess is kept as it was."
        self._said.value = "".join(f"<p>{html_line(line)}</p>" for line in prediction.what_is_known())

    def bundle(self) -> dict[str, Any]:
        """Return the form as a cell's output; as text there is nothing, since what is kept stands below it."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.root.model_id}
        return {"text/plain": "", "application/vnd.jupyter.widget-view+json": view}
