"""Each control makes one call, shows the session's value, and says why it is unavailable."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import pytest

from vidgen_nb.core.outcomes import Permanent
from vidgen_nb.core.policy import Policy
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.notebook.panel.control_binding import css_name, receive_while_blocked
from vidgen_nb.notebook.panel.layout import MENUS
from vidgen_nb.policies.cooldowns import PerProfileCooldown

if TYPE_CHECKING:
    from tests.notebook.panel.conftest import Desk

PROMPTS = ["a lighthouse", "a harbour", "a night train"]
BUTTONS = {
    "run": "start", "stop": "stop", "cancel": "cancel", "retry_failed": "retry_failed", "previous": "step_selected",
    "next": "step_selected", "restore_last_run": "restore_last_run", "raise_cap": "raise_cap",
}  # fmt: skip


@pytest.mark.parametrize(("button", "method"), BUTTONS.items())
def test_a_button_is_one_call(desk: Desk, monkeypatch: pytest.MonkeyPatch, button: str, method: str) -> None:
    """Pressing it calls that method once, on the session's loop."""
    calls: list[bool] = []
    control = desk.panel.controls.control(button)
    monkeypatch.setattr(desk.ctl, method, lambda *_: calls.append(desk.ctl.runner.loop.is_current()))
    # the button has the method that it was made with: bind it again
    control.widget._click_handlers.callbacks.clear()
    desk.panel.controls.add_button(
        button, control.widget, control.help, lambda: getattr(desk.ctl, method)(), control.disabled_reason
    )
    desk.click(button)
    assert calls == [True]


@pytest.mark.parametrize(
    ("name", "value"),
    [("kind", "single"), ("scene", "s002"), ("mode", "boost"), ("policy_name", "GlobalPause"),
     ("cooldown_seconds", 12.0), ("honour_retry_after", True), ("seed", 9), ("paused", True), ("follow_now", False),
     ("show_moves", "none"), ("selected", "s001")],
)  # fmt: skip
def test_a_value_reaches_the_controller_and_comes_back(desk: Desk, name: str, value: Any) -> None:
    """The controller has what a user sets; the widget shows what a cell sets."""

    def read() -> Any:
        found = getattr(desk.ctl, name)
        return getattr(found, "name", None) if name == "mode" else found

    desk.ctl.scenes = PROMPTS
    desk.settle()
    before = read()
    desk.set(name, value)
    assert read() == value
    setattr(desk.ctl, name, before)
    desk.settle()
    assert desk.panel.controls[name].value == (before or {"selected": ""}.get(name, before))


@pytest.mark.parametrize(
    ("name", "typed", "value", "shown"),
    [("span", "2-3", (2, 3), "2–3"), ("span", " 2 ", (2, 2), "2–2"), ("cap", "3", 3, "3"), ("cap", " ", None, ""),
     ("max_billed", "1,000", 1000, "1000")],
)  # fmt: skip
def test_a_number_is_typed(desk: Desk, name: str, typed: str, value: Any, shown: str) -> None:
    """A range in any spelling; a limit, or none where it is blank; then the field shows what holds."""
    desk.ctl.scenes, desk.ctl.mode = PROMPTS, "boost"
    desk.settle()
    desk.set(name, typed)
    assert (getattr(desk.ctl, name), desk.panel.controls[name].value) == (value, shown)


@pytest.mark.parametrize(
    ("name", "typed", "said", "right"),
    [("span", "3–9", "There are scenes 1 to 3", "2–3"), ("cap", "many", "Write a whole number", "2"),
     ("max_cost", "a lot", "Write an amount", "")],
)  # fmt: skip
def test_a_number_that_makes_no_sense_is_refused(desk: Desk, name: str, typed: str, said: str, right: str) -> None:
    """The field keeps what was typed, and beside it stands what is wrong with it, until it is right."""
    desk.ctl.scenes, desk.ctl.mode = PROMPTS, "boost"
    for profile in desk.ctl.profiles:
        desk.ctl.set_price(profile, 0.4)
    desk.set("kind", "range")
    before = getattr(desk.ctl, name)
    desk.set(name, typed)
    assert (desk.panel.controls[name].value, getattr(desk.ctl, name)) == (typed, before)
    assert said in wrong(desk, name)
    assert desk.panel.errors.html.value == ""
    desk.set(name, right)
    assert wrong(desk, name) == ""


def wrong(desk: Desk, name: str) -> str:
    """Return what the page says is wrong with what stands in a field."""
    found: str = desk.panel.page.controls[css_name(name)]["wrong"]
    return found


def test_a_wrong_field_is_forgotten_once_a_cell_decides(desk: Desk) -> None:
    """It then shows what holds; so it does when All is chosen, say. An empty field changes nothing."""
    desk.ctl.scenes = PROMPTS
    desk.set("kind", "range")
    desk.set("span", "7–9")
    assert wrong(desk, "span")
    desk.ctl.span = (1, 2)
    desk.settle()
    assert (desk.panel.controls["span"].value, wrong(desk, "span")) == ("1–2", "")
    desk.set("span", "7–9")
    desk.set("kind", "batch")
    assert (desk.panel.controls["span"].value, wrong(desk, "span")) == ("1–3", "")
    desk.ctl.span = (1, 2)
    desk.settle()
    for name in ("span", "scene"):
        desk.set("kind", "single" if name == "scene" else "range")
        desk.set(name, "nothing of the kind")
        desk.set(name, "")
        assert wrong(desk, name) == ""
    assert (desk.panel.controls["span"].value, desk.panel.controls["scene"].value) == ("1–2", "s001")


def test_run_waits_until_its_scenes_are_right(desk: Desk) -> None:
    """Also for the click on it that left the field: what stands there is not what would run."""
    desk.ctl.scenes = PROMPTS
    desk.set("kind", "range")
    desk.set("span", "7–9")
    run = desk.panel.controls["run"]
    assert run.disabled and "correct which scenes to run first" in run.tooltip
    desk.click("run")
    assert desk.ctl.last_run is None
    desk.set("span", "1–2")
    assert not run.disabled


def test_all_and_range_and_one(desk: Desk) -> None:
    """All takes every scene again, Range those of its field, One the scene that stands there instead of it."""
    desk.ctl.scenes = PROMPTS
    desk.settle()
    controls = desk.panel.controls
    assert (controls["kind"].value, controls["span"].value, controls["span"].disabled) == ("batch", "1–3", True)
    desk.set("kind", "range")
    assert not controls["span"].disabled
    desk.set("span", "2–3")
    assert controls["run"].description == "Run 2"
    desk.set("kind", "batch")
    assert desk.ctl.span == (1, 3)
    desk.set("kind", "single")
    assert (controls["span"].layout.display, controls["scene"].layout.display) == ("none", None)
    assert controls["run"].description == "Run s001"
    desk.ctl.kind, desk.ctl.span = "batch", (1, 2)
    desk.settle()
    assert controls["kind"].value == "range"


def test_scenes_are_typed_and_loaded(desk: Desk) -> None:
    """A text, a file, and the same file again."""
    desk.set("prompts", "a lighthouse\na harbour")
    assert [scene.prompt for scene in desk.ctl.scenes] == PROMPTS[:2]
    assert desk.panel.controls["span"].value == "1–2"
    upload = desk.panel.controls["upload"]
    file = {"name": "x.txt", "content": memoryview(b"one\ntwo\nthree"), "type": "", "size": 13, "last_modified": 0}
    for _ in range(2):
        upload.observe_value = None
        upload.notify_change({"name": "value", "type": "change", "old": (), "new": (file,), "owner": upload})
        desk.settle()
    assert len(desk.ctl.scenes) == 3


def make_all(desk: Desk) -> None:
    """Open the menus and the drawer, so that every control is made."""
    for name in (*MENUS, "vg-drawer"):
        desk.panel.page._handle_custom_msg({"opened": name}, [])
    desk.settle()


def off(desk: Desk) -> set[str]:
    """Return the names of the disabled controls."""
    return {name for name, control in desk.panel.controls.by_name.items() if control.widget.disabled}


def test_what_is_disabled_when_idle(desk: Desk) -> None:
    """Without scenes and runs, all that needs them is disabled, and says why."""
    make_all(desk)
    recorded = {"export", "selected", "previous", "next"}
    real = {"seed", "speed", "max_cost"}
    idle = {"run", "stop", "paused", "cancel", "retry_failed", "restore_last_run", "raise_cap", "span", "cap", "video"}
    assert off(desk) == idle | recorded | real
    assert "Unavailable: there are no scenes" in desk.panel.controls["run"].tooltip
    assert desk.panel.page.controls["vg-run"]["why"].startswith("Unavailable: there are no scenes")
    assert "Unavailable: nothing is running" in desk.panel.controls["stop"].tooltip
    desk.ctl.scenes, desk.ctl.mode = PROMPTS, "boost"
    desk.settle()
    assert not {"run", "cap"} & off(desk)


def test_what_is_disabled_during_a_run(desk: Desk) -> None:
    """What must not change is disabled; mode, profiles, policy, pause and stop are enabled."""
    desk.backend.hold = {"s001"}
    desk.ctl.scenes = PROMPTS
    make_all(desk)
    desk.click("run")
    assert {"run", "kind", "span", "prompts", "upload", "retry_failed"} <= off(desk)
    assert not {"mode", "in_use", "policy_name", "cooldown_seconds", "paused", "stop", "cancel"} & off(desk)
    while not desk.backend.submits:  # one that has not left would be called back, and the run be over
        desk.settle()
    desk.click("stop")
    assert "stopping already" in desk.panel.controls["stop"].tooltip


def test_retry_failed(desk: Desk) -> None:
    """It is enabled when a scene has failed, and runs it again."""
    desk.backend.script = lambda scene, profile, nth: Permanent("no") if nth == 1 else None
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    make_all(desk)
    assert "retry_failed" not in off(desk)
    assert desk.panel.controls["retry_failed"].description == "Retry 3 failed"
    desk.click("retry_failed")
    assert desk.ctl.wait(10).scenes[0].status == "succeeded"


def test_a_policy_of_the_users_own_is_offered(desk: Desk) -> None:
    """Cooldown seconds and Retry-After are left out, because it has no such settings."""

    class Mine(Policy):
        def on_429(self, group: Any, outcome: Any, now: float) -> Any:
            return PerProfileCooldown().on_429(group, outcome, now)

    make_all(desk)
    desk.ctl.policy = Mine()
    desk.settle()
    controls = desk.panel.controls
    assert controls["policy_name"].value == "Mine"
    assert [controls[name].layout.display for name in ("cooldown_seconds", "honour_retry_after")] == ["none", "none"]
    desk.set("policy_name", "GlobalPause")
    assert [controls[name].layout.display for name in ("cooldown_seconds", "honour_retry_after")] == [None, "none"]


def test_every_control_has_a_label_and_a_tooltip(desk: Desk) -> None:
    """For people who can't see it."""
    make_all(desk)
    for name, control in desk.panel.controls.by_name.items():
        assert control.label, name
        assert control.widget.tooltip, name


def test_hidden_controls_are_made_when_they_are_first_shown(desk: Desk) -> None:
    """A panel is on the screen sooner; a cell that sets what they show does not need them."""
    assert {"policy_name", "export", "prompts"}.isdisjoint(desk.panel.controls.by_name)
    before = len(desk.panel.controls.by_name)
    make_all(desk)
    assert len(desk.panel.controls.by_name) > before + 10
    assert desk.panel.controls["policy_name"].value == "PerProfileCooldown"


def test_our_own_writes_are_not_taken_for_the_users(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the loop writes is not posted back."""
    posted: list[Any] = []
    monkeypatch.setattr(Controller, "post", lambda self, *args: posted.append(args))
    with desk.panel.controls.own_writes():
        desk.panel.controls["seed"].value = 77
    assert posted == []
    desk.panel.controls["seed"].value = 78
    assert len(posted) == 1


def test_a_change_by_hand_is_not_overwritten_before_it_is_taken(desk: Desk) -> None:
    """Until the loop has applied it, the widget keeps what the user has set."""
    blocked, go_on = threading.Event(), threading.Event()

    def block() -> None:
        blocked.set()
        go_on.wait(10)

    desk.ctl.post(block)
    assert blocked.wait(10)
    desk.ctl.post(desk.panel.ticker.update_now)
    desk.panel.controls["mode"].value = "boost"
    go_on.set()
    desk.settle()
    assert desk.ctl.mode.name == desk.panel.controls["mode"].value == "boost"


def test_answer_anywhere_touches_only_what_is_there() -> None:
    """The private attribute of ipykernel is replaced if it exists, and never added."""

    class Comm:
        pass

    class Widget:
        comm: Any = Comm()

    receive_while_blocked(Widget)
    assert not hasattr(Widget.comm, "_reply_subshell_for")
    Widget.comm._reply_subshell_for = lambda data, default: "main"
    receive_while_blocked(Widget)
    assert Widget.comm._reply_subshell_for({}, "any") == "any"


def test_the_drawer_says_how_accounts_are_added_and_bounded(desk: Desk) -> None:
    """It has no field for a key, which a saved notebook could show; it names the calls of a cell, which there are."""
    desk.panel.rows.fill("vg-drawer")
    drawer = desk.panel.rows._popovers["vg-drawer"]
    (note,) = [each.value for each in drawer.children if "vg-note" in str(getattr(each, "value", ""))]
    named = re.findall(r"ctl\.(\w+)", note)
    assert named == ["set_capacity", "add_profile", "remove_profile"]
    assert all(callable(getattr(desk.ctl, each)) for each in named)
