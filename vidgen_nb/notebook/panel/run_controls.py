"""The controls that begin, hold and end a run. What stands on them says what they will do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ipywidgets as w

from vidgen_nb.notebook.panel.control_binding import BoundControls, Question, always_enabled, set_if_changed
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.numbers import count

__all__ = ["RunControls", "RunPlan"]


@dataclass(frozen=True)
class RunPlan:
    """What Run would do now."""

    left_over: int = 0
    """Scenes that an ended run has left: if there are any, these."""
    chosen: int = 0
    again: int = 0
    """How many of the chosen ones have succeeded in the last run."""
    single: str = ""
    """The id of the only one."""
    in_doubt: int = 0
    """How many of the chosen ones were submitted in the last run, and may have a job already."""

    @classmethod
    def of(cls, host: PanelHost) -> RunPlan:
        """Read it from the session and its options, on the session's loop."""
        session, options = host.session, host.scene_options
        if session.is_running:
            return cls()
        chosen, live = options.chosen, session.runner.live
        earlier = {} if live is None or session.left_over else live.scheduler.scenes
        same = [earlier[scene.id] for scene in chosen if scene.id in earlier and earlier[scene.id].scene == scene]
        again = sum(state.status == "succeeded" for state in same)
        in_doubt = sum(state.status == "held" or state.has_open_job for state in same)
        single = chosen[0].id if options.kind == "single" and chosen else ""
        return cls(session.left_over, len(chosen), again, single, in_doubt)

    def words(self) -> str:
        """Return what stands on Run; where it asks first, with an ellipsis."""
        dots = "…" if self.in_doubt else ""
        if self.left_over:
            return f"Run {self.left_over:,} remaining"
        if self.single:
            return f"Run {one_line(self.single, 10)}{' again…' if self.again else dots}"
        if self.again:
            which = f"all {self.chosen:,}" if self.again == self.chosen else f"{self.chosen:,}, {self.again:,}"
            return f"Run {which} again…"
        return f"Run {self.chosen:,}{dots}" if self.chosen else "Run"

    def question(self) -> Question | None:
        """Return what to ask before scenes run again that are done, or whose jobs may exist."""
        if self.left_over or not (self.again or self.in_doubt):
            return None
        parts = []
        if self.again:
            them = "it" if self.again == 1 else "them"
            parts.append(f"{self._which(self.again)} finished already. Running {them} again costs as much again.")
        if self.in_doubt:
            jobs = "its job may exist, and it" if self.in_doubt == 1 else "their jobs may exist, and they"
            parts.append(f"{self._which(self.in_doubt)} in doubt: {jobs} may be billed twice. Decide in Scenes first.")
        return Question(" ".join(parts), self.words().removesuffix("…"), "Don't run", danger=self.in_doubt > 0)

    def _which(self, number: int) -> str:
        """Return `2 of these 12 scenes are`, or the like."""
        if self.chosen == 1:
            return "This scene is"
        some = f"All {number:,}" if number == self.chosen else f"{number:,} of these {self.chosen:,}"
        return f"{some} scenes {'is' if number == 1 and number != self.chosen else 'are'}"


class RunControls:
    """Run, Pause, Stop, Cancel, Restore, Retry and Raise cap."""

    def __init__(self, controls: BoundControls, host: PanelHost) -> None:
        self._host, self._controls = host, controls
        self.plan = RunPlan()
        """As it was when the panel was last brought up to date."""
        self._add_run()
        self._add_stops()
        self._add_ways_on()
        controls.add_later(self._add_retry, "retry_failed")

    def update(self) -> None:
        """Bring the plan up to date, and make the button green that goes on from here."""
        self.plan = RunPlan.of(self._host)
        is_restore_next = not self._host.session.no_restore
        is_next = not is_restore_next and (self.plan.question() is None or self.plan.left_over > 0)
        set_if_changed(self._controls["run"], "button_style", "success" if is_next else "")
        set_if_changed(self._controls["restore_last_run"], "button_style", "success" if is_restore_next else "")

    def _add_run(self) -> None:
        session = self._host.session
        run = w.Button(description="Run", button_style="success")
        self._controls.add_button(
            "run", run, "Run the chosen scenes, or what is left of them", self._start, self._no_run,
            words=lambda: self.plan.words(), question=lambda: self.plan.question(),
        )  # fmt: skip
        self._controls.add_value(
            "paused", w.ToggleButton(description="Pause"), "Submit nothing new; what runs goes on",
            lambda: "" if session.paused else self._while_idle(), of=session,
            words=lambda: "Resume" if session.paused else "Pause",
        )  # fmt: skip

    def _no_run(self) -> str:
        return self._host.problem or self._wrong_choice()

    def _wrong_choice(self) -> str:
        """Say that the field of the scenes to run holds something that can't be run."""
        made = self._controls.by_name
        wrong = any(made[name].wrong for name in ("span", "scene") if name in made)
        return "correct which scenes to run first" if wrong else ""

    def _start(self) -> None:
        """Run, unless leaving the field of the scenes by this very click has shown that it is wrong."""
        if not self._wrong_choice():
            self._host.session.start()

    def _add_stops(self) -> None:
        session, add = self._host.session, self._controls.add_button

        def no_stop() -> str:
            return "it is stopping already" if session.is_stopping else self._while_idle()

        def no_cancel() -> str:
            return "" if session.is_running or session.left_over else "nothing is left to cancel"

        def cancel_words() -> str:
            left = session.left_over
            return f"Discard {left:,} remaining…" if left and not session.is_running else "Cancel everything…"

        add("stop", w.Button(description="Stop"), "Finish what runs, submit nothing new", session.stop, no_stop)
        cancel = w.Button(description="Cancel everything…", button_style="danger")
        tip = "End what runs at the provider too, where it can, and drop what waits"
        add("cancel", cancel, tip, session.cancel, no_cancel, words=cancel_words, question=self._cancel_question)

    def _cancel_question(self) -> Question:
        session = self._host.session
        if not session.is_running:
            left = count(session.left_over, "scene")
            return Question(f"Discard {left}? They have not run, and will not.", f"Discard {left}", "Keep", danger=True)
        text = (
            f"Cancel everything? {count(session.in_flight, 'scene')} running, {session.left_over:,} waiting. "
            "A job that is cancelled may still be charged."
        )
        return Question(text, "Cancel everything", "Keep running", danger=True)

    def _add_ways_on(self) -> None:
        """What goes on from a dead end: a restart, or the spending cap."""
        session, options = self._host.session, self._host.run_options
        tip = "Load the run that was unfinished when its kernel ended; Run then continues it"
        restore = w.Button(description="Restore last run")
        self._controls.add_button(
            "restore_last_run", restore, tip, session.restore_last_run, lambda: session.no_restore
        )
        self._controls.add_button(
            "raise_cap", w.Button(description="Raise cap"), "Raise the spending cap so that what is left can run",
            options.raise_cap, lambda: "" if options.is_at_cap else "the spending cap is not reached",
            words=lambda: options.raise_words,
        )  # fmt: skip

    def _add_retry(self) -> None:
        session = self._host.session

        def no_retry() -> str:
            return self.while_running() or ("" if session.failed else "no scene has failed")

        retry: Any = w.Button(description="Retry failed")
        self._controls.add_button(
            "retry_failed", retry, "Run the failed scenes again", session.retry_failed, no_retry,
            words=lambda: f"Retry {session.failed:,} failed" if session.failed else "Retry failed",
        )  # fmt: skip

    def while_running(self) -> str:
        """Return why something is unavailable during a run."""
        return "a run is running" if self._host.session.is_running else always_enabled()

    def _while_idle(self) -> str:
        return "" if self._host.session.is_running else "nothing is running"
