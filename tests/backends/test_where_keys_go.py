"""A key goes to the origin that its profile names, and nowhere else, wherever a server points to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.fakes import MemorySink
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.backends.google.interactions import GoogleInteractions
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.runway.tasks import Runway
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.core.outcomes import Ambiguous, Failure, Permanent, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, Profile

KEY = "sk-planted-redirected"
ALICE = Profile("alice", KEY)
JOB = Operation("video_1")
HOME = "https://api.example/v1"
AWAY = ["https://elsewhere.example/x", "http://api.example/v1/x", "https://api.example:8443/x", "//elsewhere.example/x",
        "https://alice:pw@elsewhere.example/x", "https://api.example.evil.example/v1/x"]  # fmt: skip
AnyBackend = OpenAIVideos | HttpBackend
Work = Callable[[AnyBackend], Coroutine[Any, Any, object]]


def openai(transport: httpx.AsyncBaseTransport) -> AnyBackend:
    """Return the backend with a bearer key."""
    return OpenAIVideos(HOME, transport=transport)


def described(transport: httpx.AsyncBaseTransport) -> AnyBackend:
    """Return one with the key, and another secret, in headers of their own."""
    return HttpBackend(
        HOME, submit="/videos", body=lambda scene: {"prompt": scene.prompt}, poll="/videos/{id}",
        statuses={"completed": "succeeded"}, content="/videos/{id}/content", cancel="DELETE /videos/{id}",
        auth="X-Api-Key: {key}", headers={"X-Team": KEY}, transport=transport,
    )  # fmt: skip


@pytest.fixture(params=[openai, described])
def make(request: pytest.FixtureRequest) -> Callable[[httpx.AsyncBaseTransport], AnyBackend]:
    """Each kind of backend."""
    found: Callable[[httpx.AsyncBaseTransport], AnyBackend] = request.param
    return found


class Redirecting:
    """Answers the first request by a redirect, and the next by a video."""

    def __init__(self, status: int, location: str) -> None:
        self.status, self.location = status, location
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        self.requests.append(request)
        if len(self.requests) == 1:
            return httpx.Response(self.status, headers={"Location": self.location})
        return httpx.Response(200, content=b"video", headers={"Content-Type": "video/mp4"})

    def keys(self) -> list[bool]:
        """Say for each request whether any secret was in it, wherever."""
        return [KEY in f"{request.url} {request.headers.raw} {request.content!r}" for request in self.requests]


def outcome(make: Callable[[httpx.AsyncBaseTransport], AnyBackend], server: Redirecting, work: Work) -> Failure | None:
    """Return as what a call fails; None: it does not."""

    async def go() -> None:
        backend = make(httpx.MockTransport(server))
        try:
            await work(backend)
        finally:
            await backend.aclose()

    try:
        asyncio.run(go())
    except BackendError as error:
        return error.outcome
    return None


POSTS_AWAY = [
    *((status, each) for status in (301, 302, 303, 307, 308) for each in (*AWAY, "javascript:alert(1)", "http://[x/")),
    *((status, each) for status in (301, 302, 303) for each in ("/v1/elsewhere", f"{HOME}/videos")),
]


@pytest.mark.parametrize(("status", "location"), POSTS_AWAY)
def test_a_post_is_not_sent_on(make: Any, status: int, location: str) -> None:
    """Elsewhere it would take the scene, and 301 to 303 do not ask for the same request: it fails with advice.

    303 says that the POST was processed: it is in doubt.
    """
    server = Redirecting(status, location)
    found = outcome(make, server, lambda backend: backend.submit(Scene("s1", "x"), ALICE))
    if status == 303:
        assert isinstance(found, Ambiguous)
    else:
        assert isinstance(found, Permanent) and "set base_url" in found.reason
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [307, 308])
def test_a_post_is_sent_on_at_home(make: Any, status: int) -> None:
    """307 and 308 to the same origin: method, body and key go there, a few times at most."""
    server = Redirecting(status, "/v1/elsewhere")
    with suppress(InputError):  # the answer there is none of a submit
        outcome(make, server, lambda backend: backend.submit(Scene("s1", "x"), ALICE))
    assert 2 <= len(server.requests) <= 6
    assert all(server.keys())
    assert {(each.method, each.url.host) for each in server.requests} == {("POST", "api.example")}
    assert all(b"x" in each.content for each in server.requests)


@pytest.mark.parametrize(
    ("status", "location"), [*((status, each) for status in (302, 307, 308) for each in AWAY), (302, "/v1/elsewhere")]
)
def test_a_cancel_is_not_sent_on(make: Any, status: int, location: str) -> None:
    """As a submit: not elsewhere, and only where the same request is asked for."""
    server = Redirecting(status, location)
    assert isinstance(outcome(make, server, lambda backend: backend.cancel(JOB, ALICE)), Transient)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [307, 308])
def test_a_cancel_is_sent_on_at_home(make: Any, status: int) -> None:
    """To the same origin, with the same method and the key."""
    server = Redirecting(status, "/v1/elsewhere")
    assert outcome(make, server, lambda backend: backend.cancel(JOB, ALICE)) is None
    assert len({each.method for each in server.requests}) == 1
    assert [each.url.path for each in server.requests][1:] == ["/v1/elsewhere"]
    assert all(server.keys())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", AWAY)
def test_a_poll_is_not_followed_to_another_origin(make: Any, status: int, location: str) -> None:
    """Another host, scheme or port is not asked about the job: it must not get the key."""
    server = Redirecting(status, location)
    assert isinstance(outcome(make, server, lambda backend: backend.poll(JOB, ALICE)), Transient)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_poll_is_followed_at_home(make: Any, status: int) -> None:
    """The same origin gets the key again."""
    server = Redirecting(status, "/v2/videos/video_1")
    outcome(make, server, lambda backend: backend.poll(JOB, ALICE))
    assert [str(each.url) for each in server.requests][1] == "https://api.example/v2/videos/video_1"
    assert server.keys() == [True, True]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("location", AWAY)
def test_a_download_goes_elsewhere_without_the_key(make: Any, status: int, location: str) -> None:
    """A storage host gets no secret of ours, and no user or password of the address either."""
    server, sink = Redirecting(status, location), MemorySink()
    work: Work = lambda backend: backend.fetch(JOB, Artifact("with_key"), ALICE, sink)  # noqa: E731
    assert outcome(make, server, work) is None
    assert sink.data == b"video"
    assert server.keys() == [True, False]
    assert not {"authorization", "x-api-key", "x-team", "cookie"} & set(server.requests[1].headers)
    assert ("x-team" in server.requests[0].headers) == (make is described), "headers of every call are sent at home"


@pytest.mark.parametrize("status", [401, 200])
def test_an_answer_that_holds_the_video_is_not_asked_for_elsewhere(status: int) -> None:
    """A fetch that asks the API itself, for an inline video or a fresh URL, is no download."""
    seen: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        if request.url.host == "api.example":
            return httpx.Response(302, headers={"Location": "https://elsewhere.example/x"})
        if request.url.host == "results.example":
            return httpx.Response(403)
        return httpx.Response(status, json={"status": "completed", "error": {"code": "unauthenticated"}})

    google = GoogleInteractions(HOME, transport=httpx.MockTransport(server))
    runway = Runway(HOME, transport=httpx.MockTransport(server))
    expired = Artifact("public", "https://results.example/x.mp4")
    for call in (
        google.fetch(JOB, Artifact("inline"), ALICE, MemorySink()),
        runway.fetch(JOB, expired, ALICE, MemorySink()),
    ):
        with pytest.raises(BackendError) as caught:
            asyncio.run(call)
        assert isinstance(caught.value.outcome, Transient)
    assert "elsewhere.example" not in seen


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://x.example/", "javascript:alert(1)", "http://[x/",
                                      "http://a..b/", f"http://{'a' * 64}.example/"])  # fmt: skip
def test_a_download_is_followed_over_http_alone(make: Any, location: str) -> None:
    """Any other answer is final: no result."""
    server = Redirecting(302, location)
    work: Work = lambda backend: backend.fetch(JOB, Artifact("with_key"), ALICE, MemorySink())  # noqa: E731
    assert isinstance(outcome(make, server, work), Transient)
    assert len(server.requests) == 1


def test_an_endless_redirect_ends(make: Any) -> None:
    """After five redirects the answer is final."""

    class Loop(Redirecting):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return httpx.Response(302, headers={"Location": str(request.url)})

    server = Loop(302, "")
    assert isinstance(outcome(make, server, lambda backend: backend.poll(JOB, ALICE)), Transient)
    assert len(server.requests) == 6
