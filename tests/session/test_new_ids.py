"""Scenes without an id that join a run, or follow one: none takes the id of another scene there.

Under the id of one that has succeeded it would be that one, run again: its prompt would be lost from the records, and
its video be called a second version.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.audit import audit
from tests.fakes import FakeBackend, profiles
from tests.session.crashes import Place, Stuck, such
from tests.session.sessions import Ends, seen
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, Scene
from vidgen_nb.core.outcomes import Failure, Permanent
from vidgen_nb.emulator import Emulator
from vidgen_nb.errors import DuplicateScene
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.provider import Constant, SimulatedProfile
from vidgen_nb.run import Run, load_run
from vidgen_nb.session.session import Session, restore

pd = pytest.importorskip("pandas")

AnySession = Session | Controller

OLD = ["a lighthouse", "a harbour", "a night train", "a fox"]
"""Of the run that is restored: s001 has succeeded, s002 failed, s003 is generating, s004 queued."""


def by_file(place: Place, left: Path) -> AnySession:
    """Restore the run's file."""
    return place.restored(left)


def by_folder(place: Place, left: Path) -> AnySession:
    """Restore the latest run of a folder."""
    return place.restored(left.parent)


def as_controller(place: Place, left: Path) -> AnySession:
    """Restore it with a panel."""
    return place.kept(Controller.restore(left, FakeBackend(), profiles("p1"), output=place.videos))


def in_a_session(place: Place, left: Path) -> AnySession:
    """Take it up in a session that is here already."""
    here = place.kept(Session(FakeBackend(), profiles("p1"), output=place.videos, journal=left.parent, speed=20))
    here.restore_last_run()
    return here


def in_a_panel(place: Place, left: Path) -> AnySession:
    """Take it up as the panel's button does."""
    here = place.kept(Controller(FakeBackend(), profiles("p1"), output=place.videos, journal=left.parent, speed=20))
    here.restore_last_run()
    return here


WAYS = [by_file, by_folder, as_controller, in_a_session, in_a_panel]


@pytest.fixture
def left(place: Place) -> Path:
    """The journal of a run that was killed, alone in its folder."""

    def script(scene: str, _profile: str, _nth: int) -> Failure | None:
        return Permanent("refused") if scene == "s002" else None

    session = place.session(Stuck(script, hold=frozenset(["s003"])), 1, mode=Mode("one", 1, 1))
    session.start(OLD)
    crash = place.crash(session, such(succeeded=1, failed=1, generating=1, queued=1))
    assert session.journal is not None
    path = place.folder / "left" / session.journal.name
    path.parent.mkdir()
    shutil.copy(crash, path)
    return path


def prompts(run: Run | None) -> dict[str, str]:
    """Return each scene's prompt by its id."""
    assert run is not None
    return {scene.id: scene.prompt for scene in run.scenes}


BEFORE = {f"s{k:03}": prompt for k, prompt in enumerate(OLD, 1)}
NEW = ["an owl", "a bear"]
SOURCES: dict[str, Callable[[Path], Any]] = {
    "prompts": lambda _: NEW,
    "text": lambda _: "\n".join(NEW),
    "rows": lambda _: [{"prompt": prompt, "seconds": 4} for prompt in NEW],
    "columns": lambda _: {"prompt": NEW},
    "frame": lambda _: pd.DataFrame({"prompt": NEW, "seconds": 4}),
    "csv": lambda folder: written(folder / "new.csv", "prompt,seconds\nan owl,4\na bear,8\n"),
    "txt": lambda folder: written(folder / "new.txt", "an owl\na bear\n"),
    "generator": lambda _: (prompt for prompt in NEW),
}


def written(path: Path, content: str) -> Path:
    """Write a file and return its path."""
    path.write_text(content)
    return path


@pytest.mark.parametrize(
    ("way", "source"), [*((way, "prompts") for way in WAYS), *((by_folder, source) for source in SOURCES)]
)
def test_they_join_a_restored_run_as_new_ones(place: Place, left: Path, way: Any, source: str) -> None:
    """However it was restored, and wherever they come from: numbers go on, and what there was stays as it was."""
    session = way(place, left)
    run = session.run_blocking(SOURCES[source](place.folder))
    assert prompts(run) == BEFORE | {"s005": "an owl", "s006": "a bear"}
    assert [scene.attempts for scene in run.scenes] == [1] * 6
    assert prompts(load_run(left)) == prompts(run)
    audit(run.events, Mode("one", 1, 1))


@pytest.mark.parametrize("call", ["start", "add", "run", "run_one", "run_blocking"])
def test_every_call_that_takes_scenes(place: Place, left: Path, call: str) -> None:
    """`run_one`, too, which waits for the scene that it queued, and not for one of that id by its place."""
    session = place.restored(left)
    if call == "run_one":
        run = asyncio.run(session.run_one("an owl"))
        assert next(scene.status for scene in run.scenes if scene.prompt == "an owl") == "succeeded"
    elif call == "run":
        asyncio.run(session.run(["an owl"]))
    else:
        getattr(session, call)(["an owl"])
    assert prompts(session.wait(10)) == BEFORE | {"s005": "an owl"}


def test_the_same_scenes_again(place: Place, left: Path) -> None:
    """While some of them are open nothing is sent; a settled one is run again, under its id."""
    session = place.restored(left, backend := FakeBackend())
    for same in (OLD, OLD[:3], [{"prompt": prompt} for prompt in OLD]):
        with pytest.raises(DuplicateScene, match=r"s003.* is already running"):
            session.start(same)
    assert backend.submits == [] and prompts(session.last_run) == BEFORE
    run = session.run_blocking(OLD[:2])
    assert prompts(run) == BEFORE
    assert {scene.id: scene.attempts for scene in run.scenes} == {"s001": 2, "s002": 2, "s003": 1, "s004": 1}


def test_some_of_them_again_and_others(place: Place, left: Path) -> None:
    """What is at its place as it was is that scene again; what is not has a number that nobody has, in order."""
    session = place.restored(left)
    run = session.run_blocking([OLD[0], "an owl", Scene("s007", "mine"), Scene("b", "yours"), "a bear"])
    assert prompts(run) == BEFORE | {"s007": "mine", "b": "yours", "s008": "an owl", "s009": "a bear"}
    assert [scene.attempts for scene in run.scenes if scene.id == "s001"] == [2]


def test_other_parameters_are_another_scene(place: Place, left: Path) -> None:
    """The same prompt in another length is not the scene that there was."""
    run = place.restored(left).run_blocking([{"prompt": OLD[0], "seconds": 8}])
    assert prompts(run) == BEFORE | {"s005": OLD[0]}


def test_ids_that_are_given_stay(place: Place, left: Path) -> None:
    """A settled scene is run again under its id, as the caller has it."""
    run = place.restored(left).run_blocking([Scene("s001", "a lighthouse at dawn"), {"id": "x", "prompt": "y"}])
    assert prompts(run) == BEFORE | {"s001": "a lighthouse at dawn", "x": "y"}


def test_after_a_restored_run_has_settled(place: Place, left: Path) -> None:
    """What follows is a run of its own, with ids that the restored one does not have; the same scenes keep theirs."""
    session = place.restored(left)
    first = session.run_blocking()
    second = session.run_blocking([OLD[0], *NEW])
    assert second.header["run"] != first.header["run"]
    assert prompts(second) == {"s001": OLD[0], "s005": "an owl", "s006": "a bear"}
    assert prompts(session.run_blocking(["an owl"])) == {"s007": "an owl"}


def test_scenes_that_join_while_others_run(make: Ends) -> None:
    """A batch that is started beside another one joins it; more digits are the same number."""
    session = make(backend := FakeBackend(hold=frozenset({"s0001", "s0002"})))
    many = [f"prompt {k}" for k in range(1001)]
    session.start(many)
    session.start(["another", "one more"])
    with pytest.raises(DuplicateScene):
        session.start(many[:2])
    backend.let_go()
    found = [scene.id for scene in session.wait(60).scenes]
    assert len(found) == 1003 and found[-2:] == ["s1002", "s1003"]


def test_a_single_scene_that_is_cancelled_is_the_one_that_was_asked_for(make: Ends) -> None:
    """Cancelling `run_one` cancels the scene that it queued, under the id that this got."""
    session = make(backend := FakeBackend(hold=frozenset({"s001", "s002", "s003"})))
    session.start(["a", "b"])

    async def cell() -> None:
        queued = seen(session, ev.SceneAdded)
        single = asyncio.ensure_future(session.run_one("c"))
        await asyncio.to_thread(queued.wait, 10)
        single.cancel()
        with pytest.raises(asyncio.CancelledError):
            await single

    settled = seen(session, ev.SceneSettled)
    asyncio.run(cell())
    assert settled.wait(10)
    backend.let_go()
    assert [scene.status for scene in session.wait(10).scenes] == ["succeeded", "succeeded", "cancelled"]


def test_over_http_nothing_is_generated_twice(tmp_path: Path) -> None:
    """On the emulator, restored after a stop: as many jobs as there are scenes, each video with its own name."""
    videos, runs = tmp_path / "videos", tmp_path / "runs"
    simulated = [SimulatedProfile(name, service=Constant(20), capacity=1) for name in ("p1", "p2")]
    with Emulator(simulated, speed=100) as emulator:
        backend, given = OpenAIVideos(emulator.base_url), emulator.profiles
        with Session(backend, given, output=videos, journal=runs, speed=100) as session:
            settled = seen(session, ev.Fetched)
            session.start(OLD)
            assert settled.wait(20)
            session.stop()
            assert session.wait(20).ended == "stopped"
        for new in (NEW, ["a crab"]):
            with restore(runs, OpenAIVideos(emulator.base_url), given, output=videos) as again:
                run = again.run_blocking(new)
        submits = [request for request in emulator.requests if request.method == "POST"]
    first = min(runs.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)  # in one second, names have no order
    assert prompts(load_run(first)) == BEFORE | {"s005": "an owl", "s006": "a bear"}
    assert prompts(run) == {"s007": "a crab"}
    assert len(submits) == 7
    assert sorted(path.stem for path in videos.glob("*.mp4")) == [f"s00{k}" for k in range(1, 8)]
