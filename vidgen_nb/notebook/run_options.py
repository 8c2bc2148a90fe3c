"""What is chosen before Run is pressed: scenes, profiles, mode and policy, each a property that a cell can set too."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from vidgen_nb.core.model import BOOST, MODES, Mode, Scene, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import FileFormatError, InputError
from vidgen_nb.inputs import load_scenes
from vidgen_nb.plaintext import clean
from vidgen_nb.policies.registry import POLICIES, as_policy
from vidgen_nb.ports import Profile
from vidgen_nb.session.runner import Started
from vidgen_nb.session.session import Session

__all__ = ["Choices"]

Kind = Literal["batch", "single"]


class Choices(Session):
    """A session that remembers what is to be run, and how."""

    simulated: ClassVar[bool] = False
    """Whether speed and seed are ours to choose, because no real provider is behind it."""

    _known: Mapping[str, Profile] = MappingProxyType({})
    _own: Mapping[str, Any] = MappingProxyType({})
    """Policies and modes that were in force, by the names that the panel shows for them."""
    _scenes: Sequence[Scene] = ()
    _span = (1, 1)
    _scene: str | None = None
    _kind: Kind = "batch"
    _cap: int | None = None

    def _touched(self) -> None:
        """Something was chosen; the panel wants to know."""

    # -- what to run

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
        self._touched()

    def type_scenes(self, text: str) -> None:
        """Take the scenes from a text: a prompt a line, or what a CSV or JSON file has in it."""
        start = text.lstrip()
        if start[:1] in ("[", "{"):
            lines = [line for line in text.splitlines() if line.strip()]
            one_each = len(lines) > 1 and all(line.lstrip().startswith("{") for line in lines)
            self.upload_scenes("pasted.jsonl" if one_each else "pasted.json", text.encode())
        elif "prompt" in [head.strip().strip('"').lower() for head in start.partition("\n")[0].split(",")]:
            self.upload_scenes("pasted.csv", start.encode())
        else:
            self.scenes = text + "\n"

    def upload_scenes(self, name: str, content: bytes) -> None:
        """Take the scenes from the content of a file, whose name says how to read it."""
        with tempfile.TemporaryDirectory() as folder:
            name = Path(name.replace("\\", "/")).name
            suffix = Path(name).suffix.lower()
            path = Path(folder) / f"scenes{suffix if suffix[1:].isalnum() and len(suffix) < 10 else ''}"
            path.write_bytes(content)
            try:
                self.scenes = path
            except (FileFormatError, InputError) as error:
                raise InputError(str(error).replace(str(path), clean(name, 80))) from None

    @property
    def kind(self) -> Kind:
        """`"batch"`: Run takes the scenes of `span`; `"single"`: it takes `scene`."""
        return self._kind

    @kind.setter
    def kind(self, kind: Kind) -> None:
        if kind not in ("batch", "single"):
            raise InputError(f"kind is 'batch' or 'single', not {kind!r}")
        self._kind = kind
        self._touched()

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
        self._touched()

    @property
    def scene(self) -> str | None:
        """The id of the scene that is run singly."""
        return self._scene

    @scene.setter
    def scene(self, scene: str) -> None:
        if all(each.id != scene for each in self._scenes):
            raise InputError(f"no scene has the id {scene!r}; load the scenes first")
        self._scene = scene
        self._touched()

    @property
    def chosen(self) -> list[Scene]:
        """The scenes that Run takes when nothing is left over from a run that was stopped."""
        if self._kind == "single":
            return [each for each in self._scenes if each.id == self._scene]
        return list(self._scenes[self._span[0] - 1 : self._span[1]])

    @property
    def problem(self) -> str:
        """Why Run can't be pressed now; empty: it can."""
        if self.is_closed:
            return "this controller is closed"
        if self.is_running:
            return "a run is under way"
        if self.is_broken_off:
            return "the run was broken off, and Restore last run goes on with it"
        if not self.in_use:
            return "no profile is chosen"
        if not self.left_over and not self.chosen:
            return "there are no scenes: type, paste or load some"
        return ""

    # -- how to run it

    @property
    def mode(self) -> Mode:
        """How much is under way at once; may be set during a run. `"boost"` keeps the `cap`."""
        return self._settings.mode

    @mode.setter
    def mode(self, mode: Mode | str) -> None:
        found, self._cap = as_mode(self._own.get(mode, mode) if isinstance(mode, str) else mode), self.cap
        self._change(mode=replace(BOOST, max_generating=self._cap) if mode == BOOST.name else found)

    @property
    def cap(self) -> int | None:
        """Scenes that a profile generates at once in boost mode; None: no bound."""
        return self.mode.max_generating if self.mode.name == BOOST.name else self._cap

    @cap.setter
    def cap(self, cap: int | None) -> None:
        is_boost = self.mode.name == BOOST.name
        boost = replace(self.mode if is_boost else BOOST, max_generating=cap)  # says what is wrong with a cap
        self._cap = cap
        self._change(**({"mode": boost} if is_boost else {}))

    @property
    def in_use(self) -> list[str]:
        """The names of the profiles that are used; may be set during a run, to any of those ever known."""
        return list(self._settings.profiles)

    @in_use.setter
    def in_use(self, names: Iterable[str]) -> None:
        wanted = set(names)
        known = self.known_profiles
        if unknown := wanted - set(known):
            raise InputError(f"no profile is named {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
        if not wanted:
            raise InputError("choose at least one profile; Pause holds back new work")
        self._change(profiles={name: each for name, each in known.items() if name in wanted})

    @property
    def known_profiles(self) -> dict[str, Profile]:
        """The profiles by name, also those that are not used now."""
        return {**self._known, **self._settings.profiles}

    @property
    def own(self) -> dict[str, Policy | Mode]:
        """The user's own policies and modes that were in force so far, by name: they can be chosen again."""
        return dict(self._own)

    @property
    def policy_name(self) -> str:
        """The class of the policy; setting it to one of ours keeps the cooldown's seconds."""
        return type(self.policy).__name__

    @policy_name.setter
    def policy_name(self, name: str) -> None:
        policy, seconds = as_policy(self._own.get(name, name)), self.cooldown_seconds
        if name not in self._own and seconds is not None and _setting(policy, "seconds") is not None:
            policy = _changed(policy, "seconds", seconds)
        self.policy = policy

    @property
    def cooldown_seconds(self) -> float | None:
        """How long the policy cools; None: it has no such setting."""
        seconds = _setting(self.policy, "seconds")
        return float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None

    @cooldown_seconds.setter
    def cooldown_seconds(self, seconds: float) -> None:
        self.policy = _changed(self.policy, "seconds", seconds)

    @property
    def honour_retry_after(self) -> bool | None:
        """Whether the policy takes the server's word instead; None: it has no such setting."""
        honour = _setting(self.policy, "honour_retry_after")
        return honour if isinstance(honour, bool) else None

    @honour_retry_after.setter
    def honour_retry_after(self, honour: bool) -> None:
        self.policy = _changed(self.policy, "honour_retry_after", honour)

    @property
    def seed(self) -> int:
        """Of the jitter of back-off, from the next run on."""
        return self._settings.seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._settings.seed = int(seed)
        self._touched()

    @property
    def speed(self) -> float:
        """Run seconds per wall second; may be set between runs, where no real provider is behind it."""
        return self._settings.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if not self.simulated:
            raise InputError("a real API has its own time: speed is 1")
        if self.is_running:
            raise InputError("a run is under way: the speed can be changed between runs")
        self._set_speed(speed)
        self._settings.speed = speed
        self._touched()

    def _set_speed(self, speed: float) -> None:
        """Let the simulated provider keep the same time."""

    # -- running

    @property
    def left_over(self) -> int:
        """Scenes that a run which was stopped, or restored, has left: Run goes on with them, `cancel()` drops them."""
        live = self._live
        if live is None or live.dead:
            return 0
        return live.scheduler.unsettled - (live.scheduler.in_flight if self.is_running else 0)

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def _begin(self, started: Started) -> None:
        """Without scenes, run what is chosen, if no run is to be gone on with or restored."""
        open_ = self.is_running or self.left_over or self.is_broken_off
        if started.scenes is None and not open_ and (chosen := self.chosen):
            started.scenes, started.single = chosen, self._kind == "single"
        super()._begin(started)
        self._touched()

    def _change(self, **settings: Any) -> None:
        if "profiles" in settings:
            self._known = self.known_profiles
        for own in (self._settings.policy, self._settings.mode):
            name = own.name if isinstance(own, Mode) else type(own).__name__
            if name not in POLICIES and name not in MODES:
                self._own = {**self._own, name: own}
        super()._change(**settings)
        self._touched()


def _setting(policy: Policy, name: str) -> Any:
    """Return a setting of a policy that is a dataclass; None: it has none of that name."""
    own: Any = policy
    has = is_dataclass(own) and any(each.name == name for each in fields(own))
    return getattr(policy, name) if has else None


def _changed(policy: Policy, name: str, value: Any) -> Policy:
    """Return the policy with another setting; `InputError` where it has none of that name."""
    own: Any = policy
    if not is_dataclass(own) or all(each.name != name for each in fields(own)):
        raise InputError(f"{type(policy).__name__} has no setting {name!r}: set ctl.policy to another policy")
    copy: Callable[..., Policy] = replace
    return copy(own, **{name: value})
