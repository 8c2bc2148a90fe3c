"""What a session was made with, and what may change while it lives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Self

from vidgen_nb.clock import as_speed
from vidgen_nb.core.context import OnAmbiguous, as_on_ambiguous
from vidgen_nb.core.events import Event, RunRestored
from vidgen_nb.core.model import Mode, PollSchedule, RetryPolicy, as_max_billed, as_mode
from vidgen_nb.core.money import as_max_cost
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.requests.limits import as_pause_after
from vidgen_nb.core.retries import as_max_wait, as_retry
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import FileFormatError, InputError
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.registry import as_policy
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.recording.codec import plain, read_as
from vidgen_nb.run import Run
from vidgen_nb.session.video_folder import VideoFolder
from vidgen_nb.sharing.local import IN_PROCESS
from vidgen_nb.sharing.port import SharedCooldowns

__all__ = ["Resources", "RunSettings", "SessionState"]

_HEADER_TYPES: Mapping[str, Any] = {
    "mode": Mode,
    "policy": Any,
    "retry": RetryPolicy,
    "on_ambiguous": str,
    "max_wait": float,
    "speed": float,
    "seed": int,
}


@dataclass(frozen=True)
class RunSettings:
    """What decides how a run goes. They stand in the run's header, and a restore takes them from there."""

    mode: Mode
    policy: Policy
    retry: RetryPolicy
    on_ambiguous: OnAmbiguous
    max_wait: float
    """Run seconds to wait while no profile is usable."""
    speed: float
    """Run seconds per wall second."""
    seed: int
    """Of back-off jitter."""
    max_billed: int | None = None
    """Submits of a run that may be accepted; None: any number."""
    max_cost: float | None = None
    """What a run may cost, in the currency of the profiles' prices; None: any amount."""
    pause_after_same_failure: int | None = None
    """So many equal failures in a row hold new work back; None: never."""

    @classmethod
    def checked(
        cls,
        *,
        mode: Mode | str = "normal",
        policy: Policy | str | None = None,
        retry: RetryPolicy | None = None,
        on_ambiguous: OnAmbiguous = "hold",
        max_wait: float = 3600.0,
        speed: float = 1.0,
        seed: int = 0,
        max_billed: int | None = None,
        max_cost: float | None = None,
        pause_after_same_failure: int | None = None,
    ) -> Self:
        """Return the settings that a user gives; `InputError` for what makes no sense."""
        return cls(
            mode=as_mode(mode),
            policy=as_policy(policy) if policy is not None else PerProfileCooldown(),
            retry=as_retry(retry),
            on_ambiguous=as_on_ambiguous(on_ambiguous),
            max_wait=as_max_wait(max_wait),
            speed=as_speed(speed),
            seed=seed,
            max_billed=as_max_billed(max_billed),
            max_cost=as_max_cost(max_cost),
            pause_after_same_failure=as_pause_after(pause_after_same_failure),
        )

    def to_header(self) -> dict[str, Any]:
        """Return them as they stand in a run's header."""
        return {
            "mode": plain(self.mode),
            "policy": plain(self.policy),
            "retry": plain(self.retry),
            "on_ambiguous": self.on_ambiguous,
            "max_wait": plain(self.max_wait),
            "max_billed": self.max_billed,
            "max_cost": self.max_cost,
            "pause_after_same_failure": self.pause_after_same_failure,
            "speed": self.speed,
            "seed": self.seed,
        }

    @classmethod
    def from_header(cls, path: Path, header: Mapping[str, Any]) -> Self:
        """Return the settings that a run began with; `FileFormatError`, with the file's `path`, where they can't be.

        The policy may be a `RecordedPolicy`, which can't decide. Headers older than a limit have none.
        """
        found: dict[str, Any] = {}
        for name, kind in _HEADER_TYPES.items():
            try:
                found[name] = read_as(kind, header[name])
            except KeyError:
                what = f"its header has no {name!r}, so no session wrote it: such a run can be loaded, not restored"
                raise FileFormatError(str(path), what, 1) from None
            except ValueError as error:
                raise FileFormatError(str(path), f"header: {name}: {error}", 1) from None
        try:
            found["max_billed"] = as_max_billed(header.get("max_billed"))
            found["max_cost"] = as_max_cost(header.get("max_cost"))
            found["pause_after_same_failure"] = as_pause_after(header.get("pause_after_same_failure"))
        except InputError as error:
            raise FileFormatError(str(path), f"header: {error}", 1) from None
        in_range = found["on_ambiguous"] in ("hold", "retry"), 0 < found["speed"] < math.inf, found["max_wait"] >= 0
        if not all(in_range):
            raise FileFormatError(str(path), "header: on_ambiguous, speed or max_wait is out of its range", 1)
        return cls(**found)

    def after_restore(self, event: RunRestored) -> Self:
        """Return the settings that hold after a recorded restore."""
        return replace(
            self,
            speed=event.speed,
            seed=event.seed,
            retry=event.retry,
            on_ambiguous=event.on_ambiguous,
            max_wait=event.max_wait,
            pause_after_same_failure=event.pause_after_same_failure,
        )

    def scheduler(self, poll: PollSchedule) -> Scheduler:
        """Return a fresh scheduler."""
        return Scheduler(poll=poll, rng=self._rng(), **self._for_scheduler())

    def replay(self, events: Iterable[Event], poll: PollSchedule) -> Scheduler:
        """Return the scheduler that these recorded events lead to; `ReplayError` where they do not follow."""
        return Scheduler.replay(events, poll=poll, rng=self._rng(), **self._for_scheduler())

    def _rng(self) -> Random:
        return Random(self.seed)  # noqa: S311 - jitter, no secret

    def _for_scheduler(self) -> dict[str, Any]:
        return {
            "mode": self.mode,
            "policy": self.policy,
            "retry": self.retry,
            "on_ambiguous": self.on_ambiguous,
            "max_wait": self.max_wait,
            "max_billed": self.max_billed,
            "max_cost": self.max_cost,
            "pause_after_same_failure": self.pause_after_same_failure,
        }


@dataclass(frozen=True)
class SessionState:
    """What may change while a session lives; a run under way is brought in line with each new one."""

    settings: RunSettings
    profiles: Mapping[str, Profile]
    """In use, by name."""
    paused: bool = False


@dataclass(frozen=True)
class Resources:
    """What a session works with as long as it lives."""

    backend: Backend
    videos: VideoFolder
    journals: Path | None = None
    """The folder of the journals, absolute; None: none are kept."""
    shared: SharedCooldowns = IN_PROCESS
    """Where sessions with the same accounts hear of each other's 429s."""
    on_end: Callable[[Run], object] | None = None
    """Called with a run when it has ended."""
