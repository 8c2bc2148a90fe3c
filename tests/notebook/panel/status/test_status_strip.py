"""The line of numbers and the progress bar of the toolbar."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from vidgen_nb.notebook.panel.status.run_counts import RunCounts
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.notebook.panel.status.session_snapshot import SessionSnapshot
from vidgen_nb.notebook.panel.status.status_strip import progress_html, state_html
from vidgen_nb.run import Run

RUNNING = SessionSnapshot(running=True)


def half_done() -> RunFeed:
    """Return what is known of a run in its middle."""
    feed = RunFeed()
    feed.run = Run({}, [])
    feed.counts = RunCounts(scenes=Counter(succeeded=15, running=5, waiting=4), rate_limited=7)
    return feed


def test_the_state_in_numbers() -> None:
    """What is done of all, refusals, and the cap where there is one; zeros are left out."""
    feed = half_done()
    assert "<b>Running</b>" in state_html(feed, RUNNING) and "15/24 · 7 × 429 · estimating …" in state_html(
        feed, RUNNING
    )
    feed.counts = RunCounts(scenes=Counter(succeeded=1, failed=2, waiting=1_000))
    shown = state_html(feed, replace(RUNNING, paused=True, cap=30, billed=3))
    assert "<b>Paused</b>" in shown and "1/1,003 · 2 failed · cap 3/30<" in shown
    assert "24 scenes" in state_html(RunFeed(), SessionSnapshot(chosen=24))
    assert "<b>No scenes</b>" in state_html(RunFeed(), SessionSnapshot())


def test_the_bar_has_a_part_for_each_status() -> None:
    """As wide as its number, which it says, also to somebody who can't see it."""
    shown = progress_html(half_done())
    assert 'aria-label="Scenes: 15 succeeded, 5 running, 4 waiting"' in shown
    assert "flex:15 0 0;" in shown and 'title="4 waiting">4<' in shown
    assert "nothing has run yet" in progress_html(RunFeed())
