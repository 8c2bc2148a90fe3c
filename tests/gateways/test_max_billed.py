"""`max_billed` against a server that counts what it makes, however it answers: never more than that many."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.gateways.harness import SPEED, backend_of, session_of, statuses
from tests.gateways.servers import VllmOmni
from tests.gateways.test_before_the_wire import until
from tests.gateways.video_server import KEY, form_of
from vidgen_nb.core.model import RetryPolicy
from vidgen_nb.errors import VidgenError
from vidgen_nb.ports import Profile
from vidgen_nb.session.session import Session

SCENES = 12
PROMPTS = [f"prompt {k}" for k in range(SCENES)]
NOT_MADE = ("429", "503", "400")
MADE = ("408", "499", "502", "504", "520", "524", "598", "599", "gateway's 500", "cut", "silence", "page", "nothing",
        "no id", "fails", "made", "made")  # fmt: skip


class CutOff(Response):
    """An answer that breaks off in its middle."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise more than is sent."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"900")]})
        await send({"type": "http.response.body", "body": b'{"id": "vid', "more_body": False})


class Unreliable(VllmOmni):
    """Answers each submit but the first in one of many ways; `made` has all that were accepted."""

    def __init__(self, seed: int) -> None:
        super().__init__(speed=SPEED)
        self.rng = Random(seed)
        self.answers: list[str] = []

    async def _submit(self, request: Request) -> Response:
        fields, files = await form_of(request)
        kind = self.rng.choice((*MADE, *NOT_MADE)) if self.answers else "made"
        self.answers.append(kind)
        if kind in NOT_MADE:
            return self.error(int(kind), "no")
        job = self._make(fields, files)
        if kind == "fails":
            job.failure = (400, "blocked")
        match kind:
            case "made" | "fails":
                return self.show(job, "queued")
            case "gateway's 500":
                return JSONResponse({"error": "bad gateway"}, 500, {"x-litellm-call-id": "1"})
            case "cut":
                return CutOff()
            case "silence":
                await asyncio.sleep(0.5)
                return self.show(job, "queued")
            case "page":
                return HTMLResponse("<html>Just a moment</html>")
            case "nothing":
                return Response(b"")
            case "no id":
                return JSONResponse({"status": "queued"})
            case _:
                return Response("upstream", int(kind))


def settle(session: Session) -> None:
    """Wait until the run has ended, or can't go on by itself."""
    try:
        session.wait(8)
    except TimeoutError:
        session.stop()
        session.wait(8)
    except VidgenError:
        pass  # such as a bad first answer: the run has ended


def options_of(limit: int, on_ambiguous: str, tmp_path: Path, mode: str = "boost") -> dict[str, Any]:
    """Return what the sessions have in common."""
    return {
        "mode": mode, "max_billed": limit, "on_ambiguous": on_ambiguous, "journal": tmp_path / "runs", "profiles": 3,
        "retry": RetryPolicy(max_failures=3, job_timeout=600.0),
    }  # fmt: skip


@pytest.mark.parametrize("mode", ["normal", "boost"])
@pytest.mark.parametrize("on_ambiguous", ["hold", "retry"])
@pytest.mark.parametrize("seed", range(6))
def test_never_more_are_made(seed: int, on_ambiguous: str, mode: str, tmp_path: Path) -> None:
    """Not by answers that get lost, not by retries of any kind, by hand or by itself, and not after a restore."""
    limit = Random(seed).randint(2, 8)
    with Unreliable(seed) as server:
        backend = backend_of(server.base_url, timeout=0.25)
        with session_of(backend, tmp_path, **options_of(limit, on_ambiguous, tmp_path, mode)) as session:
            session.start(PROMPTS)
            until(lambda: len(server.answers) > limit // 2)
            session.cancel(f"s{SCENES:03}")
            session.cancel("s001")
            if seed % 2:  # else it is left in the middle
                settle(session)
                assert len(server.made) <= limit, server.answers
                hands_on(session)
                assert len(server.made) <= limit, server.answers
            session.abandon()
        again = Session.restore(
            tmp_path / "runs", backend_of(server.base_url, timeout=0.25),
            [Profile(f"p{k}", KEY, quota_group=f"g{k}") for k in range(3)], output=tmp_path / "videos", speed=SPEED,
        )  # fmt: skip
        with again:
            assert again.max_billed == limit
            again.start()
            settle(again)
            hands_on(again)
            assert len(server.made) <= limit, server.answers
            again.max_billed = limit + 3
            again.start()
            settle(again)
            hands_on(again)
            assert limit < len(server.made) <= limit + 3, server.answers


def hands_on(session: Session) -> None:
    """Try again whatever can be tried again by hand."""
    assert session.last_run is not None
    for scene in session.last_run.scenes:
        if scene.status == "held":
            session.submit_again(scene.id)
    settle(session)
    with suppress(VidgenError):  # nothing has failed
        session.retry_failed()
    settle(session)


def test_the_count_is_reached_exactly_and_goes_on(tmp_path: Path) -> None:
    """Killed with a submit in the air: it counts after the restore, although nobody knows what became of it."""
    with VllmOmni(speed=SPEED) as server:
        server.ready.clear()
        options = options_of(3, "hold", tmp_path) | {"profiles": 1}
        with session_of(backend_of(server.base_url), tmp_path, **options) as session:
            session.start(PROMPTS)
            server.wait_for("submit")
            session.abandon()
        server.ready.set()
        again = Session.restore(
            tmp_path / "runs", backend_of(server.base_url), [Profile("p0", KEY, quota_group="g0")],
            output=tmp_path / "videos", speed=SPEED,
        )  # fmt: skip
        with again:
            run = again.run_blocking()
        assert run.ended == "max_billed" and len(server.made) <= 3
        assert sorted(statuses(run)) == ["held", *["queued"] * (SCENES - 3), "succeeded", "succeeded"]


def test_jobs_that_failed_are_paid_for(tmp_path: Path) -> None:
    """All three failed at the provider, and one more may be bought: of three to try again, one is."""
    with VllmOmni(speed=SPEED) as server:
        server.failing = dict.fromkeys(PROMPTS, (400, "blocked"))
        with session_of(backend_of(server.base_url), tmp_path, mode="boost", max_billed=4) as session:
            run = session.run_blocking(PROMPTS[:3])
            assert run.ended == "settled" and statuses(run) == ["failed"] * 3
            session.retry_failed()
            settle(session)
            assert len(server.made) == 4 and session.last_run is not None
            assert sorted(statuses(session.last_run)) == ["failed", "queued", "queued"]
            assert session.last_run.ended == "max_billed"


def test_asking_again_is_no_submit(tmp_path: Path) -> None:
    """A held scene whose job is known is fetched, whatever `max_billed` says."""
    with VllmOmni(speed=SPEED) as server:
        server.fail("submit", lambda: Response("upstream", 504), times=1, makes_job=True)
        with session_of(backend_of(server.base_url), tmp_path, max_billed=1) as session:
            run = session.run_blocking(PROMPTS[:2])
            assert statuses(run) == ["held", "queued"] and run.ended == "max_billed"
            session.ask_again(run.scenes[0].id, job=server.made[0].id)
            settle(session)
            assert statuses(run) == ["succeeded", "queued"] and len(server.made) == 1
