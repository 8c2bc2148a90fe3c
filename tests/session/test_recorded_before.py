"""Runs that an earlier tree recorded: they load, measure and replay as they did then, are restored, and run to the end.

`tests/recording/data/before-house/README.md` says how they came about.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

import vidgen_nb as vg
from tests.audit import audit
from tests.fakes import FakeBackend
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import PollSchedule
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.recording.codec import read_as
from vidgen_nb.recording.policies import resolve_policy

FOLDER = Path(__file__).parent.parent / "recording" / "data" / "before-house"
THEN: dict[str, dict[str, Any]] = json.loads((FOLDER / "metrics.json").read_text())
"""What was measured then, by the file's name."""
FILES = sorted(THEN)
JOURNALS = sorted(THEN.keys() - {"finished"})
ACCEPTED = ("generating", "fetching")
BILLING_LIMIT = 9
"""That of `billing-limit-day-quota`."""


class AnyJob(FakeBackend):
    """Knows every job that it is asked about, also those of the emulator that has long ended."""

    name = "openai_videos"


def load(name: str) -> vg.Run:
    """Load a recorded run."""
    return vg.load_run(FOLDER / f"{name}.jsonl")


def plain(value: Any) -> Any:
    """Return metrics in JSON's types; pairs of profiles are joined by an arrow."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {" -> ".join(key) if isinstance(key, tuple) else key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


LEAVE_OUT_TIME_OFF = (
    "split", "utilisation", "stranded", "cooldown", "cooldown_duty", "flow", "wait", "queued", "queue_length",
    "arrival_rate", "goodput", "little_residual",
)  # fmt: skip
"""Numbers that contained the time in which no program ran; `test_off_time.py` has what they are now."""


def with_times_only(value: Any) -> Any:
    """Return metrics without those numbers."""
    if isinstance(value, dict):
        return {key: with_times_only(each) for key, each in value.items() if key not in LEAVE_OUT_TIME_OFF}
    return [with_times_only(each) for each in value] if isinstance(value, list) else value


def assert_same(now: Any, then: Any, where: str) -> None:
    """Compare value by value, numbers within rounding; what fails is named."""
    if isinstance(then, dict):
        assert now.keys() >= then.keys(), where  # what was measured then; later versions may measure more
        for key in then:
            assert_same(now[key], then[key], f"{where}.{key}")
    elif isinstance(then, list):
        assert len(now) == len(then), where
        for index, each in enumerate(then):
            assert_same(now[index], each, f"{where}[{index}]")
    else:
        assert now == (pytest.approx(then, rel=1e-9, abs=1e-12) if isinstance(then, float) else then), where


def statuses(run: vg.Run) -> dict[str, str]:
    """Return the status of each scene."""
    return {scene.id: scene.status for scene in run.scenes}


def copied(name: str, folder: Path) -> Path:
    """Return a copy of a journal that may be written."""
    return Path(shutil.copy(FOLDER / f"{name}.jsonl", folder))


def profiles_of(name: str) -> list[vg.Profile]:
    """Return the profiles of a run, with keys; a removed one, too, as a job may run on it."""
    added = {each.profile: each for each in load(name).events if isinstance(each, ev.ProfileAdded)}
    return [
        vg.Profile(each.profile, f"sk-planted-{each.profile}", capacity=each.capacity, quota_group=each.group or None)
        for each in added.values()
    ]


def finish(session: vg.Session) -> vg.Run:
    """Go on with a restored run, unpaused, and check what comes of it."""
    with session:
        session.unpause()
        run = session.run_blocking()
    policies = {
        run.header["policy"]["name"],
        *(type(each.policy).__name__ for each in run.events if isinstance(each, ev.PolicyChanged)),
    }
    audit(
        run.events,
        read_as(vg.Mode, run.header["mode"]),
        moves="GlobalPause" not in policies,
        turns=not policies & {"GlobalPause", "EarliestFinish", "Paced"},
        max_billed=run.header["max_billed"],
    )
    return run


def test_files() -> None:
    """Each file is compared, none is big, and none holds a key or a folder of the machine that wrote it."""
    assert sorted(path.stem for path in FOLDER.glob("*.jsonl")) == FILES
    for path in FOLDER.iterdir():
        text = path.read_text()
        assert len(text) < 60_000
        assert "sk-" not in text
        assert not any(f'"/{root}' in text for root in ("home", "root", "tmp", "Users", "work"))


@pytest.mark.parametrize("name", FILES)
def test_measured_as_then(name: str) -> None:
    """Every number of the metrics is what it was, and so are the statuses and the end.

    Except for slot time in a restored run: the time in which no program ran it is a part of its own. And for what tests
    Little's law: over the whole run it was 0 whatever happened, now it is taken by window.
    """
    run = load(name)
    assert (run.ended, len(run.events), statuses(run)) == tuple(
        THEN[name][key] for key in ("ended", "events", "statuses")
    )
    now, then = run.metrics(), {**THEN[name]["metrics"]}
    then["little_residual"] = now.little_residual
    if now.off:
        assert now.split is not None and 0 < now.split.off < 1
        assert now.flow is not None and now.flow.max < then["flow"]["max"]
        assert_same(with_times_only(plain(now)), with_times_only(then), "metrics")
    else:
        assert_same(plain(now), then, "metrics")


@pytest.mark.parametrize("name", FILES)
def test_saved_as_it_was(name: str, tmp_path: Path) -> None:
    """A run that is loaded and saved again is the same file, line by line and value by value."""
    path = load(name).save(tmp_path / "run.jsonl")
    before, after = ((FOLDER / f"{name}.jsonl").read_text().splitlines(), path.read_text().splitlines())
    assert [json.loads(line) for line in after] == [json.loads(line) for line in before]


@pytest.mark.parametrize("name", FILES)
def test_replayed(name: str) -> None:
    """The scheduler of today takes the same decisions from the same events."""
    run = load(name)
    kinds: dict[str, Any] = {"mode": vg.Mode, "policy": Any, "retry": vg.RetryPolicy, "max_wait": float}
    settings = {key: read_as(kind, run.header[key]) for key, kind in kinds.items()}
    settings |= {key: run.header[key] for key in ("on_ambiguous", "max_billed")}
    events = list(run.events)
    for event in events:
        if isinstance(event, ev.PolicyChanged):
            event.policy = resolve_policy(event.policy)  # type: ignore[misc]  # as a restore does
    settings["policy"] = resolve_policy(settings["policy"])
    rng = Random(run.header["seed"])
    scheduler = Scheduler.replay(events, poll=PollSchedule(), rng=rng, **settings)
    assert scheduler.events == events
    assert {name: state.status for name, state in scheduler.scenes.items()} == THEN[name]["statuses"]


@pytest.mark.parametrize("name", JOURNALS)
def test_restored_and_finished(name: str, tmp_path: Path) -> None:
    """Accepted jobs are asked about, a submit without an answer is held, what waits is run, what settled stays."""
    then, backend = THEN[name]["statuses"], AnyJob()
    options: dict[str, Any] = {} if load(name).header["max_billed"] is None else {"max_billed": None}
    path = copied(name, tmp_path)
    session = vg.restore(path, backend, profiles_of(name), output=tmp_path / "videos", speed=1000, **options)
    run = finish(session)
    expected = {"submitting": "held", **dict.fromkeys((*ACCEPTED, "queued"), "succeeded")}
    assert statuses(run) == {scene: expected.get(status, status) for scene, status in then.items()}
    assert {scene for scene, _ in backend.submits} == {scene for scene, status in then.items() if status == "queued"}
    assert run.ended == "settled"
    recorded = (FOLDER / f"{name}.jsonl").read_text()
    assert path.read_text().startswith(recorded), "the journal goes on where it was"
    assert vg.load_run(path).events == run.events


@pytest.mark.parametrize("name", JOURNALS)
def test_restored_where_the_jobs_are_gone(name: str, tmp_path: Path) -> None:
    """On another emulator, whose jobs are others, what had been accepted is held; the rest is run over HTTP."""
    then = THEN[name]["statuses"]
    options: dict[str, Any] = {} if load(name).header["max_billed"] is None else {"max_billed": None}
    names = [profile.name for profile in profiles_of(name)]
    with vg.Emulator([vg.SimulatedProfile(each, service=vg.Constant(1)) for each in names], speed=1000) as emulator:
        groups = {profile.name: profile.quota_group for profile in profiles_of(name)}
        for profile in (given := emulator.profiles):
            profile.quota_group = groups[profile.name]
        backend = vg.OpenAIVideos(emulator.base_url)
        session = vg.restore(
            copied(name, tmp_path), backend, given, output=tmp_path / "videos", speed=1000, moved=True, **options
        )
        run = finish(session)
    expected = {"queued": "succeeded", **dict.fromkeys(("submitting", *ACCEPTED), "held")}
    assert statuses(run) == {scene: expected.get(status, status) for scene, status in then.items()}
    assert run.ended == "settled"


def test_a_billing_limit_holds_after_a_restore(tmp_path: Path) -> None:
    """A run that its limit ended, restored with the limit that is on record, submits nothing."""
    name, backend = "billing-limit-day-quota", AnyJob()
    with vg.restore(copied(name, tmp_path), backend, profiles_of(name), output=tmp_path / "videos") as session:
        run = session.run_blocking()
    assert run.header["max_billed"] == BILLING_LIMIT
    assert (backend.submits, statuses(run)) == ([], THEN[name]["statuses"])
