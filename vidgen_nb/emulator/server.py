"""The emulator: a simulated provider, served from a thread of its own; on loopback, unless it is told otherwise."""

from __future__ import annotations

import asyncio
import math
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import Parameter, signature
from types import TracebackType
from typing import Any, Final

from starlette.types import ASGIApp

from vidgen_nb.clock import Clock, local_time
from vidgen_nb.core.events import Event
from vidgen_nb.core.model import RateInfo
from vidgen_nb.emulator.account import account_route
from vidgen_nb.emulator.app import Dialect, EmulatorState, RequestRecord, make_app
from vidgen_nb.emulator.dialects.google_interactions import GoogleInteractionsDialect
from vidgen_nb.emulator.dialects.openai_videos import OpenAIVideosDialect
from vidgen_nb.emulator.dialects.runway import RunwayDialect
from vidgen_nb.emulator.listening import check_keys, listen
from vidgen_nb.emulator.seen import SeenProvider
from vidgen_nb.errors import InputError, SessionError
from vidgen_nb.machine.addresses import is_loopback
from vidgen_nb.machine.browser import in_browser
from vidgen_nb.machine.loopback import enter_app, leave_app
from vidgen_nb.ports import Profile
from vidgen_nb.provider import Fault, Load, SimulatedProfile

__all__ = ["DIALECTS", "Emulator"]

DIALECTS: Final[Mapping[str, Callable[..., Dialect]]] = {
    "openai_videos": OpenAIVideosDialect,
    "runway": RunwayDialect,
    "google_interactions": GoogleInteractionsDialect,
}
"""Wire formats by name, which is the name of the backend that speaks them."""
LOOPBACK: Final = "127.0.0.1"


class Emulator:
    """A rate-limited video service on this machine, in the wire format of a real API.

        async with Emulator([SimulatedProfile("p1", limit=TokenBucket(4, per=60))], speed=20) as emulator:
            backend = OpenAIVideos(emulator.base_url)

    Use it with `with` or `async with`, or call `start()` and `stop()`; once only. Without starting it, `app` is the
    ASGI app, for clients in the same process. All times are run seconds, counted from the start or by the `clock`; what
    clients that are not ours are told of waits is in seconds of the wall clock.

    `dialect`: the wire format, `openai_videos` by default. `options`: those of the dialect's class, such as `models`,
    the accepted model names. `faults`: what goes wrong, see `Fault`. `port`: 0 for a free one. `latency`: seconds
    before each answer. `expires_after`: seconds for which a result can be fetched. `load`: what becomes of it under
    load, see `Load`. `host`: the address to listen on. By default only this machine reaches it; `0.0.0.0` lets others
    in, and then each profile needs an `api_key` of its own, since the default ones can be guessed (`class_profiles`
    makes some). It is plain HTTP: keys and prompts can be read on the way. In a browser, which has no sockets, the
    backends of the same kernel reach it by the same address. Raises `InputError` for invalid parameters.
    """

    def __init__(
        self,
        profiles: Iterable[SimulatedProfile],
        *,
        speed: float = 1.0,
        seed: int | str = 0,
        faults: Iterable[Fault] = (),
        clock: Clock | None = None,
        host: str = LOOPBACK,
        port: int = 0,
        latency: float = 0.0,
        expires_after: float | None = None,
        load: Load | None = None,
        dialect: str = "openai_videos",
        **options: Any,
    ) -> None:
        provider = SeenProvider(profiles, seed, faults, expires_after=expires_after, load=load)
        _check_settings(host, port, latency, expires_after)
        check_keys(provider.profiles.values(), host)
        if clock is not None and speed not in (1.0, clock.speed):
            raise InputError(f"speed={speed!r} contradicts the clock's {clock.speed!r}: give one of the two")
        self._own_clock = clock is None
        self._state = EmulatorState(provider, clock or Clock(speed), latency, str(dialect))
        self._dialect = _make_dialect(dialect, self._state, options)
        self.app: ASGIApp = make_app(self._dialect, account_route(self._dialect))
        self._host, self._wanted_port = host, port
        self._port: int | None = None
        self._stopped_at: float | None = None
        """Run seconds."""
        self._server: Any = None
        self._thread: threading.Thread | None = None

    @property
    def clock(self) -> Clock:
        """The service's clock, which a session may share; read it after the start."""
        return self._state.clock

    @property
    def provider(self) -> SeenProvider:
        """The provider that is served; `provider.faults.add(...)` and `.clear()` switch faults while it runs."""
        return self._state.provider

    @property
    def base_url(self) -> str:
        """The URL for a backend of this dialect: `http://127.0.0.1:<port>/v1`; `SessionError` before the start.

        From other machines it is this machine's name or address instead, if the emulator listens there.
        """
        if self._port is None:
            raise SessionError("the emulator has no address yet: call start(), or use it with `with`")
        reached = LOOPBACK if self._host == "0.0.0.0" or is_loopback(self._host) else self._host  # noqa: S104
        return f"http://{reached}:{self._port}{self._dialect.root}"

    @property
    def has_stopped(self) -> bool:
        """Whether it has served, and does so no more."""
        return self._stopped_at is not None

    @property
    def events(self) -> Sequence[Event]:
        """What its accounts have done so far, as the events of a run: who submitted what, what came of it, and when.

        In order, up to now; of the first 100,000 submits. `vg.watch(emulator)` draws them as they come, and
        `vg.Run({}, emulator.events)` asks questions to them: each account is a profile, each scene is named
        `account/scene`, and has succeeded once its job is done.
        """
        now = self.clock.now() if self._stopped_at is None else self._stopped_at
        return self._state.provider.seen(max(0.0, now))

    def header(self, run: str) -> dict[str, Any]:
        """Return the header of a record of `events`, with its name, when it began, and how fast time passes."""
        started = local_time(-self.clock.wall(self.clock.now())).isoformat(timespec="milliseconds")
        return {"run": run, "started": started, "speed": self.clock.speed}

    @property
    def unknown_keys(self) -> int:
        """How many requests had no key, or a wrong one."""
        return self._state.unknown_keys

    def left_of_limit(self, profile: str) -> RateInfo | None:
        """Return what a profile's limit admits now: `limit`, `remaining`, `reset`; None: it is no single one."""
        return self._state.provider.left(profile, self.clock.now())

    @property
    def requests(self) -> list[RequestRecord]:
        """The requests answered so far, oldest first: the latest 100,000."""
        return self._state.requests()

    @property
    def profiles(self) -> list[Profile]:
        """The profiles as a client needs them, with their keys."""
        return [
            Profile(each.name, each.api_key, capacity=each.capacity, quota_group=each.quota_group, price=each.price)
            for each in self.provider.profiles.values()
        ]

    def start(self) -> Emulator:
        """Begin to serve; returns at once, and requests are accepted from then on.

        Raises `InputError` if the port is in use, `SessionError` if it was started before.
        """
        if self._port is not None:
            raise SessionError("an emulator can be started only once: make a new one")
        if in_browser():
            self._start_without_socket()
        else:
            self._start_server()
        return self

    def _start_without_socket(self) -> None:
        """Be found by the clients of this program; nobody else can reach a browser's Python."""
        self._port = enter_app(self.app, self._wanted_port)
        if self._port is None:
            raise InputError(f"port {self._wanted_port} has another emulator; port=0 takes a free one")
        self._restart_clock()

    def _restart_clock(self) -> None:
        if self._own_clock and not self.requests:
            self._state.clock = Clock(self._state.clock.speed)

    def _start_server(self) -> None:
        """Serve on a thread."""
        import uvicorn

        # listens before the thread runs, so that the first request can't come too early
        listener = listen(self._host, self._wanted_port)
        self._port = listener.getsockname()[1]
        self._restart_clock()
        config = uvicorn.Config(
            self.app,
            http="h11",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            # uvicorn logs a connection that is cut on purpose as an error; our own failures are logged by the app
            log_level="critical",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=_serve, args=(self._server, listener), name="vidgen_nb emulator", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, and wait until it has stopped: running requests get a second. Stopping twice does nothing."""
        if self._stopped_at is None:
            self._stopped_at = self.clock.now()
        if self._thread is None and self._port is not None:
            leave_app(self._port)
        if self._thread is not None and self._thread.is_alive():
            self._server.should_exit = True
            self._thread.join()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Emulator:
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not in_browser():
            await asyncio.to_thread(self.stop)
        else:
            self.stop()

    def __repr__(self) -> str:
        where = f"at {self.base_url}" if self._port is not None else "not started"
        return f"<Emulator of {len(self.provider.profiles)} profiles, {where}>"


def _make_dialect(name: str, state: EmulatorState, options: Mapping[str, Any]) -> Dialect:
    """Return a dialect with its options; `InputError` for an unknown dialect or option."""
    if not isinstance(name, str) or name not in DIALECTS:
        raise InputError(f"dialect must be one of {', '.join(DIALECTS)}, not {name!r}")
    made = DIALECTS[name]
    known = [each.name for each in signature(made).parameters.values() if each.kind == Parameter.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            has = f"the options of dialect {name} are {', '.join(known)}" if known else f"dialect {name} has no options"
            raise InputError(f"unknown option {option!r} of an emulator: {has}")
    return made(state, **options)


def _serve(server: Any, listener: socket.socket) -> None:
    # the listener is closed here: uvicorn leaves it open if it is stopped before it has begun
    with listener, asyncio.Runner() as runner:
        runner.run(server.serve(sockets=[listener]))


def _check_settings(host: str, port: int, latency: float, expires_after: float | None) -> None:
    if not isinstance(host, str) or not host or not host.isprintable() or "/" in host or " " in host:
        raise InputError(f"host is an address to listen on, such as {LOOPBACK}, or 0.0.0.0 for all, not {host!r}")
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise InputError(f"port must be a whole number from 0 to 65535, not {port!r}")
    for name, value in (("latency", latency), ("expires_after", expires_after)):
        if value is not None and not 0 <= value < math.inf:
            raise InputError(f"{name} must be a finite number of seconds, at least 0, not {value!r}")
