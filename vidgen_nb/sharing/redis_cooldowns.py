"""Cooldowns shared through a Redis server: between the kernels of a machine, and between machines."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vidgen_nb.errors import InputError
from vidgen_nb.ports import Secret
from vidgen_nb.sharing.port import CooldownListener

if TYPE_CHECKING:
    from vidgen_nb.sharing.redis_connection import RedisConnection

__all__ = ["RedisCooldowns"]


class RedisCooldowns:
    """A Redis server that shares cooldowns; sessions and controllers take it as `shared=`.

        session = vg.Session(backend, profiles, shared=vg.RedisCooldowns("redis://127.0.0.1:6379/0"))

    `url`: as redis-py takes it, with `rediss://` for TLS; a password in it shows in no repr, log or record.
    `namespace`: sessions with the same namespace share; accounts are hashed with it. `check_every`: wall seconds
    between two checks whether the server has kept every cooldown, and whether a message was missed. `timeout`: wall
    seconds without an answer until the connection counts as lost. No API key is sent: accounts are named by a hash.

    Raises `InputError` for an invalid setting, `ImportError` without redis-py. An unreachable server is no error: the
    session then uses only what it knows itself, warns once, and catches up when the server is back.
    """

    def __init__(
        self,
        url: str | Secret,
        *,
        namespace: str = "vidgen_nb",
        check_every: float = 1.0,
        timeout: float = 1.0,
    ) -> None:
        self.url = url = url if isinstance(url, Secret) else Secret(url)
        if not isinstance(namespace, str) or not namespace or not namespace.isprintable():
            raise InputError(f"namespace must be a non-empty printable text, not {namespace!r}")
        for name, value in (("check_every", check_every), ("timeout", timeout)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise InputError(f"{name} must be a finite number of seconds above 0, not {value!r}")
        self.namespace = namespace
        self.check_every, self.timeout = float(check_every), float(timeout)
        self.where = _where(url)
        if find_spec("redis") is None:
            raise ImportError("shared cooldowns need redis-py: pip install 'vidgen_nb[redis]', or pip install redis")

    @property
    def salt(self) -> str:
        """The salt for hashing account names."""
        return self.namespace

    def join(self, on_cooldown: CooldownListener) -> RedisConnection:
        """Connect on the running loop."""
        from vidgen_nb.sharing.redis_connection import RedisConnection

        return RedisConnection(
            self.url,
            on_cooldown,
            where=self.where,
            namespace=self.namespace,
            check_every=self.check_every,
            timeout=self.timeout,
        )

    def __repr__(self) -> str:
        return f"RedisCooldowns({self.where!r}, namespace={self.namespace!r})"


def _where(url: Secret) -> str:
    """Return the address without user and password; `InputError`, which does not quote it, if it is no address."""
    what = "url must be the address of a Redis server, such as 'redis://127.0.0.1:6379/0'"
    if not isinstance(url.reveal(), str):
        raise InputError(what)
    try:
        parts = urlsplit(url.reveal())
        port, host = parts.port or 6379, parts.hostname
    except ValueError:
        raise InputError(what) from None
    if parts.scheme == "unix" and parts.path:
        return f"unix://{parts.path}"
    database = parts.path.strip("/") or "0"
    if parts.scheme not in ("redis", "rediss") or not host or not database.isdecimal():
        raise InputError(what)
    return f"{parts.scheme}://{host}:{port}/{database}"
