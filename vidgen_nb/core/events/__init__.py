"""What happens in a run, in the past tense. A run is the ordered list of these.

Three kinds, a module each:

- `requested` by a user or the session (`SceneAdded`, `Paused`, …), fed into the scheduler;
- `reported` by a driver (`Accepted`, `CallFailed`, …), fed into the scheduler;
- `decided` by the scheduler, with a reason (`AttemptStarted`, `CooldownStarted`, …; R20).

`at` is in seconds since the run began and is stamped by the scheduler. Scenes, profiles and groups are given by their
ids, so that an event can be written to a file as it is. An attempt is (scene, number), with numbers from 1. Fields are
the file format: a new name for one needs `metadata={"recorded_as": old name}`.
"""

from __future__ import annotations

from vidgen_nb.core.events.decided import (
    AttemptStarted,
    BillingLimitReached,
    CooldownEnded,
    CooldownStarted,
    EndReason,
    RetryGranted,
    RunEnded,
    SameFailureRepeated,
    SceneRequeued,
    SceneSettled,
    SettledStatus,
    SpendingCapReached,
)
from vidgen_nb.core.events.reported import (
    Accepted,
    AttemptAbandoned,
    CallFailed,
    CancelAnswered,
    Fetched,
    Generated,
    JobFailed,
    Phase,
    Progressed,
)
from vidgen_nb.core.events.requested import (
    AskedAgain,
    BillingLimitChanged,
    CancelRequested,
    CooldownImposed,
    CooldownReleased,
    Event,
    ModeChanged,
    Paused,
    PolicyChanged,
    PriceChanged,
    ProfileAdded,
    ProfileChanged,
    ProfileRemoved,
    RunRestored,
    RunStarted,
    SceneAdded,
    SceneEdited,
    SpendingCapChanged,
    Stopped,
    StopReason,
    SubmitAgainRequested,
    Unpaused,
)

__all__ = [
    "DECISIONS",
    "EVENTS",
    "Accepted",
    "AskedAgain",
    "AttemptAbandoned",
    "AttemptStarted",
    "BillingLimitChanged",
    "BillingLimitReached",
    "CallFailed",
    "CancelAnswered",
    "CancelRequested",
    "CooldownEnded",
    "CooldownImposed",
    "CooldownReleased",
    "CooldownStarted",
    "EndReason",
    "Event",
    "Fetched",
    "Generated",
    "JobFailed",
    "ModeChanged",
    "Paused",
    "Phase",
    "PolicyChanged",
    "PriceChanged",
    "ProfileAdded",
    "ProfileChanged",
    "ProfileRemoved",
    "Progressed",
    "RetryGranted",
    "RunEnded",
    "RunRestored",
    "RunStarted",
    "SameFailureRepeated",
    "SceneAdded",
    "SceneEdited",
    "SceneRequeued",
    "SceneSettled",
    "SettledStatus",
    "SpendingCapChanged",
    "SpendingCapReached",
    "StopReason",
    "Stopped",
    "SubmitAgainRequested",
    "Unpaused",
]

DECISIONS = (
    AttemptStarted, SceneRequeued, RetryGranted, SceneSettled, CooldownStarted, CooldownEnded, BillingLimitReached,
    SpendingCapReached, SameFailureRepeated, RunEnded,
)  # fmt: skip
EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        ProfileAdded, ProfileChanged, PriceChanged, ProfileRemoved, SceneAdded, SceneEdited, AskedAgain,
        SubmitAgainRequested, RunStarted, RunRestored, ModeChanged, PolicyChanged, Paused, Unpaused, Stopped,
        BillingLimitChanged, SpendingCapChanged, CancelRequested, CooldownReleased, CooldownImposed, Accepted,
        Progressed, Generated, Fetched, CallFailed, JobFailed, CancelAnswered, AttemptAbandoned, *DECISIONS,
    )
}  # fmt: skip
