"""What can be asked of a run while it goes on, and changed for it and those that follow; from any thread."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, as_max_billed, as_mode
from vidgen_nb.core.money import Price, as_max_cost, as_price
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.state import UNSETTLED, SceneState
from vidgen_nb.drivers.realtime import Observer
from vidgen_nb.errors import InputError
from vidgen_nb.policies.registry import as_policy
from vidgen_nb.ports import Profile
from vidgen_nb.session.live.state_changes import same_failure
from vidgen_nb.session.run_request import RunRequest
from vidgen_nb.session.runner import Runner
from vidgen_nb.session.validation import (
    as_scenes,
    check_currencies,
    check_prices,
    check_profiles,
    check_scene_prices,
)

__all__ = ["RunControl"]


class RunControl:
    """Adds, pauses, stops, cancels, and changes mode, policy, limit and profiles."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def add(self, scenes: Any) -> None:
        """Add scenes to the run under way, or start one with them; scenes without an id get the next free numbers."""
        self._runner.loop.call(self._runner.begin, RunRequest(*as_scenes(scenes), may_repeat=False))

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
        profiles = list(self._runner.state.profiles.values())
        check_prices(checked, profiles)
        if checked is not None:
            check_scene_prices(profiles, self._runner.waiting_scenes)
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
        if self.max_cost is not None:
            check_scene_prices([Profile(name, price=checked)], self._runner.waiting_scenes)
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
