"""Results in answers: several of one job, and addresses that are not clean."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.backends.mock_server import MockServer, run_on
from tests.fakes import MemorySink
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.core.model import Artifact, Operation
from vidgen_nb.ports import Profile

CLIP = httpx.Response(200, content=b"\0\0\0\x18ftypmp42", headers={"Content-Type": "video/mp4"})
URL = "http://toy.invalid/v1/a.mp4?x=1&sig=2"


def fetched_from(output: object) -> str:
    """Return the address that a result is fetched from."""
    server = MockServer(httpx.Response(200, json={"id": "v1", "status": "done", "output": output}), CLIP)

    def make(**options: Any) -> HttpBackend:
        return HttpBackend("http://toy.invalid/v1", submit="/j", body=lambda _: {}, poll="/j/{id}",
                           statuses={"done": "succeeded"}, result="output", **options)  # fmt: skip

    run_on(make, server, lambda backend: backend.fetch(
        Operation("v1"), Artifact("with_key"), Profile("alice", "sk-1"), MemorySink()
    ))  # fmt: skip
    return str(server.requests[-1].url)


@pytest.mark.parametrize("given", [URL, f"{URL}\n", f"  {URL}", URL.replace("&", "&amp;"), [URL]])
def test_an_address_that_is_not_clean(given: object) -> None:
    """Line ends around it, and `&amp;` for `&`, which would break its signature."""
    assert fetched_from(given) == URL


def test_several_results_of_one_job(caplog: pytest.LogCaptureFixture) -> None:
    """One is saved; that there are more, which are paid for, is not passed over in silence."""
    assert fetched_from([URL, f"{URL}3"]) == URL
    assert "job v1 has 2 results: the first one is saved" in caplog.text
