"""A setting of the explorer as one frozen value, with a text that is read back to the same value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self
from urllib.parse import quote, unquote

from vidgen_nb.analysis.simulation.arrivals import Arrivals, Trace
from vidgen_nb.analysis.simulation.overrides import as_scenes, check_names, settings_of, with_override
from vidgen_nb.analysis.simulation.serving import Order, check_order
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.validation import as_profiles, listed, seconds, whole
from vidgen_nb.core.model import NORMAL, Mode, Scene, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.inputs.unknown_names import suggestion
from vidgen_nb.notebook.explorer.state_text import (
    Outage,
    account_from,
    account_terms,
    arrivals_from_text,
    arrivals_text,
    mode_from,
    mode_text,
    outage_from,
    outage_text,
    policy_from,
    policy_text,
)
from vidgen_nb.plaintext import one_line
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.policies.registry import as_policy
from vidgen_nb.provider import Fault, SimulatedProfile
from vidgen_nb.provider.demo_profiles import demo_profiles

__all__ = ["MAX_SCENES", "ExplorerState", "Fixed"]

MAX_SCENES = 1000
"""With more, an answer would not come while the slider still moves."""
START = "vidgen-nb?"
READABLE = "()[]{},:'+.-_*="
"""Characters that stay as they are in a text."""


@dataclass(frozen=True)
class Fixed:
    """What no control changes."""

    scenes: Sequence[Scene] | None = None
    """The scenes, of which the first ones are run; None: any number of them can be made."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of `Simulation`, such as `faults`."""


@dataclass(frozen=True, repr=False)
class ExplorerState:
    """What the explorer's controls say. Times in run seconds. Raises `InputError` for what can't be simulated.

    `str(state)` is a text that looks like a link; `ExplorerState.read` makes the same state of it.
    """

    scenes: int = 24
    """How many."""
    profiles: tuple[SimulatedProfile, ...] = field(default_factory=lambda: tuple(demo_profiles()))
    """All accounts, also those that are off; without their keys."""
    off: tuple[str, ...] = ()
    """Names of the accounts that are not used."""
    mode: Mode = NORMAL
    policy: Policy = field(default_factory=PerProfileCooldown)
    told: bool = False
    """Whether the policy, a `Paced`, is told the accounts' limits, whatever they are set to."""
    arrivals: Arrivals | None = None
    """None: all scenes are there at the start."""
    outage: Outage | None = None
    latency: float = 0.0
    """Seconds that each call takes."""
    order: Order = "given"
    seed: int = 0

    def __post_init__(self) -> None:
        count = whole("scenes", self.scenes)
        if not 1 <= count <= MAX_SCENES:
            raise InputError(f"scenes is from 1 to {MAX_SCENES:,} here, not {self.scenes!r}")
        given = as_profiles(self.profiles)
        names = [each.name for each in given]
        off: Any = self.off
        off = (off,) if isinstance(off, str) else off
        if not given:
            raise InputError("there are no accounts: give at least one SimulatedProfile(…)")
        if unknown := [name for name in off if name not in names]:
            raise InputError(f"off names {unknown[0]!r}, which is no account{suggestion(unknown[0], tuple(names))}")
        if not set(names) - set(off):
            raise InputError("no account is left: at least one must be used")
        if self.outage is not None and self.outage.profile not in (None, *names):
            raise InputError(f"the outage is on {self.outage.profile!r}, which is no account")
        checked = {
            "scenes": count,
            "profiles": tuple(replace(each, api_key="") for each in given),
            "off": tuple(name for name in names if name in off),
            "mode": as_mode(self.mode),
            "policy": as_policy(self.policy),
            "arrivals": _as_arrivals(self.arrivals),
            "latency": seconds("latency", self.latency),
            "seed": whole("seed", self.seed),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if self.told and not isinstance(self.policy, Paced):
            raise InputError("told is for Paced, which can be told the limits")
        check_order(self.order)

    @property
    def used(self) -> list[SimulatedProfile]:
        """The accounts that are on."""
        return [each for each in self.profiles if each.name not in self.off]

    def simulation(self, fixed: Fixed | None = None) -> Simulation:
        """Return it as a simulation, together with what no control changes; `InputError` if they don't fit together."""
        given = fixed or Fixed()
        if given.scenes is not None and self.scenes > len(given.scenes):
            raise InputError(f"there are {len(given.scenes):,} scenes, so {self.scenes:,} can't be run")
        faults = listed("faults", given.options.get("faults") or (), "Fault(kind, …) objects", Fault)
        if self.outage is not None:
            faults.append(Fault("overload", start=self.outage.start, end=self.outage.end, profile=self.outage.profile))
        found = Simulation(
            as_scenes(self.scenes) if given.scenes is None else given.scenes[: self.scenes],
            self.used,
            self.mode,
            self._policy(),
            seed=self.seed,
            arrivals=self.arrivals,
            latency=self.latency,
            order=self.order,
            **{**given.options, "faults": faults},
        )
        check_names([found])
        return found

    def _policy(self) -> Policy:
        if not self.told or not isinstance(self.policy, Paced):
            return self.policy
        limits = {each.quota_group or each.name: each.limit for each in self.used if each.limit is not None}
        return replace(self.policy, limits=limits)

    def changed(self, fixed: Fixed | None = None, /, **changes: Any) -> Self:
        """Return it with something changed: a field of this class, or a name as `run.what_if` takes it.

        >>> state.changed(scenes=40, cooldown=10)
        """
        own = [each.name for each in fields(self)]
        found = replace(self, **{name: each for name, each in changes.items() if name in own})
        for name in changes.keys() - own:
            if name in _OF_SIMULATION:
                raise InputError(f"{name} has no control and stays as it is: begin again with vg.explore({name}=…)")
            if name not in (known := settings_of(found.simulation(fixed))):
                raise InputError(f"{name!r} can't be set{suggestion(name, tuple(dict.fromkeys([*own, *known])))}")
            simulation = with_override(found.simulation(fixed), name, changes[name])
            kept = {each.name: each for each in simulation.profiles}
            found = replace(
                found, policy=simulation.policy if not found.told else found.policy,
                profiles=tuple(kept.get(each.name, each) for each in found.profiles),
            )  # fmt: skip
        return found

    # -- as a text

    def parts(self) -> dict[str, str]:
        """Return its text part by part; what is as usual is left out. `InputError` for what has no text."""
        found = {"scenes": str(self.scenes), "mode": mode_text(self.mode), "policy": policy_text(self.policy)}
        if self.told:
            found["told"] = "yes"
        if self.arrivals is not None:
            found["arrivals"] = arrivals_text(self.arrivals)
        if self.outage is not None:
            found["outage"] = outage_text(self.outage)
        if self.latency:
            found["latency"] = f"{self.latency!r}"
        if self.order != "given":
            found["order"] = self.order
        found["seed"] = str(self.seed)
        encoded = {name: quote(each, safe=READABLE) for name, each in found.items()}
        for each in self.profiles:
            terms = account_terms(each, off=each.name in self.off)
            encoded[_key(each.name)] = ";".join(quote(term, safe=READABLE) for term in terms)
        return encoded

    def __str__(self) -> str:
        """Return a text that looks like a link; `InputError` if a class of one's own has none."""
        return START + "&".join(f"{name}={each}" for name, each in self.parts().items())

    def __repr__(self) -> str:
        try:
            return f"ExplorerState.read({str(self)!r})"
        except InputError:
            return f"<ExplorerState: {self.scenes:,} scenes, {len(self.used):,} accounts, without a text>"

    @classmethod
    def read(cls, text: Any) -> Self:
        """Return the state of such a text; what it leaves out is as usual, without accounts they are the demo's.

        Raises `InputError` that says which part is wrong.
        """
        if not isinstance(text, str):
            raise InputError(f"a state is an ExplorerState, or its text such as {START}scenes=40, not {text!r:.80}")
        if not text.strip():
            raise InputError(f"the text is empty: a state is a text such as {START}scenes=40")
        start, question, rest = text.strip().partition("?")
        if question and start != START[:-1]:
            raise InputError(f"the text of a state begins with {START}, not {one_line(start, 40)!r}")
        found: dict[str, Any] = {}
        accounts: list[SimulatedProfile] = []
        off: list[str] = []
        for part in filter(None, (rest if question else start).split("&")):
            name, equals, value = part.partition("=")
            try:
                if not equals:
                    raise InputError("it is not of the form name=value")
                if name in found or (unquote(name) in [each.name for each in accounts] and name not in _READERS):
                    raise InputError("it is there twice")
                if name in _READERS:
                    found[name] = _READERS[name](unquote(value))
                else:
                    account, is_off = account_from(unquote(name), [unquote(each) for each in _terms(value)])
                    accounts.append(account)
                    off += [account.name] * is_off
            except (ValueError, TypeError) as error:  # an InputError is a ValueError
                raise InputError(f"the part {one_line(unquote(part), 100)!r} of this state: {error}") from None
        if accounts:
            found |= {"profiles": tuple(accounts), "off": tuple(off)}
        return cls(**found)


def differing(one: ExplorerState, other: ExplorerState) -> Iterator[tuple[str, str]]:
    """Yield the parts of two texts in which they differ; of an account, the terms."""
    mine, theirs = one.parts(), other.parts()
    for name in dict.fromkeys([*mine, *theirs]):
        left, right = mine.get(name, ""), theirs.get(name, "")
        if left == right:
            continue
        if name in _READERS:
            yield f"{name}={unquote(left) or 'none'}", f"{name}={unquote(right) or 'none'}"
        else:
            ours = [each for each in _terms(left) if each not in _terms(right)]
            others = [each for each in _terms(right) if each not in _terms(left)]
            yield f"{unquote(name)}: {_words(ours, others)}", f"{unquote(name)}: {_words(others, ours)}"


def _words(terms: Sequence[str], other: Sequence[str]) -> str:
    """Return what one setting has of an account and the other one has not."""
    missing = "on" if "off" in other else "none"
    return unquote(" ".join(terms)) or missing


def _terms(value: str) -> list[str]:
    return [each for each in value.split(";") if each]


def _key(name: str) -> str:
    """Return an account's name as a key; one that is named like a setting begins with an escape."""
    key = quote(name, safe="")
    return f"%{ord(name[0]):02X}{key[1:]}" if name in _READERS else key


def _as_arrivals(arrivals: Any) -> Arrivals | None:
    if arrivals is None or isinstance(arrivals, Arrivals):
        return arrivals
    if isinstance(arrivals, type):
        raise InputError(f"arrivals is a class: pass an instance of it, such as {arrivals.__name__}(…)")
    return Trace(arrivals)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{text!r} is no whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{text!r} is no number") from None


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise InputError(f"it is yes or no, not {text!r}")
    return text == "yes"


_OF_SIMULATION = {each.name for each in fields(Simulation)}
_READERS: Mapping[str, Callable[[str], Any]] = {
    "scenes": _whole, "mode": mode_from, "policy": policy_from, "told": _yes, "arrivals": arrivals_from_text,
    "outage": outage_from, "latency": _number, "order": str, "seed": _whole,
}  # fmt: skip
