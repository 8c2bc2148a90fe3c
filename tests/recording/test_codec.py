"""Events to plain data and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nb.core import events as ev
from vidgen_nb.core.events import EVENTS, Event
from vidgen_nb.core.model import Artifact, Mode, Operation, RateInfo, RetryBudget, RetryPolicy, Scene
from vidgen_nb.core.money import Price
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown, GroupView, Policy
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.policies.registry import RecordedPolicy
from vidgen_nb.recording.codec import decode, encode, plain

# Surrogates are in; two halves that meet are one character, as they are to JSON.
TEXT = st.text(st.characters(), max_size=12).map(
    lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
)
NAME = TEXT.filter(str.strip)
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | TEXT, st.lists, max_leaves=4)
COUNT = st.none() | st.integers(1, 9)
BASIC: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    float: st.floats(allow_nan=False),
    int: st.integers(),
    bool: st.booleans(),
    type(None): st.none(),
    Scene: st.builds(
        lambda name, prompt, params: Scene(name, prompt, **params),
        NAME,
        NAME,
        st.dictionaries(TEXT.filter(lambda key: key not in ("self", "id", "prompt")), JSON, max_size=2),
    ),
    Mode: st.builds(Mode, NAME, COUNT, COUNT),
    RetryPolicy: st.builds(
        RetryPolicy,
        st.integers(1, 9),
        st.floats(0, 9),
        deadline=st.none() | st.floats(1, 1e9),
        budget=st.none() | st.builds(RetryBudget, st.floats(1, 99), st.floats(0, 9)),
    ),
    Price: st.builds(
        Price, st.floats(1e-6, 99), st.just(0.0) | st.floats(1e-6, 9), st.sampled_from(["USD", "credits"])
    ),
    Any: st.sampled_from([PerProfileCooldown(1.5), GlobalPause(), RecordedPolicy("Mine", (("x", 1),))]),
}


def of(hint: Any) -> st.SearchStrategy[Any]:
    """Return all values of a type that stands at a field of an event."""
    origin, args = get_origin(hint), get_args(hint)
    if hint in BASIC:
        return BASIC[hint]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple:
        return st.lists(of(args[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(of(args[0]), of(args[1]), max_size=2)
    return st.one_of(*map(of, args)) if args else made(hint)


def made(kind: type[Any], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return all values of a dataclass."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{**{each.name: of(hints[each.name]) for each in fields(kind)}, **given})


def event_of(kind: type[Event]) -> st.SearchStrategy[Event]:
    """Return all events of a kind, as a run holds them: with a time."""
    return made(kind, at=st.floats(allow_nan=False, allow_infinity=False))


ANY_EVENT: st.SearchStrategy[Event] = st.one_of(*map(event_of, EVENTS.values()))


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_every_event_comes_back(kind: type[Event], data: st.DataObject) -> None:
    """Each kind of event, with every outcome, infinite times and odd text, survives JSON unchanged."""
    event = data.draw(event_of(kind))
    assert decode(json.loads(json.dumps(encode(event), allow_nan=False))) == event


def test_what_an_event_looks_like() -> None:
    """The form that files hold: a change to this is a new version of the format."""
    job = Operation("j", "openai_videos", {"status": "u"})
    limited = RateLimited(2.0, "Retry-After")
    told = Operation("j", rate=RateInfo(4, 0, 1.5))
    assert [
        encode(ev.SceneAdded(Scene("s1", "dawn", seconds=4), at=0.0)),
        encode(ev.Accepted("s1", 1, job, at=1.5)),
        encode(ev.Accepted("s1", 1, told, at=1.5)),
        encode(ev.CallFailed("s1", 2, "submit", limited, at=2.0)),
        encode(ev.PolicyChanged(PerProfileCooldown(3), at=3.0)),
        encode(ev.CooldownImposed("p1", math.inf, "no credit", at=4.0)),
    ] == [
        {"event": "SceneAdded", "at": 0.0, "scene": {"id": "s1", "prompt": "dawn", "params": {"seconds": 4}},
         "single": False, "attempts": 0},
        {"event": "Accepted", "at": 1.5, "scene": "s1", "number": 1, "operation":
            {"id": "j", "backend": "openai_videos", "urls": {"status": "u"}, "poll_after": None}},
        {"event": "Accepted", "at": 1.5, "scene": "s1", "number": 1, "operation":
            {"id": "j", "backend": "", "urls": None, "poll_after": None,
             "rate": {"limit": 4, "remaining": 0, "reset": 1.5, "window": None}}},
        {"event": "CallFailed", "at": 2.0, "scene": "s1", "number": 2, "phase": "submit", "outcome":
            {"kind": "rate_limited", "retry_after": 2.0, "source": "Retry-After", "reason": "429", "cause": "rate"}},
        {"event": "PolicyChanged", "at": 3.0, "policy":
            {"seconds": 3, "honour_retry_after": False, "cap": 600.0, "name": "PerProfileCooldown"}},
        {"event": "CooldownImposed", "at": 4.0, "profile": "p1", "until": "inf", "reason": "no credit",
         "alone": False, "unusable": False},
    ]  # fmt: skip


def changed(event: Event, /, **changes: Any) -> Mapping[str, Any]:
    """Return an event's data with other values; `...` takes a field out."""
    data = {**encode(event), **changes}
    return {key: value for key, value in data.items() if value is not ...}


START = ev.AttemptStarted("s1", 1, "p1", "next in turn", at=1.0)
FAIL = ev.CallFailed("s1", 1, "submit", RateLimited(), at=1.0)
COOL = ev.CooldownStarted("g", False, "p1", ("p1",), 9.0, "429", at=1.0)
DONE = ev.Generated("s1", 1, Artifact("public"), at=1.0)
ADD = ev.SceneAdded(Scene("s1", "x"), at=1.0)
POLICY = ev.PolicyChanged(GlobalPause(), at=1.0)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "unknown event None"),
        (changed(START, event="Exploded"), "unknown event 'Exploded'"),
        (changed(START, event=["Paused"]), "unknown event"),
        (changed(START, colour="red"), "AttemptStarted: unknown field 'colour'"),
        (changed(START, profile=...), "AttemptStarted: missing field 'profile'"),
        (changed(START, profile=None), "profile: None is not a text"),
        (changed(START, number=1.5), "number: 1.5 is not a whole number"),
        (changed(START, number=True), "number: True is not a whole number"),
        (changed(START, at="soon"), "at: 'soon' is not a number"),
        (changed(START, at="inf"), "at: inf is not a time"),
        (changed(START, at="nan"), "at: nan is not a time"),
        (changed(START, at=...), "at: nan is not a time"),
        (changed(START, at=[1]), "not a number"),
        (changed(FAIL, phase="lunch"), "'lunch' is not one of submit, poll, fetch, cancel"),
        (changed(FAIL, outcome={"kind": "bored"}), "its kind is one of rate_limited, "),
        (changed(FAIL, outcome={"kind": []}), "is not a failure"),
        (changed(FAIL, outcome="rate_limited"), "is not a failure"),
        (changed(FAIL, outcome={"kind": "transient"}), "outcome: Transient: missing field 'reason'"),
        (changed(FAIL, outcome={"kind": "rate_limited", "cause": "mood"}), "cause: 'mood' is not one of"),
        (changed(COOL, profiles="p1"), "'p1' is not a list"),
        (changed(COOL, profiles=[1]), "1 is not a text"),
        (changed(COOL, alone=0), "0 is not true or false"),
        (changed(DONE, artifact=None), "Artifact: None is not an object"),
        (changed(DONE, artifact={"kind": "public", "size": 3}), "Artifact: unknown field 'size'"),
        (changed(ev.Accepted("s1", 1, Operation("j"), at=1.0), operation={"id": "j", "urls": []}), "is not an object"),
        (changed(ADD, scene={"id": "s1", "prompt": "x"}), "Scene: missing field 'params'"),
        (changed(ADD, scene={"id": "s1", "prompt": "x", "params": [1]}), "scene: "),
        (changed(ADD, scene={"id": "s1", "prompt": " ", "params": {}}), "empty prompt"),
        (changed(ev.ModeChanged(Mode("m"), at=1.0), mode={"name": "m", "max_submitting": 0}), "max_submitting is"),
        (changed(POLICY, policy="GlobalPause"), "not a policy"),
        (changed(POLICY, policy={"name": "GlobalPause", "mood": 1}), "unexpected keyword argument 'mood'"),
    ],
)  # fmt: skip
def test_damaged_data_says_what_is_wrong(data: dict[str, Any], text: str) -> None:
    """An unknown event, a field missing, unknown or of the wrong kind: a ValueError that names event and field."""
    with pytest.raises(ValueError, match=text):
        decode(data)


@dataclass(frozen=True)
class Patient(Policy):
    """A user's own policy, with settings that JSON can't carry, and one of the name that the format uses."""

    seconds: float = math.inf
    limits: Any = None
    name: str = "patience"

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Wait long."""
        return Cooldown("group", now + 999)


def test_a_users_policy_is_saved_by_name_and_comes_back_to_be_shown() -> None:
    """Its class is not at hand on loading: it can be shown and saved again, not run."""
    event = ev.PolicyChanged(Patient(limits={"p1": {3}, 2: (1, 2)}), at=1.0)
    data = json.loads(json.dumps(encode(event), allow_nan=False))
    assert data["policy"] == {"name": "Patient", "seconds": "inf", "limits": {"p1": "{3}", "2": [1, 2]}}
    loaded = decode(data)
    assert isinstance(loaded, ev.PolicyChanged)
    assert isinstance(loaded.policy, RecordedPolicy)
    assert encode(loaded) == data
    with pytest.raises(InputError, match="'Patient'"):
        loaded.policy.on_429(None, RateLimited(), 0.0)  # type: ignore[arg-type]


def test_numbers_that_json_lacks() -> None:
    """A run can always be saved: what is not finite is a text, what is foreign its repr."""
    assert plain([1.5, math.inf, -math.inf, math.nan, True, None, Operation]) == [
        1.5, "inf", "-inf", "nan", True, None, repr(Operation),
    ]  # fmt: skip
