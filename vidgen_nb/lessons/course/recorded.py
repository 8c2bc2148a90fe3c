"""Exercises that read a recorded run: which profile is next, and which limits explain the 429s."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from vidgen_nb.analysis.records.model import AttemptRecord
from vidgen_nb.errors import InputError
from vidgen_nb.lessons.bounded_runs import simulated_run
from vidgen_nb.lessons.exercise import Exercise
from vidgen_nb.lessons.goals import Verdict
from vidgen_nb.lessons.measurement import Measurement
from vidgen_nb.plaintext import short_repr
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import FixedWindow, LogNormal, SimulatedProfile, SlidingWindow, TokenBucket
from vidgen_nb.provider.demo_profiles import demo_profiles
from vidgen_nb.provider.limits import Limit
from vidgen_nb.run import Run

__all__ = ["inference", "next_profile"]

FOUR: Final = tuple(replace(each, price=None) for each in demo_profiles())
"""The demo's accounts; what they cost is not asked here."""
SEED: Final = 7
THE_LIMITS: Final[Mapping[str, Limit | None]] = {
    "alice": TokenBucket(4, per=60),
    "bruno": FixedWindow(5, per=45),
    "chiara": None,
}
"""What is to be found; None: its limit was never met, so nobody can tell."""
CLOSE: Final = 0.05
"""By which share the seconds may be off."""


# -- 00


@dataclass(frozen=True)
class _Next:
    """The profile that got the scene is named."""

    truth: str
    table: Mapping[str, str]
    """What each profile does at that moment."""

    def words(self) -> str:
        """Return what is asked."""
        return "the profile that gets the scene"

    def judge(self, measured: Measurement) -> Verdict:
        """Compare; of a wrong one, say again what it is doing, and not which is right."""
        answer = measured.answer
        if answer == self.truth:
            return Verdict("right", f"{answer}: that is right", True, "yes")
        look = f"{answer} {self.table[answer]}. When can it take a scene, and is no other profile sooner?"
        return Verdict("right", f"{answer}: that is not it", False, "no", look=look)


def next_profile() -> Exercise:
    """Return the exercise of notebook 00: the second refusal of a recorded run, and what the others do just then."""
    given: dict[str, Any] = {"scenes": 24, "profiles": list(FOUR), "mode": "boost"}
    run = simulated_run(given, {}, SEED)
    refused = [each for each in run.attempts if each.outcome == "rate_limited"][1]
    at = _end(refused)
    following = next(each for each in run.attempts if (each.scene, each.number) == (refused.scene, refused.number + 1))
    table = {each.name: _state(run, each, at) for each in FOUR}
    return Exercise(
        name="next-profile",
        title="00 · Which profile next?",
        task=f"At {at:.1f} s {refused.profile} refuses {refused.scene}, which goes to the front of the queue. Which "
        "profile gets it next, by what each is doing just then?",
        given=given,
        facts={f"{name} at {at:.1f} s": text for name, text in table.items()},
        answer="choice",
        choices=[each.name for each in FOUR],
        seeds=[SEED],
        goals=[_Next(following.profile, table)],
        hints=[
            "A profile that rests gets nothing, and one whose places are taken has to finish a scene first.",
            "The scene waits for what comes first: the end of a rest, or a free place at one that does not rest.",
        ],
    )


def _end(attempt: AttemptRecord) -> float:
    return math.inf if attempt.end is None else attempt.end


def _state(run: Run, profile: SimulatedProfile, at: float) -> str:
    """Return what a profile does at a moment: how many it generates, until when it rests, when a place will be free."""
    busy = [
        each for each in run.attempts
        if each.profile == profile.name and each.outcome == "succeeded" and each.start <= at < _end(each)
    ]  # fmt: skip
    text = f"generates {len(busy)} of {profile.capacity}"
    rests = [each.end - at for each in run.cooldowns if each.profile == profile.name and each.start <= at < each.end]
    if rests:
        return f"{text}, rests for {max(rests):.1f} s more"
    return f"{text}, has a free place in {min(_end(each) for each in busy) - at:.1f} s" if busy else text


# -- 08


@dataclass(frozen=True)
class _Limits:
    """Each profile's limit is named: its kind, how many, and per how many seconds."""

    truth: Mapping[str, Limit | None]

    def words(self) -> str:
        """Return what is asked."""
        return f"kind and number right for each profile, and the seconds within {CLOSE:.0%}".replace("%", " %")

    def judge(self, measured: Measurement) -> Verdict:
        """Compare each; which are wrong is told, not what would be right."""
        wrong = [name for name, limit in self.truth.items() if not _same(measured.answer[name], limit)]
        right = len(self.truth) - len(wrong)
        text = f"limits: {right} of {len(self.truth)} are right{f', not that of {wrong[0]}' if wrong else ''}"
        look = self._look(wrong[0], measured.answer[wrong[0]]) if wrong else ""
        return Verdict("limits", text, not wrong, f"{right} of {len(self.truth)}", look=look)

    def _look(self, name: str, mine: Limit | None) -> str:
        if self.truth[name] is None:
            return f"How many 429s did {name} answer? What can be said of a limit that was never met?"
        if mine is None:
            return f"{name} answered with 429s, so something can be told: which limits contradict none of its answers?"
        return f'Look at ex.given["run"].admission_chart("{name}", limit=...) with your answer as the limit.'


def _same(mine: Limit | None, true: Limit | None) -> bool:
    if mine is None or true is None:
        return mine is true
    return (
        type(mine) is type(true)
        and mine.n == true.n  # type: ignore[attr-defined]
        and abs(mine.per - true.per) <= CLOSE * true.per  # type: ignore[attr-defined]
    )


def inference() -> Exercise:
    """Return the exercise of notebook 08: a run whose limits are not told."""
    profiles = [
        SimulatedProfile("alice", THE_LIMITS["alice"], LogNormal(15, 0.4), capacity=4),
        SimulatedProfile("bruno", THE_LIMITS["bruno"], LogNormal(15, 0.4), capacity=6),
        SimulatedProfile("chiara", TokenBucket(60, per=60), LogNormal(60, 0.2), capacity=2),
    ]
    given = {"scenes": 90, "profiles": profiles, "mode": "boost", "policy": PerProfileCooldown(10)}
    told = simulated_run(given, {}, 0)
    run = Run({name: each for name, each in told.header.items() if name != "backend"}, told.events)
    return Exercise(
        name="inference",
        title="08 · Which limit explains these 429s?",
        task='ex.given["run"] was recorded with three profiles whose limits are not known. Name the limit of each, by '
        "its accepted submits and its 429s; None where nobody could tell.",
        given={"run": run},
        answer="any",
        measure=lambda answer, seed: answer,
        read=_read_limits,
        wanted='a dict such as {"alice": vg.SlidingWindow(3, per=30), "bruno": None, "chiara": None}',
        seeds=[0],
        goals=[_Limits(THE_LIMITS)],
        hints=[
            'ex.given["run"].admission_chart("alice") draws accepted submits and 429s. What is between two bursts?',
            "A bucket lets one in at a time once it is empty; a window lets several in, all at once.",
            "ex.given['run'].estimate_limits() says which limits explain every answer, and where none can be told.",
        ],
    )


def _read_limits(answer: Any) -> dict[str, Limit | None]:
    if not isinstance(answer, Mapping) or set(answer) != set(THE_LIMITS):
        raise InputError(
            f"give a dict with a limit or None for each of {', '.join(THE_LIMITS)}, not {short_repr(answer)}"
        )
    for name, limit in answer.items():
        if limit is not None and not isinstance(limit, TokenBucket | FixedWindow | SlidingWindow):
            raise InputError(
                f"{name}: a TokenBucket, a FixedWindow or a SlidingWindow, or None, not {short_repr(limit)}"
            )
    return dict(answer)
