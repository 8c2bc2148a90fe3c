"""After acceptance only the job's own last word ends it: trouble in asking or fetching is asked about again."""

from __future__ import annotations

import base64
import json
import logging
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from tests.gateways.harness import FAST_POLLS, SPEED, backend_of, failures, run_scenes, session_of, statuses
from tests.gateways.servers import NewApi, Sglang, VllmOmni
from tests.gateways.video_server import KEY, VideoServer, html_page
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core.model import RetryPolicy
from vidgen_nb.ports import Profile
from vidgen_nb.session.session import Session

KINDS = (VllmOmni, Sglang, NewApi)


def one_each(server: VideoServer, scenes: int) -> bool:
    """Say whether each scene was paid for once."""
    return sorted(server.jobs_by_prompt.values()) == [1] * scenes


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_that_is_not_known_yet(kind: type[VideoServer], tmp_path: Path) -> None:
    """Its first two polls, just after the submit, say that there is no such job: it is asked about again."""
    with kind(speed=SPEED) as server:
        server.fail("poll", server.missing, times=2, per_job=True)
        run = run_scenes(backend_of(server.base_url), tmp_path, 2)
    assert statuses(run) == ["succeeded"] * 2
    assert one_each(server, 2)


@pytest.mark.parametrize("phase", ["poll", pytest.param("fetch", marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", KINDS)
def test_ten_minutes_of_503(kind: type[VideoServer], phase: Any, tmp_path: Path) -> None:
    """Nobody answers about jobs, or gives results, for ten minutes: paid jobs survive."""
    with kind(speed=SPEED) as server:
        server.fail(phase, server.unavailable, seconds=600)
        run = run_scenes(backend_of(server.base_url), tmp_path, 4)
    assert statuses(run) == ["succeeded"] * 4
    assert one_each(server, 4)


@pytest.mark.parametrize("status", [200, 502, 503])
def test_pages_for_people_for_ten_minutes(status: int, tmp_path: Path) -> None:
    """A page of a proxy in the place of the job's status is no word of the job."""
    with VllmOmni(speed=SPEED) as server:
        server.fail("poll", html_page(status), seconds=600)
        run = run_scenes(backend_of(server.base_url), tmp_path, 2)
    assert statuses(run) == ["succeeded"] * 2
    assert one_each(server, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_content_that_is_not_there_yet(kind: type[VideoServer], tmp_path: Path) -> None:
    """The job is over, but its file is refused three times, with 404 or as `not completed yet` with 400."""
    with kind(speed=SPEED) as server:
        status = 400 if kind is NewApi else 404
        server.fail("fetch", lambda: server.error(status, "Generation is still in-progress"), times=3)
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["succeeded"]
    assert one_each(server, 1)


@pytest.mark.parametrize("answer", [html_page(403), lambda: JSONResponse({"error": "Unauthorized"}, 401)])
def test_one_refused_key_amid_a_run(answer: Callable[[], Response], tmp_path: Path) -> None:
    """One page of a firewall, or one 401 while keys are synchronised: the next poll is good, and so is the profile."""
    with VllmOmni(speed=SPEED) as server:
        server.fail("poll", answer, times=1)
        run = run_scenes(backend_of(server.base_url), tmp_path, 6)
    assert statuses(run) == ["succeeded"] * 6
    assert one_each(server, 6)


@pytest.mark.parametrize("phase", ["poll", pytest.param("fetch", marks=pytest.mark.long)])
def test_the_end_of_patience_is_held(phase: Any, tmp_path: Path) -> None:
    """Nobody ever answers about the job: at `job_timeout` its scene is held, with the job's id."""
    with Sglang(speed=SPEED) as server:
        server.fail(phase, server.unavailable)
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["held"]
    assert server.made[0].id in (run.scenes[0].error or "")
    assert server.count(phase) > 7


def test_retry_failed_buys_nothing_twice(tmp_path: Path) -> None:
    """After an outage, the obvious button does not pay again for jobs that were accepted."""
    with VllmOmni(speed=SPEED) as server, session_of(backend_of(server.base_url), tmp_path) as session:
        server.fail("poll", server.unavailable, seconds=900)
        session.start(["prompt 0", "prompt 1"])
        session.wait(10)
        session.retry_failed()
        session.start()
        session.wait(10)
    assert one_each(server, 2)


@pytest.mark.parametrize("code", [500, 422])
def test_a_failed_job_under_an_error_status(code: int, tmp_path: Path) -> None:
    """vLLM-Omni answers a failed job's GET with the error's own status: the body says it, and one poll is enough."""
    with VllmOmni(speed=SPEED, polls_to_finish=0) as server:
        server.failing["prompt 0"] = (code, "CUDA out of memory. Tried to allocate 20.00 GiB")
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["failed"]
    assert "the job failed" in (run.scenes[0].error or "")
    assert "CUDA out of memory" in (run.scenes[0].error or "")
    assert server.count("poll") == 1


def litellms(upstream: str) -> str:
    """Return LiteLLM's id of a job: the upstream's is in it."""
    parts = f"litellm:custom_llm_provider:openai;model_id:sora-2;video_id:{upstream};deployment_id:{'0' * 64}"
    return "video_" + base64.b64encode(parts.encode()).decode()


@pytest.mark.parametrize("upstream", ["video_gen_1", "video_gen_2"])
def test_a_failed_job_behind_a_gateway(upstream: str, tmp_path: Path) -> None:
    """LiteLLM makes an error of that answer, with the upstream's job in its text: it counts if it is this job's."""
    with VllmOmni(speed=SPEED, polls_to_finish=0) as server:
        server.new_id = lambda: litellms("video_gen_1")  # type: ignore[method-assign]
        job = {"id": upstream, "object": "video", "status": "failed", "error": {"code": 500, "message": "no memory"}}
        said = f"litellm.InternalServerError: InternalServerError: OpenAIException - {json.dumps(job)}\n\nLiteLLM: …"
        error = {"message": said, "type": "internal_server_error", "param": None, "code": "500"}
        server.fail("poll", lambda: JSONResponse({"error": error}, 500), times=3)
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == (["failed"] if upstream == "video_gen_1" else ["succeeded"])
    assert server.count("poll") == (1 if upstream == "video_gen_1" else 4)


@pytest.mark.parametrize("kind", [Sglang, NewApi])
def test_a_failed_job_of_the_others(kind: type[VideoServer], tmp_path: Path) -> None:
    """Elsewhere a failed job stands in an answer of 200: its message is shown, and nothing is made again."""
    with kind(speed=SPEED) as server:
        server.failing["prompt 0"] = (0, "CUDA out of memory")
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["failed"]
    assert "CUDA out of memory" in (run.scenes[0].error or "")
    assert one_each(server, 1)


def test_a_result_that_was_uploaded(tmp_path: Path) -> None:
    """SGLang with S3 refuses `/content`, and names the result's address: it is fetched from there, without the key."""
    with Sglang(speed=SPEED, s3=True) as server:
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["succeeded"]
    fetched = [each for each in server.seen if each.path.startswith("/bucket/")]
    assert [each.key for each in fetched] == [""]


@pytest.mark.parametrize(
    "word",
    [
        "completed",
        *(word for word in ("succeeded", "SUCCESS", "Completed", "complete", "success", "done", "finished", "ready")),
    ],
)
def test_words_of_success(word: str, tmp_path: Path) -> None:
    """Gateways say it in other words, and in any case."""
    with NewApi(speed=SPEED, words={"completed": word}) as server:
        run = run_scenes(backend_of(server.base_url), tmp_path, retry=RetryPolicy(job_timeout=600))
    assert statuses(run) == ["succeeded"]
    assert server.count("cancel") == 0


@pytest.mark.parametrize(
    "word",
    ["failed", *(word for word in ("FAILURE", "error", "expired", "aborted", "timeout", "rejected"))],
)
def test_words_of_failure(word: str, tmp_path: Path) -> None:
    """So they do of a job that failed, with no error beside it."""
    with NewApi(speed=SPEED, words={"completed": word}) as server:
        run = run_scenes(backend_of(server.base_url), tmp_path, retry=RetryPolicy(job_timeout=600))
    assert statuses(run) == ["failed"]
    assert "job_timeout" not in (run.scenes[0].error or "")
    assert server.count("cancel") == 0


@pytest.mark.parametrize(
    "word", ["pending", "SUBMITTED", "starting", "Processing", "running", "generating", "throttled"]
)
def test_words_of_a_job_that_goes_on(word: str, tmp_path: Path) -> None:
    """Nothing follows from them: it is asked about again."""
    with NewApi(speed=SPEED, words={"queued": word, "in_progress": word}, polls_to_finish=3) as server:
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["succeeded"]


def test_an_unknown_word_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A word that is in no vocabulary is named in the log, once, and asked about again."""
    with caplog.at_level(logging.WARNING), NewApi(speed=SPEED, words={"in_progress": "simmering"}) as server:
        server.polls_to_finish = 4
        run = run_scenes(backend_of(server.base_url), tmp_path, 2)
    assert statuses(run) == ["succeeded"] * 2
    assert sum("simmering" in record.getMessage() for record in caplog.records) == 1


def test_servers_that_take_turns(tmp_path: Path) -> None:
    """Two servers behind one address know only their own jobs: the only job's result is found at the other one."""
    with VllmOmni(speed=SPEED) as server:
        turn = count(1)
        answered = server._about

        def about(phase: Any, job_id: str) -> Response:
            return answered(phase, job_id) if next(turn) % 2 else server.missing()

        server._about = about  # type: ignore[method-assign]
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["succeeded"]
    assert server.count("fetch") < 7


def test_nothing_is_deleted_that_may_be_done(tmp_path: Path) -> None:
    """A job whose last word nobody knows is held at the end of patience, and still there."""
    with VllmOmni(speed=SPEED) as server:
        server.show = lambda job, status: JSONResponse({"id": job.id, "status": "archived"})  # type: ignore[method-assign]
        run = run_scenes(backend_of(server.base_url), tmp_path, retry=RetryPolicy(job_timeout=200))
    assert statuses(run) == ["held"]
    assert server.count("cancel") == 0


@pytest.mark.parametrize(
    "error",
    [None, {}, {"code": "", "message": ""}, {"code": None, "message": None}],
)
def test_an_error_without_content(error: object, tmp_path: Path) -> None:
    """Empty fields beside a running job mean nothing."""
    with NewApi(speed=SPEED, words={}) as server:
        server.beside["error"] = error
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["succeeded"]


def test_a_key_that_is_renewed(tmp_path: Path) -> None:
    """`api_key=callable`: it is asked again once on 401, and the profile goes on with its jobs."""
    keys = [KEY]
    with VllmOmni(speed=SPEED, polls_to_finish=3) as server:
        renewed = "sk-renewed-5678"

        def rotated() -> Response:
            server.keys, keys[0] = {renewed}, renewed
            return server.error(401, "Unauthorized")

        server.fail("poll", rotated, times=1)
        profile = Profile("p0", lambda: keys[0])
        with Session(backend_of(server.base_url), [profile], output=tmp_path, speed=SPEED) as session:
            run = session.run_blocking(["prompt 0", "prompt 1"])
    assert statuses(run) == ["succeeded"] * 2
    assert one_each(server, 2)


def test_a_restore_with_a_fresh_key(tmp_path: Path) -> None:
    """The key was exchanged while no program ran: the jobs of the old one are asked about with the new one."""
    crashed = tmp_path / "crashed"
    with VllmOmni(speed=SPEED, polls_to_finish=1_000_000) as server:
        backend = backend_of(server.base_url)
        with session_of(backend, tmp_path, journal=tmp_path / "runs") as session:
            session.start(["prompt 0"])
            server.wait_for("poll")
            shutil.copytree(tmp_path / "runs", crashed)
            session.abandon()
        server.keys, server.polls_to_finish = {"sk-fresh-5678"}, 0
        fresh = [Profile("p0", "sk-fresh-5678", quota_group="g0")]
        with Session.restore(crashed, backend, fresh, output=tmp_path / "videos") as restored:
            run = restored.run_blocking()
    assert statuses(run) == ["succeeded"]
    assert one_each(server, 1)


@pytest.mark.parametrize("aborting", [False, True])
def test_a_job_that_is_cancelled(aborting: bool, tmp_path: Path) -> None:
    """vLLM-Omni aborts it, or answers 409 while that takes longer, and does not know it any more: it is cancelled."""
    with (
        VllmOmni(speed=SPEED, polls_to_finish=1_000_000, aborting=aborting) as server,
        session_of(backend_of(server.base_url), tmp_path) as session,
    ):
        session.start(["prompt 0"])
        server.wait_for("poll")
        session.cancel("s001")
        run = session.wait(10)
    assert statuses(run) == ["cancelled"]
    assert server.count("cancel") == 1


def test_requests_wait_while_a_server_warms_up(tmp_path: Path) -> None:
    """SGLang answers nothing until it is warm: the submit is waited for, not sent again."""
    with Sglang(speed=SPEED) as server:
        server.ready.clear()
        backend = OpenAIVideos(server.base_url, poll=FAST_POLLS)
        with session_of(backend, tmp_path) as session:
            session.start(["prompt 0"])
            server.wait_for("submit")
            server.ready.set()
            run = session.wait(10)
    assert statuses(run) == ["succeeded"]
    assert one_each(server, 1)
    assert failures(run) == []
