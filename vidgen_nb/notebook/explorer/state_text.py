"""The parts of a setting as texts and back: accounts, limits, service times, policies, modes, arrivals, outages.

    alice=token_bucket(2,60);lognormal(22,0.25);slots(3)

The names are those of a run's header (`provider.described`). Nothing in a text is run as code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from vidgen_nb.analysis.simulation.arrivals import Arrivals, Bursts, Poisson, Trace
from vidgen_nb.analysis.validation import seconds
from vidgen_nb.core.model import MODES, Mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.inputs.unknown_names import suggestion
from vidgen_nb.notebook.explorer.terms import Term, read_terms, write_terms
from vidgen_nb.policies.registry import POLICIES, describe, from_description
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.provider.described import LIMITS, SERVICES, describe_profile, profile_from
from vidgen_nb.provider.service import Service
from vidgen_nb.recording.policies import resolve_policy

__all__ = [
    "LENGTHS", "Outage", "account_from", "account_terms", "arrivals_from_text", "arrivals_text", "mode_from",
    "mode_text", "outage_from", "outage_text", "policy_from", "policy_text",
]  # fmt: skip

FIRST: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("token_bucket", "fixed_window", "sliding_window"), ("n", "per")),
    **dict.fromkeys(("concurrency", "daily_quota"), ("n",)),
    **dict.fromkeys(("constant", "exponential"), ("mean",)),
    "lognormal": ("mean", "cv"),
    "empirical": ("samples",),
}
"""What is written without its name, by kind."""
FLAGS: Final = {"off": True, "untold": True, "headers": True}
"""What an account may be: not used; without Retry-After in its refusals; with rate-limit headers."""
LENGTHS: Final = ("seconds", "base")
"""What the length of a cooldown is named in our policies; it is their first setting."""
OTHERS: Final = ("slots", "group", "price", "organisation")


@dataclass(frozen=True)
class Outage:
    """A time in which a provider answers every submit with an error (503)."""

    start: float
    """Run seconds."""
    length: float
    """Seconds, above 0."""
    profile: str | None = None
    """The one account that it hits; None: all of them."""

    def __post_init__(self) -> None:
        seconds("outage: its start", self.start)
        seconds("outage: its length", self.length, zero=False)

    @property
    def end(self) -> float:
        """When it is over, in run seconds."""
        return self.start + self.length


# -- accounts


def account_terms(profile: SimulatedProfile, *, off: bool) -> list[str]:
    """Return an account as texts, one for each thing that is said of it; `InputError` for a limit of a class unknown.

    Its key is not in it.
    """
    try:
        plain = describe_profile(profile)
    except StopIteration:
        raise InputError(f"account {profile.name!r} has a limit or service times of a class that has no text") from None
    terms = [[_plain_term(each) for each in plain["limits"]], [_plain_term(plain["service"])]]
    given = {"slots": plain["capacity"], "group": plain["quota_group"]}
    terms += [[Term(name, (value,))] for name, value in given.items() if value is not None]
    if profile.price is not None:
        priced = asdict(profile.price)
        terms.append([Term("price", (), {name: each for name, each in priced.items() if each != _PRICE[name]})])
    if (team := plain.get("organisation")) is not None:
        limits = [_plain_term(each) for each in team["limits"]]
        terms.append([Term("organisation", (team["name"], limits))])
    said = {"off": off, "untold": not profile.retry_after, "headers": profile.rate_headers}
    terms += [[Term(name)] for name, is_so in said.items() if is_so]
    return [write_terms(each) for each in terms if each]


_PRICE: Final = {"per_job": 0.0, "per_second": 0.0, "currency": "USD", "seconds": None, "failed": False}


def account_from(name: str, terms: list[str]) -> tuple[SimulatedProfile, bool]:
    """Return an account from its texts, and whether it is off; `InputError` or `ValueError` for wrong ones."""
    data: dict[str, Any] = {"name": name, "limits": []}
    flags: set[str] = set()
    for text in terms:
        for term in read_terms(text):
            if term.name in LIMITS:
                data["limits"].append(_term_plain(term))
            elif term.name in SERVICES:
                data["service"] = _term_plain(term)
            elif term.name in FLAGS:
                flags.add(term.name)
            elif term.name == "slots":
                data["capacity"] = term.fields("count").get("count")
            elif term.name == "group":
                data["quota_group"] = term.fields("name").get("name")
            elif term.name == "price":
                data["price"] = {"per_job": 0.0, **term.fields("per_job")}
            elif term.name == "organisation":
                team = term.fields("name", "limits")
                limits = team.get("limits")
                if not isinstance(limits, list) or "name" not in team:
                    raise InputError(f"an organisation is organisation(name,[limit, …]), not {term!r}")
                data["organisation"] = {"name": team["name"], "limits": [_term_plain(each) for each in limits]}
            else:
                known = (*LIMITS, *SERVICES, *FLAGS, *OTHERS)
                raise InputError(f"an account has no {term.name!r}{suggestion(term.name, known)}")
    data |= {"retry_after": "untold" not in flags, "rate_headers": "headers" in flags}
    if not data["limits"]:
        del data["limits"]
    return profile_from(data), "off" in flags


def _plain_term(plain: Mapping[str, Any]) -> Term:
    kind = plain["kind"]
    first = FIRST[kind]
    rest = {name: each for name, each in plain.items() if name not in (*first, "kind")}
    if rest.get("over") == "refuse":
        del rest["over"]
    return Term(kind, tuple(plain[name] for name in first), rest)


def _term_plain(term: Any) -> dict[str, Any]:
    if not isinstance(term, Term) or term.name not in FIRST:
        raise InputError(f"{term!r} is no limit")
    return {"kind": term.name, **term.fields(*FIRST[term.name])}


# -- policy and mode


def policy_text(policy: Policy) -> str:
    """Return a policy's class with its settings; of a class of ours, its seconds and what is not as usual.

    Raises `InputError` if a setting has no text.
    """
    described = describe(policy)
    is_ours = described["name"] in POLICIES and not described.get("limits")
    usual = type(policy) if is_ours else object
    given = {name: each for name, each in described.items() if each != getattr(usual, name, _NONE) or name in LENGTHS}
    try:
        return write_terms([_described_term({**given, "name": described["name"]})])
    except ValueError as error:
        raise InputError(f"the policy {type(policy).__name__} has a setting without a text: {error}") from None


def _described_term(described: Mapping[str, Any]) -> Term:
    settings = {
        name: _described_term(each) if isinstance(each, Mapping) and "name" in each else each
        for name, each in described.items()
        if name != "name"
    }
    first = next((name for name in LENGTHS if name in settings and described["name"] in POLICIES), None)
    return Term(described["name"], () if first is None else (settings.pop(first),), settings)


_NONE = object()


def policy_from(text: str) -> Policy:
    """Return the policy of a text; `InputError` for an unknown class or setting, `ValueError` for a wrong form."""
    (term,) = read_terms(text)
    if term.name not in POLICIES and term.values:
        raise _unknown_policy(term.name)
    try:
        return resolve_policy(from_description(_described(term)))
    except TypeError as error:
        raise InputError(f"{term.name}: {error}") from None
    except InputError:
        if term.name in POLICIES:
            raise
        raise _unknown_policy(term.name) from None


def _unknown_policy(name: str) -> InputError:
    known = suggestion(name, tuple(POLICIES))
    return InputError(f"unknown policy {name!r}{known}; import or define a class of your own first")


def _described(term: Term) -> dict[str, Any]:
    kind: Any = POLICIES.get(term.name)
    names = tuple(each.name for each in fields(kind) if each.init) if kind is not None else ()
    settings = {
        name: _described(each) if isinstance(each, Term) else each for name, each in term.fields(*names).items()
    }
    return {"name": term.name, **settings}


def mode_text(mode: Mode) -> str:
    """Return a mode's name, or all of a mode of one's own."""
    if MODES.get(mode.name) == mode:
        return mode.name
    return write_terms([Term("mode", (mode.name, mode.max_submitting, mode.max_generating))])


def mode_from(text: str) -> Mode:
    """Return the mode of a text; `InputError` for an unknown one."""
    if text in MODES:
        return MODES[text]
    (term,) = read_terms(text)
    if term.name != "mode":
        raise InputError(f"unknown mode {text!r}{suggestion(text, tuple(MODES))}")
    return Mode(**term.fields("name", "max_submitting", "max_generating"))


# -- arrivals and outages


def arrivals_text(arrivals: Arrivals) -> str:
    """Return an arrival process as a text; `InputError` for one of a class of one's own."""
    if type(arrivals) is Poisson:
        return write_terms([Term("poisson", (arrivals.rate, arrivals.per))])
    if type(arrivals) is Trace:
        return write_terms([Term("trace", (arrivals.recorded,))])
    if type(arrivals) is not Bursts:
        raise InputError(f"arrivals of the class {type(arrivals).__name__} have no text")
    every: Any = arrivals.every
    if isinstance(every, Service):
        every = _plain_term(describe_profile(SimulatedProfile("p", service=every))["service"])
    return write_terms([Term("bursts", (arrivals.size, every))])


def arrivals_from_text(text: str) -> Arrivals:
    """Return the arrivals of a text; `InputError` or `ValueError` for a wrong one."""
    (term,) = read_terms(text)
    kinds: dict[str, Callable[[], Arrivals]] = {
        "poisson": lambda: Poisson(**term.fields("rate", "per")),
        "trace": lambda: Trace(*term.values),
        "bursts": lambda: Bursts(**_with_service(term.fields("size", "every"))),
    }
    if term.name not in kinds:
        raise InputError(f"unknown arrivals {term.name!r}{suggestion(term.name, tuple(kinds))}")
    return kinds[term.name]()


def _with_service(fields: dict[str, Any]) -> dict[str, Any]:
    every = fields.get("every")
    if isinstance(every, Term):
        fields["every"] = profile_from({"name": "p", "service": _term_plain(every)}).service
    return fields


def outage_text(outage: Outage) -> str:
    """Return an outage as a text."""
    only = {} if outage.profile is None else {"profile": outage.profile}
    return write_terms([Term("outage", (outage.start, outage.length), only)])


def outage_from(text: str) -> Outage:
    """Return the outage of a text; `InputError` or `ValueError` for a wrong one."""
    (term,) = read_terms(text)
    if term.name != "outage":
        raise InputError(f"an outage is outage(start,length), not {text!r}")
    found = term.fields("start", "length", "profile")
    if not {"start", "length"} <= found.keys() <= {"start", "length", "profile"}:
        raise InputError(f"an outage is outage(start,length), not {text!r}")
    if math.inf in (found["start"], found["length"]):
        raise InputError("an outage begins and ends at finite times")
    return Outage(**found)
