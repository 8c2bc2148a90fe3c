"""What a browser notification says of a run that has ended; it is read over shoulders, so no foreign text is in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.notebook.panel.status.sentences import sentence
from vidgen_nb.notebook.panel.status.session_snapshot import SessionSnapshot

__all__ = ["EndNotice"]

MIN_SECONDS = 30.0
"""Wall seconds from which on one may have turned to something else."""


class EndNotice:
    """Notes when a run was first seen running."""

    def __init__(self) -> None:
        self._began: datetime | None = None

    def of(self, feed: RunFeed, session: SessionSnapshot) -> dict[str, str] | None:
        """Return title and text, once, when a run that took long has ended; None: there is nothing to say."""
        if session.running:
            self._began = self._began or session.wall
            return None
        began, self._began = self._began, None
        if began is None or session.wall - began < timedelta(seconds=MIN_SECONDS):
            return None
        counts = feed.counts
        return {
            "title": f"{counts.scenes['succeeded']:,} of {counts.total:,} succeeded",
            "text": sentence(feed, replace(session, closed=False, closing=False, pause_reason="")),
        }
