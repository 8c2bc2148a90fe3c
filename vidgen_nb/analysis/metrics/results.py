"""What came out of a run, and when: successes, makespan, waits, goodput. Each is computed here and nowhere else.

A scene may be run again by hand after it has settled. Its *status* is then that of the latest time, and so is what is
said by scene: how many succeeded, how long they waited, from when they were added the last time. What has *happened*
stays: every success counts in the goodput, and the latest one ends the makespan, even if its scene failed later on when
it was run again.

Of a restored run there is time in which no program ran it (`off_time`). Times of the run's clock contain it: makespan
and length. Durations and rates leave it out, as if it had been cut out: waits, goodput, the queue's length, seconds of
cooldown, and slot time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import repeat
from operator import attrgetter, sub

from vidgen_nb.analysis.metrics.quantiles import Spread
from vidgen_nb.analysis.records.bounded_series import Span
from vidgen_nb.analysis.records.live_window import RecentData
from vidgen_nb.analysis.records.model import AttemptRecord, RunData
from vidgen_nb.analysis.records.off_time import all_without, without
from vidgen_nb.analysis.records.run_state import is_running
from vidgen_nb.analysis.records.timeline import cooling_spans, releases, seconds_of, subtract

__all__ = [
    "cooldown_seconds",
    "cooling_on",
    "flow_and_wait",
    "goodput",
    "horizon",
    "makespan",
    "on_seconds",
    "outcome_counts",
    "status_counts",
    "succeeded_before",
    "successes",
]


def status_counts(data: RunData) -> Counter[str]:
    """Return how many scenes have which status."""
    if isinstance(data, RecentData):
        return Counter(data.statuses)
    return Counter(map(attrgetter("status"), data.scenes))


def outcome_counts(data: RunData) -> Counter[tuple[str, str | None]]:
    """Return the number of attempts per (profile, outcome); None: they run. Those are left out of a live window."""
    if isinstance(data, RecentData):
        return Counter(data.tallies)
    return Counter((attempt.profile, attempt.outcome) for attempt in data.attempts)


def successes(data: RunData) -> list[AttemptRecord]:
    """Return the attempts that succeeded: of a scene that was run again by hand maybe several."""
    return [each for each in data.attempts if each.outcome == "succeeded" and each.end is not None]


def succeeded_before(data: RunData) -> int:
    """Return how many scenes have succeeded once, and since they were run again by hand stand otherwise."""
    if not data.readded_at:
        return 0
    standing = {scene.id for scene in data.scenes if scene.status == "succeeded"}
    return len({each.scene for each in successes(data)} - standing)


def makespan(data: RunData, done: Sequence[AttemptRecord] | None = None) -> float | None:
    """Return the end of the latest success; None: there was none. `done`: the `successes`, if they are at hand."""
    done = successes(data) if done is None else done
    return max([each.end for each in done if each.end is not None], default=None)


def horizon(data: RunData, done: Sequence[AttemptRecord] | None = None) -> float:
    """Return M, up to which slots and cooldowns are measured.

    It is the makespan; while something runs, or where nothing succeeded, the time of the last event.
    """
    made = makespan(data, done)
    return data.end if made is None or is_running(data) else made


def on_seconds(data: RunData, until: float) -> float:
    """Return how long a program ran the run, up to a time."""
    return without(data.off)(until)


def goodput(data: RunData, done: Sequence[AttemptRecord] | None = None) -> float | None:
    """Return the successes per second in which a program ran the run; None: there are no such seconds."""
    length = on_seconds(data, data.end)
    return len(successes(data) if done is None else done) / length if length else None


def flow_and_wait(
    data: RunData,
    done: Sequence[AttemptRecord] | None = None,
    release: dict[str, float] | None = None,
    *,
    may_queue: bool = True,
) -> tuple[Spread | None, Spread | None]:
    """Return F and W of the scenes that stand as succeeded, by scene.

    F is the time from when a scene was added, the last time, to its result. W is F without the service: the attempt
    that succeeded, but for the time for which it was queued at its provider. So W is what a scene waited in our queue
    and in the provider's. Both are without the time in which no program ran the run. `may_queue`: False if no attempt
    was queued at its provider.
    """
    done = successes(data) if done is None else done
    release = releases(data) if release is None else release
    stand = [each for each in data.scenes if each.status == "succeeded"]
    flow = _since(release, [each.id for each in stand], [each.end or 0.0 for each in stand], data.off)
    wait = _since(release, [each.scene for each in done], [each.start for each in done], data.off)
    if may_queue and any([each.began != each.accepted for each in done]):  # noqa: C419 - a list is quicker
        cut = without(data.off)
        there = {each.scene: _at_provider(each, cut) for each in done}
        wait = {name: waited + there[name] for name, waited in wait.items()}
    if wait.keys() != flow.keys():  # one succeeded, and was run again by hand
        wait = {name: wait[name] for name in flow if name in wait}
    return Spread.of(flow), Spread.of(wait)


def _since(release: dict[str, float], scenes: list[str], times: list[float], off: list[Span]) -> dict[str, float]:
    """Return how long after its release something happened to each scene, the last time, without the time off."""
    released = list(map(release.get, scenes, repeat(0.0)))
    return dict(zip(scenes, map(sub, all_without(off, times), all_without(off, released)), strict=True))


def _at_provider(attempt: AttemptRecord, cut: Callable[[float], float]) -> float:
    """Return how long an attempt that has begun was queued at its provider, without the time that is cut out."""
    if attempt.began is None or attempt.accepted is None:
        return 0.0
    return cut(attempt.began) - cut(attempt.accepted)


def cooling_on(data: RunData, end: float) -> dict[str, list[Span]]:
    """Return when each profile cooled while a program ran the run, up to a time."""
    spans = cooling_spans(data, end)
    return {name: subtract(each, data.off) for name, each in spans.items()} if data.off else spans


def cooldown_seconds(data: RunData) -> dict[str, float]:
    """Return how long each profile cooled up to `horizon`; what two of its cooldowns share counts once."""
    return {name: seconds_of(spans) for name, spans in cooling_on(data, horizon(data)).items()}
