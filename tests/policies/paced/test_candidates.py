"""What candidates say of a limit is what the limit does; the true one is always among those that are left."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nb.policies.paced.belief import PRICE, Belief
from vidgen_nb.policies.paced.candidates import Candidate, Kind, explaining
from vidgen_nb.policies.paced.submit_log import SubmitLog
from vidgen_nb.provider import FixedWindow, Limit, SlidingWindow, TokenBucket

KINDS: dict[str, tuple[type[TokenBucket] | type[FixedWindow] | type[SlidingWindow], Kind]] = {
    "bucket": (TokenBucket, "bucket"),
    "window": (SlidingWindow, "window"),
    "fixed": (FixedWindow, "fixed"),
}
GAPS = st.lists(st.sampled_from((0.0, 0.0, 0.0, 0.3, 1.0, 2.5, 7.0, 30.0)), min_size=1, max_size=120)


def limit_and_x(kind: str, n: int, per: float) -> tuple[Limit, float]:
    """Return a limit of the provider, and what its candidate calls x."""
    return KINDS[kind][0](n, per=per), per / n if kind == "bucket" else per


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(("bucket", "window")), st.integers(1, 8), st.sampled_from((1.0, 6.0, 20.0)), GAPS)
def test_a_candidate_with_the_true_x_does_what_the_limit_does(kind: str, n: int, per: float, gaps: list[float]) -> None:
    """It says of every submit whether it is accepted, and when the next one will be."""
    limit, x = limit_and_x(kind, n, per)
    state, log, now = limit.state(), SubmitLog(), 0.0
    candidate = Candidate(x / 2, x, 60.0, KINDS[kind][1], n)
    for gap in gaps:
        now += gap
        ready = state.ready_at(now)
        assert max(now, candidate.ready(log, x)) == pytest.approx(ready, abs=2e-6)
        if ready <= now:
            assert candidate.admits(log, now) >= x - 2e-6
            state.take(now)
            log.add(now)
        else:
            assert candidate.admits(log, now) < x


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(("bucket", "window", "fixed")), st.integers(1, 12), st.sampled_from((3.0, 20.0, 60.0)), GAPS, GAPS
)
def test_the_true_limit_is_never_excluded(
    kind: str, n: int, per: float, before: list[float], after: list[float]
) -> None:
    """Neither by what came before the first 429 nor by any answer after it.

    A fixed window is assumed to begin with its first submit, as the first one of a run does, and to be used up: which
    window a submit was in that came between two others is not known, and a belief that is wrong there is corrected.
    """
    limit, x = limit_and_x(kind, n, per)
    state, log, now = limit.state(), SubmitLog(), 0.0
    for number, gap in enumerate(before):
        now += gap if number or kind != "fixed" else 0.0
        if state.admit(now) is not None:
            break
        log.add(now)
    else:
        return
    belief = Belief(log, explaining(list(log.times), now, told=False))
    wanted = "window" if kind == "bucket" and n == 1 else kind  # they are the same

    def is_left() -> bool:
        return any(
            each.kind == wanted and each.n == n and each.low <= x + 1e-6 and x - 1e-6 <= each.high
            for each in belief.candidates
        )

    if kind == "fixed" and log.count > n:
        return  # which of its windows the first ones were in is not known
    assert is_left()
    for gap in after:
        now += gap
        is_used_up = False
        while not is_used_up:
            learns = belief.take(now)
            is_used_up = state.admit(now) is not None
            if is_used_up:
                belief.give_back(now)
                assert belief.refused(now, None)
            elif learns:
                assert belief.accepted()
            assert is_left()
            is_used_up = is_used_up or kind != "fixed"


def moments_of_fixed_windows(random: Random) -> Iterator[tuple[float, float]]:
    """Yield when the next submit is possible and when a candidate says so, after two resets were told."""
    n, per, now, log = random.randint(1, 8), random.choice((6.0, 20.0, 60.0)), 0.0, SubmitLog()
    state, candidate, resets = FixedWindow(n, per=per).state(), Candidate(per / 2, per, 60.0, "fixed", n), set[float]()
    for _ in range(random.randint(1, 120)):
        now += random.choice((0.0, 0.0, 0.0, 0.3, 1.0, 2.5, 7.0, 30.0))
        ready = state.ready_at(now)
        if len(resets) > 1:
            yield ready, max(now, candidate.ready(log, candidate.high))
        if ready <= now:
            state.take(now)
            log.add(now)
        elif not candidate.told(log, ready) or candidate.high < per / 2:
            return  # its first window had been open for long before the first submit: that takes a surprise
        else:
            resets.add(round(ready, 6))


def test_told_resets_say_when_fixed_windows_begin() -> None:
    """However early or late in a window its submits come; how many windows passed between two resets is a guess."""
    random = Random(1)
    moments = [each for _ in range(300) for each in moments_of_fixed_windows(random)]
    right = sum(abs(ready - said) < 2e-6 for ready, said in moments)
    too_late = sum(said > ready + 2e-6 for ready, said in moments)
    assert len(moments) > 5000
    assert right > 0.96 * len(moments)
    assert too_late < 0.01 * len(moments)


def learned(count: int, at: float) -> Belief:
    """Return the belief after so many submits at once, and a 429 that tells no reset."""
    log = SubmitLog()
    for _ in range(count):
        log.add(0.0)
    belief = Belief.after_first_429(log, at, None)
    assert belief is not None
    return belief


def test_one_kind_explains_a_burst_by_its_size() -> None:
    """After four at once, it is a window or a bucket of four; one submit alone is no bucket."""
    assert {(each.kind, each.n) for each in learned(4, 0.0).candidates} == {("window", 4), ("fixed", 4), ("bucket", 4)}
    assert {(each.kind, each.n) for each in learned(1, 0.0).candidates} == {("window", 1), ("fixed", 1)}


def test_with_more_scenes_to_come_it_dares_earlier() -> None:
    """A 429 is worth it if many scenes gain by what it teaches; if none does, only what is certain is submitted."""
    times = [learned(4, 0.0).next(0.0, scenes) for scenes in (1000.0, 10.0, 1.0, 0.3, 0.0)]
    assert times == sorted(times)
    assert times[0] < times[2] < times[-1]
    belief = learned(4, 0.0)
    belief.take(5.0)
    assert belief.accepted()
    certain = belief.next(5.0, 0.0)
    saves = belief.doubt + belief.likely_pace * (certain - 5.0)  # in submits, for each scene: by and by, and at once
    assert belief.next(5.0, PRICE / saves) == certain
    assert belief.next(5.0, 2 * PRICE / saves) < certain
    assert belief.is_certain(certain)
    assert not belief.is_certain(belief.next(5.0, 0.0) - 0.1)


def test_a_told_reset_leaves_one_x_for_each_kind() -> None:
    """Four at once, and the next one in 15 s: a window of 15 s, or a bucket with a token each 15 s."""
    log = SubmitLog()
    for _ in range(4):
        log.add(0.0)
    belief = Belief.after_first_429(log, 0.0, 15.0)
    assert belief is not None
    assert {each.high for each in belief.candidates} == {15.0}
    assert belief.next(0.0, 100.0) == 15.0
    assert belief.is_certain(15.0)
    belief.take(15.0)
    assert belief.next(15.0, 100.0) == 15.0  # the dare: a second one at once
    assert belief.next(15.0, 0.0) == 30.0  # not worth it


def test_many_submits_before_the_first_429_are_read_quickly() -> None:
    """The number of candidates does not grow with what was accepted."""
    times = [0.01 * number for number in range(4096)]
    found = explaining(times, 40.96, told=True)
    assert len(found) < 120
    assert all(math.isfinite(each.high) for each in found)
