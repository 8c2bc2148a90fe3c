"""Through nginx to upstreams that are dead, die amid a run, or know nothing of each other; and to its own pages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.gateways.harness import backend_of, failures, run_scenes, session_of, statuses
from tests.gateways.nginx import Nginx, free_port
from tests.gateways.servers import Sglang, VllmOmni
from tests.gateways.video_server import PNG, VideoServer
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import Ambiguous, Permanent
from vidgen_nb.run import Run

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]

SPEED = 60.0
SCENES = 20


def check_the_rest_is_made(run: Run, servers: list[VideoServer], *, held: int) -> None:
    """At most so many scenes are held, and the others made; no scene was made twice."""
    ends = Counter(statuses(run))
    assert set(ends) <= {"succeeded", "held"}
    assert ends["held"] <= held
    made = sum((server.jobs_by_prompt for server in servers), Counter())
    assert set(made.values()) == {1}
    assert sum(made.values()) >= ends["succeeded"]


def test_a_dead_upstream(tmp_path: Path) -> None:
    """Nobody is behind the proxy for a minute: two keys find that out with a few scenes, the others are made then."""
    server = VllmOmni(speed=SPEED)
    server.port = free_port()
    with (
        Nginx(tmp_path, server.port) as proxy,
        session_of(backend_of(proxy.base_url), tmp_path, profiles=2, mode="boost", speed=SPEED) as session,
    ):
        session.start([f"prompt {k}" for k in range(SCENES)])
        with pytest.raises(TimeoutError):
            session.wait(1)
        assert set(proxy.statuses) == {502}
        with server:
            run = session.wait(30)
    check_the_rest_is_made(run, [server], held=10)


@pytest.mark.parametrize("kind", [VllmOmni, Sglang])
def test_an_upstream_that_dies_amid_a_run(kind: type[VideoServer], tmp_path: Path) -> None:
    """It is gone for a minute, and comes back with its jobs: they are fetched, and what had not left is made then."""
    with (
        kind(speed=SPEED, polls_to_finish=3) as server,
        Nginx(tmp_path, server.port) as proxy,
        session_of(backend_of(proxy.base_url), tmp_path, profiles=2, speed=SPEED) as session,
    ):
        session.start([f"prompt {k}" for k in range(SCENES)])
        server.wait_for("poll")
        server.stop()
        accepted = len(server.made)
        with pytest.raises(TimeoutError):
            session.wait(1)
        assert 502 in proxy.statuses
        assert len(server.made) == accepted
        server.start()
        run = session.wait(30)
    check_the_rest_is_made(run, [server], held=10)
    assert len(server.made) == SCENES - statuses(run).count("held")


@pytest.mark.parametrize("again", ["", "proxy_next_upstream error timeout non_idempotent;"])
def test_an_upstream_that_dies_before_it_answers(again: str, tmp_path: Path) -> None:
    """A submit that it may have accepted goes to no other one: 502, held. With `non_idempotent` nginx buys it again."""
    with (
        VllmOmni(speed=SPEED) as server,
        VllmOmni(speed=SPEED) as other,
        Nginx(tmp_path, server.port, other.port, server=again) as proxy,
        session_of(backend_of(proxy.base_url), tmp_path, speed=SPEED) as session,
    ):
        server.fail("submit", server.unavailable, makes_job=True, delay=60)
        session.start([f"prompt {k}" for k in range(4)])
        server.wait_until_made(1)
        server.stop()
        run = session.wait(30)
        assert (tmp_path / "access.log").read_text().count("POST /v1/videos ") == 4
    assert len(server.made) == 1
    if again:
        assert statuses(run) == ["succeeded"] * 4
        assert len(other.made) == 4
    else:
        check_the_rest_is_made(run, [server, other], held=1)
        assert [type(each) for each in failures(run)] == [Ambiguous]
        assert len(other.made) == 3


def test_one_of_two_upstreams_is_dead(tmp_path: Path) -> None:
    """With a limit, and a dead server among its upstreams (`proxy_next_upstream`): every scene is made, once."""
    limits = "limit_req zone=keys burst=4 nodelay; limit_req_status 429;"
    with VllmOmni(speed=SPEED) as server:
        again = "proxy_next_upstream error timeout http_502 http_503;"
        with Nginx(tmp_path, free_port(), server.port, rate=20, submits=limits, server=again) as proxy:
            run = run_scenes(backend_of(proxy.base_url), tmp_path, SCENES, speed=SPEED)
            assert 429 in proxy.statuses
    assert statuses(run) == ["succeeded"] * SCENES
    check_the_rest_is_made(run, [server], held=0)


def test_upstreams_that_know_only_their_own_jobs(tmp_path: Path) -> None:
    """Two servers take turns, and every other poll and fetch finds no such job: it is asked about again."""
    with VllmOmni(speed=SPEED) as server, VllmOmni(speed=SPEED) as other:
        other.new_id = lambda: f"video_gen_{len(other.made):031x}f"  # type: ignore[method-assign]
        with Nginx(tmp_path, server.port, other.port) as proxy:
            run = run_scenes(backend_of(proxy.base_url), tmp_path, 8, speed=SPEED)
            assert 404 in proxy.statuses
    assert server.made
    assert other.made
    check_the_rest_is_made(run, [server, other], held=0)


@pytest.mark.parametrize("megabytes", [2, 12])
def test_an_image_over_the_proxys_limit(megabytes: int, tmp_path: Path) -> None:
    """It is refused with 413 before it was sent: that scene fails and says why; the others are made."""
    image = tmp_path / "large.png"
    image.write_bytes(PNG + bytes(megabytes << 20))
    scenes = [Scene("small", "a fox"), Scene("large", "an owl", input_reference=str(image)), Scene("last", "a hare")]
    with VllmOmni(speed=SPEED) as server, Nginx(tmp_path, server.port, server="client_max_body_size 1m;") as proxy:
        run = run_scenes(backend_of(proxy.base_url), tmp_path, scenes, speed=SPEED)
        assert 413 in proxy.statuses
    assert statuses(run) == ["succeeded", "failed", "succeeded"]
    assert [type(each) for each in failures(run)] == [Permanent]
    assert "413" in (run.scenes[1].error or "")
    assert "Too Large" in (run.scenes[1].error or "")


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_of_the_proxys_own(status: int, tmp_path: Path) -> None:
    """Its maintenance page, even as a 200, is no word of a job, and no video: what was accepted is fetched later."""
    (tmp_path / "sorry.html").write_text("<!doctype html><title>Back soon</title>" + "<p>Sorry.</p>" * 200)
    page = f"""
        error_page 502 ={status} /sorry.html;
        location = /sorry.html {{ root {tmp_path}; internal; default_type text/html; }}
    """
    with (
        VllmOmni(speed=SPEED, polls_to_finish=2) as server,
        Nginx(tmp_path, server.port, server=page) as proxy,
        session_of(backend_of(proxy.base_url), tmp_path, profiles=2, speed=SPEED) as session,
    ):
        session.start([f"prompt {k}" for k in range(SCENES)])
        server.wait_for("fetch")
        server.stop()
        with pytest.raises(TimeoutError):
            session.wait(1)
        assert status in proxy.statuses
        server.start()
        run = session.wait(30)
    check_the_rest_is_made(run, [server], held=10)
    assert {path.read_bytes()[4:8] for path in (tmp_path / "videos").glob("*.mp4")} == {b"ftyp"}
