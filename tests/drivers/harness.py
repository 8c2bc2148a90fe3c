"""A driver on a loop whose time jumps to the next timer: minutes pass at once, and no machine is too slow."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

from tests.audit import audit
from tests.fakes import FakeBackend, Hook, MemorySink, accept_all
from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, Mode, PollSchedule, Scene
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.drivers.realtime import Observer, RealtimeDriver
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.ports import BackendError, EventStore, Profile

__all__ = ["JumpingLoop", "SocketLoop", "Stage", "driven_backend", "limited", "play"]

LOST = 30.0
"""Wall seconds after which what is between client and server counts as lost."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """When nothing is ready, time jumps to the next timer. `early`: timers may fire this much too soon."""

    def __init__(self, early: float = 0.0) -> None:
        super().__init__()
        self.now = 0.0
        self.early = early
        self._clock_resolution = 2 * early or 1e-9

    def time(self) -> float:
        """Return the seconds that have passed."""
        return self.now

    def timers(self) -> list[float]:
        """Return when the armed timers are due."""
        return sorted(handle.when() for handle in self._scheduled if not handle.cancelled())  # type: ignore[attr-defined]

    def _run_once(self) -> None:
        if not self._ready and not self._stopping:  # type: ignore[attr-defined]
            assert self.timers(), "nothing is ready and nothing ever will be"
            self.now = max(self.now, self.timers()[0] - self.early)
        super()._run_once()  # type: ignore[misc]


class SocketLoop(JumpingLoop):
    """One for a client and a server that talk over real sockets: no machine is too slow for their timeouts.

    Time jumps only while all calls under way wait in the server, and stands while bytes are between the two.
    """

    def __init__(self) -> None:
        super().__init__()
        self._on_the_way = 0
        """Calls whose request, or whose answer, is between client and server."""

    @contextmanager
    def call(self) -> Iterator[None]:
        """A call of the client is under way in this block."""
        self._on_the_way += 1
        try:
            yield
        finally:
            self._on_the_way -= 1

    @contextmanager
    def waits_in_server(self) -> Iterator[None]:
        """In this block a call waits for nothing but time: the server has its request, and sends nothing."""
        self._on_the_way -= 1
        try:
            yield
        finally:
            self._on_the_way += 1

    def _run_once(self) -> None:
        if not self._ready and not self._stopping:  # type: ignore[attr-defined]
            arrived = self._selector.select(LOST if self._on_the_way > 0 else 0)  # type: ignore[attr-defined]
            assert arrived or self._on_the_way <= 0, f"nothing came of {self._on_the_way} calls"
            self._process_events(arrived)  # type: ignore[attr-defined]
        super()._run_once()


def driven_backend(seconds: float | None = None, *, first_poll: float = 0.5, **hooks: Hook) -> FakeBackend:
    """Return a backend for the stage: each call takes `seconds`; the first poll finds the job succeeded."""
    schedule = PollSchedule(first_poll, shortest=0)
    return FakeBackend(accept_all, frozenset(), seconds=seconds, poll_schedule=schedule, cancels="too late", **hooks)


def limited(*waits: float) -> Hook:
    """Return a hook that answers the first calls with 429s that ask for these waits, and then lets all calls pass."""
    left = list(waits)

    async def bounce(_scene: Scene, _profile: Profile) -> None:
        if left:
            raise BackendError(RateLimited(left.pop(0)))

    return bounce


class Stage:
    """A driver with profiles and scenes, ready to run on the running loop."""

    def __init__(
        self,
        backend: FakeBackend,
        *,
        profiles: int = 1,
        scenes: int = 1,
        mode: Mode = BOOST,
        policy: Policy | None = None,
        observers: Sequence[Observer] = (),
        journal: EventStore | None = None,
    ) -> None:
        policy = policy or PerProfileCooldown(honour_retry_after=True)
        self._mode = mode
        self.backend = backend
        self.sinks: list[MemorySink] = []
        self.scheduler = Scheduler(mode=mode, policy=policy, poll=backend.poll_schedule, rng=Random(1))
        given = {f"p{index}": Profile(f"p{index}") for index in range(1, profiles + 1)}
        self.clock = Clock(monotonic=asyncio.get_running_loop().time)
        self.driver = RealtimeDriver(self.scheduler, backend, given, self.clock, self._sink, observers, journal)
        self.driver.post(*(ev.ProfileAdded(name) for name in given))
        self.driver.post(*(ev.SceneAdded(Scene(f"s{index}", "a prompt")) for index in range(1, scenes + 1)))
        self.driver.post(ev.RunStarted())

    def _sink(self, scene: str, number: int) -> MemorySink:
        self.sinks.append(MemorySink(f"{scene}.{number}.mp4"))
        return self.sinks[-1]

    async def run(self) -> None:
        """Run to the end; whatever happens, the rules hold and no task is left."""
        before = asyncio.all_tasks()
        try:
            await self.driver.run()
        finally:
            audit(self.scheduler.events, self._mode)
            assert asyncio.all_tasks() == before

    def events(self, kind: type[ev.Event]) -> list[Any]:
        """Return the events of a kind."""
        return [event for event in self.scheduler.events if type(event) is kind]

    def statuses(self) -> dict[str, str]:
        """Return the status of each scene."""
        return {name: state.status for name, state in self.scheduler.scenes.items()}


def play(scenario: Coroutine[Any, Any, None], *, early: float = 0.0) -> None:
    """Run a scenario on a jumping loop."""
    with asyncio.Runner(loop_factory=lambda: JumpingLoop(early)) as runner:
        runner.run(scenario)
