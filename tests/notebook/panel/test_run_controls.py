"""What stands on the buttons that begin and end a run, what is asked first, and the ways on from a dead end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from vidgen_nb.core.outcomes import Ambiguous, Permanent
from vidgen_nb.errors import InputError

if TYPE_CHECKING:
    from tests.notebook.panel.conftest import Desk

PROMPTS = ["a lighthouse", "a harbour", "a night train"]


def words(desk: Desk, name: str = "run") -> str:
    """Return what stands on a button."""
    found: str = desk.panel.controls[name].description
    return found


def asked(desk: Desk, name: str = "run") -> Any:
    """Return what the page asks before a button does what it says."""
    return desk.panel.page.controls[f"vg-{name}"]["ask"]


def test_run_says_what_it_will_do(desk: Desk) -> None:
    """How many scenes, which one, or what is left; the usual next step is green, and nothing is asked before it."""
    assert (words(desk), asked(desk)) == ("Run", None)
    desk.ctl.scenes = PROMPTS
    desk.settle()
    assert (words(desk), desk.panel.controls["run"].button_style) == ("Run 3", "success")
    desk.ctl.kind = "single"
    desk.settle()
    assert words(desk) == "Run s001"
    desk.begin_and_stop(PROMPTS)
    assert (words(desk), asked(desk)) == ("Run 3 remaining", None)


def test_what_is_done_runs_again_only_after_a_question(desk: Desk) -> None:
    """It costs as much again. Scenes that only have the same ids are other scenes."""
    desk.backend.script = lambda scene, profile, nth: Permanent("no") if scene == "s003" else None
    desk.ctl.scenes = PROMPTS
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    assert (words(desk), desk.panel.controls["run"].button_style) == ("Run 3, 2 again…", "")
    assert asked(desk) == {
        "text": "2 of these 3 scenes are finished already. Running them again costs as much again.",
        "yes": "Run 3, 2 again", "no": "Don't run", "danger": False,
    }  # fmt: skip
    desk.ctl.span = (1, 2)
    desk.settle()
    assert words(desk) == "Run all 2 again…"
    desk.ctl.scenes = [f"{prompt}, at night" for prompt in PROMPTS]
    desk.settle()
    assert (words(desk), asked(desk)) == ("Run 3", None)


def test_what_is_in_doubt_is_not_run_again_unasked(desk: Desk) -> None:
    """A new run would submit it, and it might be billed twice."""
    desk.backend.script = lambda scene, profile, nth: Ambiguous("HTTP 502") if scene == "s003" else None
    desk.ctl.scenes = PROMPTS
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    assert words(desk) == "Run 3, 2 again…"
    assert asked(desk)["danger"] and asked(desk)["text"] == (
        "2 of these 3 scenes are finished already. Running them again costs as much again. "
        "1 of these 3 scenes is in doubt: its job may exist, and it may be billed twice. Decide in Scenes first."
    )
    desk.ctl.span = (3, 3)
    desk.settle()
    assert words(desk) == "Run 1…" and asked(desk)["text"].startswith("This scene is in doubt: its job may exist")


def test_cancelling_asks_first(desk: Desk) -> None:
    """What destroys is red; stopping is gentle. What a stopped run has left is discarded, and that is asked, too."""
    cancel, stop = desk.panel.controls["cancel"], desk.panel.controls["stop"]
    assert (cancel.button_style, stop.button_style, asked(desk, "cancel")) == ("danger", "", None)
    desk.begin_and_stop(PROMPTS)
    assert words(desk, "cancel") == "Discard 3 remaining…"
    assert asked(desk, "cancel")["yes"] == "Discard 3 scenes" and asked(desk, "cancel")["danger"]
    desk.click("cancel")
    assert desk.ctl.left_over == 0 and asked(desk, "cancel") is None
    desk.backend.hold = {"s001"}
    desk.ctl.start(PROMPTS[:1])
    while not desk.backend.submits:
        desk.settle()
    desk.settle()
    assert words(desk, "cancel") == "Cancel everything…"
    assert "1 scene running, 0 waiting" in asked(desk, "cancel")["text"]


def test_pause_becomes_resume(desk: Desk) -> None:
    """The same button, in the same place."""
    assert words(desk, "paused") == "Pause"
    desk.ctl.paused = True
    desk.settle()
    assert words(desk, "paused") == "Resume"


def test_at_the_spending_cap_there_is_a_way_on(desk: Desk) -> None:
    """Run is off and says why; the cap can be raised by what is left, or the rest discarded."""
    desk.ctl.max_billed = 2
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    panel, run, way_on = desk.panel, desk.panel.controls["run"], desk.panel.controls["raise_cap"]
    assert "Spending cap reached (2 of 2). 1 scene left: raise the cap or discard it." in panel.rows.sentence.value
    assert run.disabled and "the spending cap is reached (2 of 2): raise it first" in run.tooltip
    assert (words(desk, "raise_cap"), way_on.disabled) == ("Raise cap to 3", False)
    assert "vg-at-cap" in panel.rows.root._dom_classes
    desk.click("raise_cap")
    assert desk.ctl.max_billed == 3 and way_on.disabled and not run.disabled
    assert "vg-at-cap" not in panel.rows.root._dom_classes
    desk.click("run")
    assert desk.ctl.wait(10).ended == "settled"
    assert len(desk.backend.submits) == 3


def test_a_cap_that_is_raised_by_hand_lets_the_run_go_on(desk: Desk) -> None:
    """In the drawer, where it is shown."""
    desk.ctl.max_billed = 1
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    assert desk.panel.controls["max_billed"].value == "1"
    desk.set("max_billed", "")
    assert desk.ctl.max_billed is None and words(desk) == "Run 2 remaining"


def test_after_a_restart_restore_is_the_green_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """While there is a run to restore; until then Run is."""
    desk.ctl.scenes = PROMPTS
    desk.settle()
    restore, run = desk.panel.controls["restore_last_run"], desk.panel.controls["run"]
    assert (restore.button_style, run.button_style, restore.disabled) == ("", "success", True)
    monkeypatch.setattr(type(desk.ctl.session), "no_restore", "")
    desk.settle()
    assert (restore.button_style, run.button_style, restore.disabled) == ("success", "", False)


def test_at_the_cap_in_money_there_is_a_way_on(desk: Desk) -> None:
    """As at the one in submits, with what it would cost."""
    for name in ("p1", "p2"):
        desk.ctl.set_price(name, 0.4)
    desk.ctl.max_cost = 0.9
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    panel, run = desk.panel, desk.panel.controls["run"]
    assert (
        "Spending cap reached ($0.80 of $0.90). 1 scene left: raise the cap or discard it." in panel.rows.sentence.value
    )
    assert run.disabled and "the spending cap is reached ($0.80 of $0.90): raise it first" in run.tooltip
    assert words(desk, "raise_cap") == "Raise cap to $1.20"
    desk.click("raise_cap")
    assert desk.ctl.max_cost == 1.2 and not run.disabled
    desk.click("run")
    assert desk.ctl.wait(10).ended == "settled"


def test_a_pause_for_the_same_failure_says_why_and_resume_goes_on(desk: Desk) -> None:
    """Also once what was under way is over."""
    failing = iter([Permanent("a face", "content")] * 3)
    desk.backend.script = lambda *_: next(failing, None)
    desk.ctl.run_blocking([*PROMPTS, "one more"])
    desk.settle()
    said = desk.panel.rows.sentence.value
    assert "Paused: the last 3 scenes failed for the same reason: a face. Resume goes on." in said
    assert (words(desk, "paused"), desk.panel.controls["paused"].disabled) == ("Resume", False)
    desk.set("paused", False)
    assert desk.ctl.wait(10).ended == "settled"


def test_the_cap_in_money_can_be_typed(desk: Desk) -> None:
    """Where every account has a price."""
    control = desk.panel.controls["max_cost"]
    assert control.disabled and "the price of p1 is not known" in control.tooltip
    for name in ("p1", "p2"):
        desk.ctl.set_price(name, 0.4)
    desk.settle()
    desk.set("max_cost", "$12.50")
    assert not control.disabled and (desk.ctl.max_cost, control.value) == (12.5, "12.50")
    desk.set("max_cost", "")
    assert desk.ctl.max_cost is None


def test_what_is_spent_stands_in_the_toolbar(desk: Desk) -> None:
    """With the cap, if there is one; without prices nothing does, and no cap is reached that could be raised."""
    assert "$" not in desk.panel.rows.state.value
    with pytest.raises(InputError, match="no spending cap is reached"):
        desk.ctl.raise_cap()
    for name in ("p1", "p2"):
        desk.ctl.set_price(name, 0.4)
    desk.ctl.max_cost = 5.0
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    assert "3/3 · $1.20 of $5.00" in desk.panel.rows.state.value


def test_a_click_is_felt_at_once(desk: Desk) -> None:
    """The button shows what it did before the next update, which during a run may be half a second away."""
    desk.backend.hold = {"s001"}
    desk.ctl.start(PROMPTS[:1])
    desk.settle()
    desk.panel.controls["paused"].value = True
    desk.ctl.runner.loop.call(lambda: None)
    assert words(desk, "paused") == "Resume"
