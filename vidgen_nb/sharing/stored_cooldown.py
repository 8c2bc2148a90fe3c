"""The JSON stored with a shared cooldown. It comes from outside, so nothing in it is trusted."""

from __future__ import annotations

import json

from vidgen_nb.core.model import record

__all__ = ["StoredCooldown", "parse_stored"]

MAX_TEXT_CHARS = 500
"""Of a reason, and of a session's name."""


@record
class StoredCooldown:
    """Who saw what."""

    publisher: str
    """A random id of the connection that published it; `line` in the JSON."""
    peer: str
    """Host and process, for people."""
    reason: str
    unusable: bool = False

    def text(self) -> str:
        """Return it as JSON."""
        reason = self.reason[:MAX_TEXT_CHARS]
        return json.dumps({"line": self.publisher, "peer": self.peer, "reason": reason, "unusable": self.unusable})


def parse_stored(text: str) -> StoredCooldown | None:
    """Parse the JSON; None if it is not one of ours."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    publisher, peer, reason = (found.get(name) for name in ("line", "peer", "reason"))
    if not (isinstance(publisher, str) and isinstance(peer, str) and isinstance(reason, str)):
        return None
    return StoredCooldown(publisher, peer[:MAX_TEXT_CHARS], reason[:MAX_TEXT_CHARS], found.get("unusable") is True)
