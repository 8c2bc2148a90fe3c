"""What a person decides about single scenes: run again, edit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeBackend, profiles
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import Ambiguous, Failure, Permanent
from vidgen_nb.errors import InputError
from vidgen_nb.run import load_run
from vidgen_nb.session.session import Session

REFUSED = Permanent("refused", cause="content")


@pytest.fixture
def backend() -> FakeBackend:
    """One whose first submit of s001 is refused for its content, and of s002 as a bad request."""
    script: dict[str, Failure] = {"s001": REFUSED, "s002": Permanent("bad size"), "s003": Ambiguous("HTTP 502")}
    return FakeBackend(lambda scene, profile, nth: script.get(scene) if nth == 1 else None)


@pytest.fixture
def session(backend: FakeBackend, tmp_path: Path) -> Iterator[Session]:
    """A session that has run four scenes: refused, failed, held, succeeded."""
    with Session(backend, profiles("p1"), output=tmp_path / "v", journal=tmp_path / "runs", speed=20) as session:
        session.run_blocking(["one", "two", "three", "four"])
        yield session


def statuses(session: Session) -> list[str]:
    """Return how the scenes stand."""
    assert session.last_run is not None
    return [each.status for each in session.last_run.scenes]


def test_what_was_refused_is_left_alone(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    """Retry failed does not submit again what would be refused again; once it is edited, it does."""
    assert statuses(session) == ["failed", "failed", "held", "succeeded"]
    assert session.retry_failed() == ["s002"]
    assert "1 scene blocked by the provider's content policy is left alone" in caplog.text
    session.wait(10)
    assert session.edit_scene("s001", prompt="a kinder one") == Scene("s001", "a kinder one")
    assert statuses(session)[0] == "failed"
    assert session.retry_failed() == ["s001"]
    session.wait(10)
    assert statuses(session) == ["succeeded", "succeeded", "held", "succeeded"]


def test_run_again(session: Session, backend: FakeBackend) -> None:
    """Any settled scene can be run again by hand, also a refused or a successful one; a held one is decided about."""
    assert session.run_again(["s004", "s001", "s004"]) == ["s004", "s001"]
    session.wait(10)
    assert [scene for scene, _ in backend.submits].count("s004") == 2
    assert statuses(session) == ["succeeded", "failed", "held", "succeeded"]
    for scene, wrong in (("s003", "in doubt"), ("nobody", "no scene")):
        with pytest.raises(InputError, match=wrong):
            session.run_again([scene])
    assert len(backend.submits) == 6


def test_an_edit_is_kept(session: Session) -> None:
    """It stands in the journal, also if nothing ran since; a parameter that is None is removed."""
    session.edit_scene("s002", seconds=8, size="720p")
    session.edit_scene("s002", seconds=None)
    session.edit_scene("s002")
    with pytest.raises(InputError, match="empty prompt"):
        session.edit_scene("s002", prompt=" ")
    with pytest.raises(InputError, match="no scene"):
        session.edit_scene("nobody", prompt="x")
    session.close()
    assert session.journal is not None
    edits = [event for event in load_run(session.journal).events if type(event).__name__ == "SceneEdited"]
    assert [getattr(event, "scene", None) for event in edits] == [
        Scene("s002", "two", seconds=8, size="720p"),
        Scene("s002", "two", size="720p"),
    ]
