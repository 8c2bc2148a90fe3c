"""The explorer from a cell: its state, its run, the setting before, and many seeds."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.errors import InputError
from vidgen_nb.notebook.explorer.comparing import SlicedComparison, in_words
from vidgen_nb.notebook.explorer.explorer import Explorer


@pytest.fixture
def ex() -> Explorer:
    """Give a small one."""
    return vg.explore(scenes=12, mode="boost", seed=3)


def test_its_run_is_the_one_that_simulate_gives(ex: Explorer) -> None:
    """With the demo's accounts as the default; charts and metrics work as on any run."""
    expected = vg.simulate(12, vg.demo_profiles(), mode="boost", seed=3)
    assert ex.run.events == expected.events
    assert ex.run.header == expected.header
    assert ex.run.metrics() == expected.metrics()
    assert vg.explore().run.events == vg.simulate(24, vg.demo_profiles()).events


def test_it_takes_what_simulate_takes() -> None:
    """Scenes of one's own, faults, a policy by name; and says what it does not know."""
    scenes, faults = [vg.Scene("a", "x"), vg.Scene("b", "y")], [vg.Fault("rate", scene="a", nth=1)]
    options: dict[str, Any] = {
        "policy": "GlobalPause",
        "faults": faults,
        "latency": 1.0,
        "arrivals": [0, 5],
        "order": "longest",
    }
    ex = vg.explore(vg.demo_profiles(2), scenes=scenes, **options)
    assert ex.run.events == vg.simulate(scenes, vg.demo_profiles(2), **options).events
    ex.set(scenes=1)
    assert [each.id for each in ex.run.scenes] == ["a"]
    assert [each.name for each in vg.explore(2).state.profiles] == ["alice", "bruno"]
    with pytest.raises(InputError, match="did you mean 'faults'"):
        vg.explore(fault=faults)
    with pytest.raises(InputError, match="1 to 1,000"):
        vg.explore(scenes=5000)


def test_the_state_is_read_and_set_from_a_cell(ex: Explorer) -> None:
    """As a value and as a text; what can't be simulated changes nothing."""
    before, run = ex.state, ex.run
    ex.state = replace(before, scenes=5)
    assert len(ex.run.scenes) == 5
    assert (ex.previous, ex.previous_run) == (before, run)
    text = ex.state_text
    ex.set(cooldown=4)
    ex.state = text
    assert ex.state.scenes == 5 and ex.state.policy == vg.PerProfileCooldown() and ex.state_text == text
    other = vg.explore(state=text)
    assert other.run.events == ex.run.events
    now, present = ex.state, ex.run
    for wrong in ("vidgen-nb?scenes=none", "vidgen-nb?scenes=0"):
        with pytest.raises(InputError):
            ex.state = wrong
    assert (ex.state, ex.run) == (now, present)
    assert text in repr(ex)


def test_what_no_control_changes_goes_with_every_change() -> None:
    """Scenes with parameters that a limit counts, and options of the simulation."""
    scenes = [vg.Scene(f"s{k}", "x", tokens=500) for k in range(6)]
    accounts = [
        vg.SimulatedProfile("a", vg.TokenBucket(2000, per=60, weight="tokens"), vg.Constant(5), price=vg.Price(0.4))
    ]
    ex = vg.explore(accounts, scenes=scenes, max_cost=1.7)
    ex.set(cooldown=5)
    ex.change({"n@0": 1500})
    assert ex.run.metrics().cost == 1.6
    (limit,) = [each.limit for each in ex.state.profiles]
    assert limit == vg.TokenBucket(1500, per=60, weight="tokens")
    assert "max_cost=1.7" in ex.page.answer["besides"]


def test_changes_of_one_gesture_have_one_ghost(ex: Explorer) -> None:
    """The setting before is that from before the slider was taken, whatever it was moved through."""
    start = ex.state
    for seconds in (25, 20, 15):
        assert ex.change({"cooldown": seconds}, "first") == {}
    assert ex.previous == start
    reached = ex.state
    assert reached.policy == vg.PerProfileCooldown(15)
    ex.change({"cooldown": 10}, "second")
    assert ex.previous == reached
    ex.go_back()
    assert ex.state == reached and ex.previous is not None and ex.previous.policy == vg.PerProfileCooldown(10)
    ex.keeps_previous = True
    kept = ex.previous
    ex.change({"scenes": 3}, "third")
    assert ex.previous == kept


def test_the_ghost_that_is_kept_may_be_the_first_setting_and_is_swapped(ex: Explorer) -> None:
    """Kept before anything was changed, there is a ghost all the same; going back loses no setting."""
    start, first = ex.state, ex.run
    ex.keeps_previous = True
    for number, seconds in enumerate((20, 10)):
        ex.change({"cooldown": seconds}, number)
    reached, run = ex.state, ex.run
    assert ex.previous == start
    ex.go_back()
    assert (ex.state, ex.run, ex.previous, ex.previous_run) == (start, first, reached, run)
    ex.go_back()
    assert (ex.state, ex.run, ex.previous, ex.previous_run) == (reached, run, start, first)


def test_what_has_no_control_can_not_be_set(ex: Explorer) -> None:
    """It would change nothing; an account may be named alone."""
    before = ex.state
    for options in ({"faults": [vg.Fault("rate")]}, {"max_cost": 0.1}):
        with pytest.raises(InputError, match="has no control and stays as it is: begin again with"):
            ex.set(**options)
    assert ex.state == before
    ex.set(off="alice")
    assert ex.state.off == ("alice",) and {each.profile for each in ex.run.attempts} == {"bruno", "chiara", "delta"}


def test_what_is_wrong_is_said_and_the_rest_is_done(ex: Explorer) -> None:
    """By the control that is wrong; without a change there is no new run."""
    errors = ex.change({"n@0": 0, "scenes": 5, "slots@1": -1})
    assert set(errors) == {"n@0", "slots@1"} and "from 1 up" in errors["n@0"]
    assert ex.state.scenes == 5
    run = ex.run
    assert "no account is left" in ex.change({f"on@{place}": False for place in range(4)})["on@3"]
    assert ex.change({"on@0": True, "on@1": True, "on@2": True}) == {}
    assert ex.state.off == () and ex.run.events == run.events


def test_a_policy_of_ones_own_that_fails_is_said(ex: Explorer) -> None:
    """The last good run stays."""

    class Broken(vg.PerProfileCooldown):
        def on_429(self, *_: object) -> vg.Cooldown:
            raise RuntimeError("never thought of that")

    ex.given = replace(ex.state, policy=Broken())
    run = ex.run
    assert "never thought of that" in ex.change({"policy": "Broken"})["policy"]
    assert ex.run is run


def test_compare_gives_a_paired_comparison(ex: Explorer) -> None:
    """As `vg.compare` would, with the setting before as the baseline."""
    with pytest.raises(InputError, match="no setting before"):
        ex.compare(3)
    ex.set(policy=vg.GlobalPause(30))
    found = ex.compare(seeds=3)
    policies = {"one": vg.PerProfileCooldown(), "other": vg.GlobalPause(30)}
    expected = vg.compare(12, vg.demo_profiles(), policies=policies, modes="boost", seeds=range(3, 6), progress=False)
    assert [each.makespan for each in found] == [each.makespan for each in expected]
    assert found.cases == ["policy=PerProfileCooldown(30)", "policy=GlobalPause(30)"]
    assert ex.comparison is found
    assert ex.compare(range(2), against="scenes=12").cases != found.cases
    ex.state = replace(ex.state, seed=9)
    with pytest.raises(InputError, match="but for the seed"):
        ex.compare(3)


def test_a_comparison_in_slices_is_the_same(ex: Explorer) -> None:
    """Each slice ends soon, and has both settings with the same seeds."""
    ex.set(cooldown=5)
    times = iter(range(100))
    sliced = SlicedComparison(*ex.cases(3), now=lambda: float(next(times)))
    slices = 0
    while not sliced.is_done:
        sliced.go_on(0.5)
        slices += 1
        assert sliced.done == 2 * slices
    assert slices == 3
    whole = ex.compare(3)
    assert list(sliced.result()) == list(whole)
    words = in_words(sliced.result())
    assert [row[0] for row in words["rows"]] == ["Time", "Refusals (429)", "Wasted", "Median wait"]
    before, now = whole.summary()
    assert words["rows"][0][1:3] == [f"{before.mean:,.1f} s", f"{now.mean:,.1f} s"]


def test_it_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in Pyodide, where none can be started: neither a change nor a comparison, at once or in slices."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    ex = vg.explore(scenes=5)
    page = ex.page
    assert ex.change({"scenes": 4}) == {}
    assert len(ex.compare(2)) == 4
    page._handle_custom_msg({"compare": 1}, [])
    page._handle_custom_msg({"go_on": 0}, [])
    assert not page.comparison["running"] and "rows" in page.comparison


def test_what_can_be_set_is_listed() -> None:
    """A wrong name is met with the nearest one that can be set, or with all of them, and with no other."""
    shown = vg.explore()
    with pytest.raises(InputError, match="'coldown' can't be set; did you mean 'cooldown'"):
        shown.set(coldown=3)
    with pytest.raises(InputError, match="'fo' can't be set") as found:
        shown.set(fo=3)
    known = str(found.value).partition("(known: ")[2].rstrip(")").split(", ")
    assert {"scenes", "mode", "cooldown", "capacity", "limit"} < set(known)
    assert not {"absent", "requests", "until", "max_wait", "api_key", "name"} & set(known)
