"""What a learner promises holds, whatever the answers."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nb.core.model import RateInfo
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.policies.paced.prospects import Prospects
from vidgen_nb.policies.paced.rate_headers import HeaderLearner

RATES = st.builds(
    RateInfo,
    limit=st.none() | st.integers(1, 5),
    remaining=st.none() | st.integers(0, 3),
    reset=st.none() | st.floats(0, 2000),
)
REFUSALS = st.builds(
    RateLimited,
    retry_after=st.none() | st.none() | st.floats(0, 1e6),
    cause=st.sampled_from(("rate", "rate", "rate", "concurrency")),
    rate=st.none() | RATES,
)
ACCEPTED, DROPPED, ENDED, SENT = "accepted", "dropped", "ended", "sent"
STEPS = st.lists(
    st.tuples(
        st.sampled_from((SENT, SENT, ACCEPTED, DROPPED, ENDED)) | REFUSALS | st.just(RateLimited()),
        st.sampled_from((0.0, 0.0, 0.1, 7.0, 1e5)),
    ),
    max_size=80,
)


def answer(
    learner: HeaderLearner, what: str | RateLimited, sent: list[float], now: float, rate: RateInfo | None
) -> None:
    """Answer the oldest submit."""
    if isinstance(what, RateLimited):
        learner.refused(sent.pop(0), now, what)
    elif what == ACCEPTED:
        learner.accepted(sent.pop(0), now, rate)
    elif what == DROPPED:
        learner.dropped(sent.pop(0), counts=False)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, rate=st.none() | RATES, start=st.sampled_from((0.0, 1e4, 1e9)))
def test_after_a_promised_wait_a_submit_is_allowed(
    steps: list[tuple[str | RateLimited, float]], rate: RateInfo | None, start: float
) -> None:
    """Inf means that an answer or a job's end is awaited; at any other returned time it says `now`."""
    learner, now, sent = HeaderLearner(Prospects()), start, list[float]()
    for what, later in steps:
        at = learner.earliest(now)
        if at == math.inf:
            assert learner.unanswered or learner.running
        else:
            assert learner.earliest(at) <= at
        if what == SENT and at < math.inf:
            now = max(now, at)
            learner.sent(now)
            sent.append(now)
        elif what == ENDED and learner.running:
            learner.ended()
        elif sent:
            answer(learner, what, sent, now, rate)
        now += later
