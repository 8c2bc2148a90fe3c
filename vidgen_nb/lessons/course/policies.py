"""Exercises whose answer is a policy, and the one that asks when the naive policy is right."""

from __future__ import annotations

from typing import Any

from vidgen_nb.errors import InputError
from vidgen_nb.lessons.answers import Settings
from vidgen_nb.lessons.bounded_runs import simulated_run
from vidgen_nb.lessons.exercise import Exercise
from vidgen_nb.lessons.goals import Goal
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import FixedWindow, LogNormal, SimulatedProfile, SlidingWindow

__all__ = ["beat_paced", "global_pause", "retry_after"]


def retry_after() -> Exercise:
    """Return the exercise of notebook 02: no fixed wait suits both accounts."""
    return Exercise(
        name="retry-after",
        title="02 · How long to wait after a 429",
        task="Two accounts count in windows of different lengths, and their refusals say when to come back. Write or "
        "choose a policy that finishes 20 scenes in less than 70 s, with at most 5 refusals.",
        given={
            "scenes": 20,
            "profiles": [
                SimulatedProfile("alice", FixedWindow(5, per=30), LogNormal(8, 0.2), capacity=5),
                SimulatedProfile("bruno", FixedWindow(4, per=55), LogNormal(8, 0.2), capacity=4),
            ],
            "mode": "boost",
        },
        goals=[
            Goal("makespan", below=70, look="Where does an account rest although its window has begun anew?"),
            Goal("refusals", at_most=5, over="every seed", look="Which refusals came before the window had ended?"),
        ],
        hints=[
            "Try a few fixed waits first, such as vg.PerProfileCooldown(10). Does any suit both accounts?",
            "What does run.attempts[k].retry_after say after a refusal?",
            "A policy gets it, too: outcome.retry_after in on_429, and see help(vg.PerProfileCooldown).",
        ],
    )


def beat_paced() -> Exercise:
    """Return the exercise of notebook 09: who knows the limits need not pay to learn them."""
    return Exercise(
        name="beat-paced",
        title="09 · What learning costs",
        task="Paced has to find out what these two accounts allow: their refusals do not say when to come back. "
        "You know what they allow: write a policy that needs at most 90 % of Paced's time, with at most 12 refusals.",
        given={
            "scenes": 40,
            "profiles": [
                SimulatedProfile("alice", SlidingWindow(6, per=20), LogNormal(6, 0.3), capacity=6, retry_after=False),
                SimulatedProfile("bruno", SlidingWindow(4, per=20), LogNormal(6, 0.3), capacity=6, retry_after=False),
            ],
            "mode": "boost",
        },
        goals=[
            Goal("makespan", at_most=0.9, of=Paced(), look="How long does each account rest that could work?"),
            Goal("refusals", at_most=12, over="every seed", look="Which submits came before the window had moved on?"),
        ],
        hints=[
            "When may an account that has just accepted as many as it may be asked again?",
            "A cooldown of exactly that length comes neither too early nor too late.",
            "Or refuse nothing at all: earliest(profile, now) can hold a submit back, and Paced takes limits=.",
        ],
    )


SHARE = "GlobalPause ÷ PerProfileCooldown"
_PAUSES = Settings(("profiles", "scenes", "arrivals", "told_groups", "latency", "faults", "load"))


def global_pause() -> Exercise:
    """Return the exercise of notebook 03: a counterexample."""
    return Exercise(
        name="global-pause",
        title="03 · When moving does not help",
        task="Pausing every account after one 429 usually loses against letting only that account rest. Find profiles "
        "and scenes with which GlobalPause needs at most 95 % of the time of PerProfileCooldown, both of 30 s.",
        given={"mode": "boost"},
        facts={"policies": "GlobalPause(30) and PerProfileCooldown(30), with the same luck"},
        answer="any",
        measure=_both,
        read=_read_case,
        wanted='a dict such as {"profiles": [vg.SimulatedProfile(...), ...], "scenes": 24}; it may also have '
        + ", ".join(_PAUSES.may_change[2:]),
        seeds=range(10),
        goals=[Goal(SHARE, at_most=0.95, look="Which 429s would not have come if everybody had waited?")],
        hints=[
            "Moving helps because the next account has a limit of its own. What if it doesn't?",
            "What if a refused request counts, too? vg.SlidingWindow(6, per=60, count_refusals=True)",
            "An organisation above its accounts: SimulatedProfile(name, organisation=vg.Organisation('o', limit)).",
            "Not every such case is won. Change n and the seconds of the limit: what recovers during a pause of 30 s?",
        ],
    )


def _read_case(answer: Any) -> dict[str, Any]:
    case = _PAUSES.read(answer)
    if not case.get("profiles") or not case.get("scenes"):
        raise InputError('give both: {"profiles": [vg.SimulatedProfile(...), ...], "scenes": 24}')
    return case


def _both(case: dict[str, Any], seed: int) -> dict[str, float]:
    """Return the makespans of both policies, and the first as a share of the second."""
    found = {}
    for policy in (GlobalPause(30), PerProfileCooldown(30)):
        run = simulated_run({"mode": "boost", **case, "policy": policy}, {}, seed)
        name = type(policy).__name__
        left = sum(each.status != "succeeded" for each in run.scenes)
        makespan = run.metrics().makespan
        if left or not makespan:
            problem = f"{left} scenes are not done" if left else "all is done in no time"
            raise InputError(f"with {name}, {problem} with seed {seed}: give a case that takes a while, and ends")
        found[name] = makespan
    return {**found, SHARE: found["GlobalPause"] / found["PerProfileCooldown"]}
