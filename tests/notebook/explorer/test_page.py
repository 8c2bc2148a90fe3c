"""What the page is told, and what becomes of its messages."""

from __future__ import annotations

import json
from typing import Any

import IPython.display
import pytest

import vidgen_nb as vg
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.notebook.explorer.comparing import in_words
from vidgen_nb.notebook.explorer.explorer import Explorer
from vidgen_nb.notebook.explorer.page import ExplorerPage
from vidgen_nb.notebook.explorer.picture import LANE_PIXELS
from vidgen_nb.notebook.explorer.state_text import policy_text
from vidgen_nb.wording.durations import duration


class Breaks(vg.PerProfileCooldown):
    """Fails at the first 429."""

    def on_429(self, *_: object) -> vg.Cooldown:
        """Fail."""
        raise RuntimeError("never thought of that")


@pytest.fixture
def ex() -> Explorer:
    """Give a small one."""
    return vg.explore(scenes=12, mode="boost")


def send(page: ExplorerPage, **content: Any) -> None:
    """Have a message come from the page."""
    page._handle_custom_msg(content, [])


def change(page: ExplorerPage, number: int | str, gesture: str = "g", **values: Any) -> dict[str, Any]:
    """Have a hand change something, and return the answer."""
    send(
        page,
        change=[[name.replace("_at_", "@"), value] for name, value in values.items()],
        number=number,
        gesture=gesture,
    )
    found: dict[str, Any] = page.answer
    return found


def test_the_answer_is_of_the_run(ex: Explorer) -> None:
    """Bars, tiles and controls; plain JSON, and nothing of the kernel's."""
    answer = json.loads(json.dumps(ex.page.answer, allow_nan=False))
    assert answer["number"] is None and answer["errors"] == {} and answer["hints"] == {} and not answer["before"]
    assert answer["values"]["scenes"] == 12 and answer["text"] == ex.state_text
    succeeded = [bar for bar in answer["picture"]["bars"] if bar[0] == "succeeded"]
    expected = {(each.scene, round(each.start, 3), round(each.end or 0, 3)) for each in ex.run.attempts
                if each.outcome == "succeeded"}  # fmt: skip
    assert {(bar[7], bar[1], bar[2]) for bar in succeeded} == expected
    assert answer["picture"]["ghost"] == []
    assert "sk-" not in json.dumps(answer)
    assert ex.page.settled["tiles"][-1]["value"].endswith(" %")  # the first bound is there before a hand comes


def test_bars_lie_in_their_account_s_lane(ex: Explorer) -> None:
    """Also those of an account that is off: its lane is empty."""
    change(ex.page, 1, on_at_1=False)
    names = [each.name for each in ex.state.profiles]
    picture = ex.page.answer["picture"]
    assert picture["height"] == 4 * LANE_PIXELS and picture["lanes"] == 4
    lanes = {(each.scene, round(each.start, 3)): each.profile for each in ex.run.attempts}
    for state, start, _end, top, tall, _title, _glyph, scene in picture["bars"]:
        lane = names[int(top // LANE_PIXELS)]
        assert top + tall <= picture["height"] and lane != "bruno"
        if state in ("succeeded", "limited"):
            assert lane == lanes[scene, start]


def test_the_ghost_is_the_run_before_in_the_same_lanes(ex: Explorer) -> None:
    """Each of its bars below where the present run's would be, on the axis of both."""
    before = ex.run
    answer = change(ex.page, 1, cooldown=5, scenes=5)
    picture = answer["picture"]
    rows = build_rows(before.data, queue=False)
    assert len(picture["ghost"]) == len(rows.bars)
    assert sorted(bar[1] for bar in picture["ghost"]) == sorted(round(bar.start, 3) for bar in rows.bars)
    assert picture["end"] == max(before.data.end, ex.run.data.end)
    assert picture["done"] == [ex.run.metrics().makespan, before.metrics().makespan]
    assert picture["was"] == "scenes=12, policy=PerProfileCooldown(30)"
    present = {bar[3] for bar in picture["bars"] if bar[0] == "succeeded"}
    assert all(bar[3] not in present for bar in picture["ghost"])


def test_tiles_are_the_numbers_of_metrics_with_their_differences(ex: Explorer) -> None:
    """Nothing is computed on its own; the bound comes once the hand rests."""
    before = ex.run.metrics()
    answer = change(ex.page, 1, cooldown=4, scenes=24)
    now = ex.run.metrics()
    assert now.makespan and before.makespan and now.wait and before.wait and now.efficiency and before.efficiency
    found = {each["name"]: each for each in answer["tiles"]}
    assert found["Time"]["value"] == duration(now.makespan)
    assert found["Time"]["difference"] == f"+{duration(now.makespan - before.makespan)}"
    assert found["Time"]["better"] is False
    assert found["Refusals (429)"]["value"] == str(now.rate_limited)
    assert found["Refusals (429)"]["difference"] == f"+{now.rate_limited - before.rate_limited}"
    assert found["Median wait"]["value"] == duration(now.wait.p50)
    assert found["Share of the bound"]["value"] == "…"
    send(ex.page, settle=answer["serial"])
    settled = {each["name"]: each for each in ex.page.settled["tiles"]}
    assert settled["Share of the bound"]["value"] == f"{100 * now.efficiency:.0f} %"
    points = 100 * (now.efficiency - before.efficiency)
    assert settled["Share of the bound"]["difference"].lstrip("+\N{MINUS SIGN}").split()[0] == f"{abs(points):.0f}"
    assert settled["Share of the bound"]["better"] is (points > 0)
    assert ex.page.settled["said"].startswith(f"Time {duration(now.makespan)} +")


def test_a_bound_that_nobody_waits_for_is_not_worked_out(ex: Explorer) -> None:
    """The page asked for it, and then a hand went on."""
    serial = change(ex.page, 1, cooldown=4)["serial"]
    change(ex.page, 2, cooldown=3)
    send(ex.page, settle=serial)
    assert ex.page.settled["serial"] < serial


def test_an_error_stands_at_its_control_and_the_picture_stays(ex: Explorer) -> None:
    """The message is answered in any case: the page waits for it."""
    picture = ex.page.answer["picture"]
    answer = change(ex.page, 7, n_at_0=0)
    assert answer["number"] == 7 and "from 1 up" in answer["errors"]["n@0"]
    assert answer["picture"] == picture and answer["values"]["n@0"] == 2


def test_an_outage_that_does_not_fit_is_said_at_its_controls(ex: Explorer) -> None:
    """It is no error: the run is as it is."""
    assert "longer than the run" in change(ex.page, 1, outage=True, outage_length=5000)["hints"]["outage_length"]
    assert "before the outage" in change(ex.page, 2, outage_start=90_000)["hints"]["outage_start"]
    answer = change(ex.page, 3, outage_start=2, outage_length=3, outage_on="bruno")
    assert answer["hints"] == {} and answer["picture"]["outage"] == [2, 5, [LANE_PIXELS]]


def test_a_cell_moves_the_controls_and_a_page_goes_back(ex: Explorer) -> None:
    """Back and a pasted text are what a cell does, too."""
    page, first = ex.page, ex.state
    ex.set(scenes=5)
    assert page.answer["values"]["scenes"] == 5 and page.answer["number"] is None
    send(page, back=True)
    assert ex.state == first and page.answer["values"]["scenes"] == 12
    send(page, paste="vidgen-nb?scenes=7&one=constant(5)")
    assert page.form["accounts"] == ["one"] and page.answer["values"]["mean@0"] == 5
    send(page, paste="vidgen-nb?scenes=x")
    assert "'scenes=x'" in page.answer["errors"]["text"] and len(ex.run.scenes) == 7
    send(page, keep=True)
    assert ex.keeps_previous


def test_a_comparison_goes_on_as_long_as_the_page_asks(ex: Explorer) -> None:
    """With a slice for each message; the result is there for the cells as well."""
    page = ex.page
    send(page, compare=3)
    assert "no setting before" in page.comparison["error"]
    change(page, 1, cooldown=4)
    send(page, compare=3)
    messages = 0
    while page.comparison["running"]:
        send(page, go_on=page.comparison["done"])
        messages += 1
    assert 1 <= messages <= 3
    assert page.comparison["rows"][0][0] == "Time" and ex.comparison is not None and len(ex.comparison) == 6
    assert page.comparison["words"].startswith(
        "With policy=PerProfileCooldown(4) and with policy=PerProfileCooldown(30) "
    )
    assert page.comparison["old"] is False and page.answer["compared"] is False
    send(page, keep=True)
    assert page.answer["compared"] is True
    send(page, compare=500)
    send(page, go_on=0)
    send(page, stop=True)
    assert not page.comparison["running"] and ex.comparison.partial
    send(page, compare="many")
    assert "error" in page.comparison


def test_a_comparison_says_which_setting_is_ahead_and_by_how_much(ex: Explorer) -> None:
    """With the same sentence as `versus`, of the present setting; and what was broken off."""
    change(ex.page, 1, policy="GlobalPause", scenes=24)
    found = ex.compare(seeds=4)
    rows = found.numbers("makespan", against=found.cases[0])[found.cases[1]]
    mean = sum(rows.values()) / len(rows)
    words = in_words(found)["words"]
    assert mean > 0 and f"with {found.cases[1]} the scenes are done {mean:.0f} s later [" in words.replace("W", "w", 1)
    assert f"than with {found.cases[0]}, in " in words and "of 4 seeds" in words
    send(ex.page, compare=1000)
    send(ex.page, go_on=0)
    send(ex.page, stop=True)
    assert "Broken off: " in ex.page.comparison["words"] and "of 2,000 runs." in ex.page.comparison["words"]


def test_a_result_of_settings_that_were_changed_meanwhile_is_old(ex: Explorer) -> None:
    """Also if it comes after the change: its numbers are not those of the picture."""
    page = ex.page
    change(page, 1, cooldown=4)
    send(page, compare=2)
    ex.set(scenes=7)
    while page.comparison["running"]:
        send(page, go_on=page.comparison["done"])
    assert page.comparison["old"] is True
    assert page.comparison["names"] == ["policy=PerProfileCooldown(30)", "policy=PerProfileCooldown(4)"]


def test_a_pasted_setting_that_fails_is_said(ex: Explorer) -> None:
    """Whatever fails: here a policy of one's own."""
    run = ex.run
    send(ex.page, paste=f"vidgen-nb?scenes=24&mode=boost&policy={policy_text(Breaks())}")
    assert "never thought of that" in ex.page.answer["errors"]["text"] and ex.run is run
    send(ex.page, paste=" ")
    assert "the text is empty" in ex.page.answer["errors"]["text"] and ex.run is run


def test_it_shows_itself_and_leaves_a_picture(ex: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a widget, and below it as the picture that stays in a saved notebook, of the setting at which a hand rests."""
    shown: list[tuple[dict[str, Any], str | None]] = []
    for name in ("display", "update_display"):
        note = lambda bundle, *, raw, display_id=None: shown.append((bundle, display_id))  # noqa: E731
        monkeypatch.setattr(IPython.display, name, note)
    ex._ipython_display_()
    (widget, none), (picture, display_id) = shown
    assert widget["application/vnd.jupyter.widget-view+json"]["model_id"] == ex.page.model_id and none is None
    assert ex.state_text in widget["text/plain"] and "12 succeeded" in picture["text/html"]
    answer = change(ex.page, 1, scenes=5)
    assert len(shown) == 2
    send(ex.page, settle=answer["serial"])
    assert shown[2][1] == display_id is not None and "5 succeeded" in shown[2][0]["text/html"]
    assert "<img" in ex._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("content", [{}, {"change": 3}, {"settle": "x"}, {"go_on": 3}, {"stop": True}, {"back": True}])
def test_messages_that_mean_nothing_change_nothing(ex: Explorer, content: dict[str, Any]) -> None:
    """Nor do they raise."""
    state = ex.state
    send(ex.page, **content)
    assert ex.state == state
