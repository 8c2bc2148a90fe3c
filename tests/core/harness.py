"""A scheduler with a clock that only tests move: `World` says what the provider answers, and audits every step."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from tests.audit import Audit, takes_turns
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Command, Submit
from vidgen_nb.core.model import BOOST, NORMAL, Artifact, Mode, Operation, Scene
from vidgen_nb.core.money import Price
from vidgen_nb.core.outcomes import Failure, RateLimited
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.policies.cooldowns import PerProfileCooldown

__all__ = ["BOOST", "NORMAL", "World", "names"]


def names(prefix: str, count: int) -> list[str]:
    """Return names such as p1, p2, p3."""
    return [f"{prefix}{index}" for index in range(1, count + 1)]


class World:
    """A scheduler, the time, and the commands that are not answered yet."""

    def __init__(
        self,
        profiles: int | dict[str, tuple[int | None, str]] = 4,
        scenes: int = 0,
        mode: Mode = NORMAL,
        policy: Policy | None = None,
        start: bool = True,
        prices: Mapping[str, Price | None] | None = None,
        **settings: Any,
    ) -> None:
        policy = policy if policy is not None else PerProfileCooldown()
        self.settings = {"mode": mode, "policy": policy, "rng": Random(1), **settings}
        self.scheduler = Scheduler(**self.settings)
        self.audit = Audit(
            mode,
            moves=policy.moves,
            min_cooldown=policy.min_cooldown,
            turns=takes_turns(policy),
            on_ambiguous=settings.get("on_ambiguous", "hold"),
            max_billed=settings.get("max_billed"),
            max_cost=settings.get("max_cost"),
            pause_after_same_failure=settings.get("pause_after_same_failure"),
        )
        self.now = 0.0
        self.seen = 0
        self.open: list[Command] = []
        given = dict.fromkeys(names("p", profiles), (None, "")) if isinstance(profiles, int) else profiles
        for name, (capacity, group) in given.items():
            self.feed(ev.ProfileAdded(name, capacity, group, (prices or {}).get(name)))
        self.add(*names("s", scenes))
        if start:
            self.feed(ev.RunStarted())

    def feed(self, event: ev.Event) -> list[Command]:
        """Hand an event to the scheduler now."""
        return self._took(self.scheduler.handle(event, self.now))

    def _took(self, commands: list[Command]) -> list[Command]:
        self.audit.feed(self.new_events())
        self.open += commands
        return commands

    def new_events(self) -> list[ev.Event]:
        """Return what happened since the last call."""
        new = self.scheduler.events[self.seen :]
        self.seen += len(new)
        return new

    def sleep_until(self, when: float) -> list[Command]:
        """Let time pass, waking the scheduler exactly when it asks to be."""
        commands: list[Command] = []
        while (due := self.scheduler.next_wakeup()) is not None and due <= when:
            self.now = max(self.now, due)
            commands += self._took(self.scheduler.wake(self.now))
        self.now = when
        return commands

    def add(self, *ids: str, single: bool = False, rank: float | None = None) -> list[Command]:
        """Add scenes; a run that had ended continues."""
        added = (ev.SceneAdded(Scene(each, f"prompt {each}"), single, rank=rank) for each in ids)
        commands = [c for event in added for c in self.feed(event)]
        return commands + (self.feed(ev.RunStarted()) if ids and self.scheduler.ended else [])

    def command(self, kind: type[Command], scene: str) -> Any:
        """Take the open command of that kind for a scene."""
        for command in self.open:
            if type(command) is kind and command.scene.id == scene:
                self.open.remove(command)
                return command
        raise AssertionError(f"no {kind.__name__} of {scene} in {self.open}")

    def accept(self, scene: str) -> list[Command]:
        """Let the provider accept the open submit of a scene."""
        command = self.command(Submit, scene)
        return self.feed(ev.Accepted(scene, command.number, Operation(f"job-{scene}-{command.number}")))

    def fail(self, scene: str, outcome: Failure) -> list[Command]:
        """Let the open submit of a scene fail."""
        return self.feed(ev.CallFailed(scene, self.command(Submit, scene).number, "submit", outcome))

    def limit(self, scene: str, retry_after: float | None = None) -> list[Command]:
        """Answer the open submit of a scene with a 429."""
        return self.fail(scene, RateLimited(retry_after))

    def finish(self, scene: str) -> list[Command]:
        """Let the job of a scene succeed and its result be fetched."""
        number = self.scheduler.scenes[scene].number
        commands = self.feed(ev.Generated(scene, number, Artifact("with_key")))
        return commands + self.feed(ev.Fetched(scene, number, f"{scene}.mp4"))

    def profile_of(self, scene: str) -> str | None:
        """Return where a scene runs, or None."""
        profile = self.scheduler.scenes[scene].profile
        return profile.name if profile else None

    def status(self, scene: str) -> str:
        """Return a scene's status."""
        return self.scheduler.scenes[scene].status

    def submitted(self) -> list[tuple[str, str]]:
        """Return all submits so far as (scene, profile), in order."""
        return [(e.scene, e.profile) for e in self.scheduler.events if isinstance(e, ev.AttemptStarted)]

    def events(self, kind: type[ev.Event]) -> list[Any]:
        """Return the recorded events of a kind."""
        return [event for event in self.scheduler.events if type(event) is kind]
