"""A submit that may have been accepted is not sent again, and what may have been bought is counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from tests.gateways.harness import SPEED, backend_of, failures, run_scenes, statuses
from tests.gateways.servers import NewApi, Sglang, VllmOmni
from tests.gateways.video_server import html_page
from vidgen_nb.core.model import BOOST
from vidgen_nb.core.outcomes import Ambiguous

AMBIGUOUS = (408, 499, 502, 504, 520, 521, 522, 523, 524, 598, 599)


def plain(status: int, **headers: str) -> Callable[[], Response]:
    """Return what makes an error of the OpenAI shape, with headers."""
    body = {"error": {"message": "litellm.InternalServerError: Server disconnected", "type": "x", "code": str(status)}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: JSONResponse(body, status, named)


@pytest.mark.parametrize("status", AMBIGUOUS)
def test_an_answer_that_may_follow_an_acceptance(status: int, tmp_path: Path) -> None:
    """Whatever a gateway answers after its upstream has accepted: one job, held; `max_billed` knows of it."""
    with VllmOmni(speed=SPEED) as server:
        server.fail("submit", plain(status), makes_job=True)
        run = run_scenes(backend_of(server.base_url), tmp_path, max_billed=1)
    assert statuses(run) == ["held"]
    assert server.billed_seconds == 4


GATEWAYS: dict[str, Mapping[str, str]] = {
    "litellm": {"x_litellm_call_id": "33e14677-bbe3-4d0d-8064-cdaf2b9dd687"},
    "via": {"via": "1.1 varnish"},
    "cloudflare": {"server": "cloudflare", "cf_ray": "8c1-FRA"},
}


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_gateways_500(gateway: str, tmp_path: Path) -> None:
    """A 500 that shows that a gateway stands before the server may follow an acceptance."""
    with VllmOmni(speed=SPEED) as server:
        server.fail("submit", plain(500, **GATEWAYS[gateway]), makes_job=True)
        run = run_scenes(backend_of(server.base_url), tmp_path, max_billed=1)
    assert statuses(run) == ["held"]
    assert server.billed_seconds == 4


def test_new_api_loses_its_upstream(tmp_path: Path) -> None:
    """`do_request_failed` says that the connection broke, not that nothing was accepted."""
    with NewApi(speed=SPEED) as server:
        server.fail("submit", server.lost, times=1, makes_job=True)
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["held"]
    assert server.billed_seconds == 4


def test_a_gateway_that_cannot_be_seen(tmp_path: Path) -> None:
    """With `gateway=True` every 500 to a submit is ambiguous, also one that shows nothing."""
    with VllmOmni(speed=SPEED) as server:
        server.fail("submit", plain(500), times=1, makes_job=True)
        run = run_scenes(backend_of(server.base_url, gateway=True), tmp_path)
    assert statuses(run) == ["held"]
    assert server.billed_seconds == 4


@pytest.mark.parametrize("status", [500, 503])
def test_a_servers_own_refusal_is_tried_again(status: int, tmp_path: Path) -> None:
    """A server that is no gateway did not take what it answers 500 or 503 to: the scene is made, once."""
    with Sglang(speed=SPEED) as server:
        server.fail("submit", lambda: server.error(status, "out of memory"), times=2)
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["succeeded"]
    assert server.billed_seconds == 4


def test_a_dead_upstream_holds_few(tmp_path: Path) -> None:
    """A proxy answers 502 for two minutes: two profiles find that out with a few scenes; the others are made."""
    with VllmOmni(speed=60.0) as server:
        server.fail("submit", html_page(502, "502 Bad Gateway"), seconds=120)
        run = run_scenes(backend_of(server.base_url), tmp_path, 40, profiles=2, speed=60.0)
    held = statuses(run).count("held")
    assert held <= 12
    assert statuses(run).count("succeeded") == 40 - held


SHAPES: dict[str, Callable[[], Response]] = {
    "a list": lambda: JSONResponse([{"taskUUID": "x"}]),
    "a text": lambda: JSONResponse("queued"),
    "a number": lambda: JSONResponse(7),
    "an object without an id": lambda: JSONResponse({"data": None}),
    "nothing": lambda: Response(b"", 202, media_type="application/json"),
    "not JSON": lambda: Response(b"accepted", 200, media_type="text/plain"),
    "HTML": lambda: HTMLResponse("<!doctype html><title>Web UI</title>"),
    "a Location": lambda: Response(b"", 202, {"Location": "/v1/videos/1"}),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_first_answers_that_hold_no_job(shape: str, tmp_path: Path) -> None:
    """Twelve scenes do not go out to a server whose answers nobody understands: one does, and is held."""
    with VllmOmni(speed=SPEED) as server:
        server.fail("submit", SHAPES[shape], makes_job=True)
        run_scenes(backend_of(server.base_url), tmp_path, 12, mode=BOOST, profiles=2)
    assert len(server.made) <= 2


@pytest.mark.parametrize("begin", [b"", b'{"id": "vid'])
def test_a_first_answer_that_breaks_off(begin: bytes, tmp_path: Path) -> None:
    """A connection that breaks amid the answer says nothing of base_url: that scene is held, the others are made."""
    with VllmOmni(speed=SPEED) as server:
        cut_off = partial(Response, begin, 200, {"Content-Length": "400"}, "application/json")
        server.fail("submit", cut_off, times=1, makes_job=True)
        run = run_scenes(backend_of(server.base_url), tmp_path, 4)
    assert statuses(run) == ["held", "succeeded", "succeeded", "succeeded"]
    assert "broke off" in (run.scenes[0].error or "")
    assert sorted(server.jobs_by_prompt.values()) == [1] * 4


@pytest.mark.parametrize("status", [307, 308])
def test_a_submit_that_is_redirected(status: int, tmp_path: Path) -> None:
    """307 and 308 to the same origin ask for the same request again: the submit goes there, with its key."""
    with VllmOmni(speed=SPEED) as server:
        server.fail("submit", lambda: Response(b"", status, {"Location": "/v1/videos"}), times=1)
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["succeeded"]
    assert server.billed_seconds == 4
    assert failures(run) == []


def test_a_submit_is_never_redirected_elsewhere(tmp_path: Path) -> None:
    """A 307 to another origin gets neither the scene nor the key."""
    with VllmOmni(speed=SPEED) as server, VllmOmni(speed=SPEED) as elsewhere:
        server.fail("submit", lambda: Response(b"", 307, {"Location": f"{elsewhere.base_url}/videos"}))
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["failed"]
    assert elsewhere.seen == []


def test_a_lost_answer_is_said_to_be_one(tmp_path: Path) -> None:
    """What is held for an ambiguous answer says so in the run's records."""
    with NewApi(speed=SPEED) as server:
        server.fail("submit", html_page(504), makes_job=True)
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert [type(each) for each in failures(run)] == [Ambiguous]
    assert server.billed_seconds == 4
