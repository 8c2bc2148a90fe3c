"""Batches through nginx with a limit of its own, in either form."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.gateways.harness import statuses
from tests.gateways.nginx import Nginx
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core.model import PollSchedule
from vidgen_nb.emulator import Emulator
from vidgen_nb.ports import Profile
from vidgen_nb.provider import Constant, SimulatedProfile
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]

SPEED = 10.0
SCENES = 18
SERVED = [SimulatedProfile(f"p{k}", None, Constant(20), api_key=f"sk-of-p{k}-1234") for k in (1, 2)]
LIMIT = "limit_req zone=keys burst=2 nodelay;"
TOO_MANY = "limit_req_status 429;"


def port_of(base_url: str) -> int:
    """Return the port in a base_url."""
    return int(base_url.removesuffix("/v1").rpartition(":")[2])


def run_batch(proxy: Nginx, folder: Path, scenes: int, capacity: int | None) -> Run:
    """Run scenes with two keys at the proxy; a run that does not end within a minute is abandoned."""
    backend = OpenAIVideos(proxy.base_url, poll=PollSchedule(first=5, longest=10))
    profiles = [Profile(each.name, each.api_key, capacity=capacity) for each in SERVED]
    with Session(backend, profiles, mode="boost", output=folder / "videos", speed=SPEED, seed=1) as session:
        session.start([f"prompt {k}" for k in range(scenes)])
        try:
            return session.wait(60)
        except TimeoutError:
            session.abandon()
        assert session.last_run is not None
        return session.last_run


@pytest.mark.parametrize(
    ("submits", "others", "status", "capacity"),
    [
        pytest.param(LIMIT + TOO_MANY, "", 429, None, id="submits, 429"),
        pytest.param(LIMIT, "", 503, None, id="submits, its default 503"),
        pytest.param(LIMIT + TOO_MANY, LIMIT + TOO_MANY, 429, 3, id="all, 429"),
        pytest.param(LIMIT, LIMIT, 503, 3, id="all, its default 503"),
    ],
)
def test_a_limit(submits: str, others: str, status: int, capacity: int | None, tmp_path: Path) -> None:
    """Whatever it answers over its limit, to submits alone or to polls as well: every scene is made, once."""
    with (
        Emulator(SERVED, speed=SPEED) as emulator,
        Nginx(tmp_path, port_of(emulator.base_url), rate=4, submits=submits, others=others) as proxy,
    ):
        run = run_batch(proxy, tmp_path, SCENES, capacity)
        made = Counter(each.scene for each in emulator.requests if each.method == "POST" and each.job)
        assert status in proxy.statuses, "the limit was never met"
    assert Counter(statuses(run)) == {"succeeded": SCENES}
    assert sorted(made.values()) == [1] * SCENES
