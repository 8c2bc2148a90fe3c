"""What a session does before money is spent, and against spending too much."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.fakes import FakeBackend, profiles
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.backends.google.interactions import GoogleInteractions
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.runway.tasks import Runway
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import ProfileUnusable, RateLimited, Transient
from vidgen_nb.emulator import Emulator
from vidgen_nb.errors import InputError, SessionError
from vidgen_nb.ports import Backend, BackendError, Profile
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.session.key_check import KeyCheck, KeyChecks
from vidgen_nb.session.session import Session


class Probed(FakeBackend):
    """A backend whose probes answer by the profile's name."""

    def __init__(self, **answers: Exception) -> None:
        super().__init__()
        self.answers = answers
        self.all_asked = asyncio.Barrier(len(answers) + 1)

    async def probe(self, profile: Profile) -> None:
        """Answer once all have asked."""
        await self.all_asked.wait()
        if profile.name in self.answers:
            raise self.answers[profile.name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for videos."""
    return tmp_path / "videos"


def test_every_key_is_tried_at_once_and_none_raises(folder: Path) -> None:
    """A refused key, a limit, an outage and a bug each stand in their own record, in the profiles' order."""
    backend = Probed(
        p1=BackendError(ProfileUnusable("HTTP 401: bad key")),
        p2=BackendError(RateLimited(reason="HTTP 429")),
        p3=BackendError(Transient("no connection")),
        p4=RuntimeError("sk-planted-p4 is in here"),
    )
    with Session(backend, profiles("p1", "p2", "p3", "p4", "p5"), output=folder) as session:
        checks = session.check()
    assert [(check.profile, check.ok, check.message) for check in checks] == [
        ("p1", False, "HTTP 401: bad key"),
        ("p2", None, "HTTP 429"),
        ("p3", None, "no connection"),
        ("p4", None, "a bug in backend 'fake': RuntimeError"),
        ("p5", True, ""),
    ]
    assert not checks.ok
    assert backend.submits == []


def test_a_backend_without_a_probe_says_so(folder: Path) -> None:
    """Nothing is known then, which is not the same as good."""
    with Session(FakeBackend(), profiles("p1"), output=folder) as session:
        assert session.check()[0] == KeyCheck("p1", None, "the backend 'fake' can't tell without a submit")


def test_a_check_on_the_callers_loop_is_awaited(folder: Path) -> None:
    """`check` would wait for itself there, and says what to do; `acheck` works, from any loop."""

    async def go() -> None:
        async with Session(Probed(), profiles("p1"), output=folder) as session:
            with pytest.raises(SessionError, match="would wait for itself"):
                session.check()
            assert (await session.acheck()).ok
        session = Session(Probed(), profiles("p1"), output=folder)
        assert (await session.acheck()).ok
        await session.aclose()
        with pytest.raises(SessionError, match="closed"):
            await session.acheck()
        with pytest.raises(SessionError, match="closed"):
            session.check()

    asyncio.run(go())


def test_a_table_of_checks(folder: Path) -> None:
    """The checks show themselves as text and as HTML; what a server says is inert in both."""
    checks = KeyChecks([KeyCheck("alice", True, ""), KeyCheck("b<i>", False, "HTTP 401 <script>")])
    assert repr(checks) == "alice  ok\nb<i>   refused  HTTP 401 <script>"
    assert "<script>" not in checks._repr_html_() and "<i>" not in checks._repr_html_()
    assert "&lt;script&gt;" in checks._repr_html_()
    assert "$x" not in KeyChecks([KeyCheck("alice", False, r"$x\href{javascript:y}")])._repr_html_(), "no formula"
    assert (len(checks), checks[1].ok, checks[:1]) == (2, False, (checks[0],))


@pytest.mark.parametrize(
    ("response", "ok", "says"),
    [
        (httpx.Response(200, json={"data": []}), True, ""),
        (httpx.Response(200, json={"message": "Welcome"}), None, "base_url"),
        (httpx.Response(200, json={"code": 401, "msg": "invalid token"}), False, "invalid token"),
        (httpx.Response(400, json={"error": {"code": "invalid_api_key", "message": "no"}}), False, "invalid_api_key"),
        (httpx.Response(404, json={"detail": "Not Found"}), None, "HTTP 404"),
        (httpx.Response(405, json={"detail": "Method Not Allowed"}), True, ""),
        (httpx.Response(200, text="<html>welcome</html>"), None, "is base_url right?"),
        (httpx.Response(404, text="<html>nothing here</html>"), None, "HTTP 404"),
        (httpx.Response(401, json={"error": {"code": "invalid_api_key"}}), False, "HTTP 401 invalid_api_key"),
        (httpx.Response(403), False, "HTTP 403"),
        (httpx.Response(402), False, "HTTP 402"),
        (httpx.Response(429, json={"error": {"code": "insufficient_quota"}}), False, "insufficient_quota"),
        (httpx.Response(429), None, "HTTP 429"),
        (httpx.Response(503), None, "HTTP 503"),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/"}), None, "redirects"),
    ],
)
def test_what_an_openai_server_says_of_a_key(
    response: httpx.Response, ok: bool | None, says: str, folder: Path
) -> None:
    """A list is asked for, one job long, and the models where that does not tell."""
    asked: list[httpx.Request] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return response

    backend = OpenAIVideos(transport=httpx.MockTransport(server))
    with Session(backend, profiles("p1"), output=folder) as session:
        check = session.check()[0]
    assert (check.ok, says in check.message) == (ok, True)
    assert (asked[0].method, str(asked[0].url)) == ("GET", "http://127.0.0.1:8000/v1/videos?limit=1")
    assert [(each.method, each.url.path) for each in asked[1:]] in ([], [("GET", "/v1/models")])


def test_a_model_that_is_not_served(folder: Path) -> None:
    """The check names the server's models; a list with patterns says nothing."""

    def server(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": [{"id": "wan"}] if request.url.path.endswith("models") else []})

    backend = OpenAIVideos(model="sora-2", transport=httpx.MockTransport(server))
    with Session(backend, profiles("p1"), output=folder) as session:
        check = session.check()[0]
    assert (check.ok, check.message) == (False, "model 'sora-2' is not among the server's: wan")


def described(base_url: str) -> HttpBackend:
    """Return a described backend for the emulator's default dialect."""
    return HttpBackend(
        base_url, submit="/videos", body=lambda scene: {"prompt": scene.prompt}, form=True, poll="/videos/{id}",
        statuses={"completed": "succeeded"}, content="/videos/{id}/content",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("make", "dialect", "says"),
    [
        (OpenAIVideos, "openai_videos", "invalid_api_key"),
        (described, "openai_videos", "invalid_api_key"),
        (GoogleInteractions, "google_interactions", "api_key_invalid"),
        (Runway, "runway", "HTTP 401"),
    ],
)
def test_the_emulator_tells_good_keys_from_bad_ones_and_bills_nothing(
    make: Callable[[str], Backend], dialect: str, says: str, folder: Path
) -> None:
    """Over HTTP, on every API: the good key passes, the wrong one is refused, and nothing is submitted."""
    with Emulator([SimulatedProfile("p1"), SimulatedProfile("p2")], speed=100, dialect=dialect) as emulator:
        given = [emulator.profiles[0], Profile("p2", "sk-wrong")]
        with Session(make(emulator.base_url), given, output=folder, speed=100) as session:
            checks = session.check()
        assert [check.ok for check in checks] == [True, False]
        assert says in checks[1].message
        assert {record.method for record in emulator.requests} == {"GET"}


def test_max_billed_over_http_and_going_on(folder: Path) -> None:
    """The run ends after that many submits, the rest is queued; with a higher limit `run()` goes on with it."""
    with (
        Emulator([SimulatedProfile("p1", capacity=4)], speed=100) as emulator,
        Session(
            OpenAIVideos(emulator.base_url), emulator.profiles, mode="boost", speed=100, output=folder, max_billed=3
        ) as session,
    ):
        run = session.run_blocking(["a", "b", "c", "d", "e"])
        assert (run.ended, session.max_billed, run.header["max_billed"]) == ("max_billed", 3, 3)
        assert [scene.status for scene in run.scenes] == ["succeeded"] * 3 + ["queued"] * 2
        submits = [record for record in emulator.requests if record.method == "POST"]
        assert len(submits) == 3
        session.max_billed = 9
        assert session.run_blocking() is run
        assert run.ended == "settled"
        assert [event.max_billed for event in run.events if isinstance(event, ev.BillingLimitChanged)] == [9]
        with pytest.raises(InputError, match="max_billed"):
            session.max_billed = 0


def test_each_run_counts_for_itself(folder: Path) -> None:
    """A new run may cost as much again."""
    with Session(FakeBackend(), profiles("p1"), output=folder, max_billed=2) as session:
        assert session.run_blocking(["a", "b"]).ended == "settled"
        assert session.run_blocking(["c", "d"]).ended == "settled"


@pytest.mark.parametrize("start", ["run_blocking", "start", "add"])
def test_scenes_are_checked_before_any_is_sent(start: str, folder: Path) -> None:
    """A missing image is an error that names its scene, and nothing is queued."""
    backend = OpenAIVideos(transport=httpx.MockTransport(lambda request: pytest.fail("something was sent")))
    with Session(backend, profiles("p1"), output=folder) as session:
        with pytest.raises(InputError, match=r"scene 's2': input_reference: image '.*missing.png' can't be read"):
            getattr(session, start)([Scene("s1", "a"), Scene("s2", "b", input_reference="missing.png")])
        assert session.last_run is None
    assert not folder.exists()
