"""URLs from servers and users: whether a request to them can be tried, and where a key may go."""

from __future__ import annotations

import re
from typing import Final

import httpx

from vidgen_nb.machine.addresses import is_loopback

__all__ = ["hide_location", "is_loopback", "origin", "redirect_target", "usable_url"]

_REDIRECT_STATUSES: Final = (301, 302, 303, 307, 308)
_HOST_NAME: Final = re.compile(r"(?:[\w-]{1,63}\.)*[\w-]{1,63}\.?|(?=.*:)[\da-f:.]+", re.ASCII)
"""A name whose labels can be looked up (an empty or longer one raises an error that is not httpx's), or IPv6."""


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return the scheme, host and port of a URL: where a key may go."""
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def usable_url(address: object, base: httpx.URL | None = None) -> httpx.URL | None:
    """Return an http or https URL that a connection can be tried to, or None. `base`: for relative ones."""
    try:
        url = httpx.URL(address) if base is None else base.join(address)  # type: ignore[arg-type]
    except (httpx.InvalidURL, TypeError):
        return None
    # a port above 65535 raises an error that is not httpx's, too
    good = url.scheme in ("http", "https") and (url.port or 0) <= 65535
    return url if good and _HOST_NAME.fullmatch(url.raw_host.decode("ascii", "replace")) else None


async def hide_location(response: httpx.Response) -> None:
    """Hide a redirect's address from httpx, which fails at a malformed one even if it should not follow it."""
    if "location" in response.headers:
        response.extensions["location"] = response.headers.pop("location")


def redirect_target(
    response: httpx.Response, home: tuple[str, str, int | None], *, cross_origin: bool
) -> httpx.URL | None:
    """Return the URL to follow, or None if the response is final."""
    location = response.extensions.get("location")
    if location is None or response.status_code not in _REDIRECT_STATUSES:
        return None
    target = usable_url(location, response.url)
    return target if target is not None and (cross_origin or origin(target) == home) else None
