"""What can be asked of a run while it goes on, and changed for it and those that follow; from any thread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, Scene, as_max_billed, as_mode
from vidgen_nb.core.money import Price, as_max_cost, as_price
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.state import UNSETTLED, SceneState
from vidgen_nb.drivers.realtime import Observer
from vidgen_nb.errors import InputError, SessionError
from vidgen_nb.policies.registry import as_policy
from vidgen_nb.ports import Profile
from vidgen_nb.session.live.retries import chosen_scenes, failed_scenes, scene_to_answer, scenes_to_retry
from vidgen_nb.session.live.state_changes import same_failure
from vidgen_nb.session.run_request import RunRequest
from vidgen_nb.session.runner import Runner
from vidgen_nb.session.validation import as_scenes, check_currencies, check_prices, check_profiles

__all__ = ["RunControl"]


class RunControl:
    """Adds, pauses, stops, cancels, and changes mode, policy, limit and profiles."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def add(self, scenes: Any) -> None:
        """Add scenes to the run under way, or start one with them; scenes without an id get the next free numbers."""
        self._runner.loop.call(self._runner.begin, RunRequest(*as_scenes(scenes), may_repeat=False))

    def retry_failed(self, scenes: Iterable[str | Scene] | None = None, *, moderated: bool = False) -> list[str]:
        """Run the failed scenes of the last run again, in that run; return their ids.

        Not those that the provider's content policy blocked: with the same prompt it would again. `moderated=True` runs
        these, too. `scenes`: only these, by id, or edited, as a `Scene` with the same id; then all that are named.
        Never one whose job may exist at its provider: such a scene is held, and `ask_again` and `submit_again` are for
        it. In a run that an earlier version recorded it may be failed, too.
        """
        given = None if scenes is None else scenes_to_retry(scenes)

        def retry() -> list[str]:
            known = self._runner.current().scheduler.scenes
            failed = failed_scenes(known, moderated=moderated) if given is None else chosen_scenes(known, given)
            if failed:
                self._runner.begin(RunRequest(failed, in_last_run=True))
            return [scene.id for scene in failed]

        return self._runner.loop.call(retry)

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
            known = state.operation.id if state.operation is not None and state.has_open_job else None
            if (asked := (job or "").strip() or known) is None:
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

    def pause(self) -> None:
        """Submit nothing new, in this run or the next; what is running goes on."""
        self._runner.change(lambda state: replace(state, paused=True))

    def unpause(self) -> None:
        """Go on submitting, also after a pause for the same failure (`pause_reason`)."""
        self._runner.change(lambda state: replace(state, paused=False))
        self._runner.loop.call(self._resume)

    def _resume(self) -> None:
        """Go on after a pause for the same failure, also where the run has ended with it."""
        runner, live = self._runner, self._runner.live
        if live is not None and same_failure(live.scheduler) is not None and not runner.is_closed:
            live.post(ev.Unpaused())
            if live.is_over and runner.unfinished:
                runner.begin(RunRequest(None))

    def stop(self) -> None:
        """End the run once what is under way has settled; the rest stays queued, for `run()` to go on with."""
        self._runner.loop.call(self._runner.stop)

    @property
    def paused(self) -> bool:
        """Whether new work is held back, by hand or for the same failure; setting it is `pause()` or `unpause()`."""
        live = self._runner.live
        return self._runner.state.paused or (live is not None and same_failure(live.scheduler) is not None)

    @paused.setter
    def paused(self, paused: bool) -> None:
        (self.pause if paused else self.unpause)()

    def cancel(self, scene: str | None = None) -> None:
        """Cancel a scene, or with None every scene that is not settled; at the provider too, where it can."""
        if scene is not None and not isinstance(scene, str):
            raise InputError(f"cancel takes the id of one scene, or nothing for all, not {scene!r}")

        def cancel() -> None:
            scenes = self._runner.current().scheduler.scenes
            asked = scenes.values() if scene is None else [scenes[scene]] if scene in scenes else None
            if asked is None or any(map(_can_be_cancelled, asked)):
                self._runner.current().post(ev.CancelRequested(scene))

        self._runner.loop.call(cancel)

    def release_cooldown(self, profile: str) -> None:
        """End a profile's cooldown by hand, or bring it back once its key or credit is in order.

        Only in this session: a cooldown that is shared with others never becomes shorter.
        """
        self._runner.post(ev.CooldownReleased(profile))

    @property
    def mode(self) -> Mode:
        """How much is under way at once; may be set during a run."""
        return self._runner.state.settings.mode

    @mode.setter
    def mode(self, mode: Mode | str) -> None:
        self._runner.change_settings(mode=as_mode(mode))

    @property
    def policy(self) -> Policy:
        """What follows a 429; may be set during a run."""
        return self._runner.state.settings.policy

    @policy.setter
    def policy(self, policy: Policy | str) -> None:
        self._runner.change_settings(policy=as_policy(policy))

    @property
    def max_billed(self) -> int | None:
        """How many submits of a run may be accepted, counting those in doubt; None: any number.

        It may be set during a run. When it is reached, the run stops, and `run.ended` is `max_billed`. The rest stays
        queued; once the limit is higher, `run()` goes on with it.
        """
        return self._runner.state.settings.max_billed

    @max_billed.setter
    def max_billed(self, max_billed: int | None) -> None:
        self._runner.change_settings(max_billed=as_max_billed(max_billed))

    @property
    def max_cost(self) -> float | None:
        """What a run may cost, in the currency of its profiles' prices; None: any amount.

        Nothing is submitted whose price could exceed it, on top of what is spent, under way, or in doubt. It may be set
        during a run. When no waiting scene fits any more, the run stops, and `run.ended` is `spending cap reached`. The
        rest stays queued; once the cap is higher, `run()` goes on with it. Every profile needs a price.
        """
        return self._runner.state.settings.max_cost

    @max_cost.setter
    def max_cost(self, max_cost: float | None) -> None:
        checked = as_max_cost(max_cost)
        check_prices(checked, self._runner.state.profiles.values())
        self._runner.change_settings(max_cost=checked)

    @property
    def profiles(self) -> dict[str, Profile]:
        """The profiles by name."""
        return dict(self._runner.state.profiles)

    def add_profile(self, profile: Profile) -> None:
        """Use another profile from now on, also in the run that is under way.

        A profile that was removed may come back under its name, with a new key: its jobs are asked about with that. At
        another address, or in another quota group, only once nothing runs on it any more.
        """
        if not isinstance(profile, Profile):
            raise InputError(f"a profile is a Profile(name, api_key), not a {type(profile).__name__}")

        def add() -> None:
            live, profiles = self._runner.live, self._runner.state.profiles
            old = live.profile(profile.name) if live is not None and profile.name not in profiles else None
            is_same = old is None or (old.base_url, old.quota_group) == (profile.base_url, profile.quota_group)
            if live is not None and not is_same and (left := live.running_on(profile.name)):
                raise InputError(f"{left} scenes still run on the old {profile.name!r}: wait, or use another name")
            if live is not None:
                live.scheduler.roster.check_group(profile.name, profile.quota_group or "")
                live.scheduler.roster.check_currency(profile.name, profile.price)
            together = {**profiles, profile.name: profile}
            check_profiles(self._runner.resources.backend, together, [*profiles.values(), profile])
            self._runner.use_profiles(together)

        self._runner.loop.call(add)

    def remove_profile(self, name: str) -> None:
        """Stop using a profile; what runs on it goes on."""

        def remove() -> None:
            gone = self._profile(name)
            self._runner.use_profiles({key: each for key, each in self.profiles.items() if each is not gone})

        self._runner.loop.call(remove)

    def set_capacity(self, name: str, capacity: int | None) -> None:
        """Let a profile generate this many scenes at once from now on; None: any number."""
        Profile(name, capacity=capacity)  # says what is wrong with a capacity
        self._profile(name).capacity = capacity
        self._runner.change(lambda state: state)

    def set_price(self, name: str, price: Price | float | str) -> None:
        """Let jobs of a profile cost this from now on; what is under way keeps its price."""
        if (checked := as_price(price)) is None:
            raise InputError("price is a number per job, such as 0.40, or Price(per_second=0.10)")
        profile, live = self._profile(name), self._runner.live
        others = [each for each in self.profiles.values() if each is not profile]
        check_currencies([checked, *(each.price for each in others)])
        if live is not None:
            live.scheduler.roster.check_currency(name, checked)
        profile.price = checked
        self._runner.change(lambda state: state)

    def _profile(self, name: str) -> Profile:
        profiles = self._runner.state.profiles
        if name not in profiles:
            raise InputError(f"no profile is named {name!r}; there are: {', '.join(profiles)}")
        return profiles[name]

    def observe(self, observer: Observer) -> None:
        """Hand the events of this and later runs to a function, in order, on the session's own thread.

        One that raises is logged and dropped for the rest of that run, which goes on.
        """
        self._runner.loop.call(self._runner.observe, observer)


def _can_be_cancelled(state: SceneState) -> bool:
    """Say whether a cancel would change anything."""
    return state.status == "fetching" or (state.status in UNSETTLED and not state.cancelling)


def _name(state: SceneState) -> str:
    return state.previous.name if state.previous is not None else "?"
