"""Whose times a profile has of which few are known."""

from __future__ import annotations

from collections import Counter
from random import Random

from vidgen_nb.analysis.forecast.service_kinds import drawn_kind, times_of
from vidgen_nb.analysis.forecast.weibull_tail import Tail, fit_tail

QUICK = fit_tail([10.0, 11.0, 9.0, 10.5, 9.5, 10.0], [])
SLOW = fit_tail([100.0, 110.0, 90.0, 105.0, 95.0, 100.0], [])
EVERY = fit_tail([10.0, 11.0, 9.0, 100.0, 110.0, 90.0], [])


def kinds(seen: list[float], ages: list[float]) -> Counter[str]:
    """Return how often each kind was drawn, of 200 times."""
    drawn = (drawn_kind(seen, ages, {"quick": QUICK, "slow": SLOW}, EVERY, Random(k)) for k in range(200))
    return Counter("own" if isinstance(each, Tail) else each for each in drawn)


def test_what_is_known_decides() -> None:
    """Without any time each is as likely; two times, or the age of a running job, rule out what can't have been."""
    unknown = kinds([], [])
    assert min(unknown["quick"], unknown["slow"], unknown["own"]) > 40
    assert kinds([98.0, 103.0], [])["slow"] > 120 and not kinds([98.0, 103.0], [])["quick"]
    assert not kinds([], [40.0])["quick"]
    assert kinds([1000.0, 1010.0], [])["own"] == 200


def test_times_of_an_own_kind() -> None:
    """Those seen come again, more of them the more there are; without any, all are new."""
    tail = Tail(2.0, 50.0, 3)
    shares = [sum(each == 50.0 for each in times_of(tail, [50.0] * 3, Random(k))) / 60 for k in range(100)]
    assert 0.65 < sum(shares) / 100 < 0.85
    assert len(set(times_of(tail, [], Random(1)))) == 60
