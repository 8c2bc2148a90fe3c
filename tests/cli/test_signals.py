"""Signals in the midst of what must not be left half done."""

from __future__ import annotations

import signal

import pytest

from vidgen_nb.cli.signals import TERMINATED, run_signals, signals_wait

KINDS = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: SystemExit}


@pytest.mark.parametrize("number", KINDS)
def test_a_first_signal_waits_for_the_files_of_a_run(number: signal.Signals) -> None:
    """They are written to the end; then it does what it always does."""
    done: list[str] = []

    def write() -> None:
        with run_signals(), signals_wait():
            signal.raise_signal(number)
            done.append("written")

    with pytest.raises(KINDS[number]) as raised:
        write()
    assert done == ["written"]
    if number == signal.SIGTERM:
        assert raised.value.args == (TERMINATED,)


def test_a_second_signal_does_not_wait() -> None:
    """Whoever asks twice is in a hurry."""
    done: list[str] = []

    def write() -> None:
        with run_signals(), signals_wait():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            done.append("written")

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        write()
    assert not done


def test_without_a_signal_nothing_is_changed() -> None:
    """The handlers are those of before."""
    before = signal.getsignal(signal.SIGTERM)
    with signals_wait():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
