"""What the holder of a key is told by an emulator, such as a class's: the account's name, and how fast time passes."""

from __future__ import annotations

from typing import Any, Final

import httpx

from vidgen_nb.backends.google.interactions import GoogleInteractions
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.runway.tasks import Runway
from vidgen_nb.backends.wire.network import check_reachable, transport_here
from vidgen_nb.core.model import record
from vidgen_nb.errors import InputError
from vidgen_nb.machine.addresses import is_loopback
from vidgen_nb.machine.browser import can_wait_here, in_browser, wait_here
from vidgen_nb.plaintext import one_line
from vidgen_nb.ports import Backend, Profile, Secret

__all__ = ["Account", "account_of"]

_BACKENDS: Final[dict[str, Any]] = {
    "openai_videos": OpenAIVideos, "runway": Runway, "google_interactions": GoogleInteractions,
}  # fmt: skip
_TIMEOUT: Final = 10.0
_MAX_BYTES: Final = 10_000


@record
class Account:
    """An account at an emulator."""

    profile: Profile
    backend: Backend
    """Speaks the emulator's dialect, at its address."""
    speed: float
    """Run seconds per wall second there."""


def account_of(address: str, key: Secret) -> Account:
    """Ask the emulator at an address, such as `http://10.0.0.5:8000`, for the account of a key.

    Raises `InputError` where nothing answers, where it is no emulator, and where it doesn't know the key.
    """
    url = _root(address)
    try:
        asked = _asked_in_page(url, key) if in_browser() else _asked(url, key)
    except (httpx.HTTPError, OSError) as error:
        what = "does not answer in time" if isinstance(error, httpx.TimeoutException) else "can't be reached"
        raise InputError(
            f"{url} {what}: is the emulator running, is this the address that it was given out with, and does it let "
            "other machines in (host='0.0.0.0')?"
        ) from None
    return _read(url, asked, key)


def _asked(url: httpx.URL, key: Secret) -> httpx.Response:
    with httpx.Client(timeout=_TIMEOUT, trust_env=not is_loopback(url.host), verify=url.scheme == "https") as client:
        return client.get(url.join("/account"), headers=_headers(key))


def _asked_in_page(url: httpx.URL, key: Secret) -> httpx.Response:
    """Ask an emulator of the same notebook: Python in a page has no network."""
    check_reachable(url)
    if not can_wait_here():
        raise InputError(
            "this browser can't wait for an answer here: make the controller of an emulator of this notebook with "
            "vg.Controller(vg.OpenAIVideos(emulator.base_url), emulator.profiles, speed=emulator.clock.speed)"
        )

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(timeout=_TIMEOUT, transport=transport_here()) as client:
            return await client.get(url.join("/account"), headers=_headers(key))

    return wait_here(ask())


def _headers(key: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {key.reveal()}"}


def _root(address: str) -> httpx.URL:
    """Return scheme, host and port of an address; a path is left out, and `http://` may be."""
    if not isinstance(address, str) or not address.strip():
        raise InputError(f"address is the emulator's, such as 'http://10.0.0.5:8000', not {address!r}")
    text = address.strip()
    try:
        url = httpx.URL(text if "://" in text else f"http://{text}")
    except (httpx.InvalidURL, UnicodeError):
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query:
        raise InputError(
            "address is the emulator's, such as 'http://10.0.0.5:8000': nothing else belongs into it, and no key"
        )
    return url.copy_with(path="/", fragment=None)


def _read(url: httpx.URL, asked: httpx.Response, key: Secret) -> Account:
    if asked.status_code == 401:
        raise InputError(
            f"{url} doesn't know this key: was all of it copied? Ask whoever runs the emulator; it has a list"
        )
    try:
        told = asked.json() if asked.status_code == 200 and len(asked.content) <= _MAX_BYTES else {}
        made, path = _BACKENDS[told["dialect"]], str(told["root"])
        profile = Profile(told["name"], key, capacity=told["capacity"])
        speed = float(told["speed"])
    except (ValueError, KeyError, TypeError):
        said = one_line(f"HTTP {asked.status_code}", 40)
        raise InputError(f"what answers at {url} is no emulator of vidgen_nb ({said}): is the address right?") from None
    return Account(profile, made(base_url=str(url.join(path))), speed)
