"""Two APIs that are described in a cell, one shaped like Replicate's and one like fal's, on a mocked server."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import httpx

from tests.backends.mock_server import run_on, run_refused_on
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.core.model import Operation, Scene
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.ports import Profile

__all__ = [
    "ALICE",
    "CREATED",
    "FAL",
    "FAL_JOB",
    "FILM",
    "GET",
    "GOOD",
    "JOB",
    "JOB_URL",
    "KEY",
    "LINKS",
    "POST",
    "SCENE",
    "VIDEO",
    "Serve",
    "call",
    "fal",
    "ok",
    "refusal",
    "replicate",
]

T = TypeVar("T")
Serve = Callable[[httpx.Request], httpx.Response]
KEY = "r8-very-secret"
ALICE = Profile("alice", KEY)
SCENE = Scene("s001", "a lighthouse", seconds=4)
VIDEO = "https://delivery.example/out.mp4"


def replicate(**options: Any) -> HttpBackend:
    """Describe an API that is shaped like Replicate's."""
    return HttpBackend(
        "https://api.replicate.example/v1",
        submit="/models/acme/film/predictions",
        body=lambda scene: {"input": {"prompt": scene.prompt, **scene.params}},
        poll="{urls.get}",
        statuses={
            "starting": "queued", "processing": "running", "succeeded": "succeeded", "failed": "failed",
            "canceled": "cancelled", "aborted": "cancelled",
        },
        result="output",
        cancel="POST /predictions/{id}/cancel",
        probe="/account",
        name="replicate",
        **options,
    )  # fmt: skip


def fal(**options: Any) -> HttpBackend:
    """Describe an API that is shaped like fal's."""
    return HttpBackend(
        "https://queue.fal.example",
        submit="/{model}",
        body=lambda scene: {"prompt": scene.prompt, "image_url": scene.params.get("image")},
        images=["image"],
        auth="Authorization: Key {key}",
        job="request_id",
        poll="{status_url}",
        statuses={"IN_QUEUE": "queued", "IN_PROGRESS": "running", "COMPLETED": "succeeded"},
        error="error",
        code="error_type",
        details="{response_url}",
        result="video.url",
        cancel="PUT {cancel_url}",
        name="fal",
        **options,
    )


def ok(**body: Any) -> httpx.Response:
    """Return a success."""
    return httpx.Response(200, json=body)


def call(make: Callable[..., HttpBackend], server: Serve, work: Callable[[HttpBackend], Coroutine[Any, Any, T]]) -> T:
    """Return what a backend's call on the server gives."""
    return run_on(make, server, work)


def refusal(
    make: Callable[..., HttpBackend], server: Serve, work: Callable[[HttpBackend], Coroutine[Any, Any, object]]
) -> Failure:
    """Return the failure of a call; no text of it shows the key."""
    return run_refused_on(make, server, work, key=KEY)


POST = "POST https://api.replicate.example/v1/models/acme/film/predictions"
GET = "GET https://api.replicate.example/v1/predictions/p1"
CREATED = ok(id="p1", status="starting", urls={"get": GET[4:]})
JOB = Operation("p1", "replicate", {"poll": GET[4:]})
FAL = "https://queue.fal.example/fal-ai/film"
LINKS = {"status_url": f"{FAL}/requests/r1/status", "response_url": f"{FAL}/requests/r1",
         "cancel_url": f"{FAL}/requests/r1/cancel"}  # fmt: skip


FAL_JOB = Operation(
    "r1", "fal", {"poll": LINKS["status_url"], "details": LINKS["response_url"], "cancel": LINKS["cancel_url"]}
)
FILM = Scene("s001", "a lighthouse", model="fal-ai/film")
JOB_URL = "GET https://toy.example/jobs/p1"


GOOD: dict[str, Any] = {
    "submit": "/jobs", "body": lambda scene: {}, "poll": "/jobs/{id}", "statuses": {"done": "succeeded"},
    "result": "url",
}  # fmt: skip
