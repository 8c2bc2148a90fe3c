"""The moment in which a submit leaves: just before its first bytes are the operating system's, and not earlier."""

from __future__ import annotations

import asyncio
from asyncio.selector_events import _SelectorSocketTransport  # type: ignore[attr-defined]
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.gateways.harness import backend_of
from tests.gateways.servers import VllmOmni
from tests.gateways.video_server import KEY
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.wire import http
from vidgen_nb.core.model import Scene
from vidgen_nb.ports import Profile, Recalled, on_leaving

SCENES = 40


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what a driver hears, and what is sent of submits."""
    found: list[str] = []
    write = _SelectorSocketTransport.write

    def noted(transport: Any, data: bytes) -> None:
        if bytes(data[:5]) == b"POST ":
            found.append("sent")
        write(transport, data)

    monkeypatch.setattr(_SelectorSocketTransport, "write", noted)
    return found


def submit(backend: OpenAIVideos, ask: Callable[[bool], None], scenes: int = SCENES) -> list[Any]:
    """Submit one scene, and then all others at once."""

    async def main() -> list[Any]:
        on_leaving.set(ask)
        profile = Profile("p1", KEY)
        first = await backend.submit(Scene("first", "a prompt"), profile)
        more = (backend.submit(Scene(f"s{k}", "a prompt"), profile) for k in range(scenes - 1))
        found = await asyncio.gather(*more, return_exceptions=True)
        await backend.aclose()
        return [first, *found]

    return asyncio.run(main())


@pytest.mark.parametrize("ours", [True, False])
def test_nothing_lies_between_the_note_and_the_first_byte(
    ours: bool, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many at once each is noted and sent, then the next; also where httpx makes its connections by itself."""
    if not ours:
        monkeypatch.setattr(http, "wait_patiently", lambda _: False)
    with VllmOmni() as server:
        submit(backend_of(server.base_url), lambda leaves: told.append("leaves") if leaves else None)
        assert len(server.made) == SCENES
    assert told == ["leaves", "sent"] * SCENES


def test_what_is_called_back_at_that_moment_sends_nothing(told: list[str]) -> None:
    """The connection is closed without a byte, and the error is the driver's own."""

    def ask(leaves: bool) -> None:
        if leaves and told:
            raise Recalled("the run was stopped")

    with VllmOmni() as server:
        found = submit(backend_of(server.base_url), ask)
        assert len(server.made) == server.count("submit") == 1
    assert told == ["sent"]
    assert [type(each) for each in found[1:]] == [Recalled] * (SCENES - 1)


def test_any_other_transport_takes_it_at_once() -> None:
    """Nothing is known of what it does with a request."""
    told: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        told.append("sent")
        return httpx.Response(200, json={"id": f"video_{len(told)}", "status": "queued"})

    backend = backend_of("http://server/v1", transport=httpx.MockTransport(answer))
    submit(backend, lambda leaves: told.append("leaves") if leaves else None, 3)
    assert told[:2] == ["leaves", "sent"] and told.count("leaves") == told.count("sent") == 3
