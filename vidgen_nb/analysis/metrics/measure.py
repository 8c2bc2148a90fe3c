"""The numbers of a run, exact, from its records and events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from operator import attrgetter
from typing import Any

from vidgen_nb.analysis.metrics.efficiency import bound_question
from vidgen_nb.analysis.metrics.fairness import ideal_shares
from vidgen_nb.analysis.metrics.groups import Groups, ratio
from vidgen_nb.analysis.metrics.model import ProfileMetrics, SlotSplit
from vidgen_nb.analysis.metrics.recovery import as_trouble, check_trouble, control_of, outage, recovery
from vidgen_nb.analysis.metrics.results import goodput, makespan, on_seconds, status_counts, successes
from vidgen_nb.analysis.metrics.summary import Metrics
from vidgen_nb.analysis.metrics.windows import Window, window_of
from vidgen_nb.analysis.records.fast_dataclass import collector_paused
from vidgen_nb.analysis.records.model import AttemptRecord, RunData
from vidgen_nb.analysis.records.timeline import seconds_of, subtract
from vidgen_nb.analysis.records.timeline import union as joined
from vidgen_nb.analysis.validation import as_profiles, checks_arguments, data_of, is_number, seconds
from vidgen_nb.errors import InputError
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.provider.described import profile_from

__all__ = ["Metrics", "ProfileMetrics", "SlotSplit", "measure", "union"]

LARGE = 10_000
"""Of more attempts, what takes time is worked out only when it is asked for. Until then the metrics keep the run."""


@checks_arguments(called="metrics")
def measure(
    data: RunData,
    *,
    profiles: Iterable[SimulatedProfile] | None = None,
    seed: int | str | None = None,
    ideal: Mapping[str, float] | None = None,
    trouble: tuple[float, float] | None = None,
    window: float = 60.0,
    control: Any = None,
    after: float | None = None,
    until: float | None = None,
) -> Metrics:
    """Return a run's numbers.

    `after`, `until`: measure only a window of the run, in run seconds, such as the steady state without its beginning;
    `model` says what each number means there.

    `profiles`: the assumed limits and services of a live run; a simulated run knows its own. `seed`: of the assumed
    service times; None: those observed count for the bound (`efficiency`). `ideal`: each profile's fair share, in any
    unit. `trouble`: start and end of what the run had to recover from; `window`: the seconds over which its goodput is
    taken; `control`: what it is compared with, if not the same run without its faults in the trouble (`control_of`).
    Raises `InputError` for an assumption that does not fit the run.
    """
    if trouble is not None:
        trouble = as_trouble(trouble)
    seconds("window", window, zero=False)
    with collector_paused():
        known = _assumed(data, profiles, seed)
        given = None if control is None else data_of("control", control)
        return _measure(data, window_of(data, after, until), known, ideal, trouble, window, given)


@dataclass(frozen=True, slots=True)
class _Assumed:
    """Limits and services, if known."""

    profiles: list[SimulatedProfile] | None
    seed: int | str | None
    trouble: tuple[float, float] | None


def _assumed(data: RunData, given: Iterable[SimulatedProfile] | None, seed: int | str | None) -> _Assumed:
    backend = data.header.get("backend") or {}
    simulated = backend.get("name") == "simulated"
    if given is not None:
        profiles = as_profiles(given)
        names = [each.name for each in profiles]
        if twice := {name for name in names if names.count(name) > 1}:
            raise InputError(f"two profiles are called {min(twice)!r}: give each its own name")
        missing = set(data.profiles) - {each.name for each in profiles}
        if missing:
            raise InputError(f"profiles does not describe {min(missing)!r}, which this run used: describe all of them")
        return _Assumed(profiles, seed, None)
    if not simulated or not backend.get("profiles"):
        return _Assumed(None, None, None)
    profiles = [profile_from(each) for each in backend["profiles"]]
    return _Assumed(profiles, data.header.get("seed"), outage(backend.get("faults", ())))


def _measure(
    whole: RunData,
    part: Window,
    known: _Assumed,
    ideal: Mapping[str, float] | None,
    trouble: tuple[float, float] | None,
    window: float,
    control: RunData | None,
) -> Metrics:
    data, seen = part.data, part.seen
    done = part.done if seen is data else successes(seen)
    groups = Groups(part, seen, done, known.profiles, _shares(part, known.profiles, ideal))
    off = subtract(data.off, [(0.0, part.after)]) if part.after else data.off
    now = {
        **_counts(part, seen, done),
        "makespan": makespan(seen, done),
        "first_result": min([each.end for each in done if each.end is not None], default=None),
        "length": data.end - part.after,
        "off": seconds_of(off),
        "measured": (part.after, data.end) if part.is_part else None,
    }
    later, is_large = groups.ways(), len(data.attempts) > LARGE
    if trouble := trouble or known.trouble:
        check_trouble(*trouble, window)
        later["recovery",] = partial(_recovery, whole, trouble, window, control)
    if known.profiles is not None and not part.is_part:
        bound = partial(bound_question, data, known.profiles, known.seed)
        later["bound",] = (lambda: bound()()) if is_large else bound()
    metrics = Metrics.later(now, later)
    if not is_large:
        metrics.answered()
    return metrics


def _recovery(data: RunData, trouble: tuple[float, float], window: float, control: RunData | None) -> dict[str, Any]:
    return {"recovery": recovery(data, *trouble, window, control or control_of(data, trouble))}


_MOVE = attrgetter("from_profile", "to_profile")


def _counts(part: Window, seen: RunData, done: Sequence[AttemptRecord]) -> dict[str, Any]:
    outcomes = [each.outcome for each in seen.attempts]
    rate_limited = outcomes.count("rate_limited")
    tried = len(seen.attempts)
    ended = tried - outcomes.count(None)
    scenes = len(seen.scenes)
    amplification = ratio(tried, scenes)
    if part.is_part:  # what is not over has not had all of its attempts yet
        amplification = ratio(ended, sum(each.end is not None for each in seen.scenes))
    on = on_seconds(part.data, part.data.end) - on_seconds(part.data, part.after)
    return {
        "scenes": dict(status_counts(seen)),
        "attempts": tried,
        "rate_limited": rate_limited,
        "moves": len(seen.moves),
        "move_matrix": dict(Counter(map(_MOVE, seen.moves))),
        "amplification": amplification,
        "wasted_share": ratio(ended - outcomes.count("succeeded"), ended),
        "rate_429": ratio(rate_limited, ended),
        "goodput": len(done) / on if part.after and on else goodput(part.data, done),
    }


def _shares(
    part: Window, profiles: Sequence[SimulatedProfile] | None, ideal: Mapping[str, float] | None
) -> dict[str, float]:
    """Return each profile's fair share of all successes."""
    data = part.data
    if ideal is None:
        return ideal_shares(data.profiles, profiles, data.end - part.after)
    good = isinstance(ideal, Mapping) and set(ideal) == set(data.profiles)
    if not good or not all(is_number(each) and 0 <= each < inf for each in ideal.values()) or not sum(ideal.values()):
        raise InputError(f"ideal gives each of {', '.join(data.profiles)} a share of 0 or more, not {ideal!r}")
    return {name: each / sum(ideal.values()) for name, each in ideal.items()}


def union(windows: Iterable[tuple[float, float]]) -> float:
    """Return the length of the union of (start, end) windows."""
    return seconds_of(joined(windows))
