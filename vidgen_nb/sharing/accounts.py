"""Which profiles of different kernels are the same account.

Names of profiles differ between kernels, so it is the server together with the quota group's name, where one is given,
for that is what cools as one; else together with the key. Neither is stored: only a keyed hash (BLAKE2b, RFC 7693)
leaves the process. From a key as providers make them nothing can be guessed back; a quota group's name could.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from urllib.parse import urlsplit

from vidgen_nb.ports import Backend, Profile

__all__ = ["account_of"]


def account_of(profile: Profile, backend: Backend, salt: str) -> str | None:
    """Return the account's name for its peers; None for one that can't be told from others.

    That is one with neither key nor group, or one whose backend's `settings()` name no `base_url`.
    """
    where = _server(profile.base_url or backend.settings().get("base_url"))
    if where is None or not (profile.quota_group or profile.has_key):
        return None
    hashed = blake2b(key=blake2b(salt.encode()).digest(), digest_size=16)
    if profile.quota_group:
        hashed.update(json.dumps([where, "group", profile.quota_group]).encode())
    else:
        hashed.update(json.dumps([where, "key", profile.api_key.reveal()]).encode())
    return hashed.hexdigest()


def _server(url: object) -> str | None:
    """Return scheme, host and port of an address: paths such as `/v1` are written in several ways."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else None
