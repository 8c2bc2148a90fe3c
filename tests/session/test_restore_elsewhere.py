"""Runs restored in a place where something is another: the server, the account, a key that was mended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeBackend, profiles
from tests.session.crashes import PROMPTS, Place, statuses, such
from vidgen_nb.core.model import Operation
from vidgen_nb.core.outcomes import Failure, Permanent, ProfileUnusable
from vidgen_nb.errors import InputError, NoUsableProfile
from vidgen_nb.ports import BackendError, Profile, Progress


class At(FakeBackend):
    """A backend with an address; it knows no job while `unknown` is set."""

    unknown: Failure | None = None

    def __init__(self, address: str, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.address = address

    def settings(self) -> Mapping[str, Any]:
        """Return name and address."""
        return {"name": self.name, "base_url": self.address}

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Find the job, or not."""
        if self.unknown is not None:
            raise BackendError(self.unknown)
        return await super().poll(operation, profile)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a place whose sessions end with the test."""
    made = Place(tmp_path)
    yield made
    made.close()


def generating(place: Place, speed: float = 20) -> Path:
    """Return the journal of a program that was killed while one job ran."""
    session = place.session(At("http://a/v1", hold=frozenset(["s001"])), speed=speed)
    session.start(PROMPTS[:1])
    return place.crash(session, such(generating=1))


def test_another_address_is_said(place: Place) -> None:
    """Jobs are asked about where they were begun; a server that has moved is told."""
    crash = generating(place)
    before = crash.read_bytes()
    with pytest.raises(
        InputError, match="'s001' of this run is a job at http://a/v1, and the backend asks http://b/v1"
    ):
        place.restored(crash, At("http://b/v1"))
    assert crash.read_bytes() == before
    place.restored(crash, At("http://a/v1/")).close()
    again = place.restored(crash, At("http://b/v1"), moved=True)
    assert again.run_blocking().ended == "settled"
    assert statuses(again) == {"s001": "succeeded"}


def test_a_job_that_is_not_found_is_held(place: Place) -> None:
    """It is paid for, and may be in another account: `retry_failed()` does not pay for it again."""
    crash = generating(place, speed=2000)
    backend = At("http://a/v1")
    backend.unknown = Permanent("HTTP 404 not found")
    again = place.restored(crash, backend)
    run = again.run_blocking()
    assert run.scenes[0].status == "held"
    assert "accepted as 's001', but since the restore 'p1' does not know it: HTTP 404" in (run.scenes[0].error or "")
    assert again.retry_failed() == []
    again.close()
    place.restored(crash, backend).close()


def test_a_mended_key_is_tried(place: Place) -> None:
    """What was closed without an end is open after a restore: to find out costs nothing."""
    bad = ProfileUnusable("HTTP 401 invalid_api_key")
    session = place.session(At("http://a/v1", lambda *_: bad))
    with pytest.raises(NoUsableProfile):
        session.run_blocking(PROMPTS)
    path = session.journal
    session.close()
    assert path is not None
    again = place.restored(path, At("http://a/v1"), profiles=profiles("p1", "p2"))
    assert again.run_blocking().ended == "settled"
    assert set(statuses(again).values()) == {"succeeded"}
