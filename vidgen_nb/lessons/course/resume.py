"""Notebook 10: a program was killed; what becomes of each scene, so that nothing is paid twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vidgen_nb.analysis.records.model import AttemptRecord
from vidgen_nb.errors import InputError
from vidgen_nb.lessons.bounded_runs import simulated_run
from vidgen_nb.lessons.exercise import Exercise
from vidgen_nb.lessons.goals import Goal
from vidgen_nb.plaintext import short_repr
from vidgen_nb.provider import LogNormal, SimulatedProfile, TokenBucket
from vidgen_nb.provider.service import uniform
from vidgen_nb.run import Run

__all__ = ["resume", "states"]

STATES: Final[Mapping[str, str]] = {
    "waiting": "it was never submitted, or the provider refused it",
    "submitting": "the submit had left, and its answer was not there yet",
    "accepted": "the provider accepted it and named a job; its video was not saved yet",
    "done": "its video was saved",
}
"""How a scene may stand in the journal when the program is killed."""
ACTIONS: Final = ("submit", "ask", "hold", "nothing")
GIVEN: Final[Mapping[str, Any]] = {
    "scenes": 30,
    "profiles": [
        SimulatedProfile("alice", TokenBucket(4, per=60), LogNormal(15, 0.3), capacity=3),
        SimulatedProfile("bruno", TokenBucket(8, per=60), LogNormal(15, 0.3), capacity=3),
    ],
    "mode": "boost",
    "latency": 3.0,
}
KILLED_FROM, KILLED_TO = 0.1, 0.9
"""In which part of the run the program is killed, as shares of its makespan."""


def resume() -> Exercise:
    """Return the exercise of notebook 10."""
    return Exercise(
        name="resume",
        title="10 · Resume without paying twice",
        task="A program with 30 scenes is killed at a random moment; what is left is its journal. Say what to do with "
        "a scene in each state: submit it, ask the provider about its job, hold it until somebody has looked, or do "
        "nothing.",
        given=GIVEN,
        facts={"killed at": "a random moment between 10 and 90 % of the run", **STATES},
        answer="any",
        measure=killed,
        read=_read_plan,
        wanted=f"a dict of a state's action, such as {dict.fromkeys(STATES, 'nothing')}; actions: {', '.join(ACTIONS)}",
        seeds=range(20),
        goals=[
            Goal("paid twice", at_most=0, over="every seed", look="Which jobs may exist at the provider already?"),
            Goal("without a video", at_most=0, over="every seed", look="Which scenes does nobody care for any more?"),
            Goal("needless questions", at_most=0, over="every seed", look="What does the journal say for certain?"),
        ],
        hints=[
            "A job that the provider has accepted is paid for, whether its program lives or not.",
            "Only a job with a known id can be asked about.",
            "An answer that never came says nothing: the job may exist or not. No program can know, a person can look.",
        ],
    )


def killed(plan: Mapping[str, str], seed: int) -> dict[str, float]:
    """Kill a run at a moment that the seed draws, resume it by a plan, and count what came of it."""
    run = simulated_run(GIVEN, {}, seed)
    makespan = run.metrics().makespan or 0.0
    at = makespan * (KILLED_FROM + (KILLED_TO - KILLED_FROM) * uniform(seed, "killed"))
    stands = states(run, at)
    counts = {"paid twice": 0, "without a video": 0, "needless questions": 0}
    for scene in run.scenes:
        state = stands[scene.id]
        exists = state in ("accepted", "done") or (state == "submitting" and uniform(seed, "arrived", scene.id) < 0.5)
        action = plan[state]
        counts["paid twice"] += action == "submit" and exists
        is_needless = (action == "hold" and state != "submitting") or (action == "ask" and state == "done")
        counts["needless questions"] += is_needless
        # without an id there is no job to ask about
        cared_for = action in ("submit", "hold") or state == "done" or (action == "ask" and state == "accepted")
        counts["without a video"] += not cared_for
    return {name: float(count) for name, count in counts.items()}


def states(run: Run, at: float) -> dict[str, str]:
    """Return how each scene stands in the journal at a moment."""
    latest = {each.scene: each for each in run.attempts if each.start <= at}
    return {scene.id: _state(latest.get(scene.id), at) for scene in run.scenes}


def _state(attempt: AttemptRecord | None, at: float) -> str:
    """Return how a scene stands in the journal, by its last attempt before a moment."""
    if attempt is None:
        return "waiting"
    if attempt.end is not None and attempt.end <= at:
        return "done" if attempt.outcome == "succeeded" else "waiting"
    return "accepted" if attempt.accepted is not None and attempt.accepted <= at else "submitting"


def _read_plan(answer: Any) -> dict[str, str]:
    if not isinstance(answer, Mapping) or set(answer) != set(STATES):
        raise InputError(f"give a dict with an action for each of {', '.join(STATES)}, not {short_repr(answer)}")
    plan = {state: str(action).strip().lower() for state, action in answer.items()}
    for state, action in plan.items():
        if action not in ACTIONS:
            raise InputError(f"{state}: an action is one of {', '.join(ACTIONS)}, not {short_repr(answer[state])}")
    return plan
