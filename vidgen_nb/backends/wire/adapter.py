"""The base class of the HTTP backends: their settings, and checks of what they are given."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from vidgen_nb.backends.wire.environment import check_environment, checked_ca, needs_of
from vidgen_nb.backends.wire.first_answers import FirstAnswers
from vidgen_nb.backends.wire.http import HttpPool
from vidgen_nb.backends.wire.images import absolute_path
from vidgen_nb.backends.wire.network import check_reachable
from vidgen_nb.backends.wire.urls import usable_url
from vidgen_nb.clock import Clock
from vidgen_nb.core.model import PollSchedule, Scene
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Profile

__all__ = ["HttpAdapter", "check_schedule"]


class HttpAdapter:
    """The part of a backend that is the same for every wire format over HTTP.

    `base_url`: including the version; a profile's own takes precedence. `model`: for scenes that name none. `poll`: how
    often jobs are polled, in run seconds. `timeout`: wall seconds that a server may be silent. `transport`: any httpx
    transport, such as `ASGITransport`, instead of the network. `verify`: the path of a private CA's certificates (PEM),
    which are trusted besides the usual ones. Raises `InputError` for settings that cannot work.
    """

    name: str
    key_header: str = "Authorization"
    """The header that carries the key: as a bearer token in `Authorization`, alone in others."""
    key_scheme: str | None = None
    """The word before the key, if it is another one."""
    image_parameters: Collection[str] = ()
    """Scene parameters that may be an image's path."""
    gateway: bool = False
    """Whether a gateway stands before the server: a 500 to a submit may then follow an acceptance."""

    def __init__(
        self,
        base_url: str,
        model: str | None,
        *,
        poll: PollSchedule | None,
        timeout: float,
        transport: httpx.AsyncBaseTransport | None,
        verify: bool | str | os.PathLike[str] = True,
    ) -> None:
        if model is not None and (not isinstance(model, str) or not model.strip()):
            raise InputError(f"model must be a non-empty text or None, not {model!r}")
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < math.inf:
            raise InputError(f"timeout must be more than 0 seconds, and finite, not {timeout!r}")
        check_schedule("poll", poll)
        _check_base_url(base_url)
        self.base_url = base_url
        self.model = model
        self.poll_schedule = poll or PollSchedule()
        self._pool = HttpPool(
            timeout=timeout, transport=transport, key_header=self.key_header, key_scheme=self.key_scheme,
            ca=checked_ca(verify),
        )  # fmt: skip
        self._is_networked = transport is None
        self._servers: set[tuple[bool, bool]] = set()
        """What connections to the profiles' servers need: TLS, and no loopback."""
        self._addresses: set[str] = set()
        """The profiles' servers: until one of them has accepted a submit, one leaves at a time to each."""
        self._clock = Clock()
        self._first_answers = FirstAnswers()

    @property
    def max_submits(self) -> int:
        """How many submits can be under way at once; until a server has accepted one, one for each server."""
        if not self._first_answers.any_confirmed:
            return max(1, len(self._addresses))
        return self._pool.max_connections

    def check(self, profile: Profile) -> None:
        """Raise `InputError` if the profile has no key, one that no header can carry, or an unusable base_url."""
        key = profile.api_key
        if not key.is_renewable and not all("!" <= c <= "~" for c in key.reveal()):
            raise InputError(
                f"profile {profile.name!r}: the API key has spaces, line breaks or other characters that can't be sent "
                "in a header; copy it again"
            )
        _check_base_url(profile.base_url or self.base_url)
        if self._is_networked:
            check_reachable(httpx.URL(profile.base_url or self.base_url))
        self._servers.add(needs_of(self._address(profile)))
        self._addresses.add(self._server(profile))

    def with_absolute_paths(self, scene: Scene) -> Scene:
        """Return the scene with absolute image paths: the current folder may have changed by the time it is sent.

        Raises `InputError` in an environment in which no connection can be made, before any scene is queued.
        """
        for tls, remote in self._servers if self._is_networked else ():
            check_environment(tls=tls, remote=remote)
        given = {name: scene.params[name] for name in self.image_parameters if name in scene.params}
        found = {name: self._absolute(image) for name, image in given.items()}
        return scene if found == given else Scene(scene.id, scene.prompt, **{**scene.params, **found})

    def _absolute(self, image: object) -> object:
        return absolute_path(image)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    def settings(self) -> Mapping[str, Any]:
        """Return what a run's header says about the backend."""
        poll = {name: getattr(self.poll_schedule, name) for name in ("first", "factor", "longest", "shortest")}
        return {"name": self.name, "base_url": self.base_url, "model": self.model, "poll": poll}

    def _address(self, profile: Profile, *path: str) -> httpx.URL:
        """Return the URL of a path under the profile's base_url; its parts are quoted."""
        base = (profile.base_url or self.base_url).rstrip("/")
        return httpx.URL("/".join((base, *(quote(part, safe="") for part in path))))

    def _server(self, profile: Profile) -> str:
        """Return the profile's base_url: what a first accepted submit shows to be right."""
        return (profile.base_url or self.base_url).rstrip("/")

    def _now_epoch(self) -> float:
        return self._clock.epoch + self._clock.now()


def check_schedule(option: str, schedule: object) -> None:
    """Raise `InputError` unless it is a `PollSchedule` or None."""
    if schedule is not None and not isinstance(schedule, PollSchedule):
        raise InputError(f"{option} must be a PollSchedule(...) or None, not {schedule!r}")


def _check_base_url(base_url: str) -> None:
    """Raise `InputError` for a base_url that requests can't be built on; the message shows no password in it."""
    url = usable_url(base_url)
    if url is None or url.query or url.fragment:
        raise InputError(
            "base_url must be an address such as http://127.0.0.1:8000/v1, without a query; this one is not"
        )
    if url.userinfo:
        raise InputError(f"base_url of {url.host} contains a user or password: put the key into the profile")
