"""Exercises about clients and retries that keep each other busy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vidgen_nb.core.model import RetryBudget, RetryPolicy
from vidgen_nb.lessons.exercise import Exercise
from vidgen_nb.lessons.goals import Goal, Verdict
from vidgen_nb.lessons.measurement import Measurement
from vidgen_nb.provider import Constant, Load, SimulatedProfile, TokenBucket
from vidgen_nb.run import Run

__all__ = ["jitter", "retry_budget"]

RECOVERED_BY, MOST_TOKENS = 800, 40


def jitter() -> Exercise:
    """Return the exercise of notebook 04: ten clients and one limit."""
    return Exercise(
        name="jitter",
        title="04 · Ten clients, one limit",
        task="Ten programs that know nothing of each other want one video each from an account that admits one call "
        "every 2 s. Find a policy for all of them with at most 30 calls, done within 60 s.",
        given={
            "clients": 10,
            "scenes": 1,
            "profiles": [SimulatedProfile("api", TokenBucket(1, per=2), Constant(1))],
        },
        goals=[
            Goal("calls", at_most=30, look="Who calls at the same moment, and why?"),
            Goal("makespan", at_most=60, look="How long are the longest waits? Does anybody wait for nothing?"),
        ],
        hints=[
            "Clients that are refused together, and wait equally long, come back together.",
            "vg.ExponentialCooldown has three kinds of jitter: help(vg.ExponentialCooldown).",
            "With the right jitter, what is left is base: longer waits are fewer calls, and more time.",
        ],
    )


@dataclass(frozen=True)
class SmallestThatRecovers:
    """All scenes are done in time, and not so with one token less."""

    by: float
    least: int

    def words(self) -> str:
        """Return what is asked."""
        return f"all scenes done by {self.by:,.0f} s, and not with one token less"

    def judge(self, measured: Measurement) -> Verdict:
        """Try one token less, too."""
        late = self._late(measured)
        if late:
            look = "Look at ex.run(tokens).queue_chart() with few and with many tokens: who keeps the provider busy?"
            return Verdict("recovered", f"recovered: no, {late}", False, "no", look=look)
        size = measured.answer
        if size > self.least and not self._late(measured.of(size - 1)):
            text = f"recovered: yes by {self.by:,.0f} s, but {size - 1:g} would do"
            return Verdict("recovered", text, False, "yes, not the smallest")
        return Verdict("recovered", f"recovered: yes by {self.by:,.0f} s, and not with one token less", True, "yes")

    def _late(self, measured: Measurement) -> str:
        for seed, run in measured.runs.items():
            if left := _left(run, self.by):
                return f"{left:,} scenes were not done by {self.by:,.0f} s with seed {seed}"
        return ""


def _left(run: Run, by: float) -> int:
    return sum(each.status != "succeeded" or (each.end or 0.0) > by for each in run.scenes)


def _with_budget(size: float) -> dict[str, Any]:
    return {"retry": RetryPolicy(max_failures=1000, budget=RetryBudget(size, 0.1))}


def retry_budget() -> Exercise:
    """Return the exercise of notebook 07: retries that keep an overload alive."""
    calm = [2.5 * k for k in range(240)]
    burst = [100 + 0.01 * k for k in range(40)]
    return Exercise(
        name="retry-budget",
        title="07 · The smallest budget that recovers",
        task="A scene arrives every 2.5 s, which the provider carries easily; at 100 s forty more come in a moment. "
        f"Clients give up after 20 s and try again: find the smallest retry budget, in whole tokens from 1 "
        f"to {MOST_TOKENS}, with which all 280 scenes are done by {RECOVERED_BY} s.",
        given={
            "scenes": 280,
            "profiles": [SimulatedProfile("api", None, Constant(10))],
            "mode": "boost",
            "arrivals": sorted(calm + burst),
            "load": Load(10),
            "attempt_timeout": 20,
            "retry": RetryPolicy(max_failures=1000),
            "until": 1200,
        },
        answer="number",
        sets=_with_budget,
        least=1,
        most=MOST_TOKENS,
        whole=True,
        seeds=range(3),
        wanted=f"a whole number from 1 to {MOST_TOKENS}: the tokens of vg.RetryBudget(tokens, 0.1)",
        goals=[SmallestThatRecovers(RECOVERED_BY, 1)],
        hints=[
            "ex.run(10).queue_chart() shows what came through with 10 tokens, ex.run(40) with 40.",
            "With many tokens, what was given up is submitted again while the provider still works on it.",
            "With few, it waits for successes of others, which bring 0.1 token each. Halve the interval.",
        ],
    )
