"""The URLs of a described API's calls, and which of them belong to the API's own server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import httpx

from vidgen_nb.backends.described.call_templates import CallTemplate
from vidgen_nb.backends.described.json_paths import value_at
from vidgen_nb.backends.wire.urls import origin, usable_url
from vidgen_nb.core.model import Operation, Scene
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Profile

__all__ = ["CallUrls"]

_RESOURCE_NAME: Final = re.compile(r"[a-z][\w.~-]*(?:/[\w.~-]+)*/[\w.:~-]+", re.ASCII | re.IGNORECASE)


class CallUrls:
    """Makes URLs for calls; `base_url`: for profiles without their own."""

    def __init__(self, base_url: str, calls: Mapping[str, CallTemplate]) -> None:
        self._base_url, self._calls = base_url, calls

    def of_submit(self, scene: Scene, profile: Profile) -> httpx.URL:
        """Return the URL that a scene is submitted to; `InputError` as from `check_scene`."""
        return self.at(profile, self._submit_path(scene))

    def check_scene(self, scene: Scene) -> None:
        """Raise `InputError` for a scene without a parameter that the submit's path needs."""
        self._submit_path(scene)

    def _submit_path(self, scene: Scene) -> str:
        path = self._calls["submit"].fill(lambda name: scene.params.get(name), safe="/")
        if path is None:
            wanted = ", ".join(self._calls["submit"].placeholders)
            raise InputError(f"the submit's path needs the parameters {wanted}, each a text or a whole number")
        return path

    def of_job(self, option: str, operation: Operation, profile: Profile, polled: object = None) -> httpx.URL | None:
        """Return a call's URL for a job: the one that the server gave, or one under base_url; None if it has none.

        `polled`: the latest answer to a poll, for places in it. An id that is a resource's name, such as
        `models/m/operations/1`, is a path of its own; other slashes are quoted.
        """
        call = self._calls[option]
        if call.is_whole_url:
            url = (operation.urls or {}).get(option) or call.fill(lambda name: value_at(polled, name))
            return self.resolve(profile, url) if url else None
        safe = "/:" if _RESOURCE_NAME.fullmatch(operation.id) else ""
        path = call.fill(lambda name: operation.id if name == "id" else value_at(polled, name), safe=safe)
        return self.at(profile, path) if path is not None else None

    def needs_poll(self, option: str, operation: Operation) -> bool:
        """Return whether a call's URL takes a place in the poll's answer."""
        call = self._calls[option]
        if call.is_whole_url:
            return not (operation.urls or {}).get(option)
        return any(name != "id" for name in call.placeholders)

    def at(self, profile: Profile, path: str) -> httpx.URL:
        """Return the URL of a path under the profile's base_url."""
        return httpx.URL((profile.base_url or self._base_url).rstrip("/") + path)

    def resolve(self, profile: Profile, given: str) -> httpx.URL | None:
        """Return a URL that the server gave, without user and password; None if no request to it can be tried.

        Some have a line end after it, or `&amp;` in it as HTML writes it, with which no signature is valid.
        """
        url = usable_url(given.strip().replace("&amp;", "&"), self.at(profile, "/"))
        return url.copy_with(userinfo=b"") if url is not None else None

    def is_home(self, url: httpx.URL, profile: Profile) -> bool:
        """Return whether a URL belongs to the profile's own server: only there may the key go."""
        return origin(url) == origin(self.at(profile, "/"))
