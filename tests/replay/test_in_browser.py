"""A replay as a file, in a real browser: what it plays, says and draws, by mouse and by keyboard."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

import vidgen_nb as vg
from tests.charts.random_runs import random_runs
from tests.replay.conftest import Opener, OpenReplay
from vidgen_nb.analysis.records.timeline import queue, value_at
from vidgen_nb.core import events as ev
from vidgen_nb.replay.columns import replay_columns
from vidgen_nb.run import Run

AXE = Path(axe_playwright_python.__file__ or "").parent / "axe.min.js"
AT = """argument => argument.map(([columns, times]) => {
    const recorded = new Recorded(columns);
    return times.map(at => {
        const time = at * recorded.scale;
        return [recorded.running(time), recorded.waiting(time, 5).count,
                columns.scenes.id.map((_, scene) => recorded.trail(scene, time))];
    });
})"""

INK = """(() => {
    const pen = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    pen.drawImage(view.picture.canvases.lanes, -argument[0], -argument[1]);
    return pen.getImageData(0, 0, 1, 1).data.slice(0, 3).join();
})()"""
SPOT = """(() => {
    const bar = recorded.barOf.get(argument), { bars } = recorded;
    return [view.picture.x(bars.from[bar]) + 9, bars.y[bar]];
})()"""
GRAVE = ("serious", "critical")
RUNNING = ("86,180,233", "0,90,138")
"""The colours of an attempt under way: its fill, and its dots."""


def demo(scenes: int = 24, **options: Any) -> Run:
    """Simulate the demo's accounts."""
    return vg.simulate(scenes, vg.demo_profiles(), mode="boost", seed=7, **options)


def refusals(run: Run) -> list[float]:
    """Return the times of a run's 429s."""
    return sorted(each.end or 0.0 for each in run.attempts if each.outcome == "rate_limited")


def test_steps_go_to_what_was_recorded(open_replay: Opener) -> None:
    """To each 429, one after the other, and back; `[` and `]` step by the same; a move, a cooldown's end."""
    run = demo()
    replay = open_replay(run)
    assert replay.time == 0 and replay.sentence.startswith("24 scenes on 4 profiles")
    replay.click("Next 429")
    found = [replay.time]
    assert (
        replay.sentence
        == "alice refuses s009 (429, Retry-After 30.0 s) and cools for 30.0 s; s009 goes to the front of the queue."
    )
    while replay.page.get_by_role("button", name="Next 429", exact=True).is_enabled():
        replay.press("]")
        found.append(replay.time)
    assert found == pytest.approx(refusals(run), abs=0.001)
    replay.press("[")
    assert replay.time == pytest.approx(refusals(run)[-2], abs=0.001)
    replay.click("Previous move")
    assert replay.time == pytest.approx(max(move.at for move in run.moves if move.at <= refusals(run)[-2]), abs=0.001)
    assert "moves from" in replay.sentence
    replay.press("Home")
    replay.click("Next cooldown's end")
    assert replay.time == 30.0 and replay.sentence == "alice is back from cooldown; one probe goes first."
    assert replay.page.get_by_role("button", name="Next failure", exact=True).is_disabled()
    replay.click("Next event")
    assert replay.sentence == "s019 goes to alice: bruno and chiara cool, delta is full."


def test_a_limit_that_has_no_gauge_is_named(open_replay: Opener) -> None:
    """Jobs at once are no bar that fills up, but they are known."""
    accounts = [vg.SimulatedProfile("a", vg.Concurrency(2), vg.Constant(9), capacity=4), vg.SimulatedProfile("b", None)]
    replay = open_replay(vg.simulate(6, accounts, mode="boost"))
    assert replay.page.locator(".vgr-limit").all_inner_texts() == ["2 at once", "no limit met yet"]
    assert replay.page.get_by_role("meter").count() == 0


def test_the_keyboard_is_enough(open_replay: Opener) -> None:
    """Space plays and pauses, arrows move, Home and End, Escape; the slider and the page tell it."""
    replay = open_replay(demo())
    replay.press("ArrowRight")
    assert replay.time == 0.5
    replay.press("Shift+ArrowRight", "ArrowLeft")
    assert replay.time == pytest.approx(5.0)
    slider = replay.page.get_by_role("slider")
    assert slider.get_attribute("aria-valuetext") == "5.0 s of 87.5 s"
    spoken = replay.page.locator("[aria-live]").inner_text()
    assert spoken.startswith("5.0 s of 87.5 s. ")
    slider.focus()
    replay.press("ArrowRight")
    assert replay.time == pytest.approx(5.5)
    replay.press(" ")
    replay.page.wait_for_function("() => vidgen_nb_replay.player.time / vidgen_nb_replay.player.recorded.scale > 6")
    replay.page.get_by_role("button", name="Pause", exact=True).wait_for()
    replay.press(" ")
    replay.page.get_by_role("button", name="Play", exact=True).wait_for()
    stays = replay.time
    replay.press("End")
    assert stays < replay.time == 87.531
    replay.page.get_by_label("Scene", exact=True).fill("s017")
    replay.press("Enter")
    path = replay.page.locator(".vgr-path")
    assert path.inner_text() == "s017 “simulated”: bruno✕429→chiara✕429→delta✓"
    slider.focus()
    replay.press("Escape")
    assert path.inner_text().startswith("Click a bar")


def test_it_plays_to_the_end_and_again(open_replay: Opener) -> None:
    """At its speed; pressed at the end, it begins again. A click leaves Space to play."""
    replay = open_replay(demo())
    replay.page.get_by_label("Speed").select_option("100")
    replay.click("Play")
    replay.page.wait_for_function(
        "() => { const { player } = vidgen_nb_replay; return player.time === player.recorded.end; }"
    )
    assert replay.ask("player.playing") is False
    replay.page.get_by_label("Speed").select_option("0.1")
    replay.click("Play")
    assert replay.time < 10
    replay.press(" ")
    assert replay.ask("player.playing") is False
    replay.page.emulate_media(reduced_motion="reduce")
    replay.page.reload()
    replay.page.wait_for_function("() => globalThis.vidgen_nb_replay")
    assert replay.ask("player.playing") is False


def test_what_is_so_at_a_time(open_replay: Opener, tmp_path: Path) -> None:
    """Of random runs at random times: attempts under way, scenes that wait, and paths are those of the records."""
    rng, asked = random.Random(1), []
    wanted: list[tuple[Any, Any]] = []
    for run in islice(random_runs(tmp_path), 2, 14):
        columns = replay_columns(run.data)
        times = [rng.uniform(0, run.data.end) for _ in range(20)]
        waiting = queue(run.data)
        asked.append([columns, times])
        for at in times:
            begun = [each for each in run.attempts if each.start <= at]
            busy = [each.profile for each in begun if each.slot_end is None or each.slot_end > at]
            wanted.append(([busy.count(name) for name in run.data.profiles], value_at(waiting, at)))
        times.append(columns["end"] / columns["scale"])
        trails = [run.trail(scene.id) for scene in run.scenes]
        wanted.append((None, trails))
    replay = open_replay(demo(2))
    found = [each for answers in replay.page.evaluate(AT, asked) for each in answers]
    assert len(found) == len(wanted)
    for (running, waiting, trails), (busy, expected) in zip(found, wanted, strict=True):
        if busy is None:
            assert trails == expected
        else:
            assert (running, waiting) == (busy, expected)


def test_a_click_on_a_bar_follows_its_scene(open_replay: Opener) -> None:
    """Its path is told and lit; a click beside it, or on its name in the queue, changes that. Bars grow."""
    replay = open_replay(demo())
    replay.ask("player.seek(12 * recorded.scale)")
    x, y = replay.ask(SPOT, 2)
    lanes = replay.page.locator(".vgr-lanes-canvas")
    lanes.click(position={"x": x, "y": y})
    assert replay.page.locator(".vgr-path").inner_text() == "s003 “simulated”: chiara…"
    assert replay.page.get_by_label("Scene", exact=True).input_value() == "s003"
    lanes.hover(position={"x": x, "y": y})
    assert "s003 on chiara, try 1\nstarted at 0.0 s, running for 12.0 s" in replay.page.locator(".vgr-tip").inner_text()
    replay.click("Select s014")
    assert replay.ask("player.selected") == 13
    spot = (
        "[view.picture.x(recorded.place(20 * recorded.scale)), recorded.bars.y[recorded.barOf.get(0)]].map(Math.round)"
    )
    later = replay.ask(spot)
    replay.ask("player.select(-1)")
    before = replay.ask(INK, later)
    replay.ask("player.seek(22 * recorded.scale)")
    assert before not in RUNNING and replay.ask(INK, later) in RUNNING


def test_the_queue_and_the_lanes_are_told(open_replay: Opener) -> None:
    """The first scenes by name, and how many more; each lane's count, rest and gauge."""
    replay = open_replay(demo(60))
    replay.ask("player.seek(20 * recorded.scale)")
    page = replay.page
    assert page.locator(".vgr-queue li").count() == 12
    assert page.locator(".vgr-more").inner_text() == "+ 32 more"
    assert page.locator(".vgr-side-head").inner_text() == "Queue: 44 waiting"
    alice = page.locator(".vgr-lane", has_text="alice")
    assert alice.inner_text().split("\n") == ["alice", "1/3", "rests 10 s", "2, then 1 every 30 s"]
    assert alice.get_by_role("meter").get_attribute("aria-valuenow") == "0.7"


def test_less_time_is_shown_wider(open_replay: Opener) -> None:
    """Page by page: the page turns when the time leaves it, forward and back; − shows the whole again."""
    replay = open_replay(demo())
    replay.press("+", "+")
    span = 87.531 / 4
    seconds = "view.picture.view.map((place) => recorded.seconds(place))"
    assert replay.ask(seconds) == pytest.approx([0, span])
    replay.ask("player.seek(20 * recorded.scale)")
    assert replay.ask(seconds) == pytest.approx([0, span])
    replay.ask("player.seek(25 * recorded.scale)")
    assert replay.ask(seconds) == pytest.approx([25 - 0.1 * span, 25 + 0.9 * span])
    replay.ask("player.seek(22 * recorded.scale)")
    assert replay.ask(seconds) == pytest.approx([22 - 0.9 * span, 22 + 0.1 * span])
    replay.press("-", "-")
    assert replay.ask(seconds) == pytest.approx([0, 87.531])
    assert replay.page.get_by_role("button", name="Show more time", exact=True).is_disabled()


def test_a_rest_counts_down_to_what_was_decided(open_replay: Opener) -> None:
    """Also where a hand ends it earlier: then its probe got another 429."""
    released = [(5.0, ev.CooldownReleased("alice"))]
    replay = open_replay(demo(requests=released))
    replay.ask("player.seek(4 * recorded.scale)")
    note = replay.page.locator(".vgr-lane", has_text="alice").locator(".vgr-lane-note")
    assert note.inner_text() == "rests 26 s"
    replay.ask("player.seek(5 * recorded.scale)")
    assert note.inner_text() == "rests 30 s"
    assert "By hand: cooldown of alice released." in replay.ask("recorded.columns.texts")


def test_foreign_text_does_nothing(open_replay: Opener) -> None:
    """Ids, prompts, names and titles are shown as text, and end no script."""
    evil = "</script><img src=x onerror=alert(1)>\u2028<!--<script>"
    scenes = [vg.Scene(f"s1{evil}", evil), vg.Scene("s2", "$\\href{javascript:alert(1)}{x}$")]
    profiles = [vg.SimulatedProfile(f"p{evil}", vg.TokenBucket(1, per=30), capacity=3)]
    replay = open_replay(vg.simulate(scenes, profiles, mode="boost"), title=f"May {evil}")
    assert replay.page.title().startswith("May </script><img")
    replay.press("]", "]")
    assert "goes to p</script>" in replay.sentence
    replay.click("Next 429")
    replay.ask("player.select(0)")
    assert "“</script>" in replay.page.locator(".vgr-path").inner_text()
    assert replay.page.locator("img").count() == 0


@pytest.mark.long
def test_odd_runs_open(open_replay: Opener) -> None:
    """Nothing at all, nothing submitted, one that goes on, hours without a program."""
    empty = [ev.ProfileAdded("a", at=0.0), ev.SceneAdded(vg.Scene("s1", "x"), at=0.0), ev.RunStarted(at=0.0)]
    open_replay(Run({}, []))
    nothing = open_replay(Run({}, empty))
    assert nothing.page.locator(".vgr-waiting").inner_text() == "1 waiting"
    goes_on = open_replay(Run({}, [*empty, ev.AttemptStarted("s1", 1, "a", "next in turn", at=0.0), ev.Paused(at=5.0)]))
    goes_on.press("End")
    assert goes_on.page.locator(".vgr-lane").inner_text().startswith("a\n1")
    whole = demo()
    first = list(whole.events[:80])
    restored = ev.RunRestored(0.0, 1.0, 0, vg.RetryPolicy(), "hold", 3600.0, at=first[-1].at + 7200)
    off = open_replay(Run(whole.header, [*first, restored]))
    off.press("End", "ArrowLeft")
    assert off.ask("recorded.seconds(recorded.end)") > 7000 and off.ask("recorded.seconds(recorded.lastPlace)") < 60


@pytest.mark.long
def test_a_hundred_accounts_scroll(open_replay: Opener) -> None:
    """Their lanes keep a readable height, in a box that scrolls."""
    many = [vg.SimulatedProfile(f"p{k:03}", vg.TokenBucket(4, per=60), capacity=3) for k in range(100)]
    crowd = open_replay(vg.simulate(300, many, mode="boost"), width=800)
    assert crowd.page.locator(".vgr-lane").count() == 100
    scroller = crowd.page.locator(".vgr-scroller")
    assert scroller.evaluate("one => one.scrollHeight > 2000 && one.clientHeight < 500")
    scroller.evaluate("one => one.scrollTo(0, 1e6)")
    crowd.page.wait_for_function("() => vidgen_nb_replay.view.picture.layerKey.includes('19')")


@pytest.mark.parametrize(("width", "theme"), [pytest.param(1280, "light", marks=pytest.mark.long), (800, "dark")])
def test_looks_and_axe(open_replay: Opener, width: int, theme: str) -> None:
    """Nothing is wider than the page, the theme is the reader's and can be changed; axe finds nothing serious."""
    replay = open_replay(demo(), width=width, theme=theme, bypass_csp=True)  # for axe's own script
    replay.press("]")
    replay.click("Next move")
    page = replay.page
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("() => document.getElementById('vg-replay').dataset.theme") == theme
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run().then((found) => found.violations)")
    serious = [
        (each["id"], [node["html"][:100] for node in each["nodes"]]) for each in found if each["impact"] in GRAVE
    ]
    assert not serious
    replay.click("Dark" if theme == "light" else "Light")
    assert page.evaluate("() => document.documentElement.dataset.theme") != theme


def frames(replay: OpenReplay, seconds: float) -> float:
    """Return the frames a second while it plays."""
    return float(replay.page.evaluate(
        """async (seconds) => {
            const { player } = vidgen_nb_replay;
            player.setPlaying(true);
            const began = performance.now();
            let count = 0;
            while (performance.now() - began < 1000 * seconds) {
                await new Promise(requestAnimationFrame);
                count++;
            }
            player.setPlaying(false);
            return count / ((performance.now() - began) / 1000);
        }""",
        seconds,
    ))  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("scenes", "least"), [(700, 30.0), (6900, 12.0)])
def test_it_is_smooth(open_replay: Opener, scenes: int, least: float) -> None:
    """30 frames a second at 1,000 attempts, and usable at nearly 10,000; from the start and near the end."""
    run = demo(scenes)
    replay = open_replay(run)
    assert max(frames(replay, 2) for _ in range(2)) >= least
    replay.ask("player.seek(recorded.end * 0.8)")
    assert max(frames(replay, 2) for _ in range(2)) >= least
