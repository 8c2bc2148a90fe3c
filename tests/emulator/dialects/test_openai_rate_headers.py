"""The emulator's rate-limit headers: a backend reads from them the same as a simulation in virtual time."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.clock import Clock
from vidgen_nb.core.model import RateInfo, Scene
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.emulator import Emulator
from vidgen_nb.ports import BackendError
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    FixedWindow,
    Limit,
    Provider,
    Refused,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.provider.failures import failure

TIMES = (0.0, 0.25, 0.5, 7.0, 200.0, 300.0, 300.001, 301.0, 302.0, 420.0)
Told = tuple[RateInfo | None, float | None]
"""The limit according to an answer, and the wait of a refusal."""


def in_the_model(profile: SimulatedProfile) -> list[Told]:
    """Return what the virtual driver would hand on."""
    provider, found = Provider([profile]), list[Told]()
    for now in TIMES:
        answer = provider.submit("p1", f"s{now}", now)
        rate = provider.rate("p1", now)
        if isinstance(answer, Refused):
            refusal = failure(answer.cause, answer.retry_after, rate)
            assert isinstance(refusal, RateLimited)
            found.append((refusal.rate, refusal.retry_after))
        else:
            found.append((rate, None))
    return found


def over_http(profile: SimulatedProfile, *, minimal: bool) -> list[Told]:
    """Return what the backend makes of the emulator's answers."""
    now = 0.0
    emulator = Emulator([profile], clock=Clock(monotonic=lambda: now), minimal=minimal)

    async def submit(backend: OpenAIVideos) -> Told:
        try:
            operation = await backend.submit(Scene(f"s{now}", "a lighthouse"), emulator.profiles[0])
        except BackendError as error:
            refusal = error.outcome
        else:
            return operation.rate, None
        assert isinstance(refusal, RateLimited)
        return refusal.rate, refusal.retry_after

    async def main() -> list[Told]:
        nonlocal now
        backend = OpenAIVideos("http://emulator/v1", transport=httpx.ASGITransport(app=emulator.app))
        found = []
        for now in TIMES:  # noqa: B007 - the emulator's clock
            found.append(await submit(backend))
        await backend.aclose()
        return found

    return asyncio.run(main())


@pytest.mark.parametrize("retry_after", [True, False])
@pytest.mark.parametrize(
    "limit",
    [
        TokenBucket(3, per=200),
        FixedWindow(2, per=400),
        SlidingWindow(2, per=100),
        TokenBucket(7, per=1),
        Concurrency(2),
    ],
    ids=repr,
)
def test_virtual_time_and_http_tell_the_same(limit: Limit, retry_after: bool) -> None:
    """The same limit, remaining and reset with every answer to a submit, and the same waits to the millisecond."""
    profile = SimulatedProfile("p1", limit, Constant(1000), retry_after=retry_after, rate_headers=True)
    model, live = in_the_model(profile), over_http(profile, minimal=retry_after)
    assert [numbers(rate) for rate, _ in live] == [pytest.approx(numbers(rate)) for rate, _ in model]
    assert any(rate is not None for rate, _ in live) == (limit != Concurrency(2))
    for (_, waited), (_, wait) in zip(live, model, strict=True):
        assert waited == (None if wait is None else pytest.approx(wait, abs=2e-3))


def numbers(rate: RateInfo | None) -> tuple[float | None, ...]:
    """Return the rate as numbers, which may differ in their last digits."""
    return () if rate is None else (rate.limit, rate.remaining, rate.reset)


def test_no_headers_without_the_flag() -> None:
    """A profile without `rate_headers` sends none."""
    told = over_http(SimulatedProfile("p1", TokenBucket(3, per=200), Constant(1)), minimal=False)
    assert [rate for rate, _ in told] == [None] * len(TIMES)
