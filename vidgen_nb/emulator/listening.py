"""Where the emulator listens, and which keys that asks for."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Final

from vidgen_nb.errors import InputError
from vidgen_nb.machine.addresses import is_loopback
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.provider.model import default_key

__all__ = ["MIN_KEY_CHARS", "check_keys", "listen"]

MIN_KEY_CHARS: Final = 12
"""Of a key that others could try to guess."""
_HOW: Final = "vg.class_profiles(30), or `vidgen-nb emulator --class 30 --keys keys.toml`, makes good ones"


def check_keys(profiles: Iterable[SimulatedProfile], host: str) -> None:
    """Raise `InputError` for keys that can't be sent or told apart, or that others could guess who reach `host`."""
    names: dict[str, str] = {}
    for profile in profiles:
        name, key = profile.name, profile.api_key
        if not key.isascii() or not key.isprintable() or " " in key:
            raise InputError(f"profile {name!r}: its api_key must be plain ASCII without spaces")
        if key in names:
            raise InputError(f"profiles {names[key]!r} and {name!r} have the same api_key")
        names[key] = name
        if is_loopback(host):
            continue
        if key == default_key(name):
            raise InputError(
                f"host {host!r} lets other machines in, and profile {name!r} has no key of its own, only the default "
                f"one, which anybody can guess: give each profile an api_key ({_HOW}), or leave host out"
            )
        if len(key) < MIN_KEY_CHARS:
            raise InputError(
                f"host {host!r} lets other machines in: the api_key of profile {name!r} is too short, give it at least "
                f"{MIN_KEY_CHARS} characters ({_HOW})"
            )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; `InputError` where it can't."""
    # with TCP named, asyncio turns Nagle's algorithm off, which costs 40 ms per answer on a kept connection
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        where = f"port {port}" if is_loopback(host) else f"host {host!r}, port {port}"
        what = "port=0 takes a free one"
        if not is_loopback(host):
            what += ", host='0.0.0.0' all addresses of this machine"
        raise InputError(f"the emulator can't listen on {where}: {error}; {what}") from None
    return listener
