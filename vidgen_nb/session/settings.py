"""What a session was made with, and what can't be made to work together."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from vidgen_nb.core.context import OnAmbiguous
from vidgen_nb.core.model import Mode, RetryPolicy, Scene
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.recording.codec import plain
from vidgen_nb.session.video_folder import VideoFolder
from vidgen_nb.sharing.local import IN_PROCESS
from vidgen_nb.sharing.port import SharedCooldowns

__all__ = ["Settings", "check_profiles", "checked_profiles", "checked_scenes", "checked_shared"]


@dataclass
class Settings:
    """What a session's runs begin with; mode, policy and profiles may change."""

    backend: Backend
    profiles: dict[str, Profile]
    mode: Mode
    policy: Policy
    retry: RetryPolicy
    folder: VideoFolder
    on_ambiguous: OnAmbiguous
    max_wait: float
    speed: float
    seed: int
    journal: Path | None = None
    """The folder of the journals, absolute; None: there are none."""
    paused: bool = False
    max_billed: int | None = None
    shared: SharedCooldowns = IN_PROCESS

    def scheduler(self) -> Scheduler:
        """Return a fresh scheduler."""
        return Scheduler(
            mode=self.mode,
            policy=self.policy,
            retry=self.retry,
            poll=self.backend.poll_schedule,
            on_ambiguous=self.on_ambiguous,
            max_wait=self.max_wait,
            rng=Random(self.seed),  # noqa: S311 - jitter, no secret
            max_billed=self.max_billed,
        )

    def header(self, epoch: float) -> dict[str, Any]:
        """Return a run's header; no keys."""
        started = datetime.fromtimestamp(epoch, UTC)
        return {
            "run": f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
            "started": started.isoformat(timespec="milliseconds"),
            "mode": plain(self.mode),
            "policy": plain(self.policy),
            "retry": plain(self.retry),
            "on_ambiguous": self.on_ambiguous,
            "max_wait": plain(self.max_wait),
            "max_billed": self.max_billed,
            "speed": self.speed,
            "seed": self.seed,
            "backend": dict(self.backend.settings()),
        }


def checked_profiles(backend: Backend, profiles: Iterable[Profile]) -> dict[str, Profile]:
    """Return profiles by name; `InputError` for what is none, and for those that can't work together."""
    if not hasattr(backend, "submit") or not hasattr(backend, "check"):
        raise InputError(f"the backend is an object such as OpenAIVideos(base_url), not a {type(backend).__name__}")
    given: list[Profile] = [profiles] if isinstance(profiles, Profile) else list(profiles)
    for profile in given:
        if not isinstance(profile, Profile):
            raise InputError(f"profiles are Profile(name, api_key) objects, not a {type(profile).__name__}")
    found = {profile.name: profile for profile in given}
    check_profiles(backend, found, given)
    return found


def check_profiles(backend: Backend, found: dict[str, Profile], given: list[Profile]) -> None:
    """Raise `InputError` for profiles that can't work together, or with the backend."""
    names = [profile.name for profile in given]
    if len(found) < len(given):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"profile name {twice!r} is given twice: give each profile its own name")
    if not found:
        raise InputError("no profiles: give at least one Profile(name, api_key)")
    alone = {profile.name for profile in given if profile.quota_group is None}
    for group in {profile.quota_group for profile in given} & alone:
        raise InputError(f"{group!r} can't be a quota group's name and that of a profile outside it: use two names")
    for profile in given:
        backend.check(profile)


def checked_scenes(backend: Backend, scenes: Iterable[Scene]) -> list[Scene]:
    """Return the scenes as they are to be queued: the paths in them absolute, where the backend can tell which are.

    Raises `InputError`, naming the scene, for one that the backend can't send; not every backend can tell.
    """
    anchor: Callable[[Scene], Scene] = getattr(backend, "with_absolute_paths", lambda scene: scene)
    check: Callable[[Scene], None] = getattr(backend, "check_scene", lambda _: None)
    found = [anchor(scene) for scene in scenes]
    for scene in found:
        try:
            check(scene)
        except InputError as error:
            raise InputError(f"scene {scene.id!r}: {error}") from None
    return found


def checked_shared(shared: SharedCooldowns | None) -> SharedCooldowns:
    """Return where cooldowns are shared, by default in this process; `InputError` for anything else."""
    if shared is not None and not (hasattr(shared, "join") and hasattr(shared, "salt")):
        # not quoted: it may be an address with a password
        raise InputError(f"shared is RedisCooldowns('redis://127.0.0.1:6379/0') or None, not a {type(shared).__name__}")
    return shared if shared is not None else IN_PROCESS
