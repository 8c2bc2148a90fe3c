"""What stands under a window's key, as JSON. It comes from outside: nothing in it is taken on trust."""

from __future__ import annotations

import json

from vidgen_nb.core.model import record

__all__ = ["Stored", "stored"]

LONGEST_TEXT = 500
"""Characters of a reason or a peer's name."""


@record
class Stored:
    """Who saw what."""

    line: str
    """A random name of the line that published it."""
    peer: str
    """Host and process, for people."""
    reason: str
    unusable: bool = False

    def text(self) -> str:
        """Return it as JSON."""
        reason = self.reason[:LONGEST_TEXT]
        return json.dumps({"line": self.line, "peer": self.peer, "reason": reason, "unusable": self.unusable})


def stored(text: str) -> Stored | None:
    """Read it; None for what is nothing of ours."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    line, peer, reason = (found.get(name) for name in ("line", "peer", "reason"))
    if not (isinstance(line, str) and isinstance(peer, str) and isinstance(reason, str)):
        return None
    return Stored(line, peer[:LONGEST_TEXT], reason[:LONGEST_TEXT], found.get("unusable") is True)
