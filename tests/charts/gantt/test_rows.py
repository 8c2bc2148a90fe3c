"""Lanes, bars, moves and the queue, as data."""

from __future__ import annotations

import math
import re
import time
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import pytest

from vidgen_nb.analysis.records.builder import AttemptRecord, CooldownRecord, MoveRecord, RunData, SceneRecord
from vidgen_nb.analysis.records.model import HandMark
from vidgen_nb.charts.drawing.fold import MAX_BARS
from vidgen_nb.charts.gantt.rows import MAX_SLOT_ROWS, build_rows
from vidgen_nb.errors import InputError


def attempt(start: float, end: float | None, profile: str = "a", scene: str = "s", number: int = 1) -> AttemptRecord:
    """Make an attempt that matters by its place alone."""
    outcome = None if end is None else "succeeded"
    return AttemptRecord(scene, number, profile, 0.0, start, end, outcome, None, None)


def nothing() -> RunData:
    """Make a run in which nothing happened."""
    return RunData({}, [], ["a"], [], [], [], [], 0.0)


def test_lanes_keep_the_order_of_profiles_and_count(run: RunData) -> None:
    """There is one lane per profile, in the order in which they were added, labelled with ok, 429 and held."""
    rows = build_rows(run)
    assert [lane.profile for lane in rows.lanes] == run.profiles
    assert [lane.label for lane in rows.lanes] == [
        f"{name} · "
        + "/".join(
            str(sum(a.profile == name and a.outcome == kind for a in run.attempts))
            for kind in ("succeeded", "rate_limited", "ambiguous")
        )
        for name in run.profiles
    ]


def test_every_attempt_and_window_is_drawn(run: RunData) -> None:
    """Each attempt is one bar of its state, each cooldown one bar, none outside its lane or the axis."""
    rows = build_rows(run)
    assert sum(bar.scene is not None for bar in rows.bars) == len(run.attempts)
    assert len(rows.of("cooldown")) == len(run.cooldowns)
    for state, count in {"failed": 1, "held": 1, "cancelled": 1, "running": 2, "limited": 6, "idle": 1}.items():
        assert len(rows.of(state)) == count, state  # type: ignore[arg-type]
    for bar in rows.bars:
        assert 0 <= bar.start <= bar.end <= rows.end
        assert any(lane.top <= bar.y - bar.height / 2 and bar.y + bar.height / 2 <= lane.bottom for lane in rows.lanes)


def test_bars_of_a_row_do_not_overlap(run: RunData) -> None:
    """Attempts that run at the same time on one profile lie in different rows."""
    by_row = defaultdict(list)
    for bar in build_rows(run).bars:
        by_row[bar.y].append((bar.start, bar.end))
    for spans in by_row.values():
        spans.sort()
        assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_what_is_open_is_drawn_to_the_end(run: RunData) -> None:
    """A running attempt and a window without a known end reach the end of the run, and the lane says so."""
    rows = build_rows(run)
    assert all(bar.end == run.end for bar in rows.of("running"))
    [window] = [bar for bar in rows.of("cooldown") if "no end is known" in bar.lines[1]]
    assert window.end == run.end
    assert [lane.remark for lane in rows.lanes] == ["", "", "", "out, no end known"]


def test_a_download_is_a_thin_tail_and_takes_no_slot() -> None:
    """The next attempt lies in the row that it left; a download shorter than a pixel is not drawn."""
    fetched = replace(attempt(0.0, 10.0), accepted=1.0, began=1.0, generated=8.0)
    rows = build_rows(replace(nothing(), attempts=[fetched, attempt(8.0, 20.0, scene="t")], end=20.0))
    [tail] = rows.of("download")
    first, second = rows.of("succeeded")
    assert (first.end, tail.start, tail.end) == (8.0, 8.0, 10.0) and first.y == second.y
    assert tail.height < first.height / 4 and tail.lines == first.lines and "download: 2.0 s" in tail.lines
    assert rows.lanes[0].slots == 1
    quick = replace(fetched, generated=9.999)
    assert build_rows(replace(nothing(), attempts=[quick], end=10.0)).of("download") == []


def test_what_is_out_of_the_rotation_is_no_cooldown() -> None:
    """A refused key and a used quota have a look of their own."""
    rows = build_rows(replace(nothing(), cooldowns=[CooldownRecord("a", "a", 5.0, math.inf, "401", True)], end=9.0))
    [bar] = rows.of("out")
    assert rows.of("cooldown") == [] and bar.lines[0] == "a is out of the rotation"


def test_what_a_hand_did_is_on_the_axis() -> None:
    """Each as a mark with its words; those that would lie on each other share one."""
    marks = [
        HandMark(1.0, "paused: nothing new is submitted"),
        HandMark(50.0, "mode: boost"),
        HandMark(50.1, "resumed"),
    ]
    rows = build_rows(replace(nothing(), marks=marks, end=100.0))
    assert [(hand.at, hand.lines) for hand in rows.hands] == [
        (1.0, ("1.0 s: paused: nothing new is submitted",)), (50.0, ("50.0 s: mode: boost", "50.1 s: resumed")),
    ]  # fmt: skip


def test_windows_are_cut_at_the_end_of_the_run() -> None:
    """A cooldown that goes on after the run does not lengthen the axis; its hover has the real end."""
    windows = [CooldownRecord("a", "g", 5.0, 300.0, "429"), CooldownRecord("a", "g", 20.0, 50.0, "429")]
    rows = build_rows(replace(nothing(), cooldowns=windows, end=10.0))
    [bar] = rows.of("cooldown")
    assert (bar.start, bar.end, rows.end) == (5.0, 10.0, 10.0)
    assert bar.lines[0] == "a rests, with its quota group g"
    assert bar.lines[1] == "from 5.0 s: 4 min 55 s, until 300.0 s (after the end of the run)"


def test_now_extends_the_axis(run: RunData) -> None:
    """With `now` after the last event, open bars reach it."""
    rows = build_rows(run, now=run.end + 7)
    assert rows.now == rows.end == run.end + 7
    assert all(bar.end == rows.end for bar in rows.of("running"))


def test_a_run_without_events_is_an_empty_chart() -> None:
    """Nothing to draw is no error: lanes and an axis are there."""
    rows = build_rows(nothing())
    assert (len(rows.lanes), rows.bars, rows.end) == (1, [], 1.0)
    assert build_rows(replace(nothing(), profiles=[])).height > 0


def test_hover_tells_the_whole_story(run: RunData) -> None:
    """A rate-limited attempt says which, where, when, the Retry-After given and used, and what came next."""
    move = run.moves[0]
    rows = build_rows(run)
    [bar] = [bar for bar in rows.of("limited") if bar.scene == move.scene]
    assert bar.lines[0] == f"{move.scene} on {move.from_profile}, try 1 of 2"
    assert bar.lines[1].startswith("“")
    assert re.fullmatch(r"waited [\d.]+ s, started at [\d.]+ s, took 0.4 s", bar.lines[2])
    assert bar.lines[3] == "rate-limit refusal (429): 429 rate_limit_exceeded"
    assert bar.lines[4] == "the server asked for 12.0 s; it rested 30.0 s"
    assert bar.lines[5] == f"next: {move.to_profile} at {move.at:.1f} s"


def test_moves_join_the_two_attempts(run: RunData) -> None:
    """A move goes from the abandoned attempt's end and row to the next one's start and row."""
    rows = build_rows(run)
    assert len(rows.links) == len(run.moves)
    assert rows.notes == ()
    bars = {(bar.scene, bar.start): bar for bar in rows.bars}
    for move, link in zip(run.moves, rows.links, strict=True):
        before = next(a for a in run.attempts if a.scene == move.scene and a.profile == move.from_profile)
        assert (link.start, link.end) == (before.end, move.at)
        assert link.y_start == bars[move.scene, before.start].y
        assert link.y_end == bars[move.scene, move.at].y


def test_moves_at_one_instant_keep_their_attempts() -> None:
    """Attempts of no duration at the same time are distinguished by their number."""
    limited = replace(attempt(5.0, 5.0), outcome="rate_limited")
    again = replace(attempt(5.0, 5.0, "b", number=2), outcome="rate_limited")
    scenes = [SceneRecord("s", "p", "succeeded", 3, "a", 0.0, 5.0, 9.0, None, None)]
    attempts = [limited, again, attempt(5.0, 9.0, "c", number=3)]
    moves = [MoveRecord("s", "a", "b", 5.0), MoveRecord("s", "b", "c", 5.0)]
    rows = build_rows(RunData({}, [], ["a", "b", "c"], scenes, attempts, [], moves, 9.0))
    assert [(link.y_start, link.y_end) for link in rows.links] == [
        (rows.bars[-3].y, rows.bars[-2].y), (rows.bars[-2].y, rows.bars[-1].y),
    ]  # fmt: skip


def test_moves_are_capped_and_say_so(run: RunData) -> None:
    """Only the last moves are drawn, or none, or those of a scene; the chart says which."""
    last = build_rows(run, moves="last 2")
    assert len(last.links) == 2
    assert last.notes == (f"Moves shown: the last 2, of {len(run.moves)}.",)
    assert build_rows(run, moves="none").notes == (f"Moves shown: none, of {len(run.moves)}.",)
    one = build_rows(run, moves=run.moves[0].scene)
    assert one.links
    assert all(link.chosen for link in one.links)


def test_a_selected_scene_dims_the_others(run: RunData) -> None:
    """The bars of the selected scene stay, and its whole path is drawn though moves are capped."""
    scene = run.moves[0].scene
    rows = build_rows(run, scene=scene, moves="last 1")
    assert all(bar.dim == (bar.scene != scene) for bar in rows.bars)
    assert [link.chosen for link in rows.links] == [True, False]


@pytest.mark.parametrize(
    "wrong", [{"scene": "nobody"}, {"moves": "all of them"}, {"now": math.nan}, {"now": -1.0}, {"now": math.inf}]
)
def test_wrong_arguments_are_refused(run: RunData, wrong: dict[str, str]) -> None:
    """An unknown scene, or an invalid time, is an error before anything is drawn."""
    with pytest.raises(InputError):
        build_rows(run, **wrong)  # type: ignore[arg-type]


def test_many_slots_share_the_height() -> None:
    """A profile without a bound does not make a page of any length: its rows get thinner."""
    attempts = [attempt(0.0, 9.0, scene=f"s{number}") for number in range(200)]
    rows = build_rows(replace(nothing(), attempts=attempts, end=9.0))
    assert rows.lanes[0].slots == 200
    assert rows.height < 1300
    assert {bar.height for bar in rows.bars} == {1080 / 200 * 0.75}


def test_ten_thousand_attempts_are_quick_and_folded(big_run: RunData) -> None:
    """Above 10,000 attempts neighbours are merged, nothing is dropped, and the chart says so; it takes no long time."""
    before = time.process_time()
    rows = build_rows(big_run)
    assert time.process_time() - before < 4  # 0.4 s on an idle machine
    assert len(rows.bars) <= MAX_BARS < len(big_run.attempts)
    drawn = sum(bar.count for bar in rows.bars if bar.state not in ("idle", "cooldown"))
    assert drawn == len(big_run.attempts)
    assert rows.notes[-1].startswith("Folded: ")
    assert any("drawn as one" in bar.lines[0] for bar in rows.bars)
    assert rows.queue is not None
    assert len(rows.queue.steps) <= 2002


@pytest.mark.long
def test_slots_beyond_a_thousand_share_rows_aloud() -> None:
    """A page has at most about 1,000 rows: 5 slots share one where a profile has 4,500; no attempt is dropped."""
    attempts = [attempt(0.0, 9.0, scene=f"s{number}") for number in range(4500)]
    rows = build_rows(replace(nothing(), attempts=attempts, end=9.0))
    assert rows.lanes[0].slots == 900
    assert rows.height < 4 * MAX_SLOT_ROWS + 200
    assert len(rows.bars) == 4500
    assert rows.notes == ("Slots folded: up to 5 slots of a profile share a row, and their bars overlap.",)


def test_lanes_beyond_three_hundred_are_capped_aloud() -> None:
    """Of 400 profiles, the 300 with the most attempts have a lane; the chart says how much is not drawn."""
    names = [f"p{number:03}" for number in range(400)]
    attempts = [attempt(0.0, 9.0, profile=name) for name in names]
    attempts += [attempt(9.0, 18.0, profile=name) for name in names[50:]]
    rows = build_rows(replace(nothing(), profiles=names, attempts=attempts, end=18.0))
    assert [lane.profile for lane in rows.lanes] == names[50:350]
    said = (
        "Lanes shown: the 300 profiles with the most attempts, of 400; 150 attempts on the others, and their moves, are"
    )
    assert rows.notes == (f"{said} not drawn.",)


def test_a_big_run_without_its_queue(big_run: RunData) -> None:
    """A folded chart without the queue's lane is drawn, too."""
    rows = build_rows(big_run, queue=False)
    assert rows.queue is None
    assert not any("queue" in note for note in rows.notes)


def test_what_needs_no_folding_is_not_folded(big_run: RunData) -> None:
    """If the lanes of a big run hold few bars, these are not changed, and no note mentions merging."""
    one = [replace(each, profile="p00" if n < 40 else f"q{n}") for n, each in enumerate(big_run.attempts)]
    rows = build_rows(replace(big_run, profiles=[], attempts=one, moves=[], cooldowns=[]))
    assert all(bar.count == 1 for bar in rows.bars)
    assert not any("drawn as" in note for note in rows.notes)
    assert any("Of the queue the highest and the last value" in note for note in rows.notes)


def test_the_selected_scene_is_never_merged(big_run: RunData) -> None:
    """In a folded chart, the attempts of the selected scene are bars of their own."""
    scene = big_run.moves[-1].scene
    bars = [bar for bar in build_rows(big_run, scene=scene).bars if bar.scene == scene]
    assert len(bars) == sum(a.scene == scene for a in big_run.attempts)
    assert all(bar.count == 1 for bar in bars)


def test_the_summary_says_what_happened(run: RunData) -> None:
    """Two sentences hold scenes, profiles, time, states, 429s, moves and cooldown."""
    first, second = build_rows(run).summary
    assert (
        first == "24 scenes on 4 profiles in 1 min 47 s so far: 19 succeeded, 1 failed, 1 held, 1 cancelled, 2 running."
    )
    assert second.startswith("30 attempts, 6 of them rate limited (429); 6 moves; ")
