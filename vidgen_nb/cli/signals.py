"""What ends a command from outside: Ctrl-C, SIGTERM; not a terminal that is gone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["TERMINATED", "ended_by_signals", "run_signals", "signals_wait"]

TERMINATED = 128 + signal.SIGTERM
"""The exit code of a run that SIGTERM has ended, as shells give it."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """A context that SIGINT and SIGTERM leave with `KeyboardInterrupt`, even if the program inherited them ignored.

    A shell starts the background jobs of a script with SIGINT ignored; Python then installs no handler of its own.
    """
    with _handlers({signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.default_int_handler}):
        yield


@contextmanager
def run_signals() -> Iterator[None]:
    """A context for a run: SIGINT raises `KeyboardInterrupt`, SIGTERM `SystemExit`, even if inherited as ignored.

    SIGHUP does nothing: when a terminal goes away, what is paid for is still fetched.
    """
    handlers: dict[signal.Signals, signal._HANDLER] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: _terminate,
    }
    if hasattr(signal, "SIGHUP"):
        handlers[signal.SIGHUP] = signal.SIG_IGN
    with _handlers(handlers):
        yield


@contextmanager
def signals_wait() -> Iterator[None]:
    """A context for what must not be left half done: a first SIGINT or SIGTERM waits for its end, a second does not."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        handler = before[signal.Signals(number)]
        if noted and callable(handler):
            handler(number, frame)
        noted.append(number)

    try:
        with _handlers(dict.fromkeys(before, note)):
            yield
    finally:
        if noted:
            signal.raise_signal(noted[0])


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)


@contextmanager
def _handlers(handlers: dict[signal.Signals, signal._HANDLER]) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, signal.SIG_DFL if earlier is None else earlier)
