"""An API shaped like fal's, whose answers give the URLs of its calls: no key goes where a server sends us."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.backends.described.described_apis import (
    ALICE,
    FAL,
    FAL_JOB,
    FILM,
    GOOD,
    KEY,
    LINKS,
    SCENE,
    VIDEO,
    call,
    fal,
    ok,
    refusal,
)
from tests.backends.mock_server import MockApi
from tests.fakes import MemorySink
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.core.outcomes import Ambiguous, Permanent, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Backend


def test_an_api_like_fals_from_submit_to_file() -> None:
    """The model is part of the URL, the key has its own scheme, and the result is in another answer."""
    server = MockApi(
        {
            f"POST {FAL}": ok(request_id="r1", **LINKS),
            f"GET {LINKS['status_url']}": ok(status="COMPLETED"),
            f"GET {LINKS['response_url']}": ok(video={"url": VIDEO}),
            f"PUT {LINKS['cancel_url']}": httpx.Response(400, json={"status": "ALREADY_COMPLETED"}),
            f"GET {VIDEO}": httpx.Response(200, content=b"video"),
        }
    )
    sink = MemorySink()

    async def work(backend: Backend) -> str:
        operation = await backend.submit(FILM, ALICE)
        assert operation == FAL_JOB
        progress = await backend.poll(operation, ALICE)
        assert progress.artifact is not None
        await backend.fetch(operation, progress.artifact, ALICE, sink)
        return await backend.cancel(operation, ALICE)

    assert call(fal, server, work) == "too late"
    assert sink.data == b"video"
    assert [key for host, key in server.sent()] == [f"Key {KEY}"] * 4 + [None, f"Key {KEY}"]


def test_completed_may_be_a_failure() -> None:
    """An error beside a success counts, by its code."""
    server = MockApi(
        {f"GET {LINKS['status_url']}": ok(status="COMPLETED", error="no", error_type="content_policy_violation")}
    )
    progress = call(fal, server, lambda backend: backend.poll(FAL_JOB, ALICE))
    assert progress.status == "failed"
    assert isinstance(progress.outcome, Permanent) and progress.outcome.cause == "content"


def test_images_become_data_uris(tmp_path: Path) -> None:
    """A path is read for the body; a URL is passed on; anything else is an error before the run."""
    image = b"\x89PNG\r\n\x1a\n" + b"\0" * 9
    (tmp_path / "a.png").write_bytes(image)
    uri = f"data:image/png;base64,{base64.b64encode(image).decode()}"
    for given, sent in [
        (str(tmp_path / "a.png"), uri),
        (uri, uri),
        ("https://images.example/a.png",) * 2,
        (None, None),
    ]:
        server = MockApi({f"POST {FAL}": ok(request_id="r1", **LINKS)})
        scene = Scene("s001", "a", model="fal-ai/film", image=given)
        fal().check_scene(scene)
        call(fal, server, lambda backend, scene=scene: backend.submit(scene, ALICE))  # type: ignore[misc]
        assert json.loads(server.requests[0].content)["image_url"] == sent
    gone = Scene("s001", "a", model="fal-ai/film", image=str(tmp_path / "gone.png"))
    with pytest.raises(InputError, match=r"image: image '.*gone\.png' can't be read"):
        fal().check_scene(gone)
    assert isinstance(refusal(fal, MockApi({}), lambda backend: backend.submit(gone, ALICE)), Permanent)


def test_no_key_goes_where_a_server_sends_us() -> None:
    """An address of another host, scheme or port is asked without key and headers; user and password are dropped."""
    for home, away in [
        ("https://queue.fal.example", "https://user:pw@elsewhere.example/status"),
        ("https://queue.fal.example", "http://queue.fal.example/status"),
        ("https://queue.fal.example", "https://queue.fal.example:8443/status"),
    ]:
        seen: list[httpx.Request] = []

        def server(request: httpx.Request, seen: list[httpx.Request] = seen) -> httpx.Response:
            seen.append(request)
            return httpx.Response(401) if len(seen) == 1 else ok(status="IN_PROGRESS")

        def make(home: str = home, **options: Any) -> HttpBackend:
            return HttpBackend(
                home, submit="/x", body=lambda scene: {}, poll="{status_url}", statuses={"done": "succeeded"},
                result="url", headers={"X-Team": "secret"}, auth="X-Api-Key: {key}", **options,
            )  # fmt: skip

        operation = Operation("r1", "http", {"poll": away})
        found = refusal(make, server, lambda backend, operation=operation: backend.poll(operation, ALICE))  # type: ignore[misc]
        assert isinstance(found, Transient), "a foreign 401 says nothing of the profile"
        call(make, server, lambda backend, operation=operation: backend.poll(operation, ALICE))  # type: ignore[misc]
        for request in seen:
            assert not {"x-api-key", "x-team", "authorization"} & set(request.headers)
            assert KEY not in str(request.url) and "pw" not in str(request.url)


@pytest.mark.parametrize("away", ["ftp://x.example/", "data:text/plain,x", "https://[broken", "file:///etc/passwd"])
def test_addresses_that_are_none(away: str) -> None:
    """Only http and https URLs are requested, for a job and for a video."""
    job = Operation("r1", "fal", {"poll": away, "details": LINKS["response_url"]})
    assert isinstance(refusal(fal, MockApi({}), lambda backend: backend.poll(job, ALICE)), Permanent)
    server = MockApi({f"GET {LINKS['response_url']}": ok(video={"url": away})})
    fetch = refusal(fal, server, lambda backend: backend.fetch(job, Artifact("with_key"), ALICE, MemorySink()))
    assert isinstance(fetch, Permanent) and fetch.cause == "no_result"


def test_an_accepted_job_without_its_address_is_in_doubt() -> None:
    """It may be billed, and can't be asked about."""
    server = MockApi({f"POST {FAL}": [ok(request_id="r0", **LINKS), ok(request_id="r1")]})

    async def twice(backend: Backend) -> None:
        await backend.submit(FILM, ALICE)
        await backend.submit(FILM, ALICE)

    found = refusal(fal, server, twice)
    assert isinstance(found, Ambiguous) and "accepted as 'r1'" in found.reason


@pytest.mark.parametrize("option", ["poll", "details", "content", "cancel"])
def test_a_first_job_without_an_address_stops_the_run(option: str) -> None:
    """If the very first answer has none, no answer will: jobs that are paid for could not be polled or fetched."""
    given: dict[str, Any] = {"poll": "{there}", option: "{urls.no_such}"}
    given["result"] = None if option == "content" else "url"

    def make(**options: Any) -> HttpBackend:
        return HttpBackend("https://toy.example", **{**GOOD, **given, **options})

    answer = ok(id="p1", there="https://toy.example/p1", urls={"get": "https://toy.example/p1"})
    server = MockApi({"POST https://toy.example/jobs": answer})
    if option == "cancel":
        assert call(make, server, lambda backend: backend.submit(SCENE, ALICE)).id == "p1"
        return
    says = f"accepted as 'p1', but .* no usable {option} at 'urls.no_such'; its urls has: get; .* Correct {option}="
    with pytest.raises(InputError, match=says):
        call(make, server, lambda backend: backend.submit(SCENE, ALICE))
