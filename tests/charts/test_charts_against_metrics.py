"""Each number that a chart, the panel or the live window shows is that of `run.metrics()`, on many random runs.

A chart that counts for itself sooner or later counts something else.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import pytest

from tests.charts.random_runs import RUNS, random_runs
from tests.core.harness import BOOST, World
from vidgen_nb.analysis.metrics.model import MetricsData
from vidgen_nb.analysis.metrics.quantiles import Spread
from vidgen_nb.analysis.records.live_window import Recent
from vidgen_nb.analysis.records.run_state import is_open
from vidgen_nb.analysis.records.timeline import integral, queue, seconds_of, subtract, value_at
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import RetryPolicy
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.run import Run
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import a_minute


def parts(run: Run, end: float) -> list[tuple[float, float]]:
    """Return when a program ran the run."""
    return subtract([(0.0, end)], run.data.off)


SETTLED = ("succeeded", "failed", "held", "cancelled")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Run, MetricsData]]:
    """Give the runs with their metrics; among them some of each kind that was once counted wrongly."""
    found: list[tuple[Run, MetricsData]] = [
        (run, run.metrics()) for run in random_runs(tmp_path_factory.mktemp("runs"))
    ]
    assert len(found) == RUNS
    assert sum(bool(run.data.readded_at) for run, _ in found) > 20
    assert sum(run.ended is None for run, _ in found) > 2
    assert sum(numbers.off > 0 for _, numbers in found) > 2
    assert sum(numbers.queued_at_provider is not None for _, numbers in found) > 5
    failed_again = [run for run, _ in found if _successes(run) - {s.id for s in run.scenes if s.status == "succeeded"}]
    assert len(failed_again) > 5, "too few runs in which a scene succeeded and then failed when it was run again"
    return found


def _successes(run: Run) -> set[str]:
    """Return the scenes that succeeded at some time."""
    return {attempt.scene for attempt in run.attempts if attempt.outcome == "succeeded"}


def words(figure: Any) -> str:
    """Return a chart's title as plain text."""
    return " ".join(re.sub("<[^>]+>", " ", figure.layout.title.text or "").split())


def shown(pattern: str, text: str) -> list[float] | None:
    """Return the numbers that a pattern finds in a text, each `#` being one; None: it isn't there."""
    found = re.search(pattern.replace("#", r"([\d,.]*\d)"), text)
    return None if found is None else [float(each.replace(",", "")) for each in found.groups()]


def near(value: float, places: int = 1) -> Any:
    """Return a number as it is shown, rounded to decimal places or, below 1, to three digits."""
    return pytest.approx(value, abs=0.501 * 10**-places, rel=0)


def test_the_title_of_the_gantt(runs: list[tuple[Run, MetricsData]]) -> None:
    """Scenes by status, attempts, 429s, moves, seconds of cooldown, and the makespan; in SVG and beside others too."""
    for run, numbers in runs:
        title = words(run.gantt())
        statuses = Counter(numbers.scenes)
        running = sum(statuses.pop(name, 0) for name in ("submitting", "generating", "fetching"))
        assert shown("^# scenes? on # profiles?", title) == [len(run.scenes), len(numbers.profiles)]
        for name, count in statuses.items():
            assert shown(f"# {'waiting' if name == 'queued' else name}", title) == [count], name
        assert shown("# running", title) == ([running] if running else None)
        if is_open(run.data):
            assert f" in {duration(numbers.length)} so far:" in title
        else:
            assert "so far" not in title
            took = numbers.length if numbers.makespan is None else numbers.makespan
            assert f" in {duration(took)}:" in title
        assert shown("# attempts?, # of them rate limited", title) == [numbers.attempts, numbers.rate_limited]
        assert shown("# moves?;", title) == [numbers.moves]
        assert f"; {sum(row.cooldown for row in numbers.profiles):,.0f} s of cooldown" in title
        svg = run.svg()
        for sentence in build_rows(run.data).summary:
            assert sentence in svg and sentence in title


def test_lanes_and_queue_of_the_gantt(runs: list[tuple[Run, MetricsData]]) -> None:
    """What succeeded and got a 429 on each profile, and the number of scenes that waited, at all times."""
    for run, numbers in runs:
        rows = build_rows(run.data)
        assert rows.queue is not None
        assert [lane.profile for lane in rows.lanes] == [row.profile for row in numbers.profiles]
        for lane, row in zip(rows.lanes, numbers.profiles, strict=True):
            held = sum(a.outcome == "ambiguous" and a.profile == row.profile for a in run.attempts)
            assert lane.label.endswith(f" · {row.scenes}/{row.rate_limited}/{held}")
        steps = [(at, float(length)) for at, length in rows.queue.steps]
        on = sum(integral(steps, end) - integral(steps, start) for start, end in parts(run, numbers.length))
        assert on / (numbers.length - numbers.off or 1.0) == pytest.approx(numbers.queue_length or 0.0)
        bands = [(bar.start, bar.end) for bar in rows.of("off")]
        assert bands == run.data.off and seconds_of(bands) == pytest.approx(numbers.off)
        assert f"waiting (peak {rows.queue.longest:,})" in run.svg()
        assert rows.queue.longest == max(length for _at, length in queue(run.data))


def test_the_bars_of_the_gantt(runs: list[tuple[Run, MetricsData]]) -> None:
    """All the time of each attempt, once; pale where it was queued at its provider, as long as the metrics say.

    A download that would take less than 3 px is not drawn.
    """
    for run, numbers in runs:
        rows, end = build_rows(run.data), numbers.length
        drawn: dict[int, float] = defaultdict(float)
        for bar in rows.bars:
            if bar.scene is not None:
                drawn[bar.place] += bar.end - bar.start
        took = {place: (end if a.end is None else a.end) - a.start for place, a in enumerate(run.attempts)}
        short = rows.end * 3 / 900
        assert drawn == pytest.approx(took, abs=short)
        for place, attempt in enumerate(run.attempts):
            if attempt.end is None or attempt.generated is None or attempt.end - attempt.generated >= short:
                assert drawn[place] == pytest.approx(took[place])
        pale: dict[str, float] = defaultdict(float)
        for bar in rows.of("queued"):
            pale[str(bar.scene)] += bar.end - bar.start
            assert any(line.startswith("queued at the provider for") for line in bar.lines)
        there = numbers.queued_at_provider
        if there is None or run.data.off:
            assert not sum(pale.values()) or run.data.off
        else:
            assert {name: pale.get(name, 0.0) for name in there.values} == pytest.approx(there.values)
        glyphs = Counter(bar.place for bar in rows.bars if bar.scene and bar.glyph and bar.state != "queued")
        assert set(glyphs.values()) <= {1}  # one mark for each attempt, however many parts it has


def test_the_chart_of_queue_and_goodput(runs: list[tuple[Run, MetricsData]]) -> None:
    """How many succeeded by when, the goodput, and how much of the time profiles cooled."""
    for run, numbers in runs:
        figure = run.queue_chart()
        if numbers.makespan is None or numbers.goodput is None:
            assert " succeeded in " not in words(figure)
            continue
        said = f"{numbers.scenes.get('succeeded', 0)} succeeded in {duration(numbers.makespan)}, "
        assert f"; {said}{a_minute(numbers.goodput)}." in words(figure)
        successes = sum(row.scenes for row in numbers.profiles)
        again = shown("# attempts succeeded", words(figure))
        assert again == ([successes] if successes != numbers.scenes.get("succeeded", 0) else None)
        marked = [(shape.x0, shape.x1) for shape in figure.layout.shapes if shape.label.text == "no program ran"]
        assert marked == run.data.off
        if run.ended is not None and numbers.length == numbers.makespan:
            ground = next(figure.select_traces({"meta": "cooling"}))
            spans = zip(ground.x, ground.x[1:], ground.z[0], strict=False)
            cooled = sum((after - at) * number for at, after, number in spans)
            assert cooled == pytest.approx(sum(row.cooldown for row in numbers.profiles))


def test_the_chart_of_waits(runs: list[tuple[Run, MetricsData]]) -> None:
    """Median, 95 % and longest are those of the metrics, and so is each point of the curve."""
    for run, numbers in runs:
        figure, wait = run.wait_chart(), numbers.wait
        if wait is None:
            assert "Median wait" not in words(figure) and "No scene succeeded" in words(figure)
            continue
        half, most, longest = map(duration, (wait.p50, wait.p95, wait.max))
        assert f"Median wait {half}, 95 % of the scenes at most {most}, the longest {longest}." in words(figure)
        assert ("in which no program ran" in words(figure)) == (numbers.off > 0)
        curve = next(figure.select_traces({"meta": "wait"}))
        assert set(curve.x[1:-1]) <= {0.0, *wait.values.values()}
        dots, bars = (next(figure.select_traces({"meta": each})) for each in ("place", "longest"))
        order = [scene.id for scene in run.scenes if scene.id in wait.values]
        assert list(dots.y) == [wait.values[scene] for scene in order]
        assert list(bars.x) == sorted(wait.values.values(), reverse=True)[:10]
        assert [dict(zip(order, dots.y, strict=True))[who] for who in figure.layout.yaxis3.ticktext] == list(bars.x)
        without = shown("Not in it: # scenes", words(figure))
        assert (without or [0])[0] == len(run.scenes) - len(wait.values)


def test_the_chart_of_slot_time(runs: list[tuple[Run, MetricsData]]) -> None:
    """Every bar is a share of the split, of all profiles and of each."""
    for run, numbers in runs:
        figure = run.slot_time_chart()
        found = shown("# % of all slot time", words(figure))
        if numbers.split is None:
            assert found is None
            continue
        if numbers.split.ok >= 0.005:
            assert found == [near(100 * numbers.split.ok, 0)]
        splits = [numbers.split, *(row.split for row in numbers.profiles)]
        for trace in figure.data:
            shares = [0.0 if split is None else 100 * getattr(split, trace.meta) for split in splits]
            assert list(trace.x) == pytest.approx(shares)


def test_the_chart_of_moves(runs: list[tuple[Run, MetricsData]]) -> None:
    """All moves, and each cell of the matrix."""
    for run, numbers in runs:
        figure = run.move_chart()
        assert shown("# moves? of", words(figure)) == ([numbers.moves] if numbers.moves else None)
        names = [row.profile for row in numbers.profiles]
        cells = figure.data[0].z
        for row, left in enumerate(names):
            for column, reached in enumerate(names):
                if row != column:
                    assert cells[row][column] == numbers.move_matrix.get((left, reached), 0)


def test_the_chart_of_admissions(runs: list[tuple[Run, MetricsData]]) -> None:
    """Submits that were accepted and refused, of a profile and those that share its limit."""
    for run, numbers in runs:
        groups = {event.profile: event.group for event in run.events if isinstance(event, ev.ProfileAdded)}
        for row in numbers.profiles:
            title = words(run.admission_chart(row.profile))
            group = groups[row.profile]
            members = [name for name in groups if name == row.profile or (group and groups[name] == group)]
            refused = sum(each.rate_limited for each in numbers.profiles if each.profile in members)
            tried = {(a.scene, a.number) for a in run.attempts if a.profile in members}
            accepted = sum(isinstance(e, ev.Accepted) and (e.scene, e.number) in tried for e in run.events)
            assert shown("# submits accepted, # refused", title) == [accepted, refused]


def test_two_runs_beside_each_other(runs: list[tuple[Run, MetricsData]]) -> None:
    """Their makespans, and the sums above each."""
    for (one, first), (other, second) in pairwise(runs):
        figure = one.aligned_chart(other)
        both = first.makespan, second.makespan
        if None in both or both[0] == both[1]:
            assert " less than " not in words(figure)
        else:
            low, high = sorted(each for each in both if each is not None)
            assert f" took {duration(low)} to the last success, {duration(high - low)} (" in words(figure)
            assert words(figure).split(".  ")[0].count(f" with {duration(high)}.") == 1
        for heading, numbers in zip(figure.layout.annotations, (first, second), strict=True):
            assert shown("# attempts?, # of them", heading.text) == [numbers.attempts, numbers.rate_limited]


def test_the_page_of_a_run(runs: list[tuple[Run, MetricsData]]) -> None:
    """The table that a notebook shows of a run, and its metrics as text."""
    for run, numbers in runs:
        page = run._repr_html_()
        cells = dict(zip(re.findall("<th>([^<]*)", page), re.findall("<td>([^<]*)", page), strict=True))
        assert cells["429s"] == f"{numbers.rate_limited:,}" and cells["moves"] == f"{numbers.moves:,}"
        assert cells["makespan"] == ("–" if numbers.makespan is None else duration(numbers.makespan))


@pytest.mark.parametrize("limit", [10_000, 25])
def test_the_live_window(runs: list[tuple[Run, MetricsData]], limit: int) -> None:
    """At the end of a run its counts are those of the whole run, however few of its attempts are left."""
    for run, numbers in runs:
        recent = Recent(limit)
        recent(run.events)
        data = recent.data()
        assert data.statuses == numbers.scenes
        assert (data.started, data.moved) == (numbers.attempts, numbers.moves)
        assert data.off == run.data.off
        for row in numbers.profiles:
            found = [data.tallies.get((row.profile, kind), 0) for kind in ("succeeded", "rate_limited")]
            assert found == [row.scenes, row.rate_limited]
        whole = queue(run.data)
        for at, length in data.waiting[1:]:
            assert length == value_at(whole, at)
        assert data.waiting[-1][1] == whole[-1][1] if run.ended else True


def test_the_strip_of_waiting_scenes_of_a_live_chart(runs: list[tuple[Run, MetricsData]]) -> None:
    """Thinned to few steps, it ends with how many wait now, and is never off for longer than a column is wide."""
    for run, _numbers in runs:
        recent = Recent(60)
        recent(run.events)
        rows = build_rows(recent.data())
        if rows.queue is None:
            continue
        whole = queue(run.data)
        assert rows.queue.steps[-1][1] == value_at(whole, rows.end)
        waiting = sum(scene.status == "queued" for scene in run.scenes)
        waiting += sum(attempt.waits_at_provider for attempt in run.attempts)
        assert run.ended is None or rows.queue.steps[-1][1] == waiting


def test_the_panel(runs: list[tuple[Run, MetricsData]]) -> None:
    """What it counts from the events as they come is what the metrics find when the run is over."""
    for run, numbers in runs:
        feed = RunFeed()
        feed.pull(run)
        statuses = Counter(numbers.scenes)
        running = sum(statuses.pop(name, 0) for name in ("submitting", "generating", "fetching"))
        statuses["waiting"] = statuses.pop("queued", 0)
        scenes = feed.counts.scenes
        assert {name: scenes[name] for name in statuses} == statuses
        assert scenes["running"] == running and scenes.total() == len(run.scenes)
        counts = feed.counts
        found = counts.attempts, counts.rate_limited, counts.moves
        assert found == (numbers.attempts, numbers.rate_limited, numbers.moves)
        assert feed.ended == run.ended
        for row in numbers.profiles:
            profile = counts.profiles[row.profile]
            found = profile.attempts, profile.succeeded, profile.rate_limited
            assert found == (row.attempts, row.scenes, row.rate_limited)
            assert profile.running == sum(a.end is None and a.profile == row.profile for a in run.attempts)
            if run.ended is not None and numbers.length == numbers.makespan:
                assert feed.cooling.seconds(row.profile, numbers.length) == pytest.approx(row.cooldown), row.profile


def test_the_panel_counts_429s_of_scenes_that_are_not_sent_again() -> None:
    """One cancelled before its submit was answered, and one that was over its deadline, got a 429 too."""
    world = World(profiles=2, scenes=2, mode=BOOST, retry=RetryPolicy(deadline=20))
    world.feed(ev.CancelRequested("s1"))
    world.limit("s1", retry_after=3.0)
    world.sleep_until(21)
    world.limit("s2")
    run, feed = Run({}, list(world.scheduler.events)), RunFeed()
    feed.pull(run)
    each = [profile.rate_limited for profile in feed.counts.profiles.values()]
    assert feed.counts.rate_limited == sum(each) == run.metrics().rate_limited == 2


def test_quantiles_are_those_of_one_definition() -> None:
    """Between neighbours in proportion, as in NumPy: of 1 to 4 the median is 2.5, 95 % is 3.85."""
    spread = Spread.of(dict(enumerate([4.0, 1.0, 3.0, 2.0])))
    assert spread is not None
    assert [spread.p50, spread.p95, spread.max] == pytest.approx([2.5, 3.85, 4])
