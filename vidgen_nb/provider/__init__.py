"""The pure model of a rate-limited service: limits, service times, faults. Seeded; time is an argument.

`provider.Provider` admits jobs (`limits`, with their state in `limit_states`), gives them service times (`service`)
and lets things go wrong (`faults`). The emulator serves it over HTTP; the virtual driver calls it directly. It imports
nothing above the core.
"""

from vidgen_nb.provider.faults import Fault
from vidgen_nb.provider.limit_states import LimitState
from vidgen_nb.provider.limits import (
    Concurrency,
    DailyQuota,
    FixedWindow,
    Limit,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.provider.load import Load
from vidgen_nb.provider.model import Job, JobState, Organisation, Refused, SimulatedProfile
from vidgen_nb.provider.provider import Provider
from vidgen_nb.provider.service import Constant, Empirical, Exponential, LogNormal, Service

__all__ = [
    "Concurrency",
    "Constant",
    "DailyQuota",
    "Empirical",
    "Exponential",
    "Fault",
    "FixedWindow",
    "Job",
    "JobState",
    "Limit",
    "LimitState",
    "Load",
    "LogNormal",
    "Organisation",
    "Provider",
    "Refused",
    "Service",
    "SimulatedProfile",
    "SlidingWindow",
    "TokenBucket",
]
