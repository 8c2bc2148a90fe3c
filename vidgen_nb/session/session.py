"""A session: scheduler, driver and backend put together, without any UI.

It owns one thread with one event loop, where the scheduler and the backend's clients live; every method may be called
from any thread. In `async with Session(...)` it lives on the caller's loop instead.

What it is put together from: a `Runner` (the loop, and the run on it), `RunControl` (what can be asked and changed
meanwhile), `SceneControl` (the same for single scenes), its `RunStatus`, a `KeyChecker`, a `Restorer` and a `Closer`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vidgen_nb.core.context import OnAmbiguous
from vidgen_nb.core.model import Mode, RetryPolicy
from vidgen_nb.core.policy import Policy
from vidgen_nb.forwarding import forwarded, forwarded_property
from vidgen_nb.plaintext import one_line
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.run import Run
from vidgen_nb.session.closer import Closer
from vidgen_nb.session.key_check import KeyChecker
from vidgen_nb.session.restore import Restorable, Restorer
from vidgen_nb.session.run_control import RunControl
from vidgen_nb.session.run_request import RunRequest
from vidgen_nb.session.run_status import RunStatus
from vidgen_nb.session.runner import Runner
from vidgen_nb.session.scene_control import SceneControl
from vidgen_nb.session.settings import Resources, RunSettings, SessionState
from vidgen_nb.session.validation import as_on_end, as_one_scene, as_profiles, as_scenes, as_shared, check_prices
from vidgen_nb.session.video_folder import VideoFolder
from vidgen_nb.sharing.port import SharedCooldowns

__all__ = ["Session", "restore"]


class Session(Restorable):
    """Runs scenes over several profiles, and can be paused, stopped and changed meanwhile.

        session = Session(OpenAIVideos("http://127.0.0.1:8000/v1"), [Profile("alice", api_key=key)])
        run = session.run_blocking(["a lighthouse at dawn", "a harbour at night"])

    `mode`: `"normal"`, `"boost"` or a `Mode`. `output`: the folder of the videos; none is ever overwritten.
    `on_ambiguous`: `"hold"` a submit that may have been accepted, or `"retry"` it, which may cost money twice.
    `max_wait`: how long a run waits, in run seconds, when every profile is unusable. `journal`: a folder, in which each
    run writes down what happens while it happens, in a file that `restore` goes on from when the program was killed;
    None: no journal. `speed`: run seconds per wall second; 1 for real APIs. `seed`: of back-off jitter. `max_billed`:
    this many accepted submits stop a run; None: any number. `max_cost`: nothing is submitted that could make a run
    cost more, by the profiles' prices. `pause_after_same_failure`: so many scenes that fail one after the other for the
    same reason hold new work back until `unpause()` (or the next `run()`); None: never. `on_end`: a function that is
    called with the run when it has ended, on the session's thread: the session waits for it, so that what takes long
    wants a thread of its own; it may `start` another run. `shared`: where sessions with the same accounts
    hear of each other's 429s, such as `RedisCooldowns(url)`; default: within this process. Raises `InputError` for
    anything that can't work, before anything is sent.
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
        max_cost: float | None = None,
        pause_after_same_failure: int | None = 3,
        on_end: Callable[[Run], object] | None = None,
        shared: SharedCooldowns | None = None,
    ) -> None:
        settings = RunSettings.checked(
            mode=mode,
            policy=policy,
            retry=retry,
            on_ambiguous=on_ambiguous,
            max_wait=max_wait,
            speed=speed,
            seed=seed,
            max_billed=max_billed,
            max_cost=max_cost,
            pause_after_same_failure=pause_after_same_failure,
        )
        resources = Resources(
            backend,
            output if isinstance(output, VideoFolder) else VideoFolder(output),
            Path(journal).expanduser().absolute() if journal is not None else None,
            as_shared(shared),
            as_on_end(on_end),
        )
        by_name = as_profiles(backend, profiles)
        check_prices(settings.max_cost, by_name.values())
        self.runner = Runner(resources, SessionState(settings, by_name))
        """What carries out requests on the session's loop; front ends build on it."""
        self._control = RunControl(self.runner)
        self._scene_control = SceneControl(self.runner)
        self._status = RunStatus(self.runner)
        self._key_checker = KeyChecker(self.runner)
        self._closer = Closer(self.runner)
        self._restorer = Restorer(self.runner)

    # -- running

    def start(self, scenes: Any = None) -> None:
        """Begin to run scenes and return at once.

        `scenes` is whatever `load_scenes` takes: a list of prompts or `Scene`s, a file, a DataFrame. None goes on
        with those still queued. While a run goes on, the scenes join it. One without an id that the last run has at the
        same place, with all its parameters, is that scene, run again; others get numbers that no scene there has.
        """
        self.runner.start(RunRequest(*as_scenes(scenes)))

    async def run(self, scenes: Any = None) -> Run:
        """Run scenes, as `start`, and return the run once the last one has settled.

        Cancelling this means `stop()`, if it began the run: what is under way goes on and settles. Raises
        `NoUsableProfile` (with `.run`) when no profile is left to wait for.
        """
        return await self.runner.run(RunRequest(*as_scenes(scenes)))

    async def run_one(self, scene: Any) -> Run:
        """Run a single scene, before all that are queued, and return the run once it has settled.

        Cancelling this cancels the scene, and nothing of a run that was under way before.
        """
        return await self.runner.run(RunRequest(*as_one_scene(scene), single=True))

    def run_blocking(self, scenes: Any = None) -> Run:
        """Run scenes and wait for the end, in a script or a cell.

        Ctrl-C or Kernel > Interrupt means `stop()`, if this began the run. Leaving `with Session(...)` waits for what
        is under way; a second one leaves it unfinished.
        """
        return self.runner.run_blocking(RunRequest(*as_scenes(scenes)))

    def wait(self, timeout: float | None = None) -> Run:
        """Wait for the end of the run that is under way, at most `timeout` wall seconds (then `TimeoutError`).

        An interrupt ends the waiting, not the run.
        """
        self.runner.check_may_block()
        end = self.runner.loop.call(lambda: self.runner.current().wait_for())
        try:
            return self.runner.loop.result(end, timeout)
        except TimeoutError:
            end.cancel()
            if timeout is None or not self.is_running:  # it is the run's own
                raise
            raise TimeoutError(f"the run is still running after {timeout:g} s; it goes on") from None

    async def join(self) -> Run:
        """Await the end of the run that is under way, or the last one's, on any loop; never begins anything."""
        return await asyncio.wrap_future(self.runner.loop.call(lambda: self.runner.current().wait_for()))

    add = forwarded("_control", RunControl.add)
    retry_failed = forwarded("_scene_control", SceneControl.retry_failed)
    run_again = forwarded("_scene_control", SceneControl.run_again)
    edit_scene = forwarded("_scene_control", SceneControl.edit_scene)
    ask_again = forwarded("_scene_control", SceneControl.ask_again)
    submit_again = forwarded("_scene_control", SceneControl.submit_again)
    pause = forwarded("_control", RunControl.pause)
    unpause = forwarded("_control", RunControl.unpause)
    paused = forwarded_property("_control", RunControl.paused)
    stop = forwarded("_control", RunControl.stop)
    cancel = forwarded("_control", RunControl.cancel)
    release_cooldown = forwarded("_control", RunControl.release_cooldown)
    observe = forwarded("_control", RunControl.observe)

    # -- changing

    mode = forwarded_property("_control", RunControl.mode)
    policy = forwarded_property("_control", RunControl.policy)
    max_billed = forwarded_property("_control", RunControl.max_billed)
    max_cost = forwarded_property("_control", RunControl.max_cost)
    profiles = forwarded_property("_control", RunControl.profiles)
    add_profile = forwarded("_control", RunControl.add_profile)
    remove_profile = forwarded("_control", RunControl.remove_profile)
    set_capacity = forwarded("_control", RunControl.set_capacity)
    set_price = forwarded("_control", RunControl.set_price)

    # -- looking

    last_run = forwarded_property("_status", RunStatus.last_run)
    journal = forwarded_property("runner", Runner.journal)
    is_running = forwarded_property("runner", Runner.is_running)
    is_broken_off = forwarded_property("runner", Runner.is_broken_off)
    report = forwarded("_status", RunStatus.report)
    in_flight = forwarded_property("_status", RunStatus.in_flight)
    cooling = forwarded_property("_status", RunStatus.cooling)
    left_over = forwarded_property("_status", RunStatus.left_over)
    failed = forwarded_property("_status", RunStatus.failed)
    billed = forwarded_property("_status", RunStatus.billed)
    cost = forwarded_property("_status", RunStatus.cost)
    is_at_max_cost = forwarded_property("_status", RunStatus.is_at_max_cost)
    pause_reason = forwarded_property("_status", RunStatus.pause_reason)
    now = forwarded_property("_status", RunStatus.now)
    is_stopping = forwarded_property("_status", RunStatus.is_stopping)
    is_closed = forwarded_property("_status", RunStatus.is_closed)
    last_429_at = forwarded_property("_status", RunStatus.last_429_at)
    check = forwarded("_key_checker", KeyChecker.check)
    acheck = forwarded("_key_checker", KeyChecker.acheck)

    # -- restoring

    no_restore = forwarded_property("_restorer", Restorer.no_restore)
    unfinished = forwarded_property("_restorer", Restorer.unfinished)
    restore_last_run = forwarded("_restorer", Restorer.restore_last_run)

    # -- ending

    close = forwarded("_closer", Closer.close)
    aclose = forwarded("_closer", Closer.aclose)
    abandon = forwarded("_closer", Closer.abandon)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._closer.before_leaving(kind):
            self.abandon()
        self.close()

    async def __aenter__(self) -> Self:
        await self._closer.move_to_callers_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._closer.before_leaving(kind):
            await self.runner.abandon()
        await self._closer.leave()

    def __repr__(self) -> str:
        if not hasattr(self, "runner"):  # in a traceback, say
            return "<Session, refused before it was made>"
        profiles = one_line(", ".join(self.runner.state.profiles))
        return f"<Session on {profiles}: {self.mode.name}, {self.policy!r}; {self.last_run or 'no run yet'}>"


restore = Session.restore
"""`Session.restore`, as `vidgen_nb.restore`; `Controller.restore` gives a panel."""
