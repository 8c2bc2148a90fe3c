"""Scenes over several rate-limited API profiles, and what the limits do to them.

>>> import vidgen_nb as vg

Every public name is loaded on first use, so that `import vidgen_nb` stays quick and needs neither plotly nor a server.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidgen_nb.analysis.simulation.arrivals import Bursts as Bursts
    from vidgen_nb.analysis.simulation.arrivals import Poisson as Poisson
    from vidgen_nb.analysis.simulation.arrivals import Trace as Trace
    from vidgen_nb.backends.described.backend import HttpBackend as HttpBackend
    from vidgen_nb.backends.google.interactions import GoogleInteractions as GoogleInteractions
    from vidgen_nb.backends.openai.videos import OpenAIVideos as OpenAIVideos
    from vidgen_nb.backends.runway.tasks import Runway as Runway
    from vidgen_nb.bundled_demo import demo as demo
    from vidgen_nb.bundled_demo import demo_scenes as demo_scenes
    from vidgen_nb.charts.experiments.comparisons import comparison_chart as comparison_chart
    from vidgen_nb.charts.experiments.sweeps import sweep_chart as sweep_chart
    from vidgen_nb.clients import simulate_clients as simulate_clients
    from vidgen_nb.core.model import BOOST as BOOST
    from vidgen_nb.core.model import NORMAL as NORMAL
    from vidgen_nb.core.model import Mode as Mode
    from vidgen_nb.core.model import PollSchedule as PollSchedule
    from vidgen_nb.core.model import RetryBudget as RetryBudget
    from vidgen_nb.core.model import RetryPolicy as RetryPolicy
    from vidgen_nb.core.model import Scene as Scene
    from vidgen_nb.core.money import Price as Price
    from vidgen_nb.core.policy import Cooldown as Cooldown
    from vidgen_nb.core.policy import Policy as Policy
    from vidgen_nb.emulator import Emulator as Emulator
    from vidgen_nb.errors import DuplicateScene as DuplicateScene
    from vidgen_nb.errors import FileFormatError as FileFormatError
    from vidgen_nb.errors import InputError as InputError
    from vidgen_nb.errors import JournalError as JournalError
    from vidgen_nb.errors import MissingKey as MissingKey
    from vidgen_nb.errors import NoUsableProfile as NoUsableProfile
    from vidgen_nb.errors import OutputError as OutputError
    from vidgen_nb.errors import SessionError as SessionError
    from vidgen_nb.errors import VidgenError as VidgenError
    from vidgen_nb.experiments.compare import compare as compare
    from vidgen_nb.experiments.sweep import sweep as sweep
    from vidgen_nb.inputs import class_profiles as class_profiles
    from vidgen_nb.inputs import load_profiles as load_profiles
    from vidgen_nb.inputs import load_scenes as load_scenes
    from vidgen_nb.joining import join as join
    from vidgen_nb.lessons.exercise import Exercise as Exercise
    from vidgen_nb.lessons.goals import Goal as Goal
    from vidgen_nb.lessons.guesses.asking import predict as predict
    from vidgen_nb.lessons.practice import exercise as exercise
    from vidgen_nb.lessons.saved_tries import read_tries as read_tries
    from vidgen_nb.notebook.classroom.view import watch as watch
    from vidgen_nb.notebook.controller import Controller as Controller
    from vidgen_nb.notebook.explorer.explorer import explore as explore
    from vidgen_nb.notebook.nested_loops import enable_nested as enable_nested
    from vidgen_nb.policies.cooldowns import ExponentialCooldown as ExponentialCooldown
    from vidgen_nb.policies.cooldowns import GlobalPause as GlobalPause
    from vidgen_nb.policies.cooldowns import PerProfileCooldown as PerProfileCooldown
    from vidgen_nb.policies.earliest_finish import EarliestFinish as EarliestFinish
    from vidgen_nb.policies.paced.policy import Paced as Paced
    from vidgen_nb.ports import BackendError as BackendError
    from vidgen_nb.ports import Profile as Profile
    from vidgen_nb.provider import Concurrency as Concurrency
    from vidgen_nb.provider import Constant as Constant
    from vidgen_nb.provider import DailyQuota as DailyQuota
    from vidgen_nb.provider import Empirical as Empirical
    from vidgen_nb.provider import Exponential as Exponential
    from vidgen_nb.provider import Fault as Fault
    from vidgen_nb.provider import FixedWindow as FixedWindow
    from vidgen_nb.provider import Load as Load
    from vidgen_nb.provider import LogNormal as LogNormal
    from vidgen_nb.provider import Organisation as Organisation
    from vidgen_nb.provider import SimulatedProfile as SimulatedProfile
    from vidgen_nb.provider import SlidingWindow as SlidingWindow
    from vidgen_nb.provider import TokenBucket as TokenBucket
    from vidgen_nb.provider.demo_profiles import demo_profiles as demo_profiles
    from vidgen_nb.run import Run as Run
    from vidgen_nb.run import load_run as load_run
    from vidgen_nb.run import lower_bound as lower_bound
    from vidgen_nb.run import simulate as simulate
    from vidgen_nb.session.session import Session as Session
    from vidgen_nb.session.session import restore as restore
    from vidgen_nb.sharing.redis_cooldowns import RedisCooldowns as RedisCooldowns
    from vidgen_nb.side_by_side import versus as versus

__version__ = "0.1.0"

_HOMES = {
    "analysis.simulation.arrivals": ("Bursts", "Poisson", "Trace"),
    "backends.described.backend": ("HttpBackend",),
    "backends.google.interactions": ("GoogleInteractions",),
    "backends.openai.videos": ("OpenAIVideos",),
    "backends.runway.tasks": ("Runway",),
    "charts.experiments.comparisons": ("comparison_chart",),
    "charts.experiments.sweeps": ("sweep_chart",),
    "clients": ("simulate_clients",),
    "lessons.guesses.asking": ("predict",),
    "lessons.exercise": ("Exercise",),
    "lessons.goals": ("Goal",),
    "lessons.practice": ("exercise",),
    "lessons.saved_tries": ("read_tries",),
    "notebook.controller": ("Controller",),
    "core.model": ("BOOST", "NORMAL", "Mode", "PollSchedule", "RetryBudget", "RetryPolicy", "Scene"),
    "core.money": ("Price",),
    "core.policy": ("Cooldown", "Policy"),
    "policies.cooldowns": ("ExponentialCooldown", "GlobalPause", "PerProfileCooldown"),
    "policies.earliest_finish": ("EarliestFinish",),
    "policies.paced.policy": ("Paced",),
    "bundled_demo": ("demo", "demo_scenes"),
    "emulator": ("Emulator",),
    "errors": (
        "DuplicateScene",
        "FileFormatError",
        "InputError",
        "JournalError",
        "MissingKey",
        "NoUsableProfile",
        "OutputError",
        "SessionError",
        "VidgenError",
    ),
    "experiments.compare": ("compare",),
    "experiments.sweep": ("sweep",),
    "inputs": ("class_profiles", "load_profiles", "load_scenes"),
    "joining": ("join",),
    "notebook.classroom.view": ("watch",),
    "notebook.explorer.explorer": ("explore",),
    "notebook.nested_loops": ("enable_nested",),
    "ports": ("BackendError", "Profile"),
    "provider": (
        "Concurrency",
        "Constant",
        "DailyQuota",
        "Empirical",
        "Exponential",
        "Fault",
        "FixedWindow",
        "Load",
        "LogNormal",
        "Organisation",
        "SimulatedProfile",
        "SlidingWindow",
        "TokenBucket",
    ),
    "provider.demo_profiles": ("demo_profiles",),
    "run": ("Run", "load_run", "lower_bound", "simulate"),
    "session.session": ("Session", "restore"),
    "sharing.redis_cooldowns": ("RedisCooldowns",),
    "side_by_side": ("versus",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    """Load a public name from its home."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
