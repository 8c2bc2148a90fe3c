"""A session: scheduler, driver and backend put together, without any UI.

It owns one thread with one event loop, where the scheduler and the backend's clients live; every method may be called
from any thread. In `async with Session(...)` it lives on the caller's loop instead.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.context import OnAmbiguous, as_on_ambiguous
from vidgen_nb.core.model import Mode, RetryPolicy, Scene, as_max_billed, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.retries import as_max_wait, as_retry
from vidgen_nb.drivers.realtime import Observer
from vidgen_nb.errors import InputError
from vidgen_nb.inputs import load_scenes
from vidgen_nb.plaintext import clean
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.registry import as_policy
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.run import Run
from vidgen_nb.session.key_check import Precautions
from vidgen_nb.session.restore import Restoring
from vidgen_nb.session.runner import Started
from vidgen_nb.session.settings import Settings, check_profiles, checked_profiles, checked_shared
from vidgen_nb.session.video_folder import VideoFolder
from vidgen_nb.sharing.port import SharedCooldowns

__all__ = ["Session", "restore"]


class Session(Precautions, Restoring):
    """Runs scenes over profiles, and can be paused, stopped and changed meanwhile.

        session = Session(OpenAIVideos("http://127.0.0.1:8000/v1"), [Profile("alice", api_key=key)])
        run = session.run_blocking(["a lighthouse at dawn", "a harbour at night"])

    `mode`: `"normal"`, `"boost"` or a `Mode`. `output`: the folder of the videos, of which none is overwritten.
    `on_ambiguous`: `"hold"` a submit that may have been accepted, or `"retry"` it, which may cost money twice.
    `max_wait`: how long a run waits, in run seconds, when every profile is unusable. `journal`: a folder, in which each
    run writes down what happens while it happens, in a file that `restore` goes on from when the program was killed;
    None: no journal. `speed`: run seconds per wall second; 1 for real APIs. `seed`: of back-off jitter. `max_billed`:
    so many accepted submits stop a run; None: no bound. `shared`: where sessions with the same accounts hear of each
    other's 429s, such as `RedisCooldowns(url)`; default: those of this process. Raises `InputError` for anything that
    can't work, before anything is sent.
    """

    def __init__(
        self,
        backend: Backend,
        profiles: Iterable[Profile],
        *,
        mode: Mode | str = "normal",
        policy: Policy | str | None = None,
        retry: RetryPolicy | None = None,
        output: str | os.PathLike[str] | VideoFolder = "videos",
        on_ambiguous: OnAmbiguous = "hold",
        max_wait: float = 3600.0,
        journal: str | os.PathLike[str] | None = None,
        speed: float = 1.0,
        seed: int = 0,
        max_billed: int | None = None,
        shared: SharedCooldowns | None = None,
    ) -> None:
        if not isinstance(speed, int | float) or not 0 < speed < math.inf:
            raise InputError(f"speed must be a finite number above 0, not {speed!r}")
        settings = Settings(
            backend=backend,
            profiles=checked_profiles(backend, profiles),
            mode=as_mode(mode),
            policy=as_policy(policy) if policy is not None else PerProfileCooldown(),
            retry=as_retry(retry),
            folder=output if isinstance(output, VideoFolder) else VideoFolder(output),
            on_ambiguous=as_on_ambiguous(on_ambiguous),
            max_wait=as_max_wait(max_wait),
            speed=float(speed),
            seed=seed,
            max_billed=as_max_billed(max_billed),
            journal=Path(journal).expanduser().absolute() if journal is not None else None,
            shared=checked_shared(shared),
        )
        super().__init__(settings)

    # -- running

    def start(self, scenes: Any = None) -> None:
        """Begin to run scenes and return at once.

        `scenes` is whatever `load_scenes` takes: a list of prompts or `Scene`s, a file, a DataFrame. None goes on
        with those still queued. While a run goes on, the scenes join it.
        """
        started = Started(_scenes(scenes))
        self._catch_up()
        self._home.call(self._begin, started)

    async def run(self, scenes: Any = None) -> Run:
        """Run scenes, as `start`, and return the run once the last one has settled.

        Cancelling this means `stop()`, if it began the run: what is under way goes on and settles. Raises
        `NoUsableProfile` (with `.run`) when no profile is left to wait for.
        """
        return await self._wait_for(Started(_scenes(scenes)))

    async def run_one(self, scene: Any) -> Run:
        """Run a single scene, before all that are queued, and return the run once it has settled.

        Cancelling this cancels the scene, and nothing of a run that was under way before.
        """
        return await self._wait_for(Started(_one(scene), single=True))

    def run_blocking(self, scenes: Any = None) -> Run:
        """Run scenes and wait for the end, in a script or a cell.

        Ctrl-C or Kernel > Interrupt means `stop()`, if this began the run.
        """
        started = Started(_scenes(scenes))
        self._may_block()
        self._catch_up()
        try:
            self._home.call(self._begin, started)
            return started.end.result()
        except KeyboardInterrupt:
            self._home.call(self._interrupted, started)
            raise

    def wait(self, timeout: float | None = None) -> Run:
        """Wait for the end of the run that is under way, at most `timeout` wall seconds (then `TimeoutError`).

        An interrupt ends the waiting, not the run.
        """
        self._may_block()
        end = self._home.call(lambda: self._current().wait_for())
        try:
            return end.result(timeout)
        except TimeoutError:
            end.cancel()
            if timeout is None or not self.is_running:  # it is the run's own
                raise
            raise TimeoutError(f"the run is still under way after {timeout:g} s; it goes on") from None

    def add(self, scenes: Any) -> None:
        """Add scenes to the run under way, or start one with them; those without an id get the next free ones."""

        def add() -> None:
            used = self._live.scheduler.scenes if self._live is not None else {}
            numbers = [int(each[1:]) for each in used if each[0] == "s" and each[1:].isdecimal()]
            self._begin(Started(_scenes(scenes, max(numbers, default=0))))

        self._home.call(add)

    def retry_failed(self) -> list[str]:
        """Run the failed scenes of the last run again, in that run; return their ids."""

        def retry() -> list[str]:
            live = self._current()
            failed = [state.scene for state in live.scheduler.scenes.values() if state.status == "failed"]
            if failed:
                self._begin(Started(failed, same_run=True))
            return [scene.id for scene in failed]

        return self._home.call(retry)

    def pause(self) -> None:
        """Submit nothing new, in this run or the next; what runs goes on."""
        self._change(paused=True)

    def unpause(self) -> None:
        """Go on submitting."""
        self._change(paused=False)

    def cancel(self, scene: str | None = None) -> None:
        """Cancel a scene, or with None every scene that is not settled; at the provider too, where it can."""
        if scene is not None and not isinstance(scene, str):
            raise InputError(f"cancel takes the id of one scene, or nothing for all, not {scene!r}")
        self._post(ev.CancelRequested(scene))

    def release_cooldown(self, profile: str) -> None:
        """End a profile's cooldown by hand, or bring it back after its key or credit was mended.

        Only in this session: what it shares with others never becomes shorter.
        """
        self._post(ev.CooldownReleased(profile))

    # -- changing

    @property
    def mode(self) -> Mode:
        """How much is under way at once; may be set during a run."""
        return self._settings.mode

    @mode.setter
    def mode(self, mode: Mode | str) -> None:
        self._change(mode=as_mode(mode))

    @property
    def policy(self) -> Policy:
        """What follows a 429; may be set during a run."""
        return self._settings.policy

    @policy.setter
    def policy(self, policy: Policy | str) -> None:
        self._change(policy=as_policy(policy))

    @property
    def profiles(self) -> dict[str, Profile]:
        """The profiles by name."""
        return dict(self._settings.profiles)

    def add_profile(self, profile: Profile) -> None:
        """Use another profile from now on, also in the run that is under way.

        One that was removed may come back under its name, with a new key, once nothing runs on it any more.
        """
        if not isinstance(profile, Profile):
            raise InputError(f"a profile is a Profile(name, api_key), not a {type(profile).__name__}")

        def add() -> None:
            live, profiles = self._live, self._settings.profiles
            if live is not None and profile.name not in profiles and (left := live.runs_on(profile.name)):
                raise InputError(f"{left} scenes still run on the old {profile.name!r}: wait, or use another name")
            if live is not None:
                live.scheduler.roster.check_group(profile.name, profile.quota_group or "")
            check_profiles(self._settings.backend, {**profiles, profile.name: profile}, [*profiles.values(), profile])
            self._change(profiles={**profiles, profile.name: profile})

        self._home.call(add)

    def remove_profile(self, name: str) -> None:
        """Use a profile no more; what runs on it goes on."""

        def remove() -> None:
            gone = self._profile(name)
            self._change(profiles={key: each for key, each in self.profiles.items() if each is not gone})

        self._home.call(remove)

    def set_capacity(self, name: str, capacity: int | None) -> None:
        """Let a profile generate so many scenes at once from now on; None: no bound."""
        Profile(name, capacity=capacity)  # says what is wrong with a capacity
        self._profile(name).capacity = capacity
        self._change()

    def _profile(self, name: str) -> Profile:
        if name not in self._settings.profiles:
            raise InputError(f"no profile is named {name!r}; there are: {', '.join(self._settings.profiles)}")
        return self._settings.profiles[name]

    def observe(self, observer: Observer) -> None:
        """Hand the events of this and later runs to a function, in order, on the session's own thread.

        One that raises is logged and dropped for the rest of that run, which goes on.
        """

        def watch() -> None:
            self._observers.append(observer)
            if self._live is not None:
                self._live.observe(observer)

        self._home.call(watch)

    def __repr__(self) -> str:
        if not hasattr(self, "_live"):  # in a traceback, say
            return "<Session, refused before it was made>"
        profiles = clean(", ".join(self._settings.profiles))
        return f"<Session on {profiles}: {self.mode.name}, {self.policy!r}; {self.last_run or 'no run yet'}>"


restore = Session.restore
"""`Session.restore`, as `vidgen_nb.restore`; `Controller.restore` gives a panel."""


def _scenes(scenes: Any, after: int = 0) -> list[Scene] | None:
    if scenes is None:
        return None
    found = load_scenes(scenes, after=after)
    if not found:
        raise InputError("no scenes: give at least one prompt")
    return found


def _one(scene: Any) -> list[Scene]:
    found = load_scenes(scene if isinstance(scene, Scene) else [scene])
    if len(found) != 1:
        raise InputError(f"run_one takes one scene, not {len(found)}; run() takes many")
    return found
