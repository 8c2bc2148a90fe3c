"""Which file a scene's relative image path means: the one it named when the scene was queued, wherever one is later."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.backends.wire.test_images import JPEG, PNG, uri
from tests.fakes import FakeBackend, profiles
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.backends.google.interactions import GoogleInteractions
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.runway.tasks import Runway
from vidgen_nb.core.model import Mode, Operation, Scene
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Profile
from vidgen_nb.session.session import Session, restore
from vidgen_nb.session.validation import prepared_scenes

ADDRESS = "https://images.example/dawn.png"


def described() -> HttpBackend:
    """Return a backend whose `image` and `last` are images."""
    return HttpBackend(
        "https://toy.example",
        submit="/jobs",
        body=lambda scene: dict(scene.params),
        poll="/jobs/{id}",
        statuses={"done": "succeeded"},
        result="url",
        images=["image", "last"],
    )


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with an image in it."""
    folder = tmp_path / "studio"
    folder.mkdir()
    (folder / "dawn.png").write_bytes(PNG)
    monkeypatch.chdir(folder)
    return Path.cwd()


@pytest.mark.parametrize(
    ("backend", "name"),
    [
        (OpenAIVideos(), "input_reference"),
        (GoogleInteractions(), "image"),
        (Runway(), "image"),
        (Runway(), "promptImage"),
        (Runway(), "input_reference"),
        (described(), "image"),
        (described(), "last"),
    ],
)
def test_a_path_is_queued_as_an_absolute_one(backend: Any, name: str, studio: Path) -> None:
    """Also a Path; what is no path of this machine is queued as it was given, and so are other parameters."""
    for given in ("dawn.png", Path("dawn.png"), Path("..", "studio", "dawn.png")):
        (scene,) = prepared_scenes(backend, [Scene("s", "p", **{name: given, "style": "dawn.png"})])
        assert scene.params == {name: str(studio / given), "style": "dawn.png"} and scene.prompt == "p"
    for kept in (ADDRESS, uri(PNG), str(studio / "dawn.png")):
        scene = Scene("s", "p", **{name: kept})
        assert prepared_scenes(backend, [scene]) == [scene]
    with pytest.raises(InputError, match=r"^scene 's': .*gone\.png"):
        prepared_scenes(backend, [Scene("s", "p", **{name: "gone.png"})])


def test_lists_of_images(studio: Path) -> None:
    """Google takes several images; what Runway calls a list goes to it as it is."""
    (scene,) = prepared_scenes(GoogleInteractions(), [Scene("s", "p", image=["dawn.png", ADDRESS, uri(PNG)])])
    assert scene.params["image"] == [str(studio / "dawn.png"), ADDRESS, uri(PNG)]
    for kept in ([{"uri": "dawn.png", "position": "first"}], ["dawn.png"], "runway://upload-1"):
        assert prepared_scenes(Runway(), [Scene("s", "p", image=kept)])[0].params["image"] == kept
    told = Scene("s", "p", input_reference={"file_id": "dawn.png"})
    assert prepared_scenes(OpenAIVideos(), [told]) == [told]


def test_a_backend_of_ones_own_needs_no_such_method(studio: Path) -> None:
    """It gets its scenes as they were given."""
    given = [Scene("s", "p", image="dawn.png")]
    assert prepared_scenes(FakeBackend(), given) == given


class Reading(OpenAIVideos):
    """Notes which image each scene brings, and finishes everything but what is in `hold`."""

    def __init__(self) -> None:
        super().__init__()
        self.fake = FakeBackend(hold=frozenset(["a"]))
        self.read: dict[str, bytes] = {}

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Read the image as the real one does."""
        part: Any = (await self._form(self._fields(scene), profile))["input_reference"]
        self.read[scene.id] = part()[1]
        return await self.fake.submit(scene, profile)

    async def poll(self, operation: Operation, profile: Profile) -> Any:
        """Answer at once."""
        return await self.fake.poll(operation, profile)

    async def fetch(self, *args: Any) -> None:
        """There is nothing to fetch."""


def test_another_folder_in_mid_run_and_after_a_restore(studio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image that was meant is sent, in the run and by the program that goes on with it elsewhere."""
    other = studio.parent / "other"
    other.mkdir()
    (other / "dawn.png").write_bytes(JPEG)
    backend, later = Reading(), Reading()
    scenes = [Scene(name, "p", input_reference="dawn.png") for name in "abc"]
    options: dict[str, Any] = {"output": studio / "videos"}
    with Session(
        backend, profiles("p1"), mode=Mode("one by one", 1, 1), speed=100, journal=studio / "runs", **options
    ) as session:
        session.start(scenes)
        monkeypatch.chdir(other)
        while not backend.read:
            time.sleep(0.001)  # a submit that has not left would be called back
        session.stop()
        backend.fake.let_go()
        session.wait(10)
        session.abandon()
        with restore(studio / "runs", later, profiles("p1"), **options) as again:
            assert again.run_blocking().ended == "settled"
    assert {**backend.read, **later.read} == dict.fromkeys("abc", PNG)
