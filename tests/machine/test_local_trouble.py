"""Troubles of this machine are told from those of a server, wherever in a chain of errors they stand."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import httpx
import pytest

from vidgen_nb.backends.wire.images import check_image
from vidgen_nb.backends.wire.transport_errors import Phase, transport_failure
from vidgen_nb.core.outcomes import Ambiguous, Transient
from vidgen_nb.machine.local_trouble import local_trouble
from vidgen_nb.ports import BackendError

LOCAL = ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EADDRNOTAVAIL", "ENETDOWN", "ENETUNREACH", "EHOSTUNREACH"]
REMOTE = ["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EPIPE"]


def numbered(name: str) -> OSError:
    """Return an error as the system raises it."""
    number = getattr(errno, name)
    return OSError(number, os.strerror(number))


def connecting(*causes: BaseException) -> httpx.ConnectError:
    """Return what httpx raises where connecting failed, for one address or for several."""
    tried = OSError("All connection attempts failed")
    group = ExceptionGroup("several", [each for each in causes if isinstance(each, Exception)])
    tried.__cause__ = causes[0] if len(causes) == 1 else group
    below = RuntimeError("httpcore's")
    below.__context__ = tried
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = below
    return error


@pytest.mark.parametrize("name", LOCAL)
def test_what_this_machine_lacks(name: str) -> None:
    """By number, at any depth; before a submit has left, it is in no doubt, and in no phase does it count."""
    assert local_trouble(numbered(name)) == local_trouble(connecting(numbered(name))) != ""
    phases: tuple[Phase, ...] = ("submit", "poll", "fetch", "cancel")
    for phase in phases:
        outcome = transport_failure(connecting(numbered(name)), phase)
        assert isinstance(outcome, Transient) and outcome.local
        assert outcome.reason.startswith("this machine")


@pytest.mark.parametrize("name", REMOTE)
def test_what_a_server_does(name: str) -> None:
    """Also where one address of several failed for a local reason: the server has answered at another one."""
    assert local_trouble(connecting(numbered(name))) == ""
    assert local_trouble(connecting(numbered("ENETUNREACH"), numbered(name))) == ""
    outcome = transport_failure(connecting(numbered(name)), "submit")
    assert isinstance(outcome, Transient) and not outcome.local


def test_all_addresses_fail_here() -> None:
    """IPv4 and IPv6, and both for want of a network."""
    assert "network" in local_trouble(connecting(numbered("ENETUNREACH"), numbered("ENETUNREACH")))


def test_a_server_that_was_waited_for() -> None:
    """One address had no way to it, another one did not answer in time."""
    error = httpx.ConnectTimeout("")
    error.__context__ = numbered("ENETUNREACH")
    outcome = transport_failure(error, "submit")
    assert isinstance(outcome, Transient) and not outcome.local


def test_after_sending_a_submit_is_in_doubt() -> None:
    """Whatever this machine lacks by then."""
    error = httpx.ReadError("")
    error.__cause__ = numbered("ENOBUFS")
    assert isinstance(transport_failure(error, "submit"), Ambiguous)


def test_names() -> None:
    """A look-up that can't be made now is this machine's trouble; a name that nobody knows is not."""
    assert "online" in local_trouble(connecting(socket.gaierror(socket.EAI_AGAIN, "Temporary failure")))
    assert local_trouble(connecting(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))) == ""


def test_names_without_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that can open no file says that it knows no such name."""

    def refuse(*_: object, **__: object) -> int:
        raise numbered("EMFILE")

    monkeypatch.setattr(os, "open", refuse)
    assert "ulimit -n" in local_trouble(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))


def test_threads() -> None:
    """CPython has no number for it."""
    assert "threads" in local_trouble(RuntimeError("can't start new thread"))
    assert local_trouble(RuntimeError("something else")) == ""


def test_an_image_that_can_not_be_opened_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That fails no scene, as a missing file would."""
    image = tmp_path / "a.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(24))

    def refuse(*_: object, **__: object) -> None:
        raise numbered("EMFILE")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BackendError) as caught:
        check_image(str(image))
    assert isinstance(caught.value.outcome, Transient) and caught.value.outcome.local
