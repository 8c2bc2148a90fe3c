"""The controls of what Run takes and how: scenes, mode, policy, accounts, limits, seed and speed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ipywidgets as w

from vidgen_nb.core.model import Mode
from vidgen_nb.errors import InputError
from vidgen_nb.notebook.panel.control_binding import BoundControls, always_enabled, set_if_changed
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.plaintext import one_line
from vidgen_nb.policies.registry import POLICIES

__all__ = ["DRAWER", "DRAWER_NOTES", "OptionControls", "labelled", "labelled_on_release"]

SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
MAX_SUGGESTED_IDS = 500
"""Scene ids that a box with suggestions offers; any other can be typed."""
MAX_COOLDOWN_SECONDS = 86_400
POLICY_LABELS = {
    "PerProfileCooldown": "Rest that account",
    "GlobalPause": "Pause all accounts",
    "ExponentialCooldown": "Rest longer each time",
    "Paced": "Learn the limits",
    "EarliestFinish": "Earliest finish",
}
DRAWER = {
    "Scenes": ("prompts", "upload"),
    "After a 429": ("policy_name", "cooldown_seconds", "honour_retry_after"),
    "Limits": ("cap", "max_billed", "max_cost"),
    "At the end": ("notify",),
    "Emulator": ("seed",),
}
"""Heading and controls of each part of the drawer."""
DRAWER_NOTES = {
    "Limits": "In a cell: <code>ctl.set_capacity(name, 2)</code> for one account, <code>ctl.add_profile</code>, "
    "<code>ctl.remove_profile</code>. A key typed here could be saved with the notebook.",
}
"""What stands below a part of it, as HTML."""


def labelled(widget_class: Any, label: str, **options: Any) -> Any:
    """Return a widget with its label beside it."""
    return widget_class(description=label, style={"description_width": "auto"}, **options)


def labelled_on_release(widget_class: Any, label: str, **options: Any) -> Any:
    """Return a widget that reports a change only when the user lets go of it, or leaves it."""
    return labelled(widget_class, label, continuous_update=False, **options)


class OptionControls:
    """Adds these controls; those of the drawer are made when it is first opened."""

    def __init__(self, controls: BoundControls, host: PanelHost) -> None:
        self._host, self._controls = host, controls
        self._is_range = False
        """Range is chosen, though it may have all scenes in it."""
        self._add_mode()
        self._add_scenes()
        self._add_speed()
        controls.add_later(self._add_sources, *DRAWER["Scenes"])
        controls.add_later(self._add_policy, *DRAWER["After a 429"])
        controls.add_later(self._add_limits, *DRAWER["Limits"])
        controls.add_later(self._add_notify, *DRAWER["At the end"])
        controls.add_later(self._add_seed, *DRAWER["Emulator"])

    # -- in the toolbar

    def _add_mode(self) -> None:
        options = self._host.run_options
        mode = w.ToggleButtons(
            options=[("Normal", "normal"), ("Boost", "boost")], style={"button_width": "auto"},
            tooltips=["One submit at a time, 4 scenes at once per account", "As much at once as each account takes"],
        )  # fmt: skip
        tip = "How many scenes run at once; applies to new submits"
        self._controls.add_value("mode", mode, tip, of=options, read=lambda: options.mode.name, label="Mode")

    def _add_scenes(self) -> None:
        """Which scenes to run."""
        scenes, add = self._host.scene_options, self._controls.add_value

        def no_span() -> str:
            return self._scenes_are_fixed() or ("" if self._kind() == "range" else "All takes every scene")

        kind = w.ToggleButtons(
            options=[("All", "batch"), ("Range", "range"), ("One", "single")], style={"button_width": "auto"},
            tooltips=["Run all scenes", "Run some of the scenes, one after the other", "Run one scene"],
        )  # fmt: skip
        add("kind", kind, "Which scenes Run takes", self._scenes_are_fixed, read=self._kind, apply=self._set_kind,
            label="Scenes to run")  # fmt: skip
        add("span", w.Text(continuous_update=False), "The first and the last scene, such as 3–9", no_span,
            read=lambda: f"{scenes.span[0]}–{scenes.span[1]}" if scenes.scenes else "", apply=self._set_span,
            is_hidden=lambda: scenes.kind == "single", label="First and last scene")  # fmt: skip
        add("scene", w.Combobox(continuous_update=False, ensure_option=False), "The id of the one scene to run",
            self._scenes_are_fixed, read=lambda: scenes.scene or "", apply=self._set_scene,
            is_hidden=lambda: scenes.kind != "single", label="Scene to run")  # fmt: skip

    def _add_speed(self) -> None:
        options = self._host.run_options
        speed = w.Dropdown(options=[(f"{each:g}×", each) for each in SPEEDS])
        tip = "Run seconds per real second; can be changed during a run"
        self._controls.add_value("speed", speed, tip, self._not_simulated, of=options, label="Speed",
                                 is_hidden=lambda: not options.simulated)  # fmt: skip

    def _kind(self) -> str:
        scenes = self._host.scene_options
        if scenes.kind == "single":
            return "single"
        is_part = scenes.span != (1, max(1, len(scenes.scenes)))
        return "range" if is_part or self._is_range else "batch"

    def _set_kind(self, kind: str) -> None:
        scenes = self._host.scene_options
        self._is_range = kind == "range"
        scenes.kind = "single" if kind == "single" else "batch"
        if kind == "batch":
            scenes.span = (1, max(1, len(scenes.scenes)))

    def _set_span(self, text: str) -> None:
        """Set the range as it is typed; an empty text leaves it."""
        scenes = self._host.scene_options
        numbers, count = [int(each[:9]) for each in re.findall(r"\d+", text)], len(scenes.scenes)
        if not text.strip():
            return
        if not 1 <= len(numbers) <= 2:
            raise InputError(f"Write the first and the last scene, such as 1–{count}")
        if not 1 <= numbers[0] <= numbers[-1] <= count:
            raise InputError(f"There are scenes 1 to {count:,}: write a range of these, such as 1–{count}")
        scenes.span = (numbers[0], numbers[-1])

    def _set_scene(self, text: str) -> None:
        """Choose a scene as it is typed; an empty text leaves it."""
        scenes, wanted = self._host.scene_options, text.strip()
        if not wanted:
            return
        if scenes.find(wanted) is None:
            some = ", ".join(one_line(each.id, 20) for each in scenes.scenes[:2])
            raise InputError(f"No scene is called {one_line(wanted, 40)}. Choose one from the list, such as {some}")
        scenes.scene = wanted

    # -- in the drawer

    def _add_sources(self) -> None:
        example = "a lighthouse at dawn\na harbour at night"
        prompts = labelled_on_release(w.Textarea, "Prompts", rows=3, placeholder=example)
        tip = "One prompt per line, CSV or JSON, typed or pasted; loaded when you leave the box"
        loaded = lambda: self._host.scene_options.version  # noqa: E731
        self._controls.add_value("prompts", prompts, tip, self._scenes_are_fixed, apply=self._load_text, holds=loaded)
        upload = w.FileUpload(description="Load a file", accept=".txt,.csv,.tsv,.json,.jsonl", multiple=False)
        tip = "Scenes from a .txt, .csv, .tsv, .json or .jsonl file"
        self._controls.add_value("upload", upload, tip, self._scenes_are_fixed, apply=self._load_file, holds=loaded)

    def _add_policy(self) -> None:
        """What follows a 429; of its settings only those that the policy has."""
        options, add = self._host.run_options, self._controls.add_value

        def unless_set(setting: str) -> Callable[[], str]:
            return lambda: "the policy has no such setting" if getattr(options, setting) is None else ""

        policy = labelled(w.Dropdown, "React", options=[(POLICY_LABELS.get(name, name), name) for name in POLICIES])
        add("policy_name", policy, "How to react to a 429; applies from now on", of=options)
        name, tip = "cooldown_seconds", "How long an account rests after a 429, in run seconds"
        seconds = labelled(w.BoundedFloatText, "Rest for (s)", min=0, max=MAX_COOLDOWN_SECONDS, step=1)
        add(name, seconds, tip, unless_set(name), of=options, read=lambda: options.cooldown_seconds or 0.0,
            is_hidden=lambda: options.cooldown_seconds is None)  # fmt: skip
        name, tip = "honour_retry_after", "Rest as long as the server asks (Retry-After) instead"
        honour = w.Checkbox(description="As long as the server asks", indent=False)
        add(name, honour, tip, unless_set(name), of=options, read=lambda: bool(options.honour_retry_after),
            is_hidden=lambda: options.honour_retry_after is None)  # fmt: skip

    def _add_limits(self) -> None:
        """How much at once, and how much in all. Which accounts are in use is chosen beside their lanes."""
        options, add = self._host.run_options, self._controls.add_value

        def no_cap() -> str:
            return "" if options.mode.name == "boost" else f"{options.mode.name.capitalize()} has its own limit"

        def no_price() -> str:
            unpriced = [name for name, each in self._host.session.profiles.items() if each.price is None]
            return f"the price of {one_line(unpriced[0], 40)} is not known" if unpriced else ""

        tips = {
            "cap": "How many scenes an account generates at once in Boost; blank: no limit",
            "max_billed": "The run stops once so many submits were accepted, and may be charged; blank: no cap",
            "max_cost": "Nothing is submitted that could make the run cost more, by its prices; blank: no cap",
        }
        for name, label, reason in (
            ("cap", "Max parallel per account", no_cap),
            ("max_billed", "Spending cap (submits)", always_enabled),
            ("max_cost", "Spending cap (money)", no_price),
        ):
            widget = labelled_on_release(w.Text, label, placeholder="no limit")
            add(name, widget, tips[name], reason, read=self._reader(name), apply=self._setter(name))

    def _reader(self, name: str) -> Callable[[], str]:
        options = self._host.run_options

        def read() -> str:
            value = getattr(options, name)
            return "" if value is None else f"{value:.2f}" if name == "max_cost" else str(value)

        return read

    def _setter(self, name: str) -> Callable[[str], None]:
        def apply(text: str) -> None:
            number = text.strip().replace(",", "")
            value = (_amount if name == "max_cost" else _whole_number)(number) if number else None
            setattr(self._host.run_options, name, value)

        return apply

    def _add_notify(self) -> None:
        view, label = self._host.view_options, "Notify me when it ends"
        tip = "A browser notification when a run of more than 30 s ends while this page is hidden"
        self._controls.add_value(
            "notify", w.Checkbox(description=label, indent=False), tip, of=view,
            words=lambda: f"Notify me: {view.notify_refused}" if view.notify_refused else label,
        )  # fmt: skip

    def _add_seed(self) -> None:
        options, tip = self._host.run_options, "Seed of the random part of back-off, from the next run on"
        self._controls.add_value("seed", labelled(w.IntText, "Seed"), tip, self._not_simulated, of=options,
                                 is_hidden=lambda: not options.simulated)  # fmt: skip

    # -- when they are unavailable

    def _not_simulated(self) -> str:
        return "" if self._host.run_options.simulated else "only with a simulated provider"

    def _scenes_are_fixed(self) -> str:
        """Which scenes to run can't be chosen while some of the last run are left to continue with."""
        session = self._host.session
        if session.is_running:
            return "a run is running"
        left = session.left_over
        return f"Run continues with the {left:,} that are left; discard them first (beside Stop)" if left else ""

    # -- what they do

    def _load_text(self, text: str) -> None:
        if text.strip():
            self._host.scene_options.type_scenes(text)

    def _load_file(self, files: tuple[Any, ...]) -> None:
        if files:
            with self._controls.own_writes():
                self._controls["upload"].value = ()  # so that the same file can be loaded again
            self._host.scene_options.upload_scenes(files[0]["name"], bytes(files[0]["content"]))

    def update_choices(self) -> None:
        """Offer the scenes, profiles and settings that there are."""
        controls, options, made = self._controls, self._host.run_options, self._controls.by_name
        ids = tuple(scene.id for scene in self._host.scene_options.scenes[:MAX_SUGGESTED_IDS])
        for name in {"scene", "selected"} & set(made):
            set_if_changed(controls[name], "options", ids)
        own = {name: "mode" if isinstance(each, Mode) else "policy_name" for name, each in options.own.items()}
        for name, control in {**own, options.policy_name: "policy_name", options.mode.name: "mode"}.items():
            if control in made:
                _add_choice(controls[control], one_line(name, 60), name)
        _add_choice(controls["speed"], f"{options.speed:g}×", options.speed)


def _add_choice(widget: Any, label: str, value: Any) -> None:
    """Offer a value that is not among the usual ones, such as a policy of the user's own."""
    values = [option[1] if isinstance(option, tuple) else option for option in widget.options]
    if value not in values:
        pairs = [option if isinstance(option, tuple) else (option, option) for option in widget.options]
        pairs.append((label, value))
        widget.options = sorted(pairs, key=lambda pair: pair[1]) if isinstance(value, float) else pairs


def _whole_number(text: str) -> int:
    if not (text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise InputError("Write a whole number from 1 up, or leave it blank for no limit")
    return int(text)


def _amount(text: str) -> float:
    """Return an amount of money as it is typed."""
    with suppress(ValueError):
        amount = float(text.lstrip("$€£ "))
        if 0 < amount < math.inf:
            return amount
    raise InputError("Write an amount above 0, such as 5.00, or leave it blank for no limit")
