"""What is chosen before Run is pressed: scenes, profiles, mode and policy, each a property that a cell can set too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal

from vidgen_nb.core.model import BOOST, MODES, Mode, Scene, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.inputs import load_scenes
from vidgen_nb.notebook.scene_sources import from_content, from_text
from vidgen_nb.policies.registry import POLICIES, as_policy
from vidgen_nb.ports import Profile
from vidgen_nb.session.runner import RunRequest
from vidgen_nb.session.session import Session
from vidgen_nb.session.settings import SessionState

__all__ = ["RunOptions", "SceneOptions"]

Kind = Literal["batch", "single"]


class SceneOptions:
    """Which scenes Run takes: a range of those loaded, or one."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._scenes: Sequence[Scene] = ()
        self._span = (1, 1)
        self._scene: str | None = None
        self._kind: Kind = "batch"

    @property
    def scenes(self) -> list[Scene]:
        """The scenes that the panel offers; may be set to whatever `load_scenes` takes."""
        return list(self._scenes)

    @scenes.setter
    def scenes(self, source: Any) -> None:
        found = load_scenes(source)
        self._scenes = found
        self._span = (1, max(1, len(found)))
        self._scene = found[0].id if found else None
        self._changed()

    def type_scenes(self, text: str) -> None:
        """Take the scenes from a text: a prompt a line, or what a CSV or JSON file has in it."""
        self.scenes = from_text(text)

    def upload_scenes(self, name: str, content: bytes) -> None:
        """Take the scenes from the content of a file, whose name says how to read it."""
        self.scenes = from_content(name, content)

    @property
    def kind(self) -> Kind:
        """`"batch"`: Run takes the scenes of `span`; `"single"`: it takes `scene`."""
        return self._kind

    @kind.setter
    def kind(self, kind: Kind) -> None:
        if kind not in ("batch", "single"):
            raise InputError(f"kind is 'batch' or 'single', not {kind!r}")
        self._kind = kind
        self._changed()

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last scene of a batch, counted from 1."""
        return self._span

    @span.setter
    def span(self, span: tuple[int, int]) -> None:
        first, last = span
        if not 1 <= first <= last <= max(1, len(self._scenes)):
            raise InputError(f"span is (first, last) within 1 and {len(self._scenes)}, not {span!r}")
        self._span = (first, last)
        self._changed()

    @property
    def scene(self) -> str | None:
        """The id of the scene that a single run takes."""
        return self._scene

    @scene.setter
    def scene(self, scene: str) -> None:
        if all(each.id != scene for each in self._scenes):
            raise InputError(f"no scene has the id {scene!r}; load the scenes first")
        self._scene = scene
        self._changed()

    @property
    def chosen(self) -> list[Scene]:
        """The scenes that Run takes when a run that was stopped has left none."""
        if self._kind == "single":
            return [each for each in self._scenes if each.id == self._scene]
        return list(self._scenes[self._span[0] - 1 : self._span[1]])

    def request(self) -> RunRequest | None:
        """Return the request that runs the chosen scenes; None: there are none."""
        chosen = self.chosen
        return RunRequest(chosen, single=self._kind == "single") if chosen else None


class RunOptions:
    """How a session runs what it is given: mode, profiles, policy, seed and speed, each a property of one value."""

    def __init__(
        self, session: Session, changed: Callable[[], None], set_speed: Callable[[float], None] | None = None
    ) -> None:
        """`changed`: is called after each change. `set_speed`: lets a simulated provider keep the same time."""
        self._session = session
        self._changed = changed
        self._set_speed = set_speed
        self._cap: int | None = None
        self._known: Mapping[str, Profile] = {}
        self._own: Mapping[str, Policy | Mode] = {}

    def remember(self, before: SessionState) -> None:
        """Keep what was in force, so that it can be chosen again."""
        self._known = {**self._known, **before.profiles}
        for own in (before.settings.policy, before.settings.mode):
            name = own.name if isinstance(own, Mode) else type(own).__name__
            if name not in POLICIES and name not in MODES:
                self._own = {**self._own, name: own}

    @property
    def simulated(self) -> bool:
        """Whether speed and seed can be chosen, because no real provider is behind the session."""
        return self._set_speed is not None

    # -- mode and profiles

    @property
    def mode(self) -> Mode:
        """How much is under way at once; may be set during a run. `"boost"` keeps the `cap`."""
        return self._session.mode

    @mode.setter
    def mode(self, mode: Mode | str) -> None:
        own: Any = self._own.get(mode, mode) if isinstance(mode, str) else mode
        found, self._cap = as_mode(own), self.cap
        self._session.mode = replace(BOOST, max_generating=self._cap) if mode == BOOST.name else found

    @property
    def cap(self) -> int | None:
        """Scenes that a profile generates at once in boost mode; None: any number."""
        return self.mode.max_generating if self.mode.name == BOOST.name else self._cap

    @cap.setter
    def cap(self, cap: int | None) -> None:
        is_boost = self.mode.name == BOOST.name
        boost = replace(self.mode if is_boost else BOOST, max_generating=cap)  # says what is wrong with a cap
        self._cap = cap
        if is_boost:
            self._session.mode = boost
        self._changed()

    @property
    def in_use(self) -> list[str]:
        """The names of the profiles that are used; may be set during a run, to any of those ever known."""
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
        """The profiles by name, also those that are not used now."""
        return {**self._known, **self._session.profiles}

    @property
    def own(self) -> dict[str, Policy | Mode]:
        """The user's own policies and modes that were in force so far, by name: they can be chosen again."""
        return dict(self._own)

    # -- policy

    @property
    def policy_name(self) -> str:
        """The class of the policy; setting it to one of ours keeps the cooldown's seconds."""
        return type(self._session.policy).__name__

    @policy_name.setter
    def policy_name(self, name: str) -> None:
        own: Any = self._own.get(name, name)
        policy, seconds = as_policy(own), self.cooldown_seconds
        if name not in self._own and seconds is not None and _setting(policy, "seconds") is not None:
            policy = _with_setting(policy, "seconds", seconds)
        self._session.policy = policy

    @property
    def cooldown_seconds(self) -> float | None:
        """How long the policy cools; None: it has no such setting."""
        seconds = _setting(self._session.policy, "seconds")
        return float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None

    @cooldown_seconds.setter
    def cooldown_seconds(self, seconds: float) -> None:
        self._session.policy = _with_setting(self._session.policy, "seconds", seconds)

    @property
    def honour_retry_after(self) -> bool | None:
        """Whether the policy takes the server's word instead; None: it has no such setting."""
        honour = _setting(self._session.policy, "honour_retry_after")
        return honour if isinstance(honour, bool) else None

    @honour_retry_after.setter
    def honour_retry_after(self, honour: bool) -> None:
        self._session.policy = _with_setting(self._session.policy, "honour_retry_after", honour)

    # -- time and chance

    @property
    def seed(self) -> int:
        """Of the jitter of back-off, from the next run on."""
        return self._session.runner.state.settings.seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._session.runner.change_settings(seed=int(seed))

    @property
    def speed(self) -> float:
        """Run seconds per wall second; may be set between runs, where no real provider is behind it."""
        return self._session.runner.state.settings.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if self._set_speed is None:
            raise InputError("a real API has its own time: speed is 1")
        if self._session.is_running:
            raise InputError("a run is under way: the speed can be changed between runs")
        self._set_speed(speed)
        self._session.runner.change_settings(speed=speed)


def _setting(policy: Policy, name: str) -> Any:
    """Return a setting of a policy that is a dataclass; None: it has none of that name."""
    own: Any = policy
    has = is_dataclass(own) and any(each.name == name for each in fields(own))
    return getattr(policy, name) if has else None


def _with_setting(policy: Policy, name: str, value: Any) -> Policy:
    """Return the policy with another setting; `InputError` where it has none of that name."""
    own: Any = policy
    if not is_dataclass(own) or all(each.name != name for each in fields(own)):
        raise InputError(f"{type(policy).__name__} has no setting {name!r}: set ctl.policy to another policy")
    copy: Callable[..., Policy] = replace
    return copy(own, **{name: value})
