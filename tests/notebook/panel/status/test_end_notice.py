"""When a run's end is worth a notification, and what it says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from vidgen_nb.notebook.panel.status.end_notice import EndNotice
from vidgen_nb.notebook.panel.status.run_counts import RunCounts
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.notebook.panel.status.session_snapshot import SessionSnapshot
from vidgen_nb.run import Run

START = SessionSnapshot(running=True, wall=datetime(2026, 12, 1, 12, tzinfo=UTC))


def ended(seconds: float) -> SessionSnapshot:
    """Return the session some wall seconds after the start, with a reason that quotes somebody's prompt."""
    return replace(START, running=False, wall=START.wall + timedelta(seconds=seconds), pause_reason="my secret prompt")


def done() -> RunFeed:
    """Return what is known of a run that has ended."""
    feed = RunFeed()
    feed.run, feed.ended = Run({}, []), "settled"
    feed.counts = RunCounts(scenes=Counter(succeeded=22, failed=2))
    return feed


def test_a_long_run_is_told_of_once() -> None:
    """Its title has the numbers, its text the sentence of the panel without what others wrote."""
    notice, feed = EndNotice(), done()
    assert notice.of(feed, START) is None
    assert notice.of(feed, replace(START, wall=ended(20).wall)) is None
    said = {"title": "22 of 24 succeeded", "text": "Done. 22 of 24 succeeded, 2 failed."}
    assert notice.of(feed, ended(31)) == said
    assert notice.of(feed, ended(32)) is None


def test_a_short_run_is_not() -> None:
    """Nor one that was over before anybody looked; and the next one counts from its own start."""
    notice, feed = EndNotice(), done()
    assert notice.of(feed, ended(100)) is None
    notice.of(feed, START)
    assert notice.of(feed, ended(29)) is None
    notice.of(feed, replace(START, wall=ended(40).wall))
    assert notice.of(feed, ended(60)) is None
