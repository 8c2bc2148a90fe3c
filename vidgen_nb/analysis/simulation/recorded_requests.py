"""What a user requested in a recorded run, to be requested again at the same times and in the same order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.recording.policies import resolve_policy

__all__ = ["RecordedRequests", "recorded_requests"]

REPEATED_EVENTS = (
    ev.ProfileAdded, ev.ProfileChanged, ev.PriceChanged, ev.ProfileRemoved, ev.ModeChanged, ev.PolicyChanged, ev.Paused,
    ev.Unpaused, ev.Stopped, ev.BillingLimitChanged, ev.SpendingCapChanged, ev.CancelRequested, ev.CooldownReleased,
    ev.CooldownImposed, ev.RunStarted, ev.SceneAdded,
)  # fmt: skip
"""What was requested by hand, or known from other runs."""
PROFILE_EVENTS = (
    ev.ProfileAdded, ev.ProfileChanged, ev.PriceChanged, ev.ProfileRemoved, ev.CooldownReleased, ev.CooldownImposed,
)  # fmt: skip
REPLACED_EVENTS: dict[str, tuple[type[ev.Event], ...]] = {
    "mode": (ev.ModeChanged,),
    "policy": (ev.PolicyChanged,),
    "capacity": (ev.ProfileChanged,),
    "price": (ev.PriceChanged,),
    "max_cost": (ev.SpendingCapChanged,),
    "profiles": PROFILE_EVENTS,
}
"""Requests that are not repeated if this setting is replaced for the whole run."""


@dataclass(slots=True)
class RecordedRequests:
    """What a run begins with, and what is requested later. Times in run seconds."""

    scenes: list[tuple[float, Scene]] = field(default_factory=list)
    """When each is added."""
    cooldowns: list[ev.CooldownImposed] = field(default_factory=list)
    """Cooldowns that profiles begin with."""
    present: list[str] = field(default_factory=list)
    """Names of the profiles at the start."""
    requests: list[tuple[float, ev.Event]] = field(default_factory=list)
    ranked: bool = False
    """Whether scenes have ranks that follow from the run's order, and are left out here."""

    def add(self, event: ev.Event) -> None:
        """Append a request."""
        self.requests.append((event.at, replace(event)))

    def add_scene(self, event: ev.SceneAdded, at: float, *, ordered: bool) -> None:
        """Have a scene added: before the requests of the same moment, unless it follows one of them or is special.

        Special are single scenes, and those with a rank if the run is not `ordered`: it was given by hand then.
        """
        after = bool(self.requests) and self.requests[-1][0] == at
        if ordered and event.rank is not None:
            event, self.ranked = replace(event, rank=None), True
        if event.single or after or event.rank is not None:
            self.add(event)
        else:
            self.scenes.append((at, event.scene))


TAKEN_BACK_BY: dict[type[ev.Event], type[ev.Event]] = {
    ev.BillingLimitReached: ev.BillingLimitChanged,
    ev.SpendingCapReached: ev.SpendingCapChanged,
    ev.SameFailureRepeated: ev.Unpaused,
}
"""What lets a run go on that a limit stopped."""


@dataclass(slots=True)
class _RunProgress:
    """Whether a run goes on."""

    started: bool = False
    stopped: bool = False
    limited: type[ev.Event] | None = None
    """The event that takes back the limit which stopped it; None: a person stopped it."""
    broken: bool = False
    """Its program ended, which is not repeated."""
    ended: bool = False

    def take(self, event: ev.Event) -> None:
        """Apply an event."""
        match event:
            case ev.RunStarted():
                self.started, self.stopped, self.limited, self.broken, self.ended = True, False, None, False, False
            case ev.Stopped(reason=ev.StopReason.BROKEN_OFF):
                self.broken = True
            case ev.Stopped() | ev.BillingLimitReached() | ev.SpendingCapReached() | ev.SameFailureRepeated():
                self.stopped, self.limited = True, TAKEN_BACK_BY.get(type(event))
            case ev.BillingLimitChanged() | ev.SpendingCapChanged() | ev.Unpaused() if type(event) is self.limited:
                self.stopped, self.limited = False, None
            case ev.RunEnded():
                self.ended = not self.broken
            case ev.SceneAdded():
                self.ended = self.ended and self.stopped  # without a stop, an added scene alone makes the run go on


def recorded_requests(
    events: Iterable[ev.Event], changes: Collection[str] = (), *, ordered: bool = False
) -> RecordedRequests:
    """Return what was requested, without what the changes replace; each scene is run once, however often it was.

    A run that was stopped, or had ended, goes on where the recorded one did. That its program ended and the run was
    restored is not repeated. `ordered`: ranks follow from the run's `order`, which will rank its scenes again. Raises
    `InputError` for a policy that is not known here.
    """
    without = tuple(kind for name in changes for kind in REPLACED_EVENTS.get(name, ()))
    asked, course = RecordedRequests(), _RunProgress()
    scenes, profiles = set[str](), set[str]()
    for event in events:
        halted = course.started and (course.stopped or course.ended)
        course.take(event)
        if not isinstance(event, REPEATED_EVENTS):
            continue
        match event:
            case ev.RunStarted():
                if halted:
                    asked.add(event)
            case ev.Stopped(reason=ev.StopReason.BROKEN_OFF):
                pass
            case ev.SceneAdded(scene=scene):
                if scene.id not in scenes:
                    scenes.add(scene.id)
                    asked.add_scene(event, event.at if course.started else 0.0, ordered=ordered)
            case _ if isinstance(event, without):
                pass
            case ev.ProfileAdded(profile=name) if name not in profiles:
                profiles.add(name)
                if course.started:
                    asked.add(event)
                else:
                    asked.present.append(name)
            case ev.CooldownImposed() if not course.started:
                asked.cooldowns.append(event)
            case ev.PolicyChanged(policy=policy):
                asked.add(replace(event, policy=resolve_policy(policy)))
            case _:
                asked.add(event)
    return asked
