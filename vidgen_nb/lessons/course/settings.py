"""Exercises whose answer is a setting."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nb.analysis.simulation.arrivals import Poisson
from vidgen_nb.lessons.exercise import Exercise
from vidgen_nb.lessons.goals import Goal, Verdict
from vidgen_nb.lessons.measurement import Measurement, said
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import LogNormal, SimulatedProfile, SlidingWindow, TokenBucket

__all__ = ["slots", "tail"]

MOST_SLOTS = 12


@dataclass(frozen=True)
class NearBest:
    """The makespan is within a share of the best of several numbers, and no smaller one of them is."""

    share: float
    numbers: tuple[int, ...]

    def words(self) -> str:
        """Return what is asked."""
        return f"makespan within {self.share:.0%} of the best, and no smaller number does it".replace("%", " %")

    def judge(self, measured: Measurement) -> Verdict:
        """Try all of them."""
        means = {number: measured.of(number).mean("makespan") or float("inf") for number in self.numbers}
        best = min(means.values())
        most = best * (1 + self.share)
        mine, smallest = means[round(measured.answer)], min(number for number, mean in means.items() if mean <= most)
        text = f"makespan: mean {said(mine, 'makespan')} (asked: at most {said(most, 'makespan')}, which is the best "
        text += f"+ {self.share:.0%})".replace("%", " %")
        if mine > most:
            return Verdict("makespan", text, False, said(mine, "makespan"), look="What do the accounts wait for?")
        if smallest < measured.answer:
            look = "How much time does the last one bring, and how many more refusals?"
            return Verdict("makespan", f"{text}, but fewer do it, too", False, said(mine, "makespan"), look=look)
        return Verdict("makespan", f"{text}; no smaller number does it", True, said(mine, "makespan"))


def slots() -> Exercise:
    """Return the exercise of notebook 05: the knee."""
    return Exercise(
        name="slots",
        title="05 · How many at once",
        task="More slots per account bring less and less, and more refusals. Find the smallest number of slots per "
        f"account, from 1 to {MOST_SLOTS}, whose makespan is within 5 % of the best that any number reaches.",
        given={
            "scenes": 40,
            "profiles": [
                SimulatedProfile("alice", TokenBucket(6, per=60), LogNormal(20, 0.3), capacity=1),
                SimulatedProfile("bruno", TokenBucket(10, per=60), LogNormal(20, 0.3), capacity=1),
            ],
            "mode": "boost",
            "policy": PerProfileCooldown(honour_retry_after=True),
            "latency": 0.5,
        },
        answer="number",
        sets="capacity",
        least=1,
        most=MOST_SLOTS,
        whole=True,
        seeds=range(5),
        goals=[NearBest(0.05, tuple(range(1, MOST_SLOTS + 1)))],
        hints=[
            "ex.run(4).metrics() has makespan and refusals of 4 slots. Draw them for 1 to 12.",
            "vg.sweep(**ex.given, grid={'capacity': range(1, 13)}, seeds=range(5)).chart() draws them all at once.",
            "From some number on the limits decide, and the curve is flat. Where does it begin to be flat?",
        ],
    )


def tail() -> Exercise:
    """Return the exercise of notebook 06: the tail of the waits."""
    return Exercise(
        name="tail",
        title="06 · Halve the tail",
        task="Scenes arrive at random, and one in twenty waits longer than the p95 wait. Halve that wait with the two "
        "accounts there are, and with at most 80 refusals on average.",
        given={
            "scenes": 120,
            "profiles": [
                SimulatedProfile("alice", TokenBucket(4, per=60), LogNormal(20, 0.5), capacity=3),
                SimulatedProfile("bruno", SlidingWindow(6, per=60), LogNormal(20, 0.5), capacity=3),
            ],
            "arrivals": Poisson(9, per=60),
            "mode": "boost",
            "policy": PerProfileCooldown(30),
        },
        answer="settings",
        may_change=("policy", "mode", "order", "capacity"),
        goals=[
            Goal("wait.p95", at_most=0.5, of={}, look="What do the scenes wait for: a slot, or an account that rests?"),
            Goal("refusals", at_most=80, look="An account that is asked too early refuses: when is too early?"),
        ],
        hints=[
            "ex.run({}).wait_chart() shows the waits as they are; run.slot_time_chart() what the slots did meanwhile.",
            "The order changes who waits, not how long all wait together. What does most slot time go into?",
            "A rest of 30 s is a guess. {'policy': vg.PerProfileCooldown(5)} waits less: what does it cost?",
        ],
    )
