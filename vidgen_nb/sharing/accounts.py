"""Which profiles of different kernels are the same account.

Profile names differ between kernels. An account is therefore the server together with the quota group, if one is given
(it cools as one), or else together with the API key. Neither is stored: only a keyed hash (BLAKE2b, RFC 7693) leaves
the process. A key as providers issue them can't be guessed from it; the name of a quota group could be.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from urllib.parse import urlsplit

from vidgen_nb.ports import Backend, Profile

__all__ = ["account_of"]


def account_of(profile: Profile, backend: Backend, salt: str) -> str | None:
    """Return the account's name for other sessions; None if it can't be told apart from others.

    That is a profile with neither key nor group, one whose key is renewed and that has no group, or one whose backend
    names no `base_url` in its `settings()`.
    """
    server = _origin(profile.base_url or backend.settings().get("base_url"))
    has_fixed_key = profile.has_key and not profile.api_key.is_renewable
    if server is None or not (profile.quota_group or has_fixed_key):
        return None
    hashed = blake2b(key=blake2b(salt.encode()).digest(), digest_size=16)
    if profile.quota_group:
        hashed.update(json.dumps([server, "group", profile.quota_group]).encode())
    else:
        hashed.update(json.dumps([server, "key", profile.api_key.reveal()]).encode())
    return hashed.hexdigest()


def _origin(url: object) -> str | None:
    """Return scheme, host and port of a URL; without its path, since `/v1` and the like are written in several ways."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else None
