"""Limits of recorded live runs that no program ran for a while: the provider's limit went on meanwhile."""

from __future__ import annotations

from random import Random

import pytest

from vidgen_nb.analysis.limits.estimate import estimate_group
from vidgen_nb.analysis.limits.submit_history import submit_history
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Operation, RetryPolicy
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.provider import FixedWindow, SlidingWindow, TokenBucket

LIVE = {"backend": {"name": "openai_videos"}}


def restored(limit: TokenBucket, off: float, seed: int, *, says: bool = True) -> list[ev.Event]:
    """Return a live run that dies at about 300 s while a submit is accepted, and is off for a while."""
    random, state = Random(seed), limit.state()
    found: list[ev.Event] = []

    def record(event: ev.Event, at: float) -> None:
        event.at = at  # type: ignore[misc]  # events are frozen for everyone else
        found.append(event)

    record(ev.ProfileAdded("p"), 0.0)
    at, number, died, dead = 5.0, 0, False, 0.0
    while at < 900 + off:
        number += 1
        record(ev.AttemptStarted("s", number, "p", "first"), at)
        decided = at + random.uniform(0.05, 0.3)
        accepted = state.ready_at(decided) <= decided
        if accepted:
            state.take(decided)
        if at > 300 and accepted and not died:
            died, dead, at = True, at, at + off
            record(ev.Stopped(ev.StopReason.BROKEN_OFF), at)
            record(ev.AttemptAbandoned("s", number), at)
            handed = ev.RunRestored(0.0, 1.0, 0, RetryPolicy(), "hold", 3600.0, off_since=dead if says else None)
            record(handed, at)
        elif accepted:
            record(ev.Accepted("s", number, Operation(f"j{number}")), decided + 0.1)
        else:
            record(ev.CallFailed("s", number, "submit", RateLimited(None)), decided + 0.1)
        at = max(at, decided + 0.1) + random.uniform(1.0, 8.0)
    return found


@pytest.mark.parametrize("says", [True, False])
@pytest.mark.parametrize("kind", [TokenBucket, FixedWindow, SlidingWindow])
def test_the_truth_is_inside(kind: type[TokenBucket], says: bool) -> None:
    """Whether the record says since when no program ran, or is an old one; off for no time, a minute, or a day."""
    given = 0
    for seed in range(12):
        limit = kind(5, per=60 + seed)
        events = restored(limit, [0.5, 60.0, 86_400.0][seed % 3], seed, says=says)
        found = estimate_group(submit_history(LIVE, events)["p"])
        assert any(each.n == 5 and each.low <= limit.per <= each.high for each in found.candidates), (seed, found)
        given += found.rate is not None
        assert found.rate is None or limit.n / limit.per in found.rate
    assert given >= 8


def test_a_submit_under_way_was_decided_before_the_next_program() -> None:
    """Within a minute of its program's end, not when the next one gave it up; old records don't say when that was."""
    for says, latest in ((True, 60.0), (False, 86_400.0)):
        events = restored(TokenBucket(5, per=60), 86_400.0, 1, says=says)
        (low, high), *others = submit_history(LIVE, events)["p"].in_doubt
        assert high - low == pytest.approx(latest, abs=1.0) and not others


def test_a_submit_without_an_answer_yet() -> None:
    """While a live run goes on, a submit under way may have been accepted; in virtual time it was not decided on."""
    events = [event for event in restored(TokenBucket(5, per=60), 0.5, 1) if event.at < 100]
    events.append(ev.AttemptStarted("s", 999, "p", "first"))
    events[-1].at = 100.0  # type: ignore[misc]
    assert (100.0, 100.0) in submit_history(LIVE, events)["p"].in_doubt
    assert not submit_history({"backend": {"name": "simulated"}}, events)["p"].in_doubt
