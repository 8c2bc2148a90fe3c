"""What each control changes, and what it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.errors import InputError
from vidgen_nb.notebook.explorer.changes import changed
from vidgen_nb.notebook.explorer.form import besides, choices, form_of
from vidgen_nb.notebook.explorer.state import ExplorerState
from vidgen_nb.notebook.explorer.state_text import Outage
from vidgen_nb.provider import SimulatedProfile

GIVEN = ExplorerState()


def after(*changes: tuple[str, Any], state: ExplorerState = GIVEN) -> ExplorerState:
    """Return the state after some changes."""
    for control, value in changes:
        state = changed(state, control, value, GIVEN)
    return state


def alice(**values: Any) -> ExplorerState:
    """Return the usual state with another first account."""
    first = replace(GIVEN.profiles[0], **values)
    return replace(GIVEN, profiles=(first, *GIVEN.profiles[1:]))


@pytest.mark.parametrize(("control", "value", "expected"), [
    ("scenes", 40, replace(GIVEN, scenes=40)),
    ("latency", 0.5, replace(GIVEN, latency=0.5)),
    ("seed", 3, replace(GIVEN, seed=3)),
    ("order", "longest", replace(GIVEN, order="longest")),
    ("mode", "boost", replace(GIVEN, mode=vg.BOOST)),
    ("policy", "GlobalPause", replace(GIVEN, policy=vg.GlobalPause(30))),
    ("policy", "ExponentialCooldown", replace(GIVEN, policy=vg.ExponentialCooldown(30))),
    ("policy", "Paced", replace(GIVEN, policy=vg.Paced())),
    ("policy", "told", replace(GIVEN, policy=vg.Paced(), told=True)),
    ("policy", "EarliestFinish", replace(GIVEN, policy=vg.EarliestFinish())),
    ("cooldown", 7, replace(GIVEN, policy=vg.PerProfileCooldown(7))),
    ("honour", True, replace(GIVEN, policy=vg.PerProfileCooldown(30, honour_retry_after=True))),
    ("arrivals", "poisson", replace(GIVEN, arrivals=vg.Poisson(12, per=60))),
    ("arrivals", "even", replace(GIVEN, arrivals=vg.Bursts(1, 5))),
    ("outage", True, replace(GIVEN, outage=Outage(20, 20))),
    ("retry_after", False, replace(GIVEN, profiles=tuple(replace(p, retry_after=False) for p in GIVEN.profiles))),
    ("on@1", False, replace(GIVEN, off=("bruno",))),
    ("limit@0", "none", alice(limit=None)),
    ("limit@0", "sliding_window", alice(limit=vg.SlidingWindow(2, per=60))),
    ("limit@0", "fixed_window", alice(limit=vg.FixedWindow(2, per=60))),
    ("limit@0", "concurrency", alice(limit=vg.Concurrency(2))),
    ("limit@0", "daily_quota", alice(limit=vg.DailyQuota(2))),
    ("n@0", 5, alice(limit=vg.TokenBucket(5, per=60))),
    ("per@0", 10, alice(limit=vg.TokenBucket(2, per=10))),
    ("service@0", "constant", alice(service=vg.Constant(22))),
    ("service@0", "exponential", alice(service=vg.Exponential(22))),
    ("mean@0", 9, alice(service=vg.LogNormal(9, 0.25))),
    ("spread@0", 50, alice(service=vg.LogNormal(22, 0.5))),
    ("slots@0", 1, alice(capacity=1)),
    ("slots@0", None, alice(capacity=None)),
])  # fmt: skip
def test_what_a_control_changes(control: str, value: Any, expected: ExplorerState) -> None:
    """Just that; and the control then shows its value."""
    found = after((control, value))
    assert found == expected
    assert form_of(found)[control] == value
    apart = {name for name, each in form_of(found).items() if each != form_of(GIVEN)[name]}
    kind = control.partition("@")[0]
    assert apart <= {control} | SIDE_EFFECTS.get(kind, set())


SIDE_EFFECTS = {
    "policy": {"cooldown", "honour"},
    "arrivals": {"rate"},
    "outage": {"outage_start", "outage_length", "outage_on"},
    "limit": {"n@0", "per@0"},
    "service": {"spread@0"},
}
"""Controls that have a value only with the value of another one."""


def test_every_control_is_tried_here() -> None:
    """None that the page shows was forgotten."""
    (params,) = [mark.args[1] for mark in test_what_a_control_changes.pytestmark]
    tried = {control.partition("@")[0] for control, _, _ in params}
    tried |= {"rate", "outage_start", "outage_length", "outage_on"}  # below
    assert {each.partition("@")[0] for each in form_of(GIVEN)} == tried


def test_parts_of_an_outage_and_the_rate() -> None:
    """They need the control beside them."""
    found = after(("outage", True), ("outage_start", 5), ("outage_length", 7), ("outage_on", "alice"))
    assert found.outage == Outage(5, 7, "alice")
    assert after(("outage_on", ""), state=found).outage == Outage(5, 7)
    assert after(("outage", False), state=found).outage is None
    assert after(("arrivals", "even"), ("rate", 6)).arrivals == vg.Bursts(1, 10)
    assert form_of(after(("arrivals", "even"), ("rate", 7)))["rate"] == 7


def test_what_was_set_stays_where_it_means_the_same() -> None:
    """The length of the rest from policy to policy, n and per from limit to limit, and what no control shows."""
    paused = after(("cooldown", 8), ("policy", "GlobalPause"))
    assert paused.policy == vg.GlobalPause(8)
    assert after(("policy", "EarliestFinish"), ("cooldown", 3), state=paused).policy == vg.EarliestFinish(
        vg.PerProfileCooldown(3)
    )
    counted = alice(limit=vg.TokenBucket(2, per=60, count_refusals=True))
    assert after(("n@0", 3), state=counted).profiles[0].limit == vg.TokenBucket(3, per=60, count_refusals=True)
    assert after(("limit@0", "none"), ("limit@0", "token_bucket")) == GIVEN
    assert after(("service@0", "constant"), ("service@0", "lognormal")) == GIVEN


def test_what_was_given_can_be_chosen_again() -> None:
    """Limits together, a policy and a mode of one's own."""

    class Mine(vg.PerProfileCooldown):
        pass

    both = vg.TokenBucket(2, per=60) & vg.Concurrency(1)
    profile = SimulatedProfile("a", both, vg.Empirical([1, 2]))
    given = ExplorerState(profiles=(profile,), policy=Mine(5), mode=vg.Mode("own", 1, 1), arrivals=vg.Trace([0.0] * 24))
    form = form_of(given)
    assert (form["limit@0"], form["service@0"], form["policy"], form["arrivals"]) == ("given", "given", "Mine", "given")
    offered = {name: [value for value, _ in each] for name, each in choices(given).items()}
    changes = {"limit@0": "none", "service@0": "constant", "policy": "Paced", "mode": "boost", "arrivals": "poisson"}
    for control, other in changes.items():
        assert form[control] in offered[control]
        away = changed(given, control, other, given)
        assert away != given
        assert changed(away, control, form[control], given) == given


@pytest.mark.parametrize(("control", "value", "why"), [
    ("scenes", 0, "from 1 to"), ("scenes", "", "a number is missing"), ("scenes", 2.5, "whole"),
    ("latency", -1, "latency"), ("n@0", 0, "from 1 up"), ("n@0", 2.5, "whole"), ("per@0", 0, "per"),
    ("mean@0", -1, "mean"), ("slots@0", 0, "capacity"), ("cooldown", -3, "seconds"), ("policy", "Nope", "unknown"),
    ("mode", "fast", "unknown mode"), ("order", "x", "order"), ("nope", 1, "no control"), ("n@9", 1, "no control"),
    ("limit@0", "x", "unknown limit"), ("service@0", "x", "unknown service"), ("outage_length", 0, "length"),
    ("rate", 0, "above 0"),
])  # fmt: skip
def test_what_makes_no_sense_is_an_input_error(control: str, value: Any, why: str) -> None:
    """It says why."""
    state = after(("outage", True), ("arrivals", "poisson"))
    with pytest.raises(InputError, match=why):
        changed(state, control, value, GIVEN)


def test_one_account_is_left() -> None:
    """The last one stays."""
    state = after(("on@0", False), ("on@1", False), ("on@2", False))
    with pytest.raises(InputError, match="no account is left"):
        changed(state, "on@3", False, GIVEN)
    assert after(("on@0", True), state=state).off == ("bruno", "chiara")


def test_what_no_control_shows_is_said() -> None:
    """Further options, organisations, quota groups; nothing is hidden."""
    team = vg.Organisation("team", vg.TokenBucket(5, per=60))
    state = ExplorerState(profiles=(SimulatedProfile("a", organisation=team), SimulatedProfile("b", quota_group="g")))
    said = besides(state, {"max_wait": 60, "faults": [vg.Fault("rate", nth=3)]})
    assert said.startswith("max_wait=60; faults=[Fault(kind='rate', nth=3)]; a belongs to Organisation(name='team'")
    assert "b is in the quota group g" in said
    assert ["none", "that of group g"] in choices(state)["limit@1"]
    assert besides(GIVEN, {}) == ""
