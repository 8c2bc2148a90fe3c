"""Limits of what requests weigh: tokens a minute beside requests a minute."""

from __future__ import annotations

import math
from itertools import accumulate

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit import audit
from vidgen_nb.core.model import BOOST, RateInfo, Scene
from vidgen_nb.emulator import Emulator
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import (
    Constant,
    DailyQuota,
    FixedWindow,
    Limit,
    Provider,
    Refused,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.provider.described import limit_from_text
from vidgen_nb.provider.limit_states import EDGE
from vidgen_nb.run import load_run, lower_bound, simulate

# a busy machine is no failure
UNHURRIED = settings(deadline=None)
KINDS = st.sampled_from([TokenBucket, FixedWindow, SlidingWindow])
# gaps in eighths of a second, weights in quarters of a token: exact in binary
REQUESTS = st.lists(st.tuples(st.integers(0, 120), st.integers(0, 40)), min_size=1, max_size=60)
TPM = TokenBucket(10_000, per=60, weight="tokens")


def recomputed(
    kind: type[Limit], n: int, per: float, requests: list[tuple[float, float]], *, counted: bool
) -> list[bool]:
    """Return which requests are admitted, from the definitions and all that came earlier."""
    found: list[bool] = []
    level, before = float(n), 0.0
    for place, (now, weight) in enumerate(requests):
        earlier = [each for each, ok in zip(requests[:place], found, strict=True) if ok or counted]
        if kind is FixedWindow:
            used = sum(each for at, each in earlier if (at + EDGE) // per == (now + EDGE) // per)
            found.append(used + weight <= n + 1e-6)
        elif kind is SlidingWindow:
            used = sum(each for at, each in earlier if at + per > now + EDGE)
            found.append(used + weight <= n + 1e-6)
        else:
            level, before = min(n, level + (now - before) * n / per), now
            found.append(level >= weight - 2e-6 * n / per)
            level = level - weight if found[-1] else max(-n, level - weight) if counted else level
    return found


@UNHURRIED
@given(KINDS, st.integers(10, 30), st.sampled_from([8.0, 60.0]), REQUESTS, st.booleans())
def test_every_unit_counts(kind: type[Limit], n: int, per: float, spec: list[tuple[int, int]], counted: bool) -> None:
    """A limit of weights admits what its definition says, for any weights up to its size."""
    times = [each / 8 for each in accumulate(gap for gap, _ in spec)]
    requests = [(at, weight / 4) for at, (_, weight) in zip(times, spec, strict=True)]
    state = kind(n, per=per, weight="tokens", count_refusals=counted).state()  # type: ignore[call-arg]
    found = [state.admit(at, {"tokens": weight}) is None for at, weight in requests]
    assert found == recomputed(kind, n, per, requests, counted=counted)


@UNHURRIED
@given(KINDS, st.integers(10, 30), REQUESTS)
def test_retry_after_is_true_for_its_weight(kind: type[Limit], n: int, spec: list[tuple[int, int]]) -> None:
    """A refused request is refused just before its Retry-After is over, and admitted at it."""
    state = kind(n, per=60.0, weight="tokens").state()  # type: ignore[call-arg]
    for at, (_, weight) in zip(accumulate(gap / 8 for gap, _ in spec), spec, strict=True):
        request = {"tokens": weight / 4}
        refusal = state.admit(at, request)
        if refusal is not None:
            assert refusal.retry_after is not None
            reset = at + refusal.retry_after
            assert state.ready_for(reset - 1e-3, request) > reset - 1e-3
            assert state.ready_for(reset, request) == reset
            return


def test_both_limits_bind() -> None:
    """Requests and tokens a minute together: light requests meet the one, heavy ones the other; a refusal is free."""
    provider = Provider([SimulatedProfile("p1", TokenBucket(3, per=60) & TPM)])

    def wait(scene: str, now: float, tokens: float) -> float | None:
        answer = provider.submit("p1", scene, now, "a fox", {"tokens": tokens})
        return answer.reset if isinstance(answer, Refused) else None

    assert wait("heavy", 0.0, 9000) is None
    assert wait("heavy too", 0.0, 2000) == pytest.approx(6.0)
    assert [wait("light", 0.0, 100), wait("light", 0.0, 100)] == [None, None]
    assert wait("light", 0.0, 100) == pytest.approx(20.0)
    assert wait("weighs 1", 20.0, 1) is None


def test_what_is_too_heavy_is_refused_for_good() -> None:
    """A request above the limit's size never waits: its scene fails at once, and says why; the others go on."""
    scenes = [
        Scene("s1", "a fox", tokens=4000),
        Scene("s2", "a film", tokens=12_000),
        Scene("s3", "an owl", tokens="?"),
    ]
    for limit in (TPM, FixedWindow(10_000, per=60, weight="tokens"), SlidingWindow(10_000, per=60, weight="tokens")):
        run = simulate(scenes, [SimulatedProfile("p1", limit)])
        assert [each.status for each in run.scenes] == ["succeeded", "failed", "failed"]
        assert run.scenes[1].error == f"its tokens are 12000, more than {limit} ever admits at once"
        assert run.scenes[2].error == "its tokens must be a number, 0 or more, not '?'"
        assert run.metrics().makespan == 60


@pytest.mark.parametrize("count_refusals", [False, True])
@pytest.mark.parametrize("policy", ["PerProfileCooldown", "GlobalPause", "ExponentialCooldown", "Paced"])
def test_nothing_waits_for_ever(policy: str, count_refusals: bool) -> None:
    """A scene that needs the whole limit gets it, however many light ones there are."""
    scenes = [Scene(f"s{k:02}", "a fox", tokens=10_000 if k % 7 == 3 else 900) for k in range(40)]
    for kind in (TokenBucket, FixedWindow, SlidingWindow):
        limit = kind(10_000, per=60, weight="tokens", count_refusals=count_refusals)
        profiles = [SimulatedProfile("p1", TokenBucket(30, per=60) & limit, Constant(5)), SimulatedProfile("p2", limit)]
        run = simulate(scenes, profiles, mode="boost", policy=policy)
        assert run.metrics().scenes == {"succeeded": 40}
        audit(run.events, BOOST, moves=policy != "GlobalPause", turns=policy != "Paced")


def test_paced_told_of_weights_meets_no_429() -> None:
    """`Paced` that knows the limit submits each scene when its weight fits in; one that never fits fails at once."""
    scenes = [Scene(f"s{k:02}", "a fox", tokens=10_000 if k % 7 == 3 else 900) for k in range(40)]
    for limit in (
        TPM,
        TokenBucket(30, per=60) & TPM,
        FixedWindow(10_000, per=60, weight="tokens", count_refusals=True),
    ):
        profiles = [SimulatedProfile("p1", limit, Constant(5))]
        told = simulate(scenes, profiles, mode="boost", policy=Paced(limits={"p1": limit})).metrics()
        asked = simulate(scenes, profiles, mode="boost", policy=PerProfileCooldown(honour_retry_after=True)).metrics()
        assert (told.scenes, told.rate_limited) == ({"succeeded": 40}, 0)
        assert told.makespan is not None
        assert told.makespan <= (asked.makespan or 0.0) + 1e-3
        heavy = [Scene("s1", "a film", tokens=20_000), *scenes]
        run = simulate(heavy, profiles, mode="boost", policy=Paced(limits={"p1": limit}))
        assert run.metrics().scenes == {"succeeded": 40, "failed": 1}


def test_tokens_set_the_makespan() -> None:
    """Sixty scenes of 1,000 tokens: 10 at once, then 10 a minute, as the bucket's curve says; the bound stays below."""
    scenes = [Scene(f"s{k:02}", "a fox", tokens=1000) for k in range(60)]
    profiles = [SimulatedProfile("p1", TPM, Constant(30))]
    run = simulate(scenes, profiles, mode="boost", policy=PerProfileCooldown(honour_retry_after=True))
    assert run.metrics().makespan == pytest.approx(50 * 6 + 30, abs=1e-3)
    assert lower_bound(scenes, profiles).seconds <= 330
    equal = [SimulatedProfile("p1", TokenBucket(10, per=60, weight=2.5), Constant(30))]
    assert lower_bound(60, equal).seconds == pytest.approx(56 * 15 + 30, abs=1e-3)
    found = simulate(60, equal, mode="boost", policy=PerProfileCooldown(honour_retry_after=True)).metrics()
    assert found.makespan == pytest.approx(56 * 15 + 30, abs=1e-3)
    assert found.efficiency == pytest.approx(1.0)


def test_recorded_and_asked_again(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A run's file has the limits; what-if without a change gives the same events; the estimate doesn't fail."""
    scenes = [Scene(f"s{k:02}", "a fox", tokens=900 + 100 * (k % 5)) for k in range(30)]
    run = simulate(scenes, [SimulatedProfile("p1", TokenBucket(30, per=60) & TPM)], mode="boost", seed=2)
    read = load_run(run.save(tmp_path / "run.jsonl"))
    assert read.what_if().events == run.events
    assert read.header["backend"]["profiles"][0]["limits"][1] == {
        "kind": "token_bucket", "n": 10_000, "per": 60, "weight": "tokens",
    }  # fmt: skip
    assert limit_from_text(repr(TPM)) == TPM
    assert read.metrics().over_wait is not None
    assert read.estimate_limits()["p1"] is not None
    assert "what requests weigh" in str(read.admission_chart("p1").layout.title.text)


def test_tokens_a_day() -> None:
    """A day's quota may count tokens, and refusals: what is left of it is lighter requests'."""
    a_day = DailyQuota(1000, weight="tokens")
    provider = Provider([SimulatedProfile("p1", a_day)])
    causes = []
    for at, tokens in ((0.0, 600), (1.0, 500), (2.0, 400), (3.0, 1), (86_400.0, 1000)):
        answer = provider.submit("p1", "s", at, "a fox", {"tokens": tokens})
        causes.append((answer.cause, answer.reset) if isinstance(answer, Refused) else None)
    assert causes == [None, ("day_quota", 86_399.0), None, ("day_quota", 86_397.0), None]
    strict = DailyQuota(1000, weight="tokens", count_refusals=True).state()
    assert [strict.admit(0.0, {"tokens": each}) is None for each in (600, 500, 1)] == [True, False, False]
    assert repr(DailyQuota(5)) == "DailyQuota(n=5)"


def test_headers_count_requests_only() -> None:
    """Rate-limit headers are about requests: a limit of weights has none."""
    for limit, rate in ((TPM, None), (TokenBucket(4, per=60), RateInfo(4, 4, 0.0))):
        assert Provider([SimulatedProfile("p1", limit, rate_headers=True)]).rate("p1", 0.0) == rate


def test_a_parameter_that_no_scene_has() -> None:
    """A misspelt weight would never bind: an error says so, with the nearest name."""
    profile = SimulatedProfile("p1", TokenBucket(9, per=60, weight="token"))
    with pytest.raises(InputError, match="no parameter of any scene; did you mean 'tokens'"):
        simulate([Scene("s1", "a fox", tokens=3)], [profile])
    with pytest.raises(
        InputError, match=r"no parameter of any scene: give them one, Scene\('s001', 'a fox', token=800"
    ):
        simulate(3, [profile])
    for weight in (0, -1, math.nan, 10, "", None):
        with pytest.raises(InputError, match="weight is the name of a scene's parameter"):
            TokenBucket(9, per=60, weight=weight)  # type: ignore[arg-type]


def test_the_emulator_weighs_too() -> None:
    """Over HTTP the weight is a field of the request: too heavy is a 400 with the reason, too much a 429."""
    limit = FixedWindow(8, per=600, weight="seconds")
    with Emulator([SimulatedProfile("p1", limit, api_key="k")]) as emulator, httpx.Client() as client:

        def post(seconds: str) -> httpx.Response:
            data = {"prompt": "a fox", "seconds": seconds}
            return client.post(f"{emulator.base_url}/videos", data=data, headers={"Authorization": "Bearer k"})

        heavy = post("12")
        assert heavy.status_code == 400
        assert "its seconds are 12, more than" in heavy.json()["error"]["message"]
        assert [post("4").status_code, post("4").status_code, post("4").status_code] == [200, 200, 429]
