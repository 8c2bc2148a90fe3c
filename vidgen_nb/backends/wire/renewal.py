"""Keys that a function returns: asked for in a thread of their own, because that may take long."""

from __future__ import annotations

import asyncio
from typing import Self

from vidgen_nb.core.outcomes import ProfileUnusable
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, Secret
from vidgen_nb.secret import RenewableKey

__all__ = ["Renewal"]


class Renewal:
    """Of the key of one call: once, when a server answers 401; keys that are given as texts stay as they are."""

    def __init__(self, key: RenewableKey | None) -> None:
        self._key = key

    @classmethod
    async def of(cls, key: Secret, *, public: bool) -> Self:
        """Return that of a call's key, and make sure that there is one; `public`: the call does not send it."""
        renewable = key if isinstance(key, RenewableKey) and not public else None
        if renewable is not None:
            await _renewed(renewable, None)
        return cls(renewable)

    async def helps(self, status: int, sent: Secret) -> bool:
        """Say whether there is another key than was sent and refused: then the request is sent again."""
        key = self._key
        if key is None or status != 401:
            return False
        self._key = None
        return await _renewed(key, sent.reveal())


async def _renewed(key: RenewableKey, refused: str | None) -> bool:
    """Ask for another key; `BackendError` with `ProfileUnusable` where its function fails."""
    try:
        return await asyncio.to_thread(key.renew, refused)
    except InputError as failed:
        raise BackendError(ProfileUnusable(str(failed), "auth")) from None
