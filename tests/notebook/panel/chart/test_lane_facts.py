"""What the labels of lanes say."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vidgen_nb.analysis.limits.gauges import Gauge
from vidgen_nb.notebook.panel.chart.lane_facts import Account, clock_words, lane_facts
from vidgen_nb.notebook.panel.status.run_feed import LatestCooldown

NOON = datetime(2026, 3, 4, 13, 5, tzinfo=UTC)
READY = Account("alice", True, True, True, 0, 0, 3, None, LatestCooldown(), {}, Gauge())


def test_a_lane_that_is_busy() -> None:
    """How many it generates of how many, and what has come of its attempts, in words, without zeros."""
    ended = {"succeeded": 12, "rate_limited": 3, "transient": 1, "failed": 0}
    gauge = Gauge("2, then 1 every 30 s", 1.44, 2, "as the provider's limit is known")
    facts = lane_facts(READY._replace(generating=2, outcomes=ended, gauge=gauge), 1.0)
    assert (facts["state"], facts["count"], facts["note"], facts["release"]) == ("busy", "2/3", "", False)
    assert facts["tip"].splitlines() == [
        "alice",
        "12 succeeded, 3 rate-limit refusals (429), 1 failed",
        "1.4 of 2 submits left now (2, then 1 every 30 s; as the provider's limit is known)",
    ]
    assert facts["share"] == 0.72 and facts["limit"] == "2, then 1 every 30 s"
    one = lane_facts(READY._replace(outcomes={"rate_limited": 1}, room=None, generating=1), 1.0)
    assert one["count"] == "1" and "1 rate-limit refusal (429)" in one["tip"] and one["limit"] == "no limit met yet"


def test_jobs_in_the_queue_of_a_provider() -> None:
    """They are under way, and the tooltip says how many wait there."""
    facts = lane_facts(READY._replace(generating=8, at_provider=4, room=8), 1.0)
    assert facts["count"] == "8/8" and "4 of the 8 running are queued at the provider" in facts["tip"]


def test_a_rest_is_counted_down() -> None:
    """In whole run seconds, with a release and why; a long one is told by its end."""
    latest = LatestCooldown(until=80.0, scene="s1", retry_after=20.4, reason="429 rate_limit_exceeded")
    facts = lane_facts(READY._replace(seconds_left=15.2, latest=latest), 10.0, now=NOON)
    assert (facts["state"], facts["note"], facts["release"]) == ("rest", "16 s", True)
    assert facts["tip"].endswith("429 rate_limit_exceeded (the server asked for 20.4 s)")
    long = lane_facts(READY._replace(seconds_left=7200.0, latest=latest), 1.0, now=NOON)
    assert long["note"] == "back 15:05"


@pytest.mark.parametrize(
    ("cause", "left", "speed", "note"),
    [
        ("day_quota", 86_400.0, 1.0, "daily quota used; back tomorrow 13:05"),
        ("day_quota", 86_400.0, 24.0, "daily quota used; back 14:05"),
        ("auth", math.inf, 1.0, "key refused"),
        ("credit", math.inf, 1.0, "no credit left"),
        ("", math.inf, 1.0, "out of use"),
    ],
)
def test_what_is_out_looks_unlike_a_rest(cause: str, left: float, speed: float, note: str) -> None:
    """It says why and when it is back; once its cause is mended, it can be tried again."""
    latest = LatestCooldown(unusable=True, cause=cause, reason="401 invalid key")
    facts = lane_facts(READY._replace(seconds_left=left, latest=latest), speed, now=NOON)
    assert (facts["state"], facts["note"], facts["release"]) == ("out", note, True)
    assert facts["tip"].endswith("401 invalid key")


def test_off_and_fixed() -> None:
    """One that is out of the rotation is off; the last one in use, and one that nobody knows, can't be switched."""
    off = lane_facts(READY._replace(in_use=False, seconds_left=9.0), 1.0)
    assert (off["state"], off["on"], off["fixed"]) == ("off", False, False)
    assert lane_facts(READY._replace(may_go=False), 1.0)["fixed"]
    assert lane_facts(READY._replace(known=False, in_use=False), 1.0)["fixed"]


def test_names_and_reasons_are_one_line() -> None:
    """They are somebody else's text; the page sets them as text."""
    facts = lane_facts(READY._replace(name="a\nb\u202e", latest=replace(LatestCooldown(), reason="x\ny")), 1.0)
    assert "\n" not in facts["label"] and "\u202e" not in facts["label"] + facts["tip"]


def test_clock_words() -> None:
    """Today by its time alone."""
    assert clock_words(NOON, 3600) == "14:05"
    assert clock_words(NOON, timedelta(days=3).total_seconds()) == "Sat 07 Mar 13:05"
