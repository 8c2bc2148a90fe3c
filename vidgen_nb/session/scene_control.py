"""What a person decides about single scenes of the last run: run them again, edit them, answer for held ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.core.state import IN_FLIGHT, UNSETTLED, SceneState
from vidgen_nb.errors import InputError, SessionError
from vidgen_nb.session.live.retries import chosen_scenes, failed_scenes, scene_to_answer, scenes_to_retry
from vidgen_nb.session.run_request import RunRequest
from vidgen_nb.session.runner import Runner
from vidgen_nb.session.validation import prepared_scenes
from vidgen_nb.wording.standing import standing

__all__ = ["SceneControl", "edited", "known_job"]


class SceneControl:
    """Runs scenes again, edits them, and carries out what was decided of held ones; from any thread."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def retry_failed(self, scenes: Iterable[str | Scene] | None = None, *, moderated: bool = False) -> list[str]:
        """Run the failed scenes of the last run again, in that run; return their ids.

        Not those that the provider's content policy blocked, unless they were edited since: with the same prompt it
        would again. `moderated=True` runs these, too. `scenes`: only these, by id, or edited, as a `Scene` with the
        same id; then all that are named. Never one whose job may exist at its provider: such a scene is held, and
        `ask_again` and `submit_again` are for it. In a run that an earlier version recorded it may be failed, too.
        """
        given = None if scenes is None else scenes_to_retry(scenes)

        def retry() -> list[str]:
            known = self._runner.current().scheduler.scenes
            failed = failed_scenes(known, moderated=moderated) if given is None else chosen_scenes(known, given)
            if failed:
                self._runner.begin(RunRequest(failed, in_last_run=True))
            return [scene.id for scene in failed]

        return self._runner.loop.call(retry)

    def run_again(self, scenes: str | Iterable[str]) -> list[str]:
        """Run settled scenes of the last run again, in that run, also those that succeeded; return their ids.

        **It costs as the first time.** Raises `InputError` for a scene that waits or runs, and for a held one, whose
        job may exist: `ask_again` and `submit_again` are for it.
        """
        ids = _ids(scenes)

        def again() -> list[str]:
            found = self._runner.current().scheduler.scenes
            states = [_known(found, each) for each in ids]
            for state in states:
                if state.status in UNSETTLED:
                    raise InputError(f"scene {state.scene.id!r} is {state.status} already")
                if state.status == "held" or state.has_open_job:
                    raise InputError(
                        f"scene {state.scene.id!r} is in doubt, its job may exist: ask_again() or submit_again()"
                    )
            if states:
                self._runner.begin(RunRequest([each.scene for each in states], in_last_run=True))
            return ids

        return self._runner.loop.call(again)

    def edit_scene(self, scene: str, /, prompt: str | None = None, **params: Any) -> Scene:
        """Change the prompt or parameters of a scene of the last run, and return the scene as it is now.

            session.edit_scene("s003", prompt="the same harbour, without people", seconds=8)

        `prompt` None leaves it; a parameter that is None is removed. One that waits is submitted so; one that is
        settled stays so until it is run again. Raises `InputError` while it is running, and for what can't be sent.
        """

        def edit() -> Scene:
            live = self._runner.current()
            state = _known(live.scheduler.scenes, scene)
            if state.status in IN_FLIGHT:
                raise InputError(
                    f"scene {scene!r} is {standing(state.status)}: edit it when it has ended, or cancel it first"
                )
            known, own = self._runner.resources, self._runner.state
            changed = [edited(state.scene, prompt, params)]
            (now,) = prepared_scenes(known.backend, changed, own.settings.max_cost, own.profiles.values())
            if now != state.scene:
                live.post(ev.SceneEdited(now))
                self._runner.on_change(self._runner.state)
            return now

        return self._runner.loop.call(edit)

    def ask_again(self, scene: str, job: str | None = None) -> None:
        """Ask about the job of a held scene again, and fetch its result: "it was made".

            session.ask_again("s003")  # its job's id is known
            session.ask_again("s004", job="video_123")  # as the provider's list of jobs has it

        Nothing is submitted. The job is asked about on the profile that submitted the scene, as a new attempt, with a
        `job_timeout` of its own. Where the run is over, it goes on. Raises `InputError` where the scene is not held, no
        job's id is known and none is given, or that profile's key is not at hand.
        """
        if job is not None and (not isinstance(job, str) or not job.strip()):
            raise InputError(f"job is the provider's id of the job, a text, not {job!r}")

        def ask() -> None:
            live = self._runner.current()
            state = scene_to_answer(live.scheduler.scenes, scene)
            if (asked := (job or "").strip() or known_job(state)) is None:
                raise InputError(
                    f"scene {scene!r} was submitted to {_name(state)!r} without an answer, so its job's id is not "
                    "known: look it up there, and give it as ask_again(scene, job=...)"
                )
            profile = live.profile(_name(state))
            if profile is None or not profile.has_key:
                raise InputError(
                    f"scene {scene!r} was submitted to {_name(state)!r}, whose key is not here: add_profile"
                )
            self._go_on(ev.AskedAgain(state.scene, state.number + 1, profile.name, asked))

        self._runner.loop.call(ask)

    def submit_again(self, scene: str) -> None:
        """Submit a held scene again. **It may be billed twice**: its earlier job may exist, or be made yet.

        Look into the provider's account before. Where the run is over, it goes on.
        """

        def submit() -> None:
            state = scene_to_answer(self._runner.current().scheduler.scenes, scene)
            if state.status != "held":
                raise InputError(f"scene {scene!r} is {state.status}, not held: retry_failed() or run() runs it again")
            self._go_on(ev.SubmitAgainRequested(scene), ev.SceneAdded(state.scene))

        self._runner.loop.call(submit)

    def _go_on(self, *events: ev.Event) -> None:
        """Hand requests to the last run, and let it go on."""
        runner, live = self._runner, self._runner.current()
        runner.check_is_open()
        if live.unrecoverable:
            raise SessionError("the run was broken off: restore it from its journal first")
        if live.journal_failure is not None:
            raise live.journal_failure
        for event in events:
            live.post(event)
        live.go(runner.state)
        runner.on_change(runner.state)


def edited(scene: Scene, prompt: str | None, params: Mapping[str, Any]) -> Scene:
    """Return a scene with another prompt or other parameters; those that are None are removed."""
    together = {**scene.params, **params}
    kept = {name: value for name, value in together.items() if value is not None or name not in params}
    return Scene(scene.id, scene.prompt if prompt is None else prompt, **kept)


def _ids(scenes: str | Iterable[str]) -> list[str]:
    found = [scenes] if isinstance(scenes, str) else list(scenes)
    if not all(isinstance(each, str) for each in found):
        raise InputError(f"give the ids of scenes, such as ['s001', 's002'], not {scenes!r}")
    return list(dict.fromkeys(found))


def _known(scenes: Mapping[str, SceneState], scene: str) -> SceneState:
    if (state := scenes.get(scene)) is None:
        raise InputError(f"no scene has the id {scene!r} in this run")
    return state


def known_job(state: SceneState) -> str | None:
    """Return the id of a scene's job at its provider; None: nobody has answered its submit."""
    return state.operation.id if state.operation is not None and state.has_open_job else None


def _name(state: SceneState) -> str:
    return state.previous.name if state.previous is not None else "?"
