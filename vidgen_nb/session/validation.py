"""What a user hands to a session, checked before anything is sent."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from vidgen_nb.core.model import Scene
from vidgen_nb.core.money import Price
from vidgen_nb.errors import InputError
from vidgen_nb.inputs.scenes import read_scenes
from vidgen_nb.plaintext import one_line
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.run import Run
from vidgen_nb.sharing.accounts import account_of
from vidgen_nb.sharing.local import IN_PROCESS
from vidgen_nb.sharing.port import SharedCooldowns

__all__ = [
    "as_on_end",
    "as_one_scene",
    "as_profiles",
    "as_scenes",
    "as_shared",
    "check_currencies",
    "check_prices",
    "check_profiles",
    "check_scene_prices",
    "prepared_scenes",
]

log = logging.getLogger("vidgen_nb")
MIN_OWN_KEY_CHARS: Final = 8
"""Shorter ones, such as `EMPTY`, are given to servers that have no accounts."""


def as_scenes(source: Any) -> tuple[list[Scene] | None, frozenset[str]]:
    """Return scenes from whatever `load_scenes` takes, and which of the ids are counted; None for None.

    Raises `InputError` where there are none.
    """
    if source is None:
        return None, frozenset()
    loaded = read_scenes(source)
    if not loaded.scenes:
        raise InputError("no scenes: give at least one prompt")
    return loaded.scenes, loaded.counted


def as_one_scene(source: Any) -> tuple[list[Scene], frozenset[str]]:
    """Return the one scene that is given, and its id if that is counted; `InputError` where there are more, or none."""
    loaded = read_scenes(source if isinstance(source, Scene) else [source])
    if len(loaded.scenes) != 1:
        raise InputError(f"run_one takes one scene, not {len(loaded.scenes)}; run() takes many")
    return loaded.scenes, loaded.counted


def prepared_scenes(
    backend: Backend, scenes: Iterable[Scene], max_cost: float | None = None, profiles: Iterable[Profile] = ()
) -> list[Scene]:
    """Return the scenes as they are queued: with absolute paths, where the backend can tell which values are paths.

    Raises `InputError`, which names the scene, for one that the backend can't send; not every backend can tell. So it
    does for one whose price is not known, where there is a spending cap.
    """
    with_absolute_paths: Callable[[Scene], Scene] = getattr(backend, "with_absolute_paths", lambda scene: scene)
    check: Callable[[Scene], None] = getattr(backend, "check_scene", lambda _: None)
    prepared = [with_absolute_paths(scene) for scene in scenes]
    for scene in prepared:
        try:
            check(scene)
        except InputError as error:
            raise InputError(f"scene {scene.id!r}: {error}") from None
    if max_cost is not None:
        check_scene_prices(profiles, prepared)
    return prepared


def as_profiles(backend: Backend, profiles: Profile | Iterable[Profile]) -> dict[str, Profile]:
    """Return profiles by name; `InputError` for anything else, and for profiles that can't work together."""
    if not hasattr(backend, "submit") or not hasattr(backend, "check"):
        raise InputError(f"the backend is an object such as OpenAIVideos(base_url), not a {type(backend).__name__}")
    given: list[Profile] = [profiles] if isinstance(profiles, Profile) else list(profiles)
    for profile in given:
        if not isinstance(profile, Profile):
            raise InputError(f"profiles are Profile(name, api_key) objects, not a {type(profile).__name__}")
    by_name = {profile.name: profile for profile in given}
    check_profiles(backend, by_name, given)
    return by_name


def check_profiles(backend: Backend, by_name: Mapping[str, Profile], given: Sequence[Profile]) -> None:
    """Raise `InputError` for profiles that can't work together, or with the backend."""
    names = [profile.name for profile in given]
    if len(by_name) < len(given):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"profile name {twice!r} is given twice: give each profile its own name")
    if not by_name:
        raise InputError("no profiles: give at least one Profile(name, api_key)")
    ungrouped = {profile.name for profile in given if profile.quota_group is None}
    for group in {profile.quota_group for profile in given} & ungrouped:
        raise InputError(f"{group!r} can't be a quota group's name and that of a profile outside it: use two names")
    for profile in given:
        backend.check(profile)
    check_currencies(profile.price for profile in given)
    _warn_of_one_account(backend, given)


def check_currencies(prices: Iterable[Price | None]) -> None:
    """Raise `InputError` where prices are in several currencies: their sum would mean nothing."""
    if len(found := sorted({each.currency for each in prices if each is not None})) > 1:
        raise InputError(f"the profiles' prices are in {' and '.join(found)}: give all in one currency")


def check_prices(max_cost: float | None, profiles: Iterable[Profile]) -> None:
    """Raise `InputError` where there is a spending cap, and a profile without a price: nothing could be submitted."""
    unpriced = [each.name for each in profiles if each.price is None] if max_cost is not None else []
    if unpriced:
        raise InputError(
            f"max_cost needs the price of every profile, and {', '.join(map(repr, unpriced))} has none: "
            f"Profile({unpriced[0]!r}, …, price=0.40), or vg.Price(per_second=0.10); or set_price"
        )


def check_scene_prices(profiles: Iterable[Profile], scenes: Iterable[Scene]) -> None:
    """Raise `InputError` for a scene whose price is not known, which a spending cap needs."""
    prices = {each.price: each.name for each in profiles if each.price is not None}
    for scene in scenes:
        for price, name in prices.items():
            if price.of(scene) is None:
                raise InputError(
                    f"scene {scene.id!r} does not say how long its video is, in seconds, so what it costs on {name!r} "
                    "is not known, which max_cost needs: give it seconds, or the price a length: "
                    "vg.Price(…, seconds=5)"
                )


def _warn_of_one_account(backend: Backend, given: Sequence[Profile]) -> None:
    """Say where two profiles are one account: what is over its limit on one would be tried on the other at once."""
    names: dict[str, str] = {}
    for profile in given:
        account = None if profile.quota_group or not profile.has_key else account_of(profile, backend, "")
        if account is None or len(profile.api_key.reveal()) < MIN_OWN_KEY_CHARS:
            continue
        if names.setdefault(account, profile.name) != profile.name:
            log.warning(
                "profiles %s and %s have the same key for the same server: they are one account. Leave one out, or "
                "give both the same quota_group, so that they cool as one",
                one_line(names[account]), one_line(profile.name),
            )  # fmt: skip


def as_on_end(on_end: Callable[[Run], object] | None) -> Callable[[Run], object] | None:
    """Return what is called with a run that has ended; `InputError` for what can't be called."""
    if on_end is not None and not callable(on_end):
        raise InputError(f"on_end is a function that takes the run, or None, not a {type(on_end).__name__}")
    if inspect.iscoroutinefunction(on_end):
        raise InputError("on_end is called, not awaited: give a plain function, not one of `async def`")
    return on_end


def as_shared(shared: SharedCooldowns | None) -> SharedCooldowns:
    """Return where cooldowns are shared, by default within this process; `InputError` for anything else."""
    if shared is not None and not (hasattr(shared, "join") and hasattr(shared, "salt")):
        # not quoted: it may be an address with a password
        raise InputError(f"shared is RedisCooldowns('redis://127.0.0.1:6379/0') or None, not a {type(shared).__name__}")
    return shared if shared is not None else IN_PROCESS
