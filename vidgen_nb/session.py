"""A session: scheduler, driver and backend put together, without any UI.

It owns one thread with one event loop, where the scheduler and the backend's clients live; every method may be called
from any thread. In `async with Session(...)` it lives on the caller's loop instead.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Iterable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, TypeVar

from vidgen_nb.core import events as ev
from vidgen_nb.core.context import OnAmbiguous
from vidgen_nb.core.model import Mode, RetryPolicy, Scene, as_mode
from vidgen_nb.core.policy import PerProfileCooldown, Policy, as_policy
from vidgen_nb.drivers.home import Home
from vidgen_nb.drivers.realtime import Observer
from vidgen_nb.errors import InputError, SessionError
from vidgen_nb.inputs import load_scenes
from vidgen_nb.live import LiveRun, Settings
from vidgen_nb.output import VideoFolder
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.run import Run

__all__ = ["Session"]

T = TypeVar("T")


class Session:
    """Runs scenes over profiles, and can be asked for more, paused, stopped and changed meanwhile.

        session = Session(OpenAIVideos("http://127.0.0.1:8000/v1"), [Profile("alice", api_key=key)])
        run = session.run_blocking(["a lighthouse at dawn", "a harbour at night"])

    `mode`: `"normal"`, `"boost"` or a `Mode`. `output`: the folder of the videos. `on_ambiguous`: `"hold"` a submit
    that may have been accepted, or `"retry"` it, which may cost money twice. `max_wait`: how long a run waits, in run
    seconds, when every profile is unusable. `speed`: run seconds per wall second; 1 for real APIs. `seed`: of back-off
    jitter. Raises `InputError` for anything that can't work, before anything is sent.
    """

    def __init__(
        self,
        backend: Backend,
        profiles: Iterable[Profile],
        *,
        mode: Mode | str = "normal",
        policy: Policy | str | None = None,
        retry: RetryPolicy | None = None,
        output: str | os.PathLike[str] = "videos",
        on_ambiguous: OnAmbiguous = "hold",
        max_wait: float = 3600.0,
        speed: float = 1.0,
        seed: int = 0,
    ) -> None:
        if on_ambiguous not in ("hold", "retry"):
            raise InputError(f"on_ambiguous is 'hold' or 'retry', not {on_ambiguous!r}")
        if isinstance(max_wait, bool) or not isinstance(max_wait, int | float) or not max_wait >= 0:
            raise InputError(f"max_wait must be 0 or more seconds, not {max_wait!r}")
        if not isinstance(speed, int | float) or not 0 < speed < math.inf:
            raise InputError(f"speed must be a finite number above 0, not {speed!r}")
        self._settings = Settings(
            backend=backend,
            profiles=_checked(backend, profiles),
            mode=as_mode(mode),
            policy=as_policy(policy) if policy is not None else PerProfileCooldown(),
            retry=retry or RetryPolicy(),
            folder=VideoFolder(output),
            on_ambiguous=on_ambiguous,
            max_wait=float(max_wait),
            speed=float(speed),
            seed=seed,
        )
        self._home = Home("vidgen_nb session")
        self._live: LiveRun | None = None
        self._attempts: dict[str, int] = {}
        self._observers: list[Observer] = []
        self._closed = False

    # -- running

    def start(self, scenes: Any = None) -> None:
        """Begin to run scenes and return at once.

        `scenes` is whatever `load_scenes` takes: a list of prompts or `Scene`s, a file, a DataFrame. None goes on
        with those still queued. While a run goes on, the scenes join it.
        """
        self._home.call(self._begin, _scenes(scenes), single=False)

    async def run(self, scenes: Any = None) -> Run:
        """Run scenes, as `start`, and return the run once the last one has settled.

        Cancelling this means `stop()`: what is under way goes on and settles. Raises `NoUsableProfile` (with `.run`)
        when no profile is left to wait for.
        """
        return await self._wait_for(self._home.call(self._begin, _scenes(scenes), single=False))

    async def run_one(self, scene: Any) -> Run:
        """Run a single scene, before all that are queued, and return the run once it has settled."""
        return await self._wait_for(self._home.call(self._begin, _one(scene), single=True))

    def run_blocking(self, scenes: Any = None) -> Run:
        """Run scenes and wait for the end, in a script or a cell; Ctrl-C or Kernel > Interrupt means `stop()`."""
        found = _scenes(scenes)
        try:
            return self._block(self._home.call(self._begin, found, single=False))
        except KeyboardInterrupt:
            self.stop()
            raise

    def wait(self, timeout: float | None = None) -> Run:
        """Wait for the end of the run that is under way, at most `timeout` wall seconds (then `TimeoutError`).

        An interrupt ends the waiting, not the run.
        """
        return self._block(self._home.call(lambda: self._current().wait_for()), timeout)

    def add(self, scenes: Any) -> None:
        """Add scenes to the run that is under way, or start one with them."""
        self.start(scenes)

    def retry_failed(self) -> list[str]:
        """Run the failed scenes of the last run again, in that run; return their ids."""

        def retry() -> list[str]:
            live = self._current()
            failed = [state.scene for state in live.scheduler.scenes.values() if state.status == "failed"]
            if failed:
                self._begin(failed, single=False, same_run=True)
            return [scene.id for scene in failed]

        return self._home.call(retry)

    def pause(self) -> None:
        """Submit nothing new; what runs goes on."""
        self._post(ev.Paused())

    def unpause(self) -> None:
        """Go on submitting."""
        self._post(ev.Unpaused())

    def stop(self) -> None:
        """End the run once what is under way has settled; the rest stays queued, for `run()` to go on with."""

        def stop() -> None:
            if self._live is not None and not self._live.scheduler.ended:
                self._live.post(ev.Stopped())

        self._home.call(stop)

    def cancel(self, scene: str | None = None) -> None:
        """Cancel a scene, or with None every scene that is not settled; at the provider too, where it can."""
        self._post(ev.CancelRequested(scene))

    def release_cooldown(self, profile: str) -> None:
        """End a profile's cooldown by hand, or bring it back after its key or credit was mended."""
        self._post(ev.CooldownReleased(profile))

    # -- changing

    @property
    def mode(self) -> Mode:
        """How much is under way at once; may be set during a run."""
        return self._settings.mode

    @mode.setter
    def mode(self, mode: Mode | str) -> None:
        self._change("mode", as_mode(mode), ev.ModeChanged)

    @property
    def policy(self) -> Policy:
        """What follows a 429; may be set during a run."""
        return self._settings.policy

    @policy.setter
    def policy(self, policy: Policy | str) -> None:
        self._change("policy", as_policy(policy), ev.PolicyChanged)

    @property
    def profiles(self) -> dict[str, Profile]:
        """The profiles by name."""
        return dict(self._settings.profiles)

    def add_profile(self, profile: Profile) -> None:
        """Use another profile from now on, also in the run that is under way."""

        def add() -> None:
            if profile.name in self._settings.profiles:
                raise InputError(f"profile {profile.name!r} is already there: give each profile its own name")
            self._settings.backend.check(profile)
            self._settings.profiles[profile.name] = profile
            if self._live is not None:
                self._live.add_profile(profile)

        self._home.call(add)

    def remove_profile(self, name: str) -> None:
        """Use a profile no more; what runs on it goes on."""

        def remove() -> None:
            if name not in self._settings.profiles:
                raise InputError(f"no profile is named {name!r}")
            del self._settings.profiles[name]
            if self._live is not None:
                self._live.post(ev.ProfileRemoved(name))

        self._home.call(remove)

    def observe(self, observer: Observer) -> None:
        """Hand the events of this and later runs to a function, in order, on the session's own thread.

        One that raises is logged and dropped; the run goes on.
        """

        def watch() -> None:
            self._observers.append(observer)
            if self._live is not None:
                self._live.observe(observer)

        self._home.call(watch)

    # -- looking

    @property
    def last_run(self) -> Run | None:
        """The run that is under way, or the last one; None: there was none."""
        live = self._live
        return live.run if live is not None else None

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        live = self._live
        return live is not None and not live.is_over

    @property
    def in_flight(self) -> int:
        """How many attempts are under way."""
        live = self._live
        return live.scheduler.in_flight if live is not None else 0

    @property
    def cooling(self) -> dict[str, float]:
        """Run seconds left for each profile that cools or is unusable; inf: no end is known."""
        return self._home.call(lambda: self._live.cooling() if self._live is not None else {})

    @property
    def last_429_at(self) -> float | None:
        """Time of the latest 429 on any profile, in seconds of the last run; None: there was none (R19)."""
        live = self._live
        return live.scheduler.last_429_at if live is not None else None

    def __repr__(self) -> str:
        profiles = ", ".join(self._settings.profiles)
        return f"<Session on {profiles}: {self.mode.name}, {self.policy!r}; {self.last_run or 'no run yet'}>"

    # -- ending

    def close(self) -> None:
        """Stop, wait for what is under way, and close the connections; the session is over then."""
        if self._closed:
            return
        if self._home.is_adopted:
            raise SessionError("this session lives on your loop: leave its `async with`, or await session.aclose()")
        live = self._live
        if live is not None and not live.is_over:
            self.stop()
            self._home.call(live.wait_for).exception()  # however it ended, it has
        self._closed = True
        asyncio.run_coroutine_threadsafe(self._settings.backend.aclose(), self._home.loop).result()
        self._home.stop()

    def abandon(self) -> None:
        """Break off what is under way; what the provider has accepted stays there, and its videos are not fetched."""
        live = self._live
        if live is not None and not live.is_over and not self._home.here():
            asyncio.run_coroutine_threadsafe(live.abandon(), self._home.loop).result()

    async def aclose(self) -> None:
        """As `close`, for a session on the caller's loop."""
        if not self._home.is_adopted:
            await asyncio.to_thread(self.close)
            return
        live = self._live
        if live is not None and not live.is_over:
            self.stop()
            await asyncio.wait([asyncio.wrap_future(live.wait_for())])
        self._closed = True
        await self._settings.backend.aclose()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Session:
        if self._live is not None:
            raise SessionError("a session that has run already keeps its own thread: enter it before its first run")
        self._home.adopt(asyncio.get_running_loop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        live = self._live
        if kind is not None and live is not None and not live.is_over:
            await live.abandon()  # the caller is being torn down: waiting minutes for videos would hang it
        await self.aclose()

    # -- inside, on the session's loop

    def _begin(self, scenes: list[Scene] | None, *, single: bool, same_run: bool = False) -> Future[Run]:
        """Add scenes to the run under way, or begin one; return the future of its end, or of the single scene's."""
        if self._closed:
            raise SessionError("this session is closed: make a new one")
        live = self._live
        unfinished = live is not None and live.scheduler.unsettled > 0
        if scenes is None and not unfinished:
            raise SessionError("there is nothing to go on with: give the scenes to run")
        if live is None or not (unfinished or same_run or not live.is_over):
            live = self._new_run(live)
        live.add(scenes or [], single=single, attempts=self._attempts)
        live.go()
        return live.wait_for(scenes[0].id if single and scenes else None)

    def _new_run(self, old: LiveRun | None) -> LiveRun:
        carried: list[ev.CooldownImposed] = []
        if old is not None:
            carried = old.carry_over()
            self._attempts.update({name: state.number for name, state in old.scheduler.scenes.items()})
        self._live = LiveRun(self._settings, carried, self._observers)
        return self._live

    def _current(self) -> LiveRun:
        if self._live is None:
            raise SessionError("there is no run yet: start one with run(scenes)")
        return self._live

    def _post(self, event: ev.Event) -> None:
        self._home.call(lambda: self._current().post(event))

    def _change(self, name: str, value: Any, event: type[ev.ModeChanged | ev.PolicyChanged]) -> None:
        def change() -> None:
            setattr(self._settings, name, value)
            if self._live is not None and not self._live.is_over:
                self._live.post(event(value))

        self._home.call(change)

    # -- waiting

    async def _wait_for(self, end: Future[Run]) -> Run:
        try:
            return await asyncio.wrap_future(end)
        except asyncio.CancelledError:
            self.stop()
            raise

    def _block(self, end: Future[Run], timeout: float | None = None) -> Run:
        if self._home.here() or self._home.is_adopted:
            raise SessionError("this would wait for itself: use `await session.run(...)` on the session's own loop")
        return end.result(timeout)


def _checked(backend: Backend, profiles: Iterable[Profile]) -> dict[str, Profile]:
    if isinstance(profiles, Profile):
        profiles = [profiles]
    found: dict[str, Profile] = {}
    for profile in profiles:
        if not isinstance(profile, Profile):
            raise InputError(f"profiles are Profile(name, api_key) objects, not {type(profile).__name__}")
        if profile.name in found:
            raise InputError(f"profile name {profile.name!r} is given twice: give each profile its own name")
        backend.check(profile)
        found[profile.name] = profile
    if not found:
        raise InputError("no profiles: give at least one Profile(name, api_key)")
    return found


def _scenes(scenes: Any) -> list[Scene] | None:
    if scenes is None:
        return None
    found = load_scenes(scenes)
    if not found:
        raise InputError("no scenes: give at least one prompt")
    return found


def _one(scene: Any) -> list[Scene]:
    found = load_scenes(scene if isinstance(scene, Scene) else [scene])
    if len(found) != 1:
        raise InputError(f"run_one takes one scene, not {len(found)}; run() takes many")
    return found
