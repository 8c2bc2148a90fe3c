"""Addresses, as servers and users give them: whether they can be asked, and where a key may go."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import httpx

__all__ = ["is_loopback", "origin", "usable_url"]

_HOST_NAME: Final = re.compile(r"(?:[\w-]{1,63}\.)*[\w-]{1,63}\.?|(?=.*:)[\da-f:.]+", re.ASCII)
"""A name of labels that can be looked up (longer or empty ones are an error outside of httpx's), or an IPv6 address."""


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return the scheme, host and port of an address: where a key may go."""
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def usable_url(address: object, base: httpx.URL | None = None) -> httpx.URL | None:
    """Return the URL of an http or https address that a connection can be tried to, or None.

    `base`: what a relative one is relative to.
    """
    try:
        url = httpx.URL(address) if base is None else base.join(address)  # type: ignore[arg-type]
    except (httpx.InvalidURL, TypeError):
        return None
    # a port above 65535 is an error outside of httpx's, too
    good = url.scheme in ("http", "https") and (url.port or 0) <= 65535
    return url if good and _HOST_NAME.fullmatch(url.raw_host.decode("ascii", "replace")) else None
