"""What can be answered of a held scene: it was made, or submit it again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fakes import FakeBackend
from tests.gateways.harness import SPEED, backend_of, session_of, statuses
from tests.gateways.servers import Sglang
from tests.gateways.video_server import KEY
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import RetryPolicy
from vidgen_nb.core.outcomes import Ambiguous
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Profile
from vidgen_nb.session.session import Session

PATIENCE = RetryPolicy(job_timeout=1200)


def test_a_job_that_was_made_after_all(tmp_path: Path) -> None:
    """Nobody answered until `job_timeout`: asked again later, the video is fetched; nothing is paid twice."""
    with Sglang(speed=SPEED) as server, session_of(backend_of(server.base_url), tmp_path, retry=PATIENCE) as session:
        server.fail("poll", server.unavailable, seconds=1e9)
        run = session.run_blocking(["prompt 0"])
        assert statuses(run) == ["held"]
        assert session.retry_failed() == []
        server.faults.clear()
        session.ask_again("s001")
        run = session.wait(10)
    assert statuses(run) == ["succeeded"]
    assert server.jobs_by_prompt == {"prompt 0": 1}
    assert len(run.attempts) > 1


def test_a_job_whose_id_the_user_found(tmp_path: Path) -> None:
    """The answer to its submit was lost: with the id from the provider's list it is fetched."""
    backend = FakeBackend(lambda scene, profile, nth: Ambiguous("HTTP 502"))
    with Session(backend, [Profile("p1", "sk-planted")], output=tmp_path) as session:
        assert statuses(session.run_blocking(["one"])) == ["held"]
        with pytest.raises(InputError, match=r"ask_again\(scene, job=\.\.\.\)"):
            session.ask_again("s001")
        with pytest.raises(InputError, match="job is the provider's id"):
            session.ask_again("s001", job=" ")
        session.ask_again("s001", job="s001")
        run = session.wait(10)
    assert statuses(run) == ["succeeded"]
    assert len(backend.submits) == 1


def test_submit_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is submitted again by hand, and the log says what that may cost."""
    backend = FakeBackend(lambda scene, profile, nth: Ambiguous("HTTP 502") if nth == 1 else None)
    with Session(backend, [Profile("p1", "sk-planted")], output=tmp_path) as session:
        assert statuses(session.run_blocking(["one"])) == ["held"]
        session.submit_again("s001")
        run = session.wait(10)
        for wrong in ("s001", "nobody"):
            with pytest.raises(InputError):
                session.submit_again(wrong)
            with pytest.raises(InputError):
                session.ask_again(wrong)
    assert statuses(run) == ["succeeded"]
    assert [type(each) for each in run.events if isinstance(each, ev.SubmitAgainRequested)] == [ev.SubmitAgainRequested]
    assert "be billed, too" in caplog.text


def test_a_held_scene_of_an_earlier_program(tmp_path: Path) -> None:
    """It is held in the journal: the session that restores the run can ask about its job, too."""
    with Sglang(speed=SPEED) as server:
        backend = backend_of(server.base_url)
        server.fail("poll", server.unavailable, seconds=1e9)
        with session_of(backend, tmp_path, retry=PATIENCE, journal=tmp_path / "runs") as session:
            assert statuses(session.run_blocking(["prompt 0"])) == ["held"]
        server.faults.clear()
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "runs", copy)
        profile = Profile("p0", KEY, quota_group="g0")
        with Session.restore(copy, backend, [profile], output=tmp_path / "videos") as restored:
            restored.ask_again("s001")
            run = restored.wait(10)
    assert statuses(run) == ["succeeded"]
    assert server.jobs_by_prompt == {"prompt 0": 1}
