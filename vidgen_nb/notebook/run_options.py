"""How Run runs scenes: mode, profiles, policy, seed and speed, each a property that a cell can set, too."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from vidgen_nb.clock import as_speed
from vidgen_nb.core.model import BOOST, MODES, Mode, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.policies.registry import POLICIES, as_policy
from vidgen_nb.ports import Profile
from vidgen_nb.session.session import Session
from vidgen_nb.session.settings import SessionState

__all__ = ["RunOptions"]


class RunOptions:
    """How a session runs the scenes that it is given."""

    def __init__(
        self, session: Session, changed: Callable[[], None], set_speed: Callable[[float], None] | None = None
    ) -> None:
        """`changed` is called after each change; `set_speed` makes a simulated provider follow the session's speed."""
        self._session = session
        self._changed = changed
        self._set_speed = set_speed
        self._cap: int | None = None
        self._earlier_profiles: Mapping[str, Profile] = {}
        self._own: Mapping[str, Policy | Mode] = {}
        """The user's own policies and modes, by name."""

    def remember(self, before: SessionState) -> None:
        """Keep the profiles, policy and mode of an earlier state, so that they can be chosen again."""
        self._earlier_profiles = {**self._earlier_profiles, **before.profiles}
        for setting in (before.settings.policy, before.settings.mode):
            name = setting.name if isinstance(setting, Mode) else type(setting).__name__
            if name not in POLICIES and name not in MODES:
                self._own = {**self._own, name: setting}

    @property
    def simulated(self) -> bool:
        """Whether the provider is simulated; then speed and seed can be chosen."""
        return self._set_speed is not None

    # -- mode

    @property
    def mode(self) -> Mode:
        """How many scenes run at once; may be set during a run. `"boost"` keeps the `cap`."""
        return self._session.mode

    @mode.setter
    def mode(self, mode: Mode | str) -> None:
        chosen: Any = self._own.get(mode, mode) if isinstance(mode, str) else mode
        checked, self._cap = as_mode(chosen), self.cap
        self._session.mode = replace(BOOST, max_generating=self._cap) if mode == BOOST.name else checked

    @property
    def cap(self) -> int | None:
        """How many scenes a profile generates at once in boost mode; None: any number."""
        return self.mode.max_generating if self.mode.name == BOOST.name else self._cap

    @cap.setter
    def cap(self, cap: int | None) -> None:
        is_boost = self.mode.name == BOOST.name
        boost = replace(self.mode if is_boost else BOOST, max_generating=cap)  # raises if the cap makes no sense
        self._cap = cap
        if is_boost:
            self._session.mode = boost
        self._changed()

    # -- the spending cap

    @property
    def max_billed(self) -> int | None:
        """How many submits of a run may be accepted; None: any number."""
        return self._session.max_billed

    @max_billed.setter
    def max_billed(self, cap: int | None) -> None:
        self._session.max_billed = cap

    @property
    def max_cost(self) -> float | None:
        """What a run may cost, by the profiles' prices; None: any amount."""
        return self._session.max_cost

    @max_cost.setter
    def max_cost(self, cap: float | None) -> None:
        self._session.max_cost = cap

    @property
    def is_at_cap(self) -> bool:
        """Whether the spending cap alone keeps what an ended run has left from going on."""
        session, cap = self._session, self._session.max_billed
        reached = session.is_at_max_cost or (cap is not None and session.billed >= cap)
        return reached and session.left_over > 0 and not session.is_running

    @property
    def enough_cap(self) -> int | float:
        """The spending cap with which all that is left could run once: in submits, or in money where that is short."""
        session = self._session
        if not session.is_at_max_cost:
            return session.billed + session.left_over
        return math.ceil((session.cost.at_most or 0.0) * 100 - 1e-6) / 100

    @property
    def cap_in_use(self) -> str:
        """What of the spending cap is used up: `30 of 30`, or `$2.88 of $3.00`."""
        session = self._session
        return session.cost.of_cap if session.is_at_max_cost else f"{session.billed:,} of {session.max_billed:,}"

    @property
    def raise_words(self) -> str:
        """What `raise_cap` would do now."""
        if not self.is_at_cap:
            return "Raise cap"
        enough = self.enough_cap
        return f"Raise cap to {self._session.cost.text(enough) if self._session.is_at_max_cost else f'{enough:,}'}"

    def raise_cap(self) -> None:
        """Raise the spending cap that is reached, so that all that is left can run once."""
        if not self.is_at_cap:
            raise InputError("no spending cap is reached")
        if self._session.is_at_max_cost:
            self._session.max_cost = self.enough_cap
        else:
            self._session.max_billed = int(self.enough_cap)

    # -- profiles

    @property
    def in_use(self) -> list[str]:
        """The names of the profiles in use; may be set during a run, to any of `known_profiles`."""
        return list(self._session.profiles)

    @in_use.setter
    def in_use(self, names: Iterable[str]) -> None:
        wanted, known = set(names), self.known_profiles
        if unknown := wanted - set(known):
            raise InputError(f"no profile is named {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
        if not wanted:
            raise InputError("choose at least one profile; Pause holds back new work")
        self._session.runner.use_profiles({name: each for name, each in known.items() if name in wanted})

    @property
    def known_profiles(self) -> dict[str, Profile]:
        """The profiles by name, including those that are not in use now."""
        return {**self._earlier_profiles, **self._session.profiles}

    @property
    def own(self) -> dict[str, Policy | Mode]:
        """The user's own policies and modes that were used earlier, by name; they can be chosen again."""
        return dict(self._own)

    # -- policy

    @property
    def policy_name(self) -> str:
        """The name of the policy's class. Setting it to one of ours keeps the cooldown's seconds."""
        return type(self._session.policy).__name__

    @policy_name.setter
    def policy_name(self, name: str) -> None:
        chosen: Any = self._own.get(name, name)
        policy, seconds = as_policy(chosen), self.cooldown_seconds
        if name not in self._own and seconds is not None and _setting(policy, "seconds") is not None:
            policy = _with_setting(policy, "seconds", seconds)
        self._session.policy = policy

    @property
    def cooldown_seconds(self) -> float | None:
        """How long a profile cools after a 429; None: the policy has no such setting."""
        seconds = _setting(self._session.policy, "seconds")
        return float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None

    @cooldown_seconds.setter
    def cooldown_seconds(self, seconds: float) -> None:
        self._session.policy = _with_setting(self._session.policy, "seconds", seconds)

    @property
    def honour_retry_after(self) -> bool | None:
        """Whether the policy waits as long as the server asks instead; None: it has no such setting."""
        honour = _setting(self._session.policy, "honour_retry_after")
        return honour if isinstance(honour, bool) else None

    @honour_retry_after.setter
    def honour_retry_after(self, honour: bool) -> None:
        self._session.policy = _with_setting(self._session.policy, "honour_retry_after", honour)

    # -- seed and speed

    @property
    def seed(self) -> int:
        """The seed of the random part of back-off, from the next run on."""
        return self._session.runner.state.settings.seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._session.runner.change_settings(seed=int(seed))

    @property
    def speed(self) -> float:
        """Run seconds per wall second; may be set during a run, too, if the provider is simulated.

        Run time goes on without a jump; only what is on its way to the provider right then still takes the wall
        seconds that it would have taken.
        """
        return self._session.runner.state.settings.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if self._set_speed is None:
            raise InputError("a real API runs in real time: its speed is 1")
        checked = as_speed(speed)
        self._set_speed(checked)
        self._session.runner.change_settings(speed=checked)


def _setting(policy: Policy, name: str) -> Any:
    """Return a setting of a policy that is a dataclass; None: it has no such setting."""
    return getattr(policy, name) if _has_setting(policy, name) else None


def _with_setting(policy: Policy, name: str, value: Any) -> Policy:
    """Return the policy with a setting changed; `InputError` if it has no such setting."""
    if not _has_setting(policy, name):
        raise InputError(f"{type(policy).__name__} has no setting {name!r}: set ctl.policy to another policy")
    as_dataclass: Any = policy
    changed: Policy = replace(as_dataclass, **{name: value})
    return changed


def _has_setting(policy: Policy, name: str) -> bool:
    own: Any = policy
    return is_dataclass(own) and any(each.name == name for each in fields(own))
