"""Log lines of a run: what they name, and that foreign text is inert in them."""

from __future__ import annotations

import logging
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.harness import BOOST, World
from tests.recording.test_codec import ANY_EVENT
from vidgen_nb.core import events as ev
from vidgen_nb.core.events import Event
from vidgen_nb.core.model import Artifact, Scene
from vidgen_nb.core.outcomes import Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.recording.runlog import RunLog, cooling_line


def lines_of(events: list[Event], caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return level and text of what the events log."""
    caplog.clear()
    with caplog.at_level(logging.DEBUG, logger="vidgen_nb"):
        RunLog()(events)
    assert {record.name for record in caplog.records} <= {"vidgen_nb"}
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_lines_name_profile_scene_reason_and_seconds(caplog: pytest.LogCaptureFixture) -> None:
    """R20: a 429 says who cools, for which scene, for how much longer and why, and where the scene goes."""
    world = World(profiles=2, scenes=1)
    world.sleep_until(2)
    world.fail("s1", RateLimited(5.0, reason="HTTP 429 slow down"))
    world.accept("s1")
    world.finish("s1")
    lines = lines_of(world.scheduler.events, caplog)
    (cooling,) = (text for level, text in lines if level == "WARNING" and "cooling" in text)
    assert all(part in cooling for part in ("[    2.0 s]", "p1", "s1", "30.0 s remaining", "HTTP 429 slow down"))
    (bounced,) = (text for level, text in lines if level == "WARNING" and "cooling" not in text)
    assert all(part in bounced for part in ("s1", "p1", "HTTP 429 slow down"))
    assert ("INFO", "[    2.0 s] s1 → p2, attempt 2: moved from p1") in lines
    assert ("INFO", "[    2.0 s] s1 succeeded on p2 → s1.mp4") in lines
    assert lines[-1] == ("INFO", "[    2.0 s] run ended: settled")


def test_failures_name_where_they_happened(caplog: pytest.LogCaptureFixture) -> None:
    """A failed scene is an error, a failed poll a warning, and a profile out of the rotation says so."""
    world = World(profiles=2, scenes=3, mode=BOOST)
    world.fail("s1", ProfileUnusable("no such key"))
    world.fail("s2", Permanent("content policy"))
    world.accept("s3")
    world.sleep_until(0.5)
    world.feed(ev.CallFailed("s3", 1, "poll", Transient("HTTP 503")))
    lines = lines_of(world.scheduler.events, caplog)
    assert ("WARNING", "[    0.0 s] p1 out of the rotation after s1, no end known: no such key") in lines
    assert ("ERROR", "[    0.0 s] s2 failed on p2: content policy") in lines
    assert ("WARNING", "[    0.5 s] poll of s3 on p1 failed: HTTP 503") in lines


def test_a_long_reason_hides_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Reasons come last, so that a page of HTML cuts off neither scene, profile nor seconds."""
    world = World(profiles=1, scenes=1)
    world.fail("s1", RateLimited(reason="<html>" * 1000))
    for _, text in lines_of(world.scheduler.events, caplog)[-2:]:
        assert "s1" in text
        assert "p1" in text
        assert len(text) < 520
    assert any("30.0 s remaining" in record.getMessage() for record in caplog.records)


def test_foreign_text_is_inert_and_prompts_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """No line end, escape, bidi character or % in an id or a reason has any effect; prompts never appear."""
    evil = "s\n[    0.0 s] forged\x1b[31m\u202e\u2066%s%(x)d\r\x07\x9b\ud800"
    world = World(profiles={f"p{evil}": (None, "")}, mode=BOOST)
    for name in (evil, evil + "2"):
        world.feed(ev.SceneAdded(Scene(name, "SECRET PROMPT")))
    world.feed(ev.RunStarted())
    world.fail(evil, Permanent(f"{evil} {evil}"))
    world.accept(evil + "2")
    world.feed(ev.Generated(evil + "2", 1, Artifact("with_key")))
    world.feed(ev.Fetched(evil + "2", 1, evil))
    world.feed(ev.Stopped(evil))
    for _, text in lines_of(world.scheduler.events, caplog):
        assert text.isprintable()
        assert "SECRET" not in text


@given(events=st.lists(ANY_EVENT, max_size=5))
def test_no_event_breaks_the_log(events: list[Event]) -> None:
    """Any event in any order can be logged: otherwise the driver would remove the log."""
    RunLog()(events)


def test_the_report_that_all_profiles_cool() -> None:
    """R5: the profile that is back first comes first; of many only the first are named; waiting scenes are counted."""
    line = cooling_line({"p1": 12.34, "p2": math.inf, "p\n3": 1.0}, 1)
    assert line == "all profiles cool: p 3 1.0 s, p1 12.3 s, p2 no end known remaining; 1 scene waiting"
    long = cooling_line({f"profile-{index}": float(1000 - index) for index in range(1000)}, 7)
    assert long.startswith("all profiles cool: profile-999 1.0 s, ")
    assert long.endswith("and 988 more remaining; 7 scenes waiting")
