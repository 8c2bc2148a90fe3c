"""Whole runs under every kind of policy, killed at any moment, restored, killed and restored again.

What a replay makes of any beginning of a run is checked by the replay itself: it raises where anything differs.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Cancel, Command, Fetch, Poll, Submit
from vidgen_nb.core.model import BOOST, Artifact, Mode, Operation, RetryBudget, RetryPolicy, Scene
from vidgen_nb.core.money import Price
from vidgen_nb.core.outcomes import Ambiguous, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.policies.cooldowns import ExponentialCooldown, GlobalPause, PerProfileCooldown
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import Concurrency, SlidingWindow, TokenBucket

POLICIES: dict[str, Policy] = {
    "per profile": PerProfileCooldown(8, honour_retry_after=True, cap=20),
    "global": GlobalPause(20),
    "exponential": ExponentialCooldown(2),
    "full jitter": ExponentialCooldown(4, jitter="full"),
    "decorrelated": ExponentialCooldown(4, jitter="decorrelated", seed=5),
    "paced": Paced(),
    "told": Paced({"team": TokenBucket(2, per=20) & Concurrency(2), "p3": SlidingWindow(1, per=5)}),
    "earliest": EarliestFinish(PerProfileCooldown(8)),
    "earliest paced": EarliestFinish(Paced(), service={"p1": 100, "p2": 1, "p3": 5}),
    "earliest jitter": EarliestFinish(ExponentialCooldown(3, jitter="full")),
}


def settings_of(policy: Policy, chance: Random) -> dict[str, Any]:
    """Return settings of a run, every second one with limits that are soon reached."""
    tight = chance.random() < 0.5
    retry = RetryPolicy(
        max_failures=3,
        backoff=2,
        deadline=90 if tight else None,
        job_timeout=30 if tight else None,
        budget=RetryBudget(2, 0.5) if chance.random() < 0.5 else None,
    )
    return {
        "mode": chance.choice([BOOST, Mode("two", 2, 2)]),
        "policy": policy,
        "retry": retry,
        "on_ambiguous": chance.choice(["hold", "retry"]),
        "max_billed": chance.choice([None, 4]),
        "max_cost": chance.choice([None, 2.0]),
        "pause_after_same_failure": chance.choice([None, 2]),
    }


def replayed(recorded: list[ev.Event], settings: dict[str, Any]) -> Scheduler:
    """Return a fresh scheduler after replaying a record."""
    return Scheduler.replay(recorded, rng=Random(3), **settings)


class Provider:
    """Answers commands at random, some of them never, and lets users do anything meanwhile."""

    def __init__(self, scheduler: Scheduler, chance: Random, now: float) -> None:
        self.scheduler, self.chance, self.now = scheduler, chance, now
        self.open: list[Command] = []
        self.sent: list[tuple[str, int]] = []

    def feed(self, event: ev.Event) -> None:
        """Hand an event to the scheduler."""
        self.took(self.scheduler.handle(event, self.now))

    def took(self, commands: list[Command]) -> None:
        """Note the new commands."""
        self.open += commands
        self.sent += [(each.scene.id, each.number) for each in commands if isinstance(each, Submit)]

    def go(self, steps: int) -> None:
        """Let this much happen, or less if the run ends first."""
        for _ in range(steps):
            if self.scheduler.ended:
                return
            self.now += self.chance.choice([0.0, 0.01, 0.3, 2.0])
            due = self.scheduler.next_wakeup()
            if due is not None and (due <= self.now or not self.open):
                self.now = max(self.now, due + self.chance.choice([0.0, 0.001]))
                self.took(self.scheduler.wake(self.now))
            elif self.chance.random() < 0.12:
                self.feed(self.request())
            elif self.open:
                self.answer(self.open.pop(self.chance.randrange(len(self.open))))

    def request(self) -> ev.Event:
        """Return a request of a user or another session."""
        soon = self.now + self.chance.choice([1.0, 6.0, 30.0])
        events: list[ev.Event] = [
            ev.CooldownImposed("p1", soon, "seen elsewhere", unusable=self.chance.random() < 0.5),
            ev.CooldownImposed("p3", soon, "a day's quota, seen elsewhere", unusable=True),
            ev.CooldownReleased("p3"),
            ev.CancelRequested(self.chance.choice(sorted(self.scheduler.scenes))),
            ev.BillingLimitChanged(self.chance.choice([None, 3, 6])),
            ev.SpendingCapChanged(self.chance.choice([None, 1.5, 4.0])),
            ev.PriceChanged("p1", Price(0.6)),
            ev.ProfileChanged("p2", self.chance.choice([None, 1, 2])),
            ev.Paused(),
            ev.Unpaused(),
            ev.Unpaused(),
        ]
        return self.chance.choice(events)

    def answer(self, command: Command) -> None:
        """Return an answer to a command."""
        scene, number, chance = command.scene.id, command.number, self.chance
        limited = RateLimited(chance.choice([None, 3.0, 40.0]))
        if isinstance(command, Submit):
            failure: Any = chance.choice([
                limited, limited, Transient("503"), Transient("503"), Ambiguous("502"), Permanent("no"),
                ProfileUnusable("day", "day_quota", 15.0),
            ])  # fmt: skip
            accepted = ev.Accepted(scene, number, Operation(f"{scene}-{number}"))
            self.feed(accepted if chance.random() < 0.5 else ev.CallFailed(scene, number, "submit", failure))
        elif isinstance(command, Poll):
            generated = ev.Generated(scene, number, Artifact("inline"))
            broke: Any = chance.choice([Transient("broke"), limited, Permanent("policy")])
            asked: Any = chance.choice([Transient("reset"), limited])
            self.feed(
                chance.choice([
                    ev.Progressed(scene, number, "running"), ev.Progressed(scene, number, "queued"), generated,
                    generated, ev.CallFailed(scene, number, "poll", asked), ev.JobFailed(scene, number, broke),
                ])
            )  # fmt: skip
        elif isinstance(command, Fetch):
            done = chance.random() < 0.8
            self.feed(
                ev.Fetched(scene, number) if done else ev.CallFailed(scene, number, "fetch", Transient("cut off"))
            )
        elif isinstance(command, Cancel):
            self.feed(
                chance.choice([
                    ev.CancelAnswered(scene, number, chance.choice(["cancelled", "requested", "unsupported"])),
                    ev.CallFailed(scene, number, "cancel", Transient("503")),
                ])
            )  # fmt: skip


def taken_up(recorded: list[ev.Event], settings: dict[str, Any], chance: Random) -> Provider:
    """Return a run as `RestoredRun` restores it from a part of its record, some time later."""
    scheduler = replayed(recorded, settings)
    provider = Provider(scheduler, chance, scheduler.events[-1].at + chance.choice([0.0, 3.0, 100.0]))
    if not (scheduler.ended or scheduler.stopped):
        provider.feed(ev.Stopped("killed"))
    for state in list(scheduler.scenes.values()):
        if state.status == "submitting":
            provider.feed(ev.AttemptAbandoned(state.scene.id, state.number))
    kept = {
        "retry": settings["retry"],
        "on_ambiguous": settings["on_ambiguous"],
        "max_wait": 3600.0,
        "pause_after_same_failure": settings["pause_after_same_failure"],
    }
    provider.feed(ev.RunRestored(epoch=1e9, speed=1.0, seed=0, **kept))
    assert provider.sent == []
    return provider


def begun(settings: dict[str, Any], chance: Random) -> Provider:
    """Return a run of two groups and ten scenes that has just started."""
    provider = Provider(Scheduler(rng=Random(3), **settings), chance, 0.0)
    for name, capacity, group in (("p1", None, "team"), ("p2", 2, "team"), ("p3", 1, "")):
        provider.feed(ev.ProfileAdded(name, capacity, group, Price(0.5 if name == "p1" else 0.25)))
    for number in range(1, 11):
        provider.feed(ev.SceneAdded(Scene(f"s{number}", "a fox")))
    provider.feed(ev.RunStarted())
    return provider


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", POLICIES)
def test_killed_at_any_event(name: str, seed: int) -> None:
    """Any prefix of a run can be replayed and restored, again and again, and nothing is sent twice."""
    chance = Random(f"{name} {seed}")
    settings = settings_of(POLICIES[name], chance)
    provider = begun(settings, chance)
    sent: list[tuple[str, int]] = []
    for _ in range(4):
        provider.go(60)
        record = list(provider.scheduler.events)
        sent += provider.sent
        assert len(set(sent)) == len(sent), "a submit was sent twice"
        for length in range(1, len(record) + 1):
            replayed(record[:length], settings)
        provider = taken_up(record, settings, chance)
        provider.feed(ev.RunStarted())
    accepted = [(each.scene, each.number) for each in record if isinstance(each, ev.Accepted)]
    assert set(accepted) <= set(sent)
