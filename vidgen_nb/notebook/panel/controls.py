"""The panel's controls: for each its widget, label, tooltip, the value it shows, and when it is unavailable."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as w

from vidgen_nb.core.model import Mode
from vidgen_nb.notebook.panel.control_binding import BoundControls, always_enabled
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.plaintext import one_line
from vidgen_nb.policies.registry import POLICIES

__all__ = ["NO_VIDEO", "Controls"]

SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
NO_VIDEO = ("choose a scene", None)
MAX_SUGGESTED_IDS = 500
"""Scene ids that a box with suggestions offers; any other can be typed."""
MAX_CAP = 1_000_000
MAX_COOLDOWN_SECONDS = 86_400


def _labelled(widget_class: Any, label: str, **options: Any) -> Any:
    """Return a widget with its label beside it."""
    return widget_class(description=label, style={"description_width": "auto"}, **options)


def _labelled_on_release(widget_class: Any, label: str, **options: Any) -> Any:
    """Return a widget that reports a change only when the user lets go of it, or leaves it."""
    return _labelled(widget_class, label, continuous_update=False, **options)


class Controls(BoundControls):
    """All controls of a panel."""

    def __init__(self, host: PanelHost, export: Callable[[], None]) -> None:
        super().__init__(host)
        self._add_scene_controls(host)
        self._add_mode_and_profiles(host)
        self._add_policy(host)
        self._add_seed_and_speed(host)
        self._add_run_buttons(host)
        self._add_file_buttons(host, export)
        self._add_view_controls(host)

    # -- what they are

    def _add_scene_controls(self, host: PanelHost) -> None:
        """What to run."""
        scenes = host.scene_options

        def no_scene() -> str:
            return "Batch runs a range of scenes" if scenes.kind == "batch" else self._scenes_are_fixed()

        def no_span() -> str:
            return "Single runs one scene" if scenes.kind == "single" else self._scenes_are_fixed()

        kind = _labelled(w.ToggleButtons, "Run kind", options=[("Batch", "batch"), ("Single", "single")])
        self.add_value("kind", kind, "Run many scenes, or one", self._scenes_are_fixed, of=scenes)
        scene = _labelled_on_release(w.Combobox, "Scene", ensure_option=False)
        tip = "The id of the one scene to run"
        self.add_value("scene", scene, tip, no_scene, of=scenes, read=lambda: scenes.scene or "")
        span = _labelled_on_release(w.IntRangeSlider, "Scenes from–to", min=1, max=1, value=(1, 1))
        self.add_value("span", span, "The first and the last scene of the batch", no_span, of=scenes)
        example = "a lighthouse at dawn\na harbour at night"
        prompts = _labelled_on_release(w.Textarea, "Prompts", rows=4, placeholder=example)
        tip = "One prompt per line, CSV or JSON, typed or pasted; loaded when you leave the box"
        self.add_value("prompts", prompts, tip, self._scenes_are_fixed, apply=self._load_text)
        upload = w.FileUpload(description="Load a file", accept=".txt,.csv,.tsv,.json,.jsonl", multiple=False)
        tip = "Scenes from a .txt, .csv, .tsv, .json or .jsonl file"
        self.add_value("upload", upload, tip, self._scenes_are_fixed, apply=self._load_file)

    def _add_mode_and_profiles(self, host: PanelHost) -> None:
        """How much runs at once, and where."""
        options = host.run_options

        def no_cap() -> str:
            return "" if options.mode.name == "boost" else f"{options.mode.name} has its own limit"

        def set_cap(cap: int) -> None:
            options.cap = cap or None

        mode = _labelled(w.ToggleButtons, "Mode", options=[("Normal", "normal"), ("Boost", "boost")])
        tip = "How many scenes run at once; applies to new submissions"
        self.add_value("mode", mode, tip, always_enabled, of=options, read=lambda: options.mode.name)
        in_use = _labelled(w.SelectMultiple, "Profiles", rows=4)
        tip = "Which profiles get new submissions"
        self.add_value("in_use", in_use, tip, always_enabled, of=options, read=lambda: tuple(options.in_use))
        cap = _labelled(w.BoundedIntText, "Cap per profile (0: none)", min=0, max=MAX_CAP)
        tip = "How many scenes each profile generates at once in Boost; 0: no limit"
        self.add_value("cap", cap, tip, no_cap, read=lambda: options.cap or 0, apply=set_cap)

    def _add_policy(self, host: PanelHost) -> None:
        """What follows a 429."""
        options = host.run_options

        def unless_set(setting: str) -> Callable[[], str]:
            return lambda: "the policy has no such setting" if getattr(options, setting) is None else ""

        policy = _labelled(w.Dropdown, "Policy", options=list(POLICIES))
        tip = "What to do after a 429; applies from now on"
        self.add_value("policy_name", policy, tip, always_enabled, of=options)
        name, tip = "cooldown_seconds", "How long a profile cools after a 429, in run seconds"
        seconds = _labelled(w.BoundedFloatText, "Cooldown seconds", min=0, max=MAX_COOLDOWN_SECONDS, step=1)
        self.add_value(name, seconds, tip, unless_set(name), of=options, read=lambda: options.cooldown_seconds or 0.0)
        name, tip = "honour_retry_after", "Wait as long as the server asks, instead of the cooldown seconds"
        honour = w.Checkbox(description="Honour Retry-After", indent=False, layout={"width": "auto"})
        self.add_value(name, honour, tip, unless_set(name), of=options, read=lambda: bool(options.honour_retry_after))

    def _add_seed_and_speed(self, host: PanelHost) -> None:
        """Chance and time, where the provider is simulated."""
        options = host.run_options

        def not_simulated() -> str:
            return self._while_running() if options.simulated else "only with a simulated provider"

        tip = "Seed of the random part of back-off, from the next run on"
        self.add_value("seed", _labelled(w.IntText, "Seed"), tip, not_simulated, of=options)
        speeds = [(f"{speed:g}×", speed) for speed in SPEEDS]
        speed = _labelled_on_release(w.SelectionSlider, "Speed", options=speeds)
        self.add_value("speed", speed, "Run seconds per real second", not_simulated, of=options)

    def _add_run_buttons(self, host: PanelHost) -> None:
        """What begins, holds and ends a run."""
        session = host.session

        def no_retry() -> str:
            return self._while_running() or ("" if session.failed else "no scene has failed")

        def no_cancel() -> str:
            return "" if session.is_running or session.left_over else "nothing to cancel"

        def no_stop() -> str:
            return "it is stopping already" if session.is_stopping else self._while_idle()

        run = w.Button(description="Run", button_style="success")
        self.add_button("run", run, "Run the chosen scenes", session.start, lambda: host.problem)
        pause, tip = w.ToggleButton(description="Pause new work"), "Submit nothing new; running scenes go on"
        self.add_value("paused", pause, tip, lambda: "" if session.paused else self._while_idle(), of=session)
        retry = w.Button(description="Retry failed")
        self.add_button("retry_failed", retry, "Run the failed scenes again", session.retry_failed, no_retry)
        cancel = w.Button(description="Cancel all")
        self.add_button("cancel", cancel, "Cancel all waiting and running scenes", session.cancel, no_cancel)
        stop, tip = (
            w.Button(description="Stop", button_style="danger"),
            "End the run when its running scenes have settled",
        )
        self.add_button("stop", stop, tip, session.stop, no_stop)

    def _add_file_buttons(self, host: PanelHost, export: Callable[[], None]) -> None:
        """What reads an earlier run from its journal, and writes this one as files."""
        session = host.session
        restore = w.Button(description="Restore last run")
        self.add_button(
            "restore_last_run",
            restore,
            "Load the run that was unfinished when its kernel ended; Run then continues it",
            session.restore_last_run,
            lambda: session.no_restore,
            reason_in_tooltip_only=True,
        )
        tip = "Write the run as HTML, SVG, CSV and JSON lines"
        self.add_button("export", w.Button(description="Export"), tip, export, self._while_nothing_recorded)

    def _add_view_controls(self, host: PanelHost) -> None:
        """What the chart and the player show."""
        view = host.view_options
        follow = w.Checkbox(description="Follow now", indent=False, layout={"width": "auto"})
        self.add_value("follow_now", follow, "Keep the current time in view", always_enabled, of=view)
        moves = _labelled(w.Dropdown, "Show moves", options=["none", "selected", "last 20"])
        self.add_value("show_moves", moves, "Which moves between profiles to draw", always_enabled, of=view)
        selected = _labelled_on_release(w.Combobox, "Highlight scene", placeholder="its id", ensure_option=False)
        tip, unavailable = "Highlight one scene's path over the profiles; empty: none", self._while_nothing_recorded
        self.add_value("selected", selected, tip, unavailable, of=view, read=lambda: view.selected or "")
        for name, label, step in (("previous", "Previous scene", -1), ("next", "Next scene", 1)):
            widget, call = w.Button(description=label), partial(view.step_selected, step)
            self.add_button(name, widget, f"Highlight the {label.lower()}", call, unavailable)
        video, tip = _labelled(w.Dropdown, "Video of scene", options=[NO_VIDEO]), "Play the finished video of a scene"
        self.add_value("video", video, tip, self._while_no_video, of=view, read=self._video)

    # -- when they are unavailable

    def _while_running(self) -> str:
        return "a run is running" if self._host.session.is_running else ""

    def _while_idle(self) -> str:
        return "" if self._host.session.is_running else "nothing is running"

    def _while_nothing_recorded(self) -> str:
        return "" if self._host.session.last_run is not None else "nothing has run yet"

    def _while_no_video(self) -> str:
        return "" if len(self["video"].options) > 1 else "no video is finished yet"

    def _scenes_are_fixed(self) -> str:
        """Which scenes to run can't be chosen while some of the last run are left to continue with."""
        left = self._host.session.left_over
        rest = f"Run continues with the {left:,} that are left; Cancel all drops them" if left else ""
        return self._while_running() or rest

    # -- what they read and do

    def _video(self) -> str | None:
        return self._host.view_options.video if len(self["video"].options) > 1 else None

    def _load_text(self, text: str) -> None:
        if text.strip():
            self._host.scene_options.type_scenes(text)

    def _load_file(self, files: tuple[Any, ...]) -> None:
        if files:
            with self.own_writes():
                self["upload"].value = ()  # so that the same file can be loaded again
            self._host.scene_options.upload_scenes(files[0]["name"], bytes(files[0]["content"]))

    def update_choices(self) -> None:
        """Offer the scenes, profiles and settings that there are."""
        options, scenes = self._host.run_options, self._host.scene_options.scenes
        ids = tuple(scene.id for scene in scenes[:MAX_SUGGESTED_IDS])
        self["scene"].options = self["selected"].options = ids
        slider = self["span"]
        if slider.max != max(1, len(scenes)):
            slider.max = max(1, len(scenes))
        known = tuple((one_line(name, 60), name) for name in options.known_profiles)
        if self["in_use"].options != known:
            self["in_use"].options = known
        own = {name: "mode" if isinstance(each, Mode) else "policy_name" for name, each in options.own.items()}
        for name, control in {**own, options.policy_name: "policy_name", options.mode.name: "mode"}.items():
            _add_choice(self[control], one_line(name, 60), name)
        _add_choice(self["speed"], f"{options.speed:g}×", options.speed)


def _add_choice(widget: Any, label: str, value: Any) -> None:
    """Offer a value that is not among the usual ones, such as a policy of the user's own."""
    values = [option[1] if isinstance(option, tuple) else option for option in widget.options]
    if value not in values:
        pairs = [option if isinstance(option, tuple) else (option, option) for option in widget.options]
        pairs.append((label, value))
        widget.options = sorted(pairs, key=lambda pair: pair[1]) if isinstance(value, float) else pairs
