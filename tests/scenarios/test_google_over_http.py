"""Whole runs on Google's dialect: waits in the body alone, daily quotas, and quotas shared by keys."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.audit import audit
from vidgen_nb.backends.google.interactions import GoogleInteractions
from vidgen_nb.core.model import NORMAL, Scene
from vidgen_nb.emulator import Emulator, RequestRecord
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.ports import Profile
from vidgen_nb.provider import Constant, DailyQuota, Fault, FixedWindow, SimulatedProfile
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session


def play(
    folder: Path,
    profiles: Iterable[SimulatedProfile],
    count: int,
    *,
    faults: Iterable[Fault] = (),
    inline: bool = False,
    speed: float = 60.0,
) -> tuple[Run, list[RequestRecord]]:
    """Run this many scenes in normal mode, and check what must be true of every run."""
    with (
        Emulator(profiles, dialect="google_interactions", speed=speed, faults=faults) as emulator,
        Session(
            GoogleInteractions(emulator.base_url, delivery="inline" if inline else "uri"),
            emulator.profiles,
            policy=PerProfileCooldown(honour_retry_after=True),
            speed=speed,
            output=folder,
        ) as session,
    ):
        run = session.run_blocking([Scene(f"s{k}", f"prompt {k}", seconds=8) for k in range(1, count + 1)])
        requests = emulator.requests
    audit(run.events, NORMAL, moves=True)
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    assert all(Path(scene.path or "").stat().st_size > 0 for scene in run.scenes)
    accepted = [
        request.scene for request in requests if request.path.endswith("/interactions") and request.status == 200
    ]
    assert sorted(map(str, accepted)) == sorted(scene.id for scene in run.scenes), "a scene was billed twice"
    return run, requests


@pytest.mark.parametrize("inline", [False, True])
def test_the_bodys_wait_cools_its_profile_alone_and_the_scene_moves(tmp_path: Path, inline: bool) -> None:
    """A 429 without any header cools its profile for the fractional RetryInfo; its scene moves on at once."""
    profiles = [SimulatedProfile(f"p{k}", service=Constant(4)) for k in (1, 2, 3)]
    fault = Fault("rate", scene="s2", nth=1, retry_after=34.4)
    run, _ = play(tmp_path, profiles, 12, faults=[fault], inline=inline)
    (window,) = run.cooldowns
    assert window.end - window.start == pytest.approx(34.4, abs=0.002)
    first, second = [attempt for attempt in run.attempts if attempt.scene == "s2"]
    assert (first.profile, first.outcome, first.retry_after) == (window.profile, "rate_limited", 34.4)
    assert (second.outcome, second.profile != first.profile) == ("succeeded", True)
    assert [(move.scene, move.from_profile) for move in run.moves] == [("s2", window.profile)]
    during = {attempt.profile for attempt in run.attempts if window.start < attempt.start < window.end}
    assert window.profile not in during


def test_a_daily_quota_takes_its_profile_out(tmp_path: Path) -> None:
    """A profile whose daily quota is used up gets no more scenes, and its scene moves on at no cost."""
    profiles = [SimulatedProfile("p1", DailyQuota(2), Constant(4)), SimulatedProfile("p2", service=Constant(4))]
    run, _ = play(tmp_path, profiles, 8)
    on_first = [attempt.outcome for attempt in run.attempts if attempt.profile == "p1"]
    assert on_first == ["succeeded", "succeeded", "unusable"]
    (out,) = [attempt for attempt in run.attempts if attempt.outcome == "unusable"]
    assert "GenerateRequestsPerDayPerProjectPerModel" in (out.reason or "")
    (window,) = run.cooldowns
    assert (window.profile, window.start) == ("p1", out.end)
    assert window.end == pytest.approx(86400, abs=30), "until the emulator's day is over"


def test_keys_of_one_project_cool_together(tmp_path: Path) -> None:
    """Two keys of a project use up one quota: after a 429 on one nobody asks with the other until it is over."""
    limit = FixedWindow(2, per=40)
    team = [SimulatedProfile(name, limit, Constant(2), quota_group="project") for name in ("p1", "p2")]
    run, requests = play(tmp_path, team, 5, speed=20)
    refused = [request for request in requests if request.status == 429]
    assert 1 <= len(refused) <= 2, "one refusal a window, not one a key"
    assert {window.group for window in run.cooldowns} == {"project"}


def test_keys_and_images_are_tried_before_anything_is_paid_for(tmp_path: Path) -> None:
    """`check()` tells a good key from a bad one without a submit; a scene without its image starts no run."""
    with Emulator([SimulatedProfile("p1")], dialect="google_interactions") as emulator:
        backend = GoogleInteractions(emulator.base_url)
        with Session(backend, [*emulator.profiles, Profile("p2", "AIza-wrong")], output=tmp_path) as session:
            good, bad = session.check()
            assert (good.ok, bad.ok) == (True, False)
            with pytest.raises(InputError, match=r"missing\.png"):
                session.run_blocking([Scene("s1", "p"), Scene("s2", "p", image=tmp_path / "missing.png")])
        assert {request.path for request in emulator.requests} == {"/v1/models"}
