"""A setting is one value: it has a text that is read back to the same, and says what is simulated."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vidgen_nb as vg
from vidgen_nb.errors import InputError
from vidgen_nb.notebook.explorer.state import ExplorerState, Fixed, differing
from vidgen_nb.notebook.explorer.state_text import Outage

numbers = st.floats(0.01, 1e6) | st.integers(1, 500)
limits = st.builds(
    lambda kind, n, per, count: kind(n, per=per, count_refusals=count),
    st.sampled_from([vg.TokenBucket, vg.FixedWindow, vg.SlidingWindow]), st.integers(1, 60), numbers, st.booleans(),
) | st.builds(vg.Concurrency, st.integers(1, 9), over=st.sampled_from(["refuse", "queue"])) | st.builds(
    vg.DailyQuota, st.integers(1, 99), weight=st.sampled_from(["tokens", "a;b&c='%\"", 1])
)  # fmt: skip
all_limits = st.none() | limits | st.builds(lambda one, other: one & other, limits, limits)
services = (
    st.builds(vg.Constant, numbers) | st.builds(vg.Exponential, numbers) | st.builds(vg.LogNormal, numbers, numbers)
    | st.builds(vg.Empirical, st.lists(numbers, min_size=1, max_size=4))
)  # fmt: skip
names = st.text(min_size=1, max_size=12).filter(lambda name: name.strip() and name.isprintable()) | st.sampled_from(
    ["seed", "mode", "scenes", "a=b", "x;y", "%41", "inf", "off"]
)
profiles = st.lists(
    st.builds(
        vg.SimulatedProfile, names, all_limits, services, st.none() | st.integers(1, 9), st.booleans(),
        st.none() | names, rate_headers=st.booleans(),
        organisation=st.none() | st.just(vg.Organisation("team & co", vg.TokenBucket(5, per=60))),
        price=st.none() | st.just("0.40") | st.just("0.10/s"),
    ),
    min_size=1, max_size=4, unique_by=lambda each: each.name,
)  # fmt: skip
policies = (
    st.builds(vg.PerProfileCooldown, numbers, honour_retry_after=st.booleans(), cap=numbers)
    | st.builds(vg.GlobalPause, numbers)
    | st.builds(vg.ExponentialCooldown, numbers, numbers, st.sampled_from(["none", "full", "decorrelated"]))
    | st.sampled_from([vg.Paced(), vg.Paced({"p 1": vg.TokenBucket(4, per=1.5)}), vg.EarliestFinish()])
    | st.just(vg.EarliestFinish(vg.GlobalPause(5), service={"seed": 3.5}))
)
arrivals = (
    st.none() | st.builds(vg.Poisson, numbers, numbers) | st.builds(vg.Bursts, st.integers(1, 5), numbers | services)
    | st.builds(vg.Trace, st.lists(numbers, min_size=24, max_size=24))
)  # fmt: skip


@st.composite
def states(draw: st.DrawFn) -> ExplorerState:
    """Draw any setting."""
    accounts = draw(profiles)
    off = [each.name for each in accounts[1:] if draw(st.booleans())]
    hit = st.none() | st.sampled_from([each.name for each in accounts])
    policy = draw(policies)
    return ExplorerState(
        scenes=draw(st.integers(1, 1000)), profiles=tuple(accounts), off=tuple(off),
        mode=draw(st.sampled_from([vg.NORMAL, vg.BOOST, vg.Mode("two & more", 2, None)])), policy=policy,
        told=isinstance(policy, vg.Paced) and draw(st.booleans()), arrivals=draw(arrivals),
        outage=draw(st.none() | st.builds(Outage, numbers, numbers, hit)), latency=draw(st.just(0) | numbers),
        order=draw(st.sampled_from(["given", "shortest", "longest"])), seed=draw(st.integers(-5, 10**9)),
    )  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(states())
def test_its_text_is_read_back_to_the_same_state(state: ExplorerState) -> None:
    """Whatever is in it: names like settings, foreign characters, limits together."""
    text = str(state)
    assert text.startswith("vidgen-nb?scenes=")
    assert text.isascii() and " " not in text and "\n" not in text
    assert ExplorerState.read(text) == state == eval(repr(state))  # noqa: S307 - our own text


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60) | st.text("scenes=&?;(),.'{}[]+tokenbucket0123456789", max_size=60))
def test_a_bad_text_is_an_input_error(text: str) -> None:
    """Never anything else."""
    with suppress(InputError):
        ExplorerState.read(text)


@pytest.mark.parametrize(("text", "part", "why"), [
    ("x?scenes=3", "vidgen-nb?", "begins with"),
    ("vidgen-nb?scenes=many", "'scenes=many'", "no whole number"),
    ("vidgen-nb?scenes=3&seed", "'seed'", "name=value"),
    ("vidgen-nb?scenes=3&scenes=4", "'scenes=4'", "twice"),
    ("vidgen-nb?policy=GlobalPuase(3)", "GlobalPuase", "did you mean 'GlobalPause'?"),
    ("vidgen-nb?policy=GlobalPause(sec=3)", "'policy=GlobalPause(sec=3)'", "sec"),
    ("vidgen-nb?mode=bost", "'mode=bost'", "did you mean 'boost'?"),
    ("vidgen-nb?alice=token_bukcet(2,60)", "alice", "did you mean 'token_bucket'?"),
    ("vidgen-nb?alice=token_bucket(0,60)", "alice", "n is a whole number"),
    ("vidgen-nb?alice=token_bucket(2,60", "alice", "of the form name(value, …)"),
    ("vidgen-nb?outage=outage(3,0)", "outage", "above 0"),
    ("vidgen-nb?a=constant(3);off", "", "no account is left"),
    ("vidgen-nb?scenes=2000", "", "1 to 1,000"),
    (" ", "", "the text is empty"),
    ("vidgen-nb?outage=outage(3)", "outage", "outage(start,length)"),
    ("vidgen-nb?alice=token_bucket", "alice", "limit token_bucket: missing a required argument: 'n'"),
    ("vidgen-nb?alice=token_bucket(nan,60)", "alice", "from 1 up, not nan"),
    ("vidgen-nb?alice=organisation(3)", "alice", "organisation(name,[limit, …])"),
])  # fmt: skip
def test_an_error_says_which_part_is_wrong(text: str, part: str, why: str) -> None:
    """And why."""
    with pytest.raises(InputError) as raised:
        ExplorerState.read(text)
    assert part in str(raised.value) and why in str(raised.value)


def test_a_text_may_leave_out_what_is_as_usual() -> None:
    """Without accounts they are the demo's, and the start of the text may be left out."""
    assert ExplorerState.read("policy=GlobalPause(3)").policy == vg.GlobalPause(3)
    assert ExplorerState.read("vidgen-nb?seed=3") == ExplorerState(seed=3) == ExplorerState.read("seed=3")
    assert [each.name for each in ExplorerState.read("seed=3").profiles] == ["alice", "bruno", "chiara", "delta"]


def test_a_key_is_never_in_a_state() -> None:
    """Neither in the value nor in its text."""
    state = ExplorerState(profiles=(vg.SimulatedProfile("a", api_key="sk-secret"),))
    assert "secret" not in repr(state) + str(state) and state.profiles[0].api_key != "sk-secret"


def test_a_class_of_ones_own_has_no_text() -> None:
    """It can be simulated all the same."""

    class Mine(vg.Poisson):
        pass

    state = ExplorerState(scenes=3, arrivals=Mine(6, per=60))
    assert len(state.simulation().scenes) == 3
    with pytest.raises(InputError, match="class Mine have no text"):
        str(state)
    assert "without a text" in repr(state)


def test_what_is_simulated_is_what_simulate_does() -> None:
    """The same events, byte for byte."""
    state = ExplorerState(
        scenes=9, off=("bruno",), mode=vg.BOOST, policy=vg.GlobalPause(7), arrivals=vg.Poisson(20, per=60),
        outage=Outage(5, 10, "alice"), latency=0.5, order="longest", seed=4,
    )  # fmt: skip
    accounts = [each for each in vg.demo_profiles() if each.name != "bruno"]
    expected = vg.simulate(
        9, accounts, mode="boost", policy=vg.GlobalPause(7), arrivals=vg.Poisson(20, per=60), latency=0.5,
        order="longest", seed=4, faults=[vg.Fault("overload", start=5, end=15, profile="alice")],
    )  # fmt: skip
    _, events = state.simulation().run()
    assert events == expected.events


def test_a_policy_that_is_told_knows_the_limits_as_they_are_set() -> None:
    """Also when they are changed afterwards, and only those of accounts that are on."""
    state = ExplorerState(policy=vg.Paced(), told=True, off=("delta",)).changed(limit=vg.TokenBucket(9, per=30))
    policy = state.simulation().policy
    assert isinstance(policy, vg.Paced)
    assert policy.limits == dict.fromkeys(["alice", "bruno", "chiara"], vg.TokenBucket(9, per=30))


def test_changed_takes_fields_and_the_names_of_what_if() -> None:
    """Policy, profiles and seeds alike."""
    state = ExplorerState().changed(scenes=5, cooldown=10, capacity=7)
    assert state.scenes == 5 and state.policy == vg.PerProfileCooldown(10)
    assert {each.capacity for each in state.profiles} == {7}
    with pytest.raises(InputError, match="can't be set"):
        ExplorerState().changed(colour=1)


def test_scenes_of_ones_own_are_the_first_ones() -> None:
    """More than there are can't be run."""
    fixed = Fixed([vg.Scene("a", "x", seconds=3), vg.Scene("b", "y", seconds=4)])
    assert [each.id for each in ExplorerState(scenes=1).simulation(fixed).scenes] == ["a"]
    with pytest.raises(InputError, match="there are 2 scenes"):
        ExplorerState(scenes=3).simulation(fixed)


def test_what_differs_is_told_in_few_words() -> None:
    """Of an account only the terms that differ."""
    one = ExplorerState()
    other = one.changed(scenes=30, profiles=(*one.profiles[:3], vg.SimulatedProfile("delta", None, vg.Constant(3))))
    found = dict(differing(one, other))
    assert found["scenes=24"] == "scenes=30"
    assert next(each for each in found.values() if each.startswith("delta")) == "delta: constant(3)"
    assert list(differing(one, one.changed(off=("bruno",)))) == [("bruno: on", "bruno: off")]
