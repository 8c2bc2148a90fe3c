"""The panel's controls, as in the table of ui.md: widget, label, help, what it shows, and when it is off."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as w

from vidgen_nb.core.model import Mode
from vidgen_nb.notebook.panel.control_binding import BoundControls, never
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.plaintext import clean
from vidgen_nb.policies.registry import POLICIES

__all__ = ["NO_VIDEO", "Controls"]

SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
NO_VIDEO = ("choose a scene", None)
OFFERED = 500
"""Ids that a box with suggestions offers; any other can be typed."""


def _made(kind: Any, label: str, **options: Any) -> Any:
    """Return a widget with its label beside it."""
    return kind(description=label, style={"description_width": "auto"}, **options)


def _late(kind: Any, label: str, **options: Any) -> Any:
    """Return a widget that tells of a change when the hand has let go."""
    return _made(kind, label, continuous_update=False, **options)


class Controls(BoundControls):
    """All controls of a panel."""

    def __init__(self, host: PanelHost, export: Callable[[], None]) -> None:
        super().__init__(host)
        self._what(host)
        self._how(host)
        self._time(host)
        self._buttons(host, export)
        self._view(host)

    def _what(self, host: PanelHost) -> None:
        """What to run."""
        scenes = host.scene_options

        def no_single() -> str:
            return "Batch runs a range of scenes" if scenes.kind == "batch" else self._fixed()

        def no_batch() -> str:
            return "Single runs one scene" if scenes.kind == "single" else self._fixed()

        kind = _made(w.ToggleButtons, "Run kind", options=[("Batch", "batch"), ("Single", "single")])
        self.value("kind", kind, "Run many scenes, or one", self._fixed, of=scenes)
        scene = _late(w.Combobox, "Scene", ensure_option=False)
        tip = "The id of the scene to run singly"
        self.value("scene", scene, tip, no_single, of=scenes, read=lambda: scenes.scene or "")
        span = _late(w.IntRangeSlider, "Scenes from–to", min=1, max=1, value=(1, 1))
        self.value("span", span, "The first and the last scene of the batch", no_batch, of=scenes)
        prompts = _late(w.Textarea, "Prompts", rows=4, placeholder="a lighthouse at dawn\na harbour at night")
        tip = "A prompt a line, CSV or JSON, typed or pasted; taken when you leave the box"
        self.value("prompts", prompts, tip, self._fixed, apply=self._typed)
        upload = w.FileUpload(description="Load a file", accept=".txt,.csv,.json,.jsonl", multiple=False)
        tip = "Scenes from a .txt, .csv, .json or .jsonl file"
        self.value("upload", upload, tip, self._fixed, apply=self._uploaded)

    def _how(self, host: PanelHost) -> None:
        """How to run it."""
        options = host.run_options

        def no_cap() -> str:
            return "" if options.mode.name == "boost" else f"{options.mode.name} has its own bound"

        def no_seconds() -> str:
            return "the policy has none" if options.cooldown_seconds is None else ""

        def no_honour() -> str:
            return "the policy has no such setting" if options.honour_retry_after is None else ""

        mode = _made(w.ToggleButtons, "Mode", options=[("Normal", "normal"), ("Boost", "boost")])
        tip = "How much is under way at once; holds for new submissions"
        self.value("mode", mode, tip, never, of=options, read=lambda: options.mode.name)
        in_use = _made(w.SelectMultiple, "Profiles", rows=4)
        tip = "Which profiles get new submissions"
        self.value("in_use", in_use, tip, never, of=options, read=lambda: tuple(options.in_use))
        cap = _made(w.BoundedIntText, "Cap per profile (0: none)", min=0, max=1_000_000)
        tip = "Scenes that each profile generates at once in Boost; 0: no bound"

        def set_cap(cap: int) -> None:
            options.cap = cap or None

        self.value("cap", cap, tip, no_cap, read=lambda: options.cap or 0, apply=set_cap)
        policy = _made(w.Dropdown, "Policy", options=list(POLICIES))
        tip = "What follows a 429; holds for new decisions"
        self.value("policy_name", policy, tip, never, of=options)
        seconds = _made(w.BoundedFloatText, "Cooldown seconds", min=0, max=86_400, step=1)
        tip = "How long a 429 cools, in run seconds"
        self.value(
            "cooldown_seconds", seconds, tip, no_seconds, of=options, read=lambda: options.cooldown_seconds or 0.0
        )
        honour = w.Checkbox(description="Honour Retry-After", indent=False, layout={"width": "auto"})
        tip = "Take the server's word instead of the cooldown's seconds"
        self.value(
            "honour_retry_after", honour, tip, no_honour, of=options, read=lambda: bool(options.honour_retry_after)
        )

    def _time(self, host: PanelHost) -> None:
        """Whose time."""
        options = host.run_options

        def ours() -> str:
            return self._running() if options.simulated else "a real API has its own"

        seed = _made(w.IntText, "Seed")
        self.value("seed", seed, "Of the jitter of back-off, in the next run", ours, of=options)
        speeds = [(f"{speed:g}×", speed) for speed in SPEEDS]
        speed = _late(w.SelectionSlider, "Speed", options=speeds)
        self.value("speed", speed, "Run seconds in each second on the wall", ours, of=options)

    def _buttons(self, host: PanelHost, export: Callable[[], None]) -> None:
        """Run and Stop, and what lies between."""
        session = host.session

        def idle() -> str:
            return "" if session.is_running else "nothing runs"

        def no_retry() -> str:
            return self._running() or ("" if session.failed else "none failed")

        def no_cancel() -> str:
            return "" if session.is_running or session.left_over else "nothing to cancel"

        run = w.Button(description="Run", button_style="success")
        self.button("run", run, "Run what is chosen", session.start, lambda: host.problem)
        pause = w.ToggleButton(description="Pause new work")
        tip = "Submit nothing new; what runs goes on"
        self.value("paused", pause, tip, lambda: "" if session.paused else idle(), of=session)
        retry = w.Button(description="Retry failed")
        self.button("retry_failed", retry, "Run the failed scenes again", session.retry_failed, no_retry)
        cancel = w.Button(description="Cancel all")
        self.button("cancel", cancel, "Cancel all that is queued or under way", session.cancel, no_cancel)
        last = w.Button(description="Restore last run")
        tip = "Take up the run that a kernel left behind when it ended; Run goes on with it"
        self.button("restore_last_run", last, tip, session.restore_last_run, lambda: session.no_restore, quiet=True)
        files = w.Button(description="Export")
        self.button("export", files, "Write the run as HTML, SVG, CSV and JSON lines", export, self._nothing)
        stop = w.Button(description="Stop", button_style="danger")
        tip = "End the run once what is under way has settled"
        self.button(
            "stop", stop, tip, session.stop, lambda: "it is stopping already" if session.is_stopping else idle()
        )

    def _view(self, host: PanelHost) -> None:
        """What the chart shows."""
        view = host.view_options
        follow = w.Checkbox(description="Follow now", indent=False, layout={"width": "auto"})
        self.value("follow_now", follow, "Let the chart move along", never, of=view)
        moves = _made(w.Dropdown, "Show moves", options=["none", "selected", "last 20"])
        self.value("show_moves", moves, "Which moves between profiles are drawn", never, of=view)
        selected = _late(w.Combobox, "Highlight scene", placeholder="its id", ensure_option=False)
        tip = "Light up one scene's way over the profiles; empty: none"
        self.value("selected", selected, tip, self._nothing, of=view, read=lambda: view.selected or "")
        for name, label, step in (("previous", "Previous scene", -1), ("next", "Next scene", 1)):
            widget, call = w.Button(description=label), partial(view.step_selected, step)
            self.button(name, widget, f"Highlight the {label.lower()}", call, self._nothing)

        video = _made(w.Dropdown, "Video of scene", options=[NO_VIDEO])
        self.value("video", video, "Play the finished video of a scene", self._no_video, of=view, read=self._video)

    def _video(self) -> str | None:
        return self._host.view_options.video if len(self["video"].options) > 1 else None

    def _no_video(self) -> str:
        return "" if len(self["video"].options) > 1 else "no video is there yet"

    def _fixed(self) -> str:
        """What Run takes can't be chosen while there is something to go on with."""
        left = self._host.session.left_over
        return self._running() or (f"Run goes on with {left} that are left; Cancel all drops them" if left else "")

    def _running(self) -> str:
        return "a run is under way" if self._host.session.is_running else ""

    def _nothing(self) -> str:
        return "" if self._host.session.last_run is not None else "nothing recorded"

    def _typed(self, text: str) -> None:
        if text.strip():
            self._host.scene_options.type_scenes(text)

    def _uploaded(self, files: tuple[Any, ...]) -> None:
        if files:
            with self.writing():
                self["upload"].value = ()  # so that the same file can be loaded again
            self._host.scene_options.upload_scenes(files[0]["name"], bytes(files[0]["content"]))

    def offer(self) -> None:
        """Offer the scenes, profiles and settings that there are."""
        options, scenes = self._host.run_options, self._host.scene_options.scenes
        ids = tuple(scene.id for scene in scenes[:OFFERED])
        self["scene"].options = self["selected"].options = ids
        slider = self["span"]
        if slider.max != max(1, len(scenes)):
            slider.max = max(1, len(scenes))
        known = tuple((clean(name, 60), name) for name in options.known_profiles)
        if self["in_use"].options != known:
            self["in_use"].options = known
        own = {name: "mode" if isinstance(each, Mode) else "policy_name" for name, each in options.own.items()}
        for shown, control in {**own, options.policy_name: "policy_name", options.mode.name: "mode"}.items():
            _offer_too(self[control], clean(shown, 60), shown)
        _offer_too(self["speed"], f"{options.speed:g}×", options.speed)


def _offer_too(widget: Any, label: str, value: Any) -> None:
    """Offer a value that is none of the usual ones, such as a policy of the user's own."""
    values = [option[1] if isinstance(option, tuple) else option for option in widget.options]
    if value not in values:
        pairs = [option if isinstance(option, tuple) else (option, option) for option in widget.options]
        pairs.append((label, value))
        widget.options = sorted(pairs, key=lambda pair: pair[1]) if isinstance(value, float) else pairs
