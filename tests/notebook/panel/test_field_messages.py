"""What is wrong with what somebody enters is said of the field, in words of the panel: no method, no Python name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from vidgen_nb.core.outcomes import Ambiguous
from vidgen_nb.errors import SessionError
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.notebook.panel.control_binding import css_name
from vidgen_nb.notebook.panel.layout import MENUS
from vidgen_nb.notebook.panel.option_controls import DRAWER
from vidgen_nb.notebook.panel.panel_words import in_panel_words
from vidgen_nb.policies.registry import POLICIES

if TYPE_CHECKING:
    from tests.notebook.panel.conftest import Desk

PROMPTS = ["a lighthouse", "a harbour", "a night train"]
CODE = re.compile(
    r"\w\(|\)\.|\b[a-z]+_[a-z_]+\b|\w=\S|\b(?:None|True|False|ctl|repr|str|int)\b|\b[A-Z]\w+Error\b|\['|'\w+'"
)
"""A call, a name with an underscore, a keyword argument, a value or a type of Python, a repr."""
WRONG: dict[str, list[Any]] = {
    "span": ["7-99", "all of them", "0–2", "9" * 40],
    "scene": ["s999", "<b>"],
    "prompts": ["prompt,seconds\na lighthouse, at dawn,4", '{"prompt": 3}', "prompt,id\na,x\nb,x", "[1, 2]", "[{}]"],
    "upload": [("scenes.xlsx", b"PK\x03\x04"), ("scenes.exe", b"MZ"), ("empty.csv", b""), ("x.json", b"{")],
    "cooldown_seconds": [],  # the field itself takes only what is possible
    "cap": ["0", "-1", "many", "2.5", "9" * 5000],
    "max_billed": ["0", "-1", "many", "2.5", "9" * 5000],
    "max_cost": ["0", "-1", "a lot", "inf", "nan"],
    "selected": ["s999"],
    "seed": [],
}
"""For each field of the toolbar, the drawer and the menu what it can't be; choices and buttons take what they offer."""
CHOICES = {"mode", "kind", "policy_name", "honour_retry_after", "notify", "follow_now", "show_moves", "speed", "paused",
           "video"}  # fmt: skip


def entered(name: str, value: Any) -> Any:
    """Return a value as its widget has it."""
    if name != "upload":
        return value
    return ({"name": value[0], "content": memoryview(value[1]), "type": "", "size": 1, "last_modified": 0},)


def test_each_field_says_what_is_wrong_with_it(desk: Desk) -> None:
    """There, and nowhere else; and it says so in words of the panel."""
    controls = desk.panel.controls
    for names in (*MENUS.values(), *DRAWER.values()):
        for name in names:
            controls.control(name)
    desk.ctl.run_blocking(PROMPTS)
    desk.ctl.scenes, desk.ctl.mode = PROMPTS, "boost"
    for name in ("p1", "p2"):
        desk.ctl.set_price(name, 0.4)
    desk.settle()
    with_values = {name for name, each in controls.by_name.items() if hasattr(each.widget, "value")}
    assert with_values == set(WRONG) | CHOICES
    bad: list[Any] = []
    for name, values in WRONG.items():
        desk.set("kind", "single" if name == "scene" else "range")
        for value in values:
            widget = controls[name]
            if name == "upload":
                widget.notify_change({"name": "value", "type": "change", "old": (), "new": entered(name, value),
                                      "owner": widget})  # fmt: skip
                desk.settle()
            else:
                desk.set(name, value)
            said = desk.panel.page.controls[css_name(name)]["wrong"]
            if not said or CODE.search(said) or (not said[0].isupper() and said[0] != "“") or len(said) > 200:
                bad.append((name, value, said))
            assert desk.panel.errors.html.value == "", (name, value)
    assert bad == []
    assert (desk.ctl.span, desk.ctl.cap, desk.ctl.max_billed, desk.ctl.max_cost) == ((1, 3), None, None, None)
    desk.ctl.scenes = PROMPTS
    desk.settle()
    assert desk.panel.page.controls["vg-prompts"]["wrong"] == ""


@pytest.mark.parametrize("policy", POLICIES)
def test_each_policy_takes_what_its_fields_take(desk: Desk, policy: str) -> None:
    """The least and the most that can be entered."""
    controls = desk.panel.controls
    desk.set("policy_name", policy)
    for name in ("cooldown_seconds", "honour_retry_after"):
        if controls.control(name).disabled_reason():
            continue
        widget = controls[name]
        for value in (widget.min, widget.max) if name == "cooldown_seconds" else (True, False):
            desk.set(name, value)
            assert desk.panel.page.controls[css_name(name)]["wrong"] == ""
    assert desk.panel.errors.html.value == ""


def ask(desk: Desk, **content: Any) -> dict[str, Any]:
    """Ask what a page asks of scenes, and return the answer."""
    answers: list[dict[str, Any]] = []
    desk.ctl.runner.loop.call(
        desk.panel.tabs.scenes._asked, content, [], lambda found, buffers=None: answers.append(found)
    )
    desk.settle()
    return answers[0]


@pytest.mark.parametrize("what", ["save", "check"])
def test_the_editor_says_what_is_wrong_with_a_field(desk: Desk, what: str) -> None:
    """With its prompt, and a parameter."""
    desk.ctl.scenes = PROMPTS
    desk.settle()
    keys = ["l:s001"]
    for edit in ({"prompt": "  "}, {"params": {"seconds": "-1"}}, {"prompt": " ", "params": {"seconds": "-1"}}):
        errors = ask(desk, what=what, keys=keys, **edit)["errors"]
        for field, said in errors.items():
            assert field in ("prompt", "seconds") and not CODE.search(said), said


def test_a_job_without_an_id_is_said_of_its_field(desk: Desk) -> None:
    """Nobody answered its submit: where to look it up, and where to write it. What the table says has buttons in it."""
    desk.backend.script = lambda *_: Ambiguous("the connection broke")
    desk.ctl.run_blocking(PROMPTS[:1])
    desk.settle()
    (row,) = desk.panel.tabs.scenes._rows.all()
    assert row["status"] == "held" and "“Submit again”" in row["note"] and not CODE.search(row["note"]), row["note"]
    answer = ask(desk, what="made", keys=["r:s001"], job=" ")
    assert answer["field"] == "job" and answer["error"].startswith("Its job's id is not known here. Look it up on p")
    assert not CODE.search(answer["error"])
    assert not any(CODE.search(line.partition("] ")[2]) for line in desk.panel.feed.log if "Submit again" in line)


@pytest.mark.parametrize("request_", ["run_again", "cancel", "submit_again", "made", "play"])
def test_what_comes_too_late_is_refused_in_words(desk: Desk, request_: str) -> None:
    """Of scenes that are not as the page still shows them."""
    desk.ctl.scenes = PROMPTS
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    for keys in ([], ["r:s001"], ["r:s001", "r:s002"], ["r:gone"]):
        said = ask(desk, what=request_, keys=keys).get("error", "")
        assert not CODE.search(said), (keys, said)


@pytest.mark.parametrize(
    ("said", "shown"),
    [("it is closed: run() opens it again", "it is closed: Run opens it again"),
     ("held: ask_again or submit_again decides", "held: decide in Scenes"),
     ("stopping: max_billed=3 submits were accepted", "stopping: the spending cap of 3 submits is reached"),
     ("not finished after job_timeout=600 s", "not finished after 600 s"),
     ("scene 's001' can't wait", "scene “s001” can't wait"),
     ("the last 3 failed. unpause() goes on", "the last 3 failed. Resume goes on")],
)  # fmt: skip
def test_methods_become_buttons(said: str, shown: str) -> None:
    """In a text; an error begins with a capital."""
    assert in_panel_words(said) == shown
    assert in_panel_words(SessionError(said)) == shown[0].upper() + shown[1:]


def test_no_method_is_left_in_what_runs_record(desk: Desk) -> None:
    """What to do about a scene in doubt, and about accounts of which none can be used."""
    texts = [
        "It may be done: ask_again(scene) asks again, submit_again(scene) may be billed twice",
        "Check the account; if the job is not there, run the scene again: submit_again(scene); if it is: "
        "ask_again(scene)",
        "no profile is usable within max_wait=3600 s; scenes still queued: 3. alice: key refused. Mend that, then "
        "release_cooldown(profile) and run()",
        "Check that disk, then run() continues; run.save(path) saves the run elsewhere",
        "the run was broken off; restore('runs/x.jsonl', …) goes on with it",
        "edit the prompt, or retry_failed(moderated=True)",
    ]
    methods = {name for name in dir(Controller) if not name.startswith("_")}
    for text in texts:
        assert not [name for name in re.findall(r"\b(\w+)\(", in_panel_words(text)) if name in methods]
        assert not CODE.search(in_panel_words(text)), in_panel_words(text)
