"""A session over the bundled emulator: real HTTP on loopback, no key needed, ten times faster than real time."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, NoReturn

from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core.model import Mode, Scene
from vidgen_nb.core.policy import Policy
from vidgen_nb.emulator import Emulator
from vidgen_nb.errors import InputError, SessionError
from vidgen_nb.machine.browser import in_browser
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.notebook.rerun_cells import register_controller
from vidgen_nb.provider import Limit, SimulatedProfile
from vidgen_nb.provider.demo_profiles import demo_profiles
from vidgen_nb.session.video_folder import VideoFolder

__all__ = ["DemoSession", "demo", "demo_profiles", "demo_scenes"]

log = logging.getLogger("vidgen_nb")

PROMPT_SUBJECTS = ("a lighthouse", "a harbour", "a night train", "a paper boat", "an old cinema", "a greenhouse")
PROMPT_SETTINGS = ("at dawn", "in heavy rain", "under northern lights", "as the city wakes")


def demo_scenes(count: int = 24) -> list[Scene]:
    """Return this many scenes to play with."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise InputError(f"the number of scenes must be a whole number, at least 1, not {count!r}")
    prompts = [f"{subject} {setting}" for setting in PROMPT_SETTINGS for subject in PROMPT_SUBJECTS]
    return [
        Scene(f"s{index + 1:03}", prompts[index % len(prompts)], seconds="4", size="1280x720") for index in range(count)
    ]


class DemoSession(Controller):
    """A controller with its own emulator, which ends when the controller is closed."""

    def __init__(self, emulator: Emulator, **options: Any) -> None:
        self.emulator = emulator.start()
        self._set_speed = emulator.clock.set_speed
        # no journal: the provider ends with this program
        options = {"journal": None, **options}
        try:
            super().__init__(OpenAIVideos(emulator.base_url), emulator.profiles, speed=emulator.clock.speed, **options)
        except BaseException:
            emulator.stop()
            raise
        register_controller(self)

    @property
    def limits(self) -> Mapping[str, Limit]:
        """The limits of the emulator's profiles."""
        return {each.name: each.limit for each in self.emulator.provider.profiles.values() if each.limit is not None}

    @classmethod
    def restore(cls, *_: Any, **__: Any) -> NoReturn:
        """Refuse: the emulator and its jobs ended with the demo."""
        raise SessionError(
            "a demo can't be restored, its provider ended with it: use Controller.restore with a real server"
        )

    def _ipython_display_(self) -> None:
        """Show the panel, and make the first use of everything while nobody has pressed Run yet."""
        super()._ipython_display_()
        _begin(self._warm_up)

    async def _warm_up(self) -> None:
        """Ask the emulator something: cold, the first refusals would take seconds of the run."""
        with suppress(SessionError, RuntimeError):  # it was closed meanwhile
            if not self.is_running:
                await self.acheck()

    def orphaned(self) -> None:
        """End it, since its cell was run again and no variable is bound to it any more."""
        _begin(self._end)

    async def _end(self) -> None:
        """Close it from another thread, or in a browser from the page's loop, whatever state it is in."""
        runner = self.session.runner
        try:
            if not (self.is_closed or runner.loop.is_adopted):
                await runner.loop.awaited(runner.abandon)
            if runner.loop.is_adopted and not runner.loop.is_current():
                await runner.loop.awaited(self.aclose)
            else:
                await self.aclose()
        except (SessionError, RuntimeError) as error:  # its loop has ended meanwhile
            log.debug("an orphaned demo could not be closed: %s", error)
        self._panel_holder.dispose()

    def close(self) -> None:
        """Close the session, and the emulator with it."""
        try:
            super().close()
        except SessionError:  # refused, so the emulator is still needed
            raise
        except BaseException:
            self.emulator.stop()
            raise
        self.emulator.stop()

    async def aclose(self) -> None:
        """As `close`, on the caller's loop."""
        await super().aclose()
        self.emulator.stop()


def _begin(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Carry something out, and don't wait for it: on a thread, or in a browser on the page's loop."""
    if not in_browser():
        threading.Thread(
            target=lambda: asyncio.run(work()), name=f"vidgen_nb demo {work.__name__}", daemon=True
        ).start()
        return
    task = asyncio.ensure_future(work())
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


_under_way: set[asyncio.Future[None]] = set()
"""What would be collected otherwise before it has ended."""


def demo(
    profiles: int | list[SimulatedProfile] = 4,
    *,
    mode: Mode | str = "boost",
    policy: Policy | str | None = None,
    speed: float = 10.0,
    seed: int = 7,
    output: str | os.PathLike[str] = "demo/videos",
) -> DemoSession:
    """Return a controller over a bundled emulator, on a free port of this machine.

    `profiles`: how many, or which. `speed`: run seconds per wall second, for both emulator and session. `seed`: for
    service times and back-off jitter. Use it as `with vg.demo() as session:`, or `close()` it; one that was made in a
    notebook's cell is closed when the cell is run again, unless a variable is still bound to it.

    >>> with demo() as session:
    ...     run = session.run_blocking(demo_scenes(24))
    """
    simulated = demo_profiles(profiles) if isinstance(profiles, int) else profiles
    emulator = Emulator(simulated, speed=speed, seed=seed, latency=0.4)
    session = DemoSession(emulator, mode=mode, policy=policy, seed=seed, output=VideoFolder(output, replace=True))
    session.scenes = demo_scenes()
    return session
